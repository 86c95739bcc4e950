/* Looking for an event: there it goes, or it stays where it is and says so. */
#include "desk.h"

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"processes\": [{\"name\": \"one\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24}, {\"op\": \"write\", \"at\": \"p\", \"value\": 7},"
    "{\"op\": \"free\", \"id\": \"p\"}]}]}";

static void assert_stays(struct desk *desk, const char *first, const char *second)
{
	uint64_t position = desk->console.scene.position;
	desk_press(desk, first);
	if (second)
		desk_press(desk, second);
	assert_int_equal(desk->console.scene.position, position);
	if (!strstr(desk_look(desk), "not found"))
		fail_msg("no word of it:\n%s", desk->screen);
}

static void what_is_not_found_moves_nothing(void **state)
{
	(void)state;
	struct desk *desk = desk_begin(script, 80, 24);
	uint64_t begin = desk->console.scene.position;
	desk_press(desk, "/");
	desk_type(desk, "zzz");
	assert_int_equal(desk->console.scene.position, begin);
	assert_non_null(strstr(desk_look(desk), "not found"));
	assert_stays(desk, "]", "]");
	assert_stays(desk, "[", "[");
	assert_stays(desk, "[", "x");
	desk_press(desk, "End");
	assert_stays(desk, "]", "f");
	desk_end(desk);
}

static void what_is_found_is_gone_to(void **state)
{
	(void)state;
	struct desk *desk = desk_begin(script, 80, 24);
	uint64_t begin = desk->console.scene.position;
	desk_press(desk, "/");
	desk_type(desk, "free(");
	assert_int_equal(desk->console.scene.event->kind, EVENT_LIBC_CALL);
	assert_null(strstr(desk_look(desk), "not found"));
	desk_press(desk, "[");
	desk_press(desk, "f");
	assert_int_equal(desk->console.scene.event->kind, EVENT_FAULT);
	assert_true(desk->console.scene.position > begin);
	desk_end(desk);
}

static void a_long_refusal_is_read_whole(void **state)
{
	(void)state;
	struct desk *desk = desk_begin(script, 80, 24);
	desk_press(desk, "b");
	desk_type(desk, "fault if foo");
	assert_non_null(strstr(desk_look(desk), "demand_zero"));
	assert_non_null(strstr(desk_look(desk), "minor, major"));
	desk_press(desk, "Esc");
	assert_null(desk->console.scene.sheet);
	desk_end(desk);
}

static void command(struct desk *desk, const char *text)
{
	desk_press(desk, ":");
	desk_type(desk, text);
}

static void a_command_takes_its_number_or_says_that_it_does_not(void **state)
{
	(void)state;
	struct desk *desk = desk_begin(script, 80, 24);
	uint64_t begin = desk->console.scene.position;
	command(desk, "step 5");
	assert_int_equal(desk->console.scene.position, begin + 5);
	command(desk, "step-back 3");
	assert_int_equal(desk->console.scene.position, begin + 2);
	command(desk, "next 2");
	uint64_t twice = desk->console.scene.position;
	desk_go(desk, begin + 2);
	desk_press(desk, "n");
	desk_press(desk, "n");
	assert_int_equal(desk->console.scene.position, twice);
	command(desk, "step 1000000");
	assert_int_equal(desk->console.scene.position, travel_known(desk->console.travel));
	desk_press(desk, "S");
	assert_int_equal(desk->console.scene.position, travel_known(desk->console.travel) - 1);
	command(desk, "zoom 2");
	assert_true(desk->console.scene.message_is_error);
	assert_false(desk->console.scene.zoomed);
	command(desk, "step five");
	assert_true(desk->console.scene.message_is_error);
	desk_end(desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_found_moves_nothing),
	    cmocka_unit_test(what_is_found_is_gone_to),
	    cmocka_unit_test(a_long_refusal_is_read_whole),
	    cmocka_unit_test(a_command_takes_its_number_or_says_that_it_does_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
