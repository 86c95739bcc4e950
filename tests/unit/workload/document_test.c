#include "test_document.h"

#include <stdlib.h>

#include "faultline/heap.h"
#include "faultline/profile.h"
#include "faultline/stat.h"
#include "script_cursor.h"

static const struct op *op_at(const struct document *document, unsigned index)
{
	assert_true(index < document->processes[0].script.count);
	return &document->processes[0].script.ops[index].op;
}

static void a_script_at_the_top_level_is_a_process_called_app(void **state)
{
	(void)state;
	struct document *document = parse_script("{\"op\": \"malloc\", \"id\": \"buf\", \"size\": \"100KiB\"}");
	assert_int_equal(document->process_count, 1);
	assert_string_equal(document->processes[0].name, "app");
	assert_string_equal(document->name, "test");
	assert_int_equal(op_at(document, 0)->size, 102400);
	assert_string_equal(op_at(document, 0)->pointer, "/script/0");
	document_free(document);
}

static void defaults_are_filled_in(void **state)
{
	(void)state;
	struct document *document = parse_script(
	    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": 4096}, {\"op\": \"read\", "
	    "\"at\": \"m\"}, {\"op\": \"access\", \"at\": \"m\", \"length\": 1}");
	assert_int_equal(op_at(document, 0)->prot, 3);
	assert_int_equal(op_at(document, 0)->flags, 0x22);
	assert_int_equal(op_at(document, 1)->length, 1);
	assert_int_equal(op_at(document, 2)->seed, 1);
	assert_int_equal(document->machine.paging, PAGING_4LEVEL);
	assert_ptr_equal(document->machine.profile, cpu_profile_at(0));
	document_free(document);
}

struct size_case {
	const char *text;
	uint64_t bytes;
};

static void sizes_have_binary_units(void **state)
{
	(void)state;
	static const struct size_case cases[] = {
	    {"0", 0},
	    {"7", 7},
	    {"1e3", 1000},
	    {"4.0", 4},
	    {"-0", 0},
	    {"9007199254740991", 9007199254740991u},
	    {"\"3B\"", 3},
	    {"\"4KiB\"", 4096},
	    {"\"1.5MiB\"", 1572864},
	    {"\"2GiB\"", (uint64_t)2 << 30},
	    {"\"3TiB\"", (uint64_t)3 << 40},
	    {"\"0xffffffffffffffff\"", UINT64_MAX},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char op[128];
		(void)snprintf(op, sizeof(op), "{\"op\": \"malloc\", \"id\": \"b\", \"size\": %s}", cases[i].text);
		struct document *document = parse_script(op);
		assert_int_equal(op_at(document, 0)->size, cases[i].bytes);
		document_free(document);
	}
}

static void places_are_understood(void **state)
{
	(void)state;
	struct document *document = parse_script(
	    "{\"op\": \"malloc\", \"id\": \"b\", \"size\": 9}, {\"op\": \"read\", \"at\": \"b+4KiB\"},"
	    "{\"op\": \"read\", \"at\": \"0xdead\"}, {\"op\": \"read\", \"at\": {\"brk\": -1}},"
	    "{\"op\": \"read\", \"at\": {\"segment\": \"stack\", \"offset\": -8}},"
	    "{\"op\": \"read\", \"at\": \"segment:heap+8\"}, {\"op\": \"read\", \"at\": \"NULL\"}");
	assert_int_equal(op_at(document, 1)->at.kind, PLACE_SLOT);
	assert_int_equal(op_at(document, 1)->at.slot, op_at(document, 0)->id.slot);
	assert_int_equal(op_at(document, 1)->at.offset, 4096);
	assert_int_equal(op_at(document, 2)->at.kind, PLACE_ADDRESS);
	assert_int_equal(op_at(document, 2)->at.address, 0xdead);
	assert_int_equal(op_at(document, 3)->at.kind, PLACE_BREAK);
	assert_int_equal(op_at(document, 3)->at.offset, -1);
	assert_int_equal(op_at(document, 4)->at.segment, SEGMENT_STACK);
	assert_int_equal(op_at(document, 4)->at.offset, -8);
	assert_int_equal(op_at(document, 5)->at.segment, SEGMENT_HEAP);
	assert_int_equal(op_at(document, 6)->at.slot, OP_NO_SLOT);
	document_free(document);
}

static void an_expect_asks_a_statistic_or_a_query(void **state)
{
	(void)state;
	struct document *document = parse_script(
	    "{\"op\": \"malloc\", \"id\": \"b\", \"size\": 9},"
	    "{\"op\": \"expect\", \"that\": \"op.faults.minor\", \"equals\": 2},"
	    "{\"op\": \"expect\", \"that\": \"content(b+8)\", \"equals\": \"0x2a\"},"
	    "{\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGSEGV\"},"
	    "{\"op\": \"expect\", \"that\": \"mapped(b)\", \"equals\": true}");
	assert_true(op_at(document, 0)->watched);
	assert_int_equal(op_at(document, 1)->that.kind, THAT_OP);
	assert_int_equal(op_at(document, 1)->that.stat, STAT_FAULTS_MINOR);
	assert_int_equal(op_at(document, 2)->that.kind, THAT_CONTENT);
	assert_int_equal(op_at(document, 2)->that.place.offset, 8);
	assert_int_equal(op_at(document, 2)->equals.number, 42);
	assert_string_equal(op_at(document, 3)->equals.text, "SIGSEGV");
	assert_int_equal(op_at(document, 4)->equals.number, 1);
	document_free(document);
}

static const struct op *next_op(struct script_cursor *cursor)
{
	struct why why;
	const struct op *op = NULL;
	if (!script_cursor_next(cursor, &op, &why))
		fail_msg("%s", why.text);
	return op;
}

static void repeats_unroll_and_compute(void **state)
{
	(void)state;
	struct document *document = parse_script(
	    "{\"op\": \"repeat\", \"times\": 2, \"as\": \"i\", \"body\": ["
	    "{\"op\": \"malloc\", \"id\": \"n-{i}\", \"size\": \"{(i+1)*4096}\"},"
	    "{\"op\": \"repeat\", \"times\": \"{i+1}\", \"as\": \"j\", \"body\": ["
	    "{\"op\": \"read\", \"at\": \"n-{i}+{j*8}\"}]}]}, {\"op\": \"getpid\"}");
	struct arena *arena = arena_new(1 << 20);
	struct script_cursor cursor;
	script_cursor_init(&cursor, arena, &document->processes[0].script);
	assert_int_equal(next_op(&cursor)->size, 4096);
	assert_int_equal(next_op(&cursor)->at.slot, 0);
	assert_int_equal(next_op(&cursor)->size, 8192);
	assert_int_equal(next_op(&cursor)->at.offset, 0);
	const struct op *last = next_op(&cursor);
	assert_int_equal(last->at.slot, 1);
	assert_int_equal(last->at.offset, 8);
	assert_int_equal(next_op(&cursor)->kind, OP_GETPID);
	assert_null(next_op(&cursor));
	arena_free(arena);
	document_free(document);
}

static void empty_repeats_end(void **state)
{
	(void)state;
	struct document *document = parse_script(
	    "{\"op\": \"repeat\", \"times\": 9000000000000, \"body\": []},"
	    "{\"op\": \"repeat\", \"times\": 0, \"body\": [{\"op\": \"getpid\"}]}");
	struct arena *arena = arena_new(1 << 20);
	struct script_cursor cursor;
	script_cursor_init(&cursor, arena, &document->processes[0].script);
	assert_null(next_op(&cursor));
	arena_free(arena);
	document_free(document);
}

static void a_value_that_cannot_be_computed_is_refused_at_run_time(void **state)
{
	(void)state;
	struct document *document = parse_script("{\"op\": \"repeat\", \"times\": 1, \"as\": \"i\", \"body\": ["
						 "{\"op\": \"malloc\", \"id\": \"b\", \"size\": \"{1/i}\"}]}");
	struct arena *arena = arena_new(1 << 20);
	struct script_cursor cursor;
	struct why why;
	const struct op *op = NULL;
	script_cursor_init(&cursor, arena, &document->processes[0].script);
	assert_false(script_cursor_next(&cursor, &op, &why));
	assert_non_null(strstr(why.text, "divides by zero"));
	assert_string_equal(op->pointer, "/script/0/body/0");
	arena_free(arena);
	document_free(document);
}

static enum status set(struct document *document, const char *assignment)
{
	struct error error;
	return document_set(document, assignment, &error);
}

static void settings_can_be_overridden(void **state)
{
	(void)state;
	struct document *document = parse("{\"faultline\": 1, \"processes\": ["
					  "{\"name\": \"a\", \"script\": []}, {\"name\": \"b\", \"script\": []}]}");
	uint64_t before = document->digest;
	assert_int_equal(set(document, "machine.memory=16MiB"), STATUS_OK);
	assert_int_equal(set(document, "kernel.overcommit=never"), STATUS_OK);
	assert_int_equal(set(document, "processes.b.stack_limit=65536"), STATUS_OK);
	assert_int_equal(document->machine.memory_bytes, 16 << 20);
	assert_int_equal(document->kernel.overcommit, OVERCOMMIT_NEVER);
	assert_int_equal(document->processes[0].spec.stack_limit, 0);
	assert_int_equal(document->processes[1].spec.stack_limit, 65536);
	assert_int_equal(set(document, "stack_limit=1MiB"), STATUS_OK);
	assert_int_equal(document->processes[0].spec.stack_limit, 1 << 20);
	assert_true(document->digest != before);
	document_free(document);
}

static void a_bad_setting_names_the_nearest_one(void **state)
{
	(void)state;
	struct error error;
	struct document *document = parse_script("");
	assert_int_equal(document_set(document, "kernel.overcomit=never", &error), STATUS_BAD_INPUT);
	assert_mentions(error, "did you mean \"overcommit\"");
	assert_int_equal(document_set(document, "processes.ap.libc=glibc", &error), STATUS_BAD_INPUT);
	assert_mentions(error, "did you mean \"app\"");
	assert_int_equal(document_set(document, "machine.memory=64MB", &error), STATUS_BAD_INPUT);
	assert_mentions(error, "64MiB");
	assert_int_equal(document_set(document, "machine.memory", &error), STATUS_BAD_INPUT);
	assert_int_equal(document_set(document, "machinery.memory=1", &error), STATUS_BAD_INPUT);
	document_free(document);
}

static void count_setting(void *self, const char *key, const char *value, const char *text)
{
	unsigned *count = self;
	(*count)++;
	assert_true(*key && *value && *text);
	if (strcmp(key, "machine.memory") == 0)
		assert_string_equal(value, "64MiB");
}

static void all_settings_can_be_listed(void **state)
{
	(void)state;
	unsigned count = 0;
	struct document *document = parse_script("");
	document_settings(document, count_setting, &count);
	assert_true(count >= 10);
	document_free(document);
}

static void the_digest_depends_on_every_byte(void **state)
{
	(void)state;
	struct document *a = parse_script("");
	struct document *b = parse_script(" ");
	assert_true(a->digest != b->digest);
	document_free(a);
	document_free(b);
}

static void a_document_that_is_too_large_is_refused(void **state)
{
	(void)state;
	size_t length = (16 << 20) + 1;
	char *text = malloc(length);
	memset(text, ' ', length);
	assert_mentions(refuse(text, length), "op list");
	free(text);
}

static void a_missing_file_is_a_failure_of_the_host(void **state)
{
	(void)state;
	struct document *document;
	struct error error;
	assert_int_equal(document_load("no/such/file.json", &document, &error), STATUS_HOST);
	assert_int_equal(document_load("no/such/file.ops", &document, &error), STATUS_HOST);
}

static void a_value_is_refused_with_its_line_and_column(void **state)
{
	(void)state;
	struct error error = refuse_script("\n\n  {\"op\": \"malloc\", \"id\": \"b\",\n \"size\": \"1kB\"}");
	assert_int_equal(strncmp(error.text, "test.json:4:10: /script/0/size: ", 32), 0);
	assert_mentions(error, "\"1KiB\"");
}

static void all_ops_have_a_row(void **state)
{
	(void)state;
	for (unsigned i = 0; i < OP_KIND_COUNT; i++) {
		enum op_kind kind;
		assert_true(op_find(op_info((enum op_kind)i)->name, &kind));
		assert_int_equal(kind, i);
		assert_true(*op_info(kind)->text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_script_at_the_top_level_is_a_process_called_app),
	    cmocka_unit_test(defaults_are_filled_in),
	    cmocka_unit_test(sizes_have_binary_units),
	    cmocka_unit_test(places_are_understood),
	    cmocka_unit_test(an_expect_asks_a_statistic_or_a_query),
	    cmocka_unit_test(repeats_unroll_and_compute),
	    cmocka_unit_test(empty_repeats_end),
	    cmocka_unit_test(a_value_that_cannot_be_computed_is_refused_at_run_time),
	    cmocka_unit_test(settings_can_be_overridden),
	    cmocka_unit_test(a_bad_setting_names_the_nearest_one),
	    cmocka_unit_test(all_settings_can_be_listed),
	    cmocka_unit_test(the_digest_depends_on_every_byte),
	    cmocka_unit_test(a_document_that_is_too_large_is_refused),
	    cmocka_unit_test(a_missing_file_is_a_failure_of_the_host),
	    cmocka_unit_test(a_value_is_refused_with_its_line_and_column),
	    cmocka_unit_test(all_ops_have_a_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
