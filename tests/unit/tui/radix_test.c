/* x writes numbers in the other radix; addresses stay as they are; and what a panel shows can be typed. */
#include "breakpoint.h"
#include "desk.h"

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"processes\": [{\"name\": \"one\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 5000}, {\"op\": \"write\", \"at\": \"p\", \"value\": 7},"
    "{\"op\": \"free\", \"id\": \"p\"}]}]}";

static void says(struct desk *desk, const char *format, uint64_t value, bool wanted)
{
	char text[64];
	(void)snprintf(text, sizeof(text), format, (unsigned long long)value);
	if ((strstr(desk_look(desk), text) != NULL) != wanted)
		fail_msg("event %u: \"%s\" is %s:\n%s", (unsigned)desk->console.scene.position, text,
			 wanted ? "not there" : "there", desk->screen);
}

static void numbers_change_and_addresses_stay(void **state)
{
	(void)state;
	unsigned frames = 0;
	struct desk *desk = desk_begin(script, 160, 50);
	struct scene *scene = &desk->console.scene;
	for (uint64_t at = scene->position; at <= travel_known(desk->console.travel); at++) {
		desk_go(desk, at);
		const struct travel_registers *now = &scene->now->registers;
		for (unsigned i = 0; i < 2; i++) {
			says(desk, "RSP %016llx", now->gpr[GPR_RSP], true);
			says(desk, "RIP %016llx", now->rip, true);
			if (now->gpr[GPR_RAX] <= UINT32_MAX)
				says(desk, scene->decimal ? "RAX %16llu" : "RAX %016llx", now->gpr[GPR_RAX], true);
			else
				says(desk, "RAX %016llx", now->gpr[GPR_RAX], true);
			if (scene->event->kind == EVENT_FRAME_ALLOC) {
				says(desk, scene->decimal ? "|%llu: " : "|0x%llx: ", scene->event->arg[0], true);
				frames++;
			}
			desk_press(desk, "x");
		}
		assert_false(scene->decimal);
	}
	assert_true(frames > 2);
	desk_end(desk);
}

static void what_a_panel_shows_can_be_typed(void **state)
{
	(void)state;
	struct desk *desk = desk_begin(script, 160, 50);
	for (unsigned i = 0; i < 2; i++) {
		struct number number = scene_number(&desk->console.scene, 40);
		struct breakpoints breakpoints;
		struct error error;
		char spec[64];
		breakpoints_init(&breakpoints, NULL);
		(void)snprintf(spec, sizeof(spec), "frame %s", number.text);
		assert_int_equal(breakpoints_add(&breakpoints, spec, &error), STATUS_OK);
		assert_int_equal(breakpoints.list[0].value, 40);
		desk_press(desk, "x");
	}
	desk_end(desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_change_and_addresses_stay),
	    cmocka_unit_test(what_a_panel_shows_can_be_typed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
