/* The event log: valid JSON with the documented fields. */
#include "faultline/eventlog.h"

#include <cjson/cJSON.h>

#include "faultline/event_fields.h"
#include "faultline/version.h"
#include "small_world.h"

/* The log of these events, as text; the caller frees it. */
static char *logged(const struct document *document, const struct event *events, unsigned count)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	struct eventlog *log = eventlog_new(out, document);
	for (unsigned i = 0; i < count; i++)
		eventlog_event(log, &events[i]);
	eventlog_free(log);
	(void)fclose(out);
	return text;
}

/* Object of the line with this number, from 0; the caller deletes it. */
static cJSON *line_of(const char *text, unsigned number)
{
	for (; number; number--) {
		text = strchr(text, '\n');
		assert_non_null(text);
		text++;
	}
	cJSON *object = cJSON_ParseWithLength(text, strcspn(text, "\n"));
	assert_true(cJSON_IsObject(object));
	return object;
}

static void assert_string(const cJSON *object, const char *key, const char *expected)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	assert_true(cJSON_IsString(item));
	assert_string_equal(item->valuestring, expected);
}

static void the_first_line_says_what_the_log_belongs_to(void **state)
{
	(void)state;
	struct small_world small = small_world_of(
	    "{'faultline': 1, 'name': 'seeds \\u00e9', 'script': [{'op': 'mmap', 'id': 'm', 'length': '1MiB'},"
	    "{'op': 'access', 'at': 'm', 'length': '1MiB', 'count': 9, 'pattern': 'uniform', 'seed': 7}]}");
	char *text = logged(small.document, NULL, 0);
	char digest[32];
	cJSON *head = line_of(text, 0);
	(void)snprintf(digest, sizeof(digest), "0x%llx", (unsigned long long)small.document->digest);
	assert_string(head, "format", EVENTLOG_FORMAT);
	assert_string(head, "version", FAULTLINE_VERSION);
	assert_string(head, "workload", "seeds \xc3\xa9");
	assert_string(head, "digest", digest);
	const cJSON *seeds = cJSON_GetObjectItemCaseSensitive(head, "seeds");
	assert_int_equal(cJSON_GetArraySize(seeds), 1);
	assert_int_equal(cJSON_GetArrayItem(seeds, 0)->valueint, 7);
	cJSON_Delete(head);
	free(text);
	small_world_free(&small);
}

static void assert_field(const cJSON *object, const struct event_field *field)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, field->name);
	bool number = field->type == FIELD_DEC || field->type == FIELD_BYTES;
	assert_non_null(item);
	assert_int_equal(cJSON_IsNumber(item), number);
	assert_int_equal(cJSON_IsString(item), !number);
	if (field->type == FIELD_HEX || field->type == FIELD_PFN)
		assert_string_equal(item->valuestring, "0xfffffffffffff001");
}

static void every_event_has_its_fields_in_their_types(void **state)
{
	(void)state;
	struct small_world small = small_world_new("");
	struct event_fields fields;
	event_fields_parse(&fields);
	for (unsigned kind = 0; kind < EVENT_COUNT; kind++) {
		struct event event = {.number = 5, .cycle = 9, .pid = 2, .ring = 3, .kind = (uint8_t)kind};
		for (unsigned i = 0; i < EVENT_ARGS; i++)
			event.arg[i] = fields.field[kind][i].type == FIELD_TEXT && i < fields.count[kind]
					   ? event_text("a \"text\"\n")
					   : 0xfffffffffffff001;
		char *text = logged(small.document, &event, 1);
		cJSON *line = line_of(text, 1);
		assert_string(line, "event", event_info((enum event_kind)kind)->name);
		assert_string(line, "layer", layer_name(event_info((enum event_kind)kind)->layer));
		assert_int_equal(cJSON_GetArraySize(line), 6 + fields.count[kind]);
		for (unsigned i = 0; i < fields.count[kind]; i++)
			assert_field(line, &fields.field[kind][i]);
		cJSON_Delete(line);
		free(text);
	}
	small_world_free(&small);
}

static void results_are_names_of_errors_or_values(void **state)
{
	(void)state;
	struct small_world small = small_world_new("");
	const struct event events[] = {
	    {.kind = EVENT_SYSCALL_RETURN, .arg = {event_text("mmap"), (uint64_t)-12}},
	    {.kind = EVENT_SYSCALL_RETURN, .arg = {event_text("mmap"), 0x7ffff7ff0000}},
	};
	char *text = logged(small.document, events, 2);
	cJSON *failed = line_of(text, 1);
	cJSON *worked = line_of(text, 2);
	assert_string(failed, "result", "-ENOMEM");
	assert_string(worked, "result", "0x7ffff7ff0000");
	cJSON_Delete(failed);
	cJSON_Delete(worked);
	free(text);
	small_world_free(&small);
}

static void what_is_no_utf8_is_replaced(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
	    {"cut \xc3", "cut \xef\xbf\xbd"},
	    {"overlong \xc0\x80!", "overlong \xef\xbf\xbd\xef\xbf\xbd!"},
	    {"surrogate \xed\xa0\x80", "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {"good \xf0\x9f\x92\xa5 \xe2\x82\xac", "good \xf0\x9f\x92\xa5 \xe2\x82\xac"},
	    {"control \x01\x1f\x7f\t", "control \x01\x1f\x7f\t"},
	};
	(void)state;
	struct small_world small = small_world_new("");
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct event event = {.kind = EVENT_NOTE, .arg = {event_text(cases[i].text)}};
		char *text = logged(small.document, &event, 1);
		cJSON *line = line_of(text, 1);
		assert_string(line, "text", cases[i].expected);
		cJSON_Delete(line);
		free(text);
	}
	small_world_free(&small);
}

static void a_text_longer_than_any_buffer_arrives_whole(void **state)
{
	(void)state;
	enum { LENGTH = 20000 };
	struct small_world small = small_world_new("");
	char *long_text = malloc(LENGTH + 1);
	assert_non_null(long_text);
	memset(long_text, 'x', LENGTH);
	long_text[LENGTH] = '\0';
	const struct event event = {.kind = EVENT_NOTE, .arg = {event_text(long_text)}};
	char *text = logged(small.document, &event, 1);
	cJSON *line = line_of(text, 1);
	assert_string(line, "text", long_text);
	cJSON_Delete(line);
	free(text);
	free(long_text);
	small_world_free(&small);
}

static void a_run_logs_every_event_once(void **state)
{
	(void)state;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct small_world small = small_world_new("{'op': 'malloc', 'id': 'p', 'size': '64KiB'}, {'op': 'write', "
						   "'at': 'p', 'length': '64KiB'}, {'op': 'free', 'id': 'p'}");
	struct eventlog *log = eventlog_new(out, small.document);
	bus_subscribe(world_bus(small.world), EVENT_MASK_ALL, eventlog_event, log);
	small_world_run(&small);
	eventlog_free(log);
	(void)fclose(out);
	const char *at = text;
	for (uint64_t number = 1; number <= world_bus_const(small.world)->number; number++) {
		at = strchr(at, '\n') + 1;
		cJSON *line = line_of(at, 0);
		assert_int_equal(cJSON_GetObjectItemCaseSensitive(line, "n")->valuedouble, number);
		cJSON_Delete(line);
	}
	assert_string_equal(strchr(at, '\n'), "\n");
	free(text);
	small_world_free(&small);
}

/* docs/events-1.md has one row for each event, as the list has it. */
static void every_event_is_documented(void **state)
{
	(void)state;
	static char page[65536];
	FILE *file = fopen(FAULTLINE_SOURCE_DIR "/docs/events-1.md", "r");
	assert_non_null(file);
	size_t length = fread(page, 1, sizeof(page) - 1, file);
	(void)fclose(file);
	page[length] = '\0';
	for (unsigned kind = 0; kind < EVENT_COUNT; kind++) {
		const struct event_info *info = event_info((enum event_kind)kind);
		char row[512];
		(void)snprintf(row, sizeof(row), "| `%s` | %s | `%s` | %s |\n", info->name, layer_name(info->layer),
			       info->fields, info->sentence);
		if (!strstr(page, row))
			fail_msg("docs/events-1.md lacks the row\n%s", row);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_line_says_what_the_log_belongs_to),
	    cmocka_unit_test(every_event_has_its_fields_in_their_types),
	    cmocka_unit_test(results_are_names_of_errors_or_values),
	    cmocka_unit_test(what_is_no_utf8_is_replaced),
	    cmocka_unit_test(a_text_longer_than_any_buffer_arrives_whole),
	    cmocka_unit_test(a_run_logs_every_event_once),
	    cmocka_unit_test(every_event_is_documented),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
