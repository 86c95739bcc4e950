/* Every document of tests/golden/bad is refused with exactly the message of its .expected file. */
#include "test_document.h"

#include <dirent.h>
#include <stdlib.h>

#define FOLDER FAULTLINE_SOURCE_DIR "/tests/golden/bad"

struct text {
	char *bytes;
	size_t length;
};

static struct text read_all(const char *path)
{
	struct text text = {malloc(1 << 16), 0};
	FILE *file = fopen(path, "rb");
	if (file) {
		text.length = fread(text.bytes, 1, (1 << 16) - 1, file);
		(void)fclose(file);
	}
	text.bytes[text.length] = '\0';
	return text;
}

static int is_json(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static void message_of(const char *name, char *message, size_t room)
{
	char path[512];
	struct document *document = NULL;
	struct error error;
	(void)snprintf(path, sizeof(path), FOLDER "/%s", name);
	struct text text = read_all(path);
	if (document_parse(text.bytes, text.length, name, &document, &error) == STATUS_BAD_INPUT)
		(void)snprintf(message, room, "%s\n", error.text);
	else
		(void)snprintf(message, room, "%s: accepted\n", name);
	document_free(document);
	free(text.bytes);
}

static void expected_path(const char *name, char *path, size_t room)
{
	(void)snprintf(path, room, FOLDER "/%.*s.expected", (int)strlen(name) - 5, name);
}

static bool matches(const char *name)
{
	char message[1024];
	char path[512];
	message_of(name, message, sizeof(message));
	expected_path(name, path, sizeof(path));
	if (getenv("REBASELINE")) {
		FILE *file = fopen(path, "wb");
		assert_non_null(file);
		(void)fputs(message, file);
		(void)fclose(file);
		return true;
	}
	struct text expected = read_all(path);
	bool same = strcmp(expected.bytes, message) == 0;
	if (!same)
		print_error("%s\n-%s+%s", name, expected.length ? expected.bytes : "(no .expected file)\n", message);
	free(expected.bytes);
	return same;
}

static void every_bad_document_gets_its_message(void **state)
{
	(void)state;
	struct dirent **entries = NULL;
	unsigned wrong = 0;
	int count = scandir(FOLDER, &entries, is_json, alphasort);
	assert_true(count >= 20);
	for (int i = 0; i < count; i++) {
		wrong += !matches(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (wrong)
		fail_msg("%u messages differ; if the new ones are right, run this test once with REBASELINE=1 set and "
			 "say in the commit why they changed",
			 wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_bad_document_gets_its_message)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
