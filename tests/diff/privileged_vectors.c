/* Replays vectors of privileged instructions, rings and gates: files of one JSON object a line, plain or gzip, each the
 * bytes of some machine code, the ring and the flags that it runs with, and what the processor must do. The code is
 * followed by INT 80h; every gate of the IDT leads to a recorder. Prints the ids that fail with expected and actual
 * result, and last `N passed, M failed`. Exit 0: all passed; 1: some failed; 2: a file cannot be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <zlib.h>

#include "faultline/machine.h"
#include "privileged_rig.h"

enum { TEXT_BYTES = 200, LINE_BYTES = 1 << 16, CODE_BYTES = 64 };

struct totals {
	unsigned long passed, failed;
};

static uint64_t number_of(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
	if (cJSON_IsString(item))
		return strtoull(item->valuestring, NULL, 16);
	return cJSON_IsNumber(item) ? (uint64_t)item->valuedouble : 0;
}

static const char *text_of(const cJSON *json, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
	return text ? text : "";
}

static bool has(const cJSON *json, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(json, key) != NULL;
}

static unsigned read_code(const char *hex, uint8_t *out)
{
	unsigned count = 0, byte;
	while (count < CODE_BYTES && sscanf(hex + 2 * (size_t)count, "%2x", &byte) == 1)
		out[count++] = (uint8_t)byte;
	return count;
}

static void put_expected(char *out, const cJSON *result)
{
	char *end = out + TEXT_BYTES;
	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, "ok"))) {
		out += snprintf(out, TEXT_BYTES, "#%s", text_of(result, "fault"));
		if (has(result, "error_code"))
			(void)snprintf(out, (size_t)(end - out), " error code %llu",
				       (unsigned long long)number_of(result, "error_code"));
		return;
	}
	uint64_t vector = has(result, "vector") ? number_of(result, "vector") : RIG_LAST_VECTOR;
	out += snprintf(out, TEXT_BYTES, "ok, gate %llu", (unsigned long long)vector);
	if (has(result, "cpl_after"))
		out += snprintf(out, (size_t)(end - out), " from ring %llu",
				(unsigned long long)number_of(result, "cpl_after"));
	if (has(result, "cs"))
		(void)snprintf(out, (size_t)(end - out), " cs %llu", (unsigned long long)number_of(result, "cs"));
}

/* Says of what happened as much as the expectation says. */
static void put_actual(char *out, const struct rig_record *record, const cJSON *result)
{
	char *end = out + TEXT_BYTES;
	if (record->why_stopped) {
		(void)snprintf(out, TEXT_BYTES, "the machine stopped: %s", record->why_stopped);
		return;
	}
	if (!record->asked) {
		out += snprintf(out, TEXT_BYTES, "%s", vector_name(record->vector));
		if (record->has_error)
			(void)snprintf(out, (size_t)(end - out), " error code %u", record->error);
		return;
	}
	out += snprintf(out, TEXT_BYTES, "ok, gate %u", record->vector);
	if (has(result, "cpl_after"))
		out += snprintf(out, (size_t)(end - out), " from ring %u", record->cs & 3u);
	if (has(result, "cs"))
		(void)snprintf(out, (size_t)(end - out), " cs %u", record->cs);
}

static void run_vector(struct rig *const rigs[2], const cJSON *json, struct totals *totals)
{
	bool wide = strcmp(text_of(json, "mode"), "64bit") == 0;
	uint8_t code[CODE_BYTES + 2];
	struct rig_case given = {
	    .code = code,
	    .code_bytes = read_code(text_of(json, "bytes"), code),
	    .cpl = (uint8_t)number_of(json, "cpl"),
	    .iopl = (unsigned)number_of(json, "iopl"),
	    .cr4 = (number_of(json, "tsd") ? CR4_TSD : 0) | (number_of(json, "umip") ? CR4_UMIP : 0) |
		   (number_of(json, "pke") ? CR4_PKE : 0),
	    .efer = number_of(json, "sce") ? EFER_SCE : 0,
	    .rax = number_of(json, "rax"),
	    .rcx = number_of(json, "rcx"),
	};
	struct rig_record record;
	rig_run(rigs[wide], &given, &record);
	const cJSON *result = cJSON_GetObjectItemCaseSensitive(json, "result");
	char expected[TEXT_BYTES], actual[TEXT_BYTES];
	put_expected(expected, result);
	put_actual(actual, &record, result);
	if (strcmp(expected, actual) == 0) {
		totals->passed++;
		return;
	}
	totals->failed++;
	printf("%s: %s %s in ring %u: expected %s, got %s\n", text_of(json, "id"), text_of(json, "mode"),
	       text_of(json, "insn"), given.cpl, expected, actual);
}

/* False: the file cannot be read. gzread passes plain files through. */
static bool run_file(struct rig *const rigs[2], const char *path, struct totals *totals)
{
	char *line = malloc(LINE_BYTES);
	gzFile file = gzopen(path, "rb");
	bool good = line && file;
	while (good && gzgets(file, line, LINE_BYTES)) {
		cJSON *json = cJSON_Parse(line);
		good = cJSON_IsObject(json);
		if (good)
			run_vector(rigs, json, totals);
		cJSON_Delete(json);
	}
	if (!good)
		(void)fprintf(stderr, "privileged_vectors: %s: cannot be read, or a line is no JSON object\n", path);
	if (file)
		(void)gzclose(file);
	free(line);
	return good;
}

int main(int argc, char **argv)
{
	struct totals totals = {0, 0};
	if (argc < 2) {
		(void)fprintf(stderr, "usage: privileged_vectors FILE.jsonl[.gz]...\n");
		return 2;
	}
	struct rig *const rigs[2] = {rig_new(false), rig_new(true)};
	bool good = rigs[0] && rigs[1];
	for (int i = 1; good && i < argc; i++)
		good = run_file(rigs, argv[i], &totals);
	rig_free(rigs[0]);
	rig_free(rigs[1]);
	if (!good)
		return 2;
	printf("%lu passed, %lu failed\n", totals.passed, totals.failed);
	return totals.failed != 0;
}
