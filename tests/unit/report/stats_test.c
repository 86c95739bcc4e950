/* The statistics of a run, as programs read them: docs/stats-1.md is true. */
#include "faultline/report_stats.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "faultline/document.h"

static const char text[] =
    "{\"faultline\": 1, \"name\": \"stats\", \"processes\": ["
    "{\"name\": \"a\", \"script\": [{\"op\": \"malloc\", \"id\": \"p\", \"size\": \"64KiB\"},"
    "{\"op\": \"phase\", \"name\": \"touch\"}, {\"op\": \"write\", \"at\": \"p\", \"length\": \"64KiB\"}]},"
    "{\"name\": \"b\", \"libc\": \"best-fit\", \"script\": [{\"op\": \"read\", \"at\": \"0x0\"},"
    "{\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGSEGV\"}]}]}";

struct run {
	struct document *document;
	struct world *world;
	struct error error;
};

static void run_new(struct run *run)
{
	*run = (struct run){0};
	if (document_parse(text, strlen(text), "stats.json", &run->document, &run->error) != STATUS_OK ||
	    world_new(run->document, &run->world, &run->error) != STATUS_OK ||
	    world_run(run->world, &run->error) != STATUS_OK)
		fail_msg("%s", run->error.text);
}

static void run_free(struct run *run)
{
	world_free(run->world);
	document_free(run->document);
}

/* The caller frees the text. */
static char *reported(const struct run *run, enum report_format format)
{
	char *out_text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&out_text, &length);
	struct report *report = report_new(out, format);
	report_stats(report, run->world, &run->error);
	report_free(report);
	(void)fclose(out);
	return out_text;
}

static const cJSON *member(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	if (!item)
		fail_msg("no member \"%s\"", key);
	return item;
}

static void assert_statistics(const cJSON *object, const struct stats *stats)
{
	assert_int_equal(cJSON_GetArraySize(object), STAT_COUNT);
	for (unsigned i = 0; i < STAT_COUNT; i++)
		assert_int_equal(member(object, stat_info((enum stat)i)->name)->valuedouble, stats->value[i]);
}

static void json_has_every_statistic_of_every_scope(void **state)
{
	(void)state;
	struct run run;
	struct stats stats;
	run_new(&run);
	char *json = reported(&run, REPORT_JSON);
	cJSON *document = cJSON_Parse(json);
	assert_non_null(document);
	assert_string_equal(member(document, "schema")->valuestring, REPORT_STATS_SCHEMA);
	world_machine_stats(run.world, &stats);
	assert_statistics(member(document, "machine"), &stats);
	const cJSON *processes = member(document, "processes");
	assert_int_equal(cJSON_GetArraySize(processes), 2);
	for (int i = 0; i < 2; i++) {
		world_process_stats(run.world, (unsigned)i, &stats);
		assert_statistics(member(cJSON_GetArrayItem(processes, i), "statistics"), &stats);
	}
	const cJSON *phases = member(document, "phases");
	assert_int_equal(cJSON_GetArraySize(phases), 2);
	world_phase_stats(run.world, 1, &stats);
	assert_statistics(member(cJSON_GetArrayItem(phases, 1), "statistics"), &stats);
	cJSON_Delete(document);
	free(json);
	run_free(&run);
}

static void json_says_how_each_process_ended(void **state)
{
	(void)state;
	struct run run;
	run_new(&run);
	char *json = reported(&run, REPORT_JSON);
	cJSON *document = cJSON_Parse(json);
	const cJSON *processes = member(document, "processes");
	const cJSON *a = cJSON_GetArrayItem(processes, 0), *b = cJSON_GetArrayItem(processes, 1);
	assert_string_equal(member(a, "state")->valuestring, "finished");
	assert_string_equal(member(a, "signal")->valuestring, "");
	assert_string_equal(member(b, "state")->valuestring, "killed");
	assert_string_equal(member(b, "signal")->valuestring, "SIGSEGV");
	assert_string_equal(member(b, "libc")->valuestring, "best-fit");
	assert_int_equal(member(member(document, "result"), "status")->valueint, 0);
	assert_string_equal(member(member(document, "settings"), "machine.memory")->valuestring, "64MiB");
	cJSON_Delete(document);
	free(json);
	run_free(&run);
}

static void csv_and_json_have_the_same_numbers(void **state)
{
	(void)state;
	struct run run;
	struct stats stats;
	run_new(&run);
	char *csv = reported(&run, REPORT_CSV);
	world_machine_stats(run.world, &stats);
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		char record[160];
		const struct stat_info *info = stat_info((enum stat)i);
		(void)snprintf(record, sizeof(record), "\nmachine,%s,%llu,%s\r\n", info->name,
			       (unsigned long long)stats.value[i], info->unit);
		assert_non_null(strstr(csv, record));
	}
	free(csv);
	run_free(&run);
}

static void people_get_one_table(void **state)
{
	(void)state;
	struct run run;
	run_new(&run);
	char *page = reported(&run, REPORT_TEXT);
	for (unsigned i = 0; i < STAT_COUNT; i++)
		assert_non_null(strstr(page, stat_info((enum stat)i)->name));
	char *markdown = reported(&run, REPORT_MARKDOWN);
	assert_non_null(strstr(markdown, "| statistic | machine | a | b | touch | unit |\n"));
	free(markdown);
	free(page);
	run_free(&run);
}

/* One row of docs/stats-1.md for each statistic, and one for each member of the document. */
static void every_statistic_is_documented(void **state)
{
	(void)state;
	static const char *const kinds[] = {[STAT_TOTAL] = "total", [STAT_LEVEL] = "level", [STAT_PEAK] = "peak"};
	static char page[65536];
	struct run run;
	FILE *file = fopen(FAULTLINE_SOURCE_DIR "/docs/stats-1.md", "r");
	assert_non_null(file);
	page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
	(void)fclose(file);
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		const struct stat_info *info = stat_info((enum stat)i);
		char row[256];
		(void)snprintf(row, sizeof(row), "| `%s` | %s | %s | %s |\n", info->name, kinds[info->kind], info->unit,
			       info->text);
		if (!strstr(page, row))
			fail_msg("docs/stats-1.md lacks the row\n%s", row);
	}
	run_new(&run);
	char *json = reported(&run, REPORT_JSON);
	cJSON *document = cJSON_Parse(json);
	const cJSON *item;
	cJSON_ArrayForEach(item, document)
	{
		char row[64];
		(void)snprintf(row, sizeof(row), "| `%s` |", item->string);
		if (!strstr(page, row))
			fail_msg("docs/stats-1.md lacks the member %s", item->string);
	}
	cJSON_Delete(document);
	free(json);
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(json_has_every_statistic_of_every_scope),
	    cmocka_unit_test(json_says_how_each_process_ended),
	    cmocka_unit_test(csv_and_json_have_the_same_numbers),
	    cmocka_unit_test(people_get_one_table),
	    cmocka_unit_test(every_statistic_is_documented),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
