/* The emitter: the same document in four formats. */
#include "faultline/report.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

typedef void emit_fn(struct report *report);

/* What `emit` prints in the format; the caller frees it. */
static char *printed(enum report_format format, emit_fn *emit)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	struct report *report = report_new(out, format);
	emit(report);
	report_free(report);
	(void)fclose(out);
	return text;
}

static void assert_printed(enum report_format format, emit_fn *emit, const char *expected)
{
	char *text = printed(format, emit);
	assert_string_equal(text, expected);
	free(text);
}

static const struct report_column columns[] = {{"name", "allocator"}, {"calls", "calls"}};

static void document(struct report *report)
{
	report_begin(report, "run", "What ran");
	report_text(report, "name", "workload", "first, \"malloc\"");
	report_number(report, "memory", "RAM", 64, "MiB");
	report_flag(report, "checked", "checked", true);
	report_end(report);
	report_table_begin(report, "heaps", "Heaps", columns, 2);
	report_cell_text(report, "glibc");
	report_cell_number(report, 12);
	report_cell_text(report, "a|b");
	report_cell_number(report, 7);
	report_table_end(report);
}

static void text_aligns_values_and_columns(void **state)
{
	(void)state;
	assert_printed(REPORT_TEXT, document,
		       "What ran\n"
		       "  workload        first, \"malloc\"\n"
		       "  RAM             64 MiB\n"
		       "  checked         true\n"
		       "\n"
		       "Heaps\n"
		       "  allocator  calls\n"
		       "  glibc         12\n"
		       "  a|b            7\n");
}

static void json_nests_sections_and_keeps_types(void **state)
{
	(void)state;
	assert_printed(REPORT_JSON, document,
		       "{\n"
		       "  \"run\": {\n"
		       "    \"name\": \"first, \\\"malloc\\\"\",\n"
		       "    \"memory\": 64,\n"
		       "    \"checked\": true\n"
		       "  },\n"
		       "  \"heaps\": [\n"
		       "    {\"name\": \"glibc\", \"calls\": 12},\n"
		       "    {\"name\": \"a|b\", \"calls\": 7}\n"
		       "  ]\n"
		       "}\n");
}

static void csv_has_one_record_a_value(void **state)
{
	(void)state;
	assert_printed(REPORT_CSV, document,
		       "section,name,value,unit\r\n"
		       "run,name,\"first, \"\"malloc\"\"\",\r\n"
		       "run,memory,64,MiB\r\n"
		       "run,checked,true,\r\n"
		       "heaps,glibc.calls,12,\r\n"
		       "heaps,a|b.calls,7,\r\n");
}

static void markdown_makes_headlines_lists_and_tables(void **state)
{
	(void)state;
	assert_printed(REPORT_MARKDOWN, document,
		       "## What ran\n"
		       "\n"
		       "- **workload**: first, \"malloc\"\n"
		       "- **RAM**: 64 MiB\n"
		       "- **checked**: true\n"
		       "\n"
		       "## Heaps\n"
		       "\n"
		       "| allocator | calls |\n"
		       "| --- | ---: |\n"
		       "| glibc | 12 |\n"
		       "| a\\|b | 7 |\n");
}

static void nasty(struct report *report)
{
	report_text(report, "a\"b", "title", "line\nbreak\ttab\\slash\x01 \x1b[31m é");
	report_number(report, "most", "most", UINT64_MAX, "");
}

static void json_escapes_control_characters_and_quotes(void **state)
{
	(void)state;
	assert_printed(REPORT_JSON, nasty,
		       "{\n"
		       "  \"a\\\"b\": \"line\\u000abreak\\u0009tab\\\\slash\\u0001 \\u001b[31m é\",\n"
		       "  \"most\": 18446744073709551615\n"
		       "}\n");
}

static void text_lets_nothing_through_that_steers_a_terminal(void **state)
{
	(void)state;
	assert_printed(REPORT_TEXT, nasty,
		       "title           line break tab\\slash   [31m é\n"
		       "most            18446744073709551615\n");
}

static void csv_quotes_line_breaks(void **state)
{
	(void)state;
	char *text = printed(REPORT_CSV, nasty);
	assert_non_null(strstr(text, ",\"a\"\"b\",\"line\nbreak\ttab\\slash\x01 \x1b[31m é\",\r\n"));
	free(text);
}

static void list(struct report *report)
{
	report_begin_list(report, "processes", "Processes");
	for (unsigned i = 0; i < 2; i++) {
		report_begin(report, NULL, i ? "b" : "a");
		report_number(report, "pid", "pid", i + 1, "");
		report_end(report);
	}
	report_end(report);
	report_begin_list(report, "none", NULL);
	report_end(report);
}

static void json_lists_are_arrays(void **state)
{
	(void)state;
	assert_printed(REPORT_JSON, list,
		       "{\n"
		       "  \"processes\": [\n"
		       "    {\n"
		       "      \"pid\": 1\n"
		       "    },\n"
		       "    {\n"
		       "      \"pid\": 2\n"
		       "    }\n"
		       "  ],\n"
		       "  \"none\": []\n"
		       "}\n");
}

static void csv_numbers_the_members_of_a_list(void **state)
{
	(void)state;
	assert_printed(REPORT_CSV, list,
		       "section,name,value,unit\r\n"
		       "processes/0,pid,1,\r\n"
		       "processes/1,pid,2,\r\n");
}

static void nothing(struct report *report)
{
	(void)report;
}

static void an_empty_document_is_still_one(void **state)
{
	(void)state;
	assert_printed(REPORT_JSON, nothing, "{}\n");
	assert_printed(REPORT_TEXT, nothing, "");
}

static void formats_are_found_by_name(void **state)
{
	enum report_format format;
	(void)state;
	for (unsigned i = 0; i < REPORT_FORMAT_COUNT; i++) {
		assert_true(report_format_find(report_format_name((enum report_format)i), &format));
		assert_int_equal(format, i);
	}
	assert_false(report_format_find("pdf", &format));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_aligns_values_and_columns),
	    cmocka_unit_test(json_nests_sections_and_keeps_types),
	    cmocka_unit_test(csv_has_one_record_a_value),
	    cmocka_unit_test(markdown_makes_headlines_lists_and_tables),
	    cmocka_unit_test(json_escapes_control_characters_and_quotes),
	    cmocka_unit_test(text_lets_nothing_through_that_steers_a_terminal),
	    cmocka_unit_test(csv_quotes_line_breaks),
	    cmocka_unit_test(json_lists_are_arrays),
	    cmocka_unit_test(csv_numbers_the_members_of_a_list),
	    cmocka_unit_test(an_empty_document_is_still_one),
	    cmocka_unit_test(formats_are_found_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
