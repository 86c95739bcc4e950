/* PAGE WALK calls refused what the processor refuses: not what another ring would be, nor what another process has. */
#include "faultline/bus.h"
#include "stage.h"

static const char script[] =
    "{\"faultline\": 1, \"kernel\": {\"swap\": \"1MiB\"}, \"processes\": [{\"name\": \"one\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24}, {\"op\": \"write\", \"at\": \"p\", \"value\": 7},"
    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"8KiB\"}, {\"op\": \"write\", \"at\": \"m\", \"length\": \"8KiB\"},"
    "{\"op\": \"madvise\", \"at\": \"m\", \"length\": \"4KiB\", \"advice\": \"MADV_PAGEOUT\"},"
    "{\"op\": \"fork\", \"body\": [{\"op\": \"write\", \"at\": \"p\", \"value\": 8}]},"
    "{\"op\": \"wait\"}, {\"op\": \"read\", \"at\": \"m\"}, {\"op\": \"malloc\", \"id\": \"q\", \"size\": 300000},"
    "{\"op\": \"write\", \"at\": {\"addr\": \"0x10\"}}]}]}";

/* The nearest event before or after that ends a walk; 0: none. */
static unsigned walk_end(const struct stage *stage, uint64_t from, int step)
{
	for (uint64_t at = from; at > 0 && at <= travel_known(stage->travel); at += (uint64_t)step) {
		unsigned kind = travel_kind(stage->travel, at);
		if (kind == EVENT_EXCEPTION || kind == EVENT_TLB_FILL)
			return kind;
	}
	return 0;
}

static void what_is_called_refused_is(void **state)
{
	(void)state;
	struct stage stage = stage_begin(script, "test.json");
	unsigned refused = 0, would = 0, in_ring_0 = 0;
	for (uint64_t at = 1; at <= travel_known(stage.travel); at++) {
		stage_seek(&stage, at);
		char *text = stage_view(&stage.scene, PANEL_WALK, 12, 76);
		bool says = strstr(text, "! #PF") != NULL;
		if (says && walk_end(&stage, at, -1) != EVENT_EXCEPTION &&
		    walk_end(&stage, at + 1, 1) != EVENT_EXCEPTION)
			fail_msg("event %u is no page fault:\n%s", (unsigned)at, text);
		if (stage.scene.event->kind == EVENT_EXCEPTION && stage.scene.under_way && !says)
			fail_msg("event %u is a page fault:\n%s", (unsigned)at, text);
		refused += says;
		would += strstr(text, "ring-3 write: #PF") || strstr(text, "ring-3 read: #PF");
		in_ring_0 += strstr(text, "ring-0") != NULL;
		free(text);
	}
	assert_true(refused > 5 && would > 5 && in_ring_0 > 5);
	stage_end(&stage);
}

/* The kernel writes into the child's tables while the parent runs, and into others when it takes pages away. */
static void an_entry_is_shown_in_the_tables_where_it_stands(void **state)
{
	(void)state;
	struct stage stage = stage_begin(script, "test.json");
	unsigned foreign = 0, unborn = 0;
	stage_seek(&stage, 0);
	while (stage_forward(&stage, EVENT_BIT(EVENT_PTE_SET) | EVENT_BIT(EVENT_PTE_CLEAR))) {
		const struct scene *scene = &stage.scene;
		const struct event *event = scene->event;
		unborn += scene_is_of_nobody(scene) && !scene->has_address;
		if (!scene->has_address || event->arg[3] == 0 || !scene->translation.alive)
			continue;
		assert_int_equal(scene->translation.pid, event->arg[3]);
		const struct walk *walk = &scene->translation.walk;
		for (unsigned i = 0; i < walk->count && event->kind == EVENT_PTE_SET; i++) {
			if (walk->step[i].level == event->arg[2])
				assert_int_equal(walk->step[i].entry.word, event->arg[1]);
		}
		foreign += event->arg[3] != event->pid;
	}
	assert_true(foreign + unborn > 10);
	stage_end(&stage);
}

/* abort() and the OOM killer send signals that are about no address. */
static void a_signal_without_an_address_has_none(void **state)
{
	(void)state;
	static const char twice[] = "{\"faultline\": 1, \"script\": [{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24},"
				    "{\"op\": \"free\", \"id\": \"p\"}, {\"op\": \"free\", \"id\": \"p\"}]}";
	struct stage stage = stage_begin(twice, "test.json");
	stage_seek(&stage, 0);
	assert_true(stage_forward(&stage, EVENT_BIT(EVENT_SIGNAL)));
	assert_false(stage.scene.has_address && stage.scene.address.v == 0);
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_called_refused_is),
	    cmocka_unit_test(an_entry_is_shown_in_the_tables_where_it_stands),
	    cmocka_unit_test(a_signal_without_an_address_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
