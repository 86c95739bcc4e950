/* The committed schema is the one that the tables say, and it gives the same verdicts as the loader. */
#include "test_document.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/wait.h>

#define SCHEMA FAULTLINE_SOURCE_DIR "/workloads/schema/workload-1.schema.json"
#define VERDICTS FAULTLINE_SOURCE_DIR "/tests/unit/workload/schema_verdicts.py"

enum { MOST = 1 << 18, SKIPPED = 77 };

struct buffer {
	char *text;
	size_t length;
};

static bool append(void *self, const char *text, size_t length)
{
	struct buffer *buffer = self;
	assert_true(buffer->length + length < MOST);
	memcpy(buffer->text + buffer->length, text, length);
	buffer->length += length;
	buffer->text[buffer->length] = '\0';
	return true;
}

static void the_committed_schema_is_what_the_tables_say(void **state)
{
	(void)state;
	struct buffer written = {calloc(1, MOST), 0};
	struct buffer committed = {calloc(1, MOST), 0};
	assert_true(document_write_schema(append, &written));
	if (getenv("REBASELINE")) {
		FILE *out = fopen(SCHEMA, "wb");
		assert_non_null(out);
		(void)fwrite(written.text, 1, written.length, out);
		(void)fclose(out);
	}
	FILE *file = fopen(SCHEMA, "rb");
	assert_non_null(file);
	committed.length = fread(committed.text, 1, MOST - 1, file);
	(void)fclose(file);
	if (strcmp(written.text, committed.text) != 0)
		fail_msg("%s differs from the tables; run this test once with REBASELINE=1 set", SCHEMA);
	free(written.text);
	free(committed.text);
}

static int is_json(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

/* "accepted PATH" or "refused PATH" for each document of a folder. */
static unsigned tell_verdicts(FILE *out, const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_json, alphasort);
	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		char path[1024];
		struct document *document = NULL;
		struct error error;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		enum status status = document_load(path, &document, &error);
		(void)fprintf(out, "%s %s\n", status == STATUS_OK ? "accepted" : "refused", path);
		document_free(document);
		free(entries[i]);
	}
	free(entries);
	return (unsigned)count;
}

static void schema_and_loader_give_the_same_verdicts(void **state)
{
	(void)state;
	/* The validator is a package of the distribution's own Python. */
	FILE *python = popen("/usr/bin/python3 '" VERDICTS "' '" SCHEMA "'", "w");
	assert_non_null(python);
	unsigned told = tell_verdicts(python, FAULTLINE_SOURCE_DIR "/workloads");
	told += tell_verdicts(python, FAULTLINE_SOURCE_DIR "/tests/golden/bad");
	assert_true(told >= 40);
	int status = pclose(python);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_committed_schema_is_what_the_tables_say),
	    cmocka_unit_test(schema_and_loader_give_the_same_verdicts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
