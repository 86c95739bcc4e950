/* Numbers that are typed, and files that are read: what they cannot mean is refused. */
#include "desk.h"
#include "keyfile.h"

static const char script[] = "{\"faultline\": 1, \"name\": \"x\", \"libc\": \"glibc\", \"script\": ["
			     "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24}, {\"op\": \"write\", \"at\": \"p\"}]}";

static void type_behind(struct desk *desk, const char *key, const char *text)
{
	desk_press(desk, key);
	desk_type(desk, text);
}

static void a_part_of_the_history_is_found(void **state)
{
	(void)state;
	struct desk *desk = desk_begin(script, 80, 24);
	uint64_t all = travel_known(desk->console.travel);
	const struct {
		const char *text;
		uint64_t want;
	} rows[] = {
	    {"0%", 0},
	    {"1%", all / 100},
	    {"50%", all / 2},
	    {"99%", all * 99 / 100},
	    {"100%", all},
	    {"101%", all},
	    {"9223372036854775807%", all},
	    {"-1%", 0},
	    {"-9223372036854775808%", 0},
	    {"9223372036854775807", all},
	    {"-9223372036854775808", 0},
	    {"+9223372036854775807", all},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		desk_go(desk, 7);
		type_behind(desk, "g", rows[i].text);
		if (desk->console.scene.position != rows[i].want)
			fail_msg("g %s arrives at %u", rows[i].text, (unsigned)desk->console.scene.position);
	}
	desk_end(desk);
}

static void only_the_breakpoint_of_that_number_goes(void **state)
{
	(void)state;
	static const char *const none[] = {"0", "4", "4294967297", "-1", "18446744073709551617", "1x", "x", ""};
	struct desk *desk = desk_begin(script, 80, 24);
	struct breakpoints *breakpoints = &desk->console.breakpoints;
	type_behind(desk, "b", "fault");
	type_behind(desk, "b", "syscall brk");
	type_behind(desk, "b", "ring 3");
	for (unsigned i = 0; i < sizeof(none) / sizeof(*none); i++) {
		type_behind(desk, "B", none[i]);
		assert_true(desk->console.scene.message_is_error);
		assert_int_equal(breakpoints->count, 3);
	}
	type_behind(desk, "B", "2 ");
	assert_int_equal(breakpoints->count, 2);
	assert_string_equal(breakpoints->list[1].text, "ring 3");
	type_behind(desk, "B", "all");
	assert_int_equal(breakpoints->count, 0);
	desk_end(desk);
}

static void a_file_that_cannot_be_read_is_no_empty_one(void **state)
{
	(void)state;
	struct error error;
	struct desk *desk = desk_begin(script, 80, 24);
	assert_int_equal(keyfile_press(&desk->console, "/tmp", &error), STATUS_HOST);
	assert_non_null(strstr(error.text, "/tmp: cannot be read"));
	desk_end(desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_part_of_the_history_is_found),
	    cmocka_unit_test(only_the_breakpoint_of_that_number_goes),
	    cmocka_unit_test(a_file_that_cannot_be_read_is_no_empty_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
