/* A breakpoint is met at the same events on the way there and back, and at those that it names. */
#include "breakpoint.h"
#include "stage.h"

enum { MOST = 4000 };

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"processes\": ["
    "{\"name\": \"one\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24}, {\"op\": \"write\", \"at\": \"p\", \"value\": 7},"
    "{\"op\": \"calloc\", \"id\": \"q\", \"count\": 1, \"size\": 300000}, {\"op\": \"read\", \"at\": \"q\"},"
    "{\"op\": \"write\", \"at\": \"q\"}, {\"op\": \"yield\"}, {\"op\": \"free\", \"id\": \"p\"},"
    "{\"op\": \"write\", \"at\": {\"addr\": \"0x0\"}},"
    "{\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGSEGV\"}]},"
    "{\"name\": \"two\", \"libc\": \"best-fit\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"c\", \"size\": 5000}, {\"op\": \"write\", \"at\": \"c\", \"length\": 5000}]}]}";

struct hits {
	uint64_t at[MOST];
	unsigned count;
};

static struct stage begin(void)
{
	struct stage stage = {0};
	struct error error;
	/* Close checkpoints: the way back has many legs. */
	const struct travel_limits limits = {.checkpoint_events = 64};
	if (document_parse(script, strlen(script), "test.json", &stage.document, &error) != STATUS_OK ||
	    travel_new(stage.document, &limits, &stage.travel, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	(void)travel_explore(stage.travel);
	return stage;
}

static struct breakpoints only(const char *spec)
{
	struct breakpoints breakpoints;
	struct error error = {0};
	breakpoints_init(&breakpoints, NULL);
	if (breakpoints_add(&breakpoints, spec, &error) != STATUS_OK)
		fail_msg("%s: %s", spec, error.text);
	return breakpoints;
}

static struct hits collect(struct travel *travel, const char *spec, bool forward)
{
	struct breakpoints breakpoints = only(spec);
	struct travel_query query = breakpoints_query(&breakpoints);
	struct hits hits = {.count = 0};
	(void)travel_seek(travel, forward ? 0 : UINT64_MAX / 2);
	/* The last event can be no stop on the way back: one stands on it. */
	while ((forward ? travel_forward(travel, &query) : travel_backward(travel, &query)) == TRAVEL_ARRIVED &&
	       hits.count < MOST)
		hits.at[hits.count++] = travel_position(travel);
	if (forward && hits.count && hits.at[hits.count - 1] == travel_known(travel))
		hits.count--;
	return hits;
}

static void there_and_back_it_is_met_at_the_same_events(void **state)
{
	(void)state;
	static const char *const specs[] = {"fault",
					    "fault if minor",
					    "fault if kind = major",
					    "fault if cause != demand_zero",
					    "syscall brk",
					    "#PF",
					    "#GP",
					    "signal",
					    "ring 3",
					    "ring 0",
					    "line 1",
					    "event 200",
					    "page 0x55555555e000",
					    "frame 40",
					    "chunk 0x55555555e290",
					    "pte 0x55555555e000 P",
					    "pte 0x55555555e000 D",
					    "walk if levels < 4",
					    "access if length > 8 and kind = read",
					    "tlb_miss if va >= 0x7ff000000000"};
	struct stage stage = begin();
	unsigned met = 0;
	for (unsigned i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		struct hits there = collect(stage.travel, specs[i], true);
		struct hits back = collect(stage.travel, specs[i], false);
		if (there.count != back.count)
			fail_msg("%s: %u there, %u back", specs[i], there.count, back.count);
		for (unsigned j = 0; j < there.count; j++)
			assert_int_equal(there.at[j], back.at[back.count - 1 - j]);
		met += there.count > 0;
	}
	assert_true(met >= 16);
	stage_end(&stage);
}

static bool writes_entry(const struct travel *travel, uint64_t number)
{
	unsigned kind = travel_kind(travel, number);
	return kind == EVENT_PTE_SET || kind == EVENT_PTE_CLEAR;
}

/* Also from the middle, where nobody has looked before, and not where another process comes to run. */
static void a_bit_is_seen_to_change_wherever_one_begins(void **state)
{
	(void)state;
	static const char spec[] = "pte 0x55555555e000 P";
	struct stage stage = begin();
	struct hits all = collect(stage.travel, spec, true);
	assert_true(all.count >= 2); /* one in each process, at least */
	for (unsigned i = 0; i < all.count; i++) {
		assert_true(writes_entry(stage.travel, all.at[i]));
		for (uint64_t before = 1; before <= 3; before++) {
			struct breakpoints breakpoints = only(spec);
			struct travel_query query = breakpoints_query(&breakpoints);
			(void)travel_seek(stage.travel, all.at[i] - before);
			assert_int_equal(travel_forward(stage.travel, &query), TRAVEL_ARRIVED);
			assert_int_equal(travel_position(stage.travel), all.at[i]);
			/* The same breakpoint, on the way from somewhere else. */
			(void)travel_seek(stage.travel, 0);
			query = breakpoints_query(&breakpoints);
			assert_int_equal(travel_forward(stage.travel, &query), TRAVEL_ARRIVED);
			assert_int_equal(travel_position(stage.travel), all.at[0]);
		}
	}
	stage_end(&stage);
}

/* What the specification says, on an event that has happened. */
typedef bool says_fn(const struct event *event);

static bool is_page_fault(const struct event *event)
{
	return event->kind == EVENT_EXCEPTION && strcmp(event_arg_text(event, 0), "#PF") == 0;
}

static bool is_brk(const struct event *event)
{
	return event->kind == EVENT_SYSCALL && strcmp(event_arg_text(event, 0), "brk") == 0;
}

static bool comes_to_ring_3(const struct event *event)
{
	return event->kind == EVENT_RING && event->arg[1] == 3;
}

static bool is_short_walk(const struct event *event)
{
	return event->kind == EVENT_WALK && event->arg[1] < 4 && event->arg[0] >= 0x555555000000;
}

static void it_is_met_where_the_event_says_so(void **state)
{
	(void)state;
	static const struct {
		const char *spec;
		says_fn *says;
	} rows[] = {{"#PF", is_page_fault},
		    {"syscall brk", is_brk},
		    {"ring 3", comes_to_ring_3},
		    {"walk if levels < 4 and va >= 0x555555000000", is_short_walk}};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stage stage = begin();
		struct hits hits = collect(stage.travel, rows[i].spec, true);
		unsigned next = 0;
		stage.scene = (struct scene){
		    .travel = stage.travel, .document = stage.document, .breaks = "", .message = ""};
		stage_seek(&stage, 0);
		while (stage_forward(&stage, EVENT_MASK_ALL)) {
			if (!rows[i].says(stage.scene.event) || stage.scene.position == travel_known(stage.travel))
				continue;
			assert_true(next < hits.count);
			assert_int_equal(hits.at[next++], stage.scene.position);
		}
		assert_int_equal(next, hits.count);
		assert_true(next > 0);
		stage_end(&stage);
	}
}

/* P and D of the page of the heap become 1 exactly when the tables say so for the first time. */
static void a_bit_of_an_entry_is_seen_to_change(void **state)
{
	(void)state;
	struct stage stage = begin();
	stage.scene = (struct scene){.travel = stage.travel, .document = stage.document, .breaks = "", .message = ""};
	struct hits hits = collect(stage.travel, "pte 0x55555555e000 P", true);
	assert_true(hits.count > 0);
	stage_seek(&stage, hits.at[0]);
	struct translation now;
	translation_take(&now, stage.scene.world, 0, vaddr(0x55555555e000));
	bool after = pte_present(now.walk.step[now.walk.count - 1].entry);
	stage_seek(&stage, hits.at[0] - 1);
	translation_take(&now, stage.scene.world, 0, vaddr(0x55555555e000));
	assert_int_not_equal(after, pte_present(now.walk.step[now.walk.count - 1].entry));
	stage_end(&stage);
}

static void what_cannot_be_read_is_refused_in_words(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
					  "nothing",
					  "fault if",
					  "fault if nowhere = 3",
					  "line",
					  "ring x",
					  "pte 0x1000 Q",
					  "page",
					  "syscall brk brk",
					  "event -3",
					  "fault =",
					  "fault if kind < major",
					  "walk if levels ~ 3",
					  "fault if kind = foo",
					  "fault if foo",
					  "fault foo",
					  "fault if cause != demand-zero",
					  "syscall blurb",
					  "break foo",
					  "#PX",
					  "ring 7",
					  "ring 1",
					  "libc_call mallok"};
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct breakpoints breakpoints;
		struct error error = {0};
		breakpoints_init(&breakpoints, NULL);
		if (breakpoints_add(&breakpoints, bad[i], &error) != STATUS_BAD_INPUT)
			fail_msg("\"%s\" is taken", bad[i]);
		assert_true(error.text[0] != '\0');
		assert_int_equal(breakpoints.count, 0);
	}
}

/* The message names what would be right. */
static void assert_refused(const struct document *document, const char *spec, const char *saying)
{
	struct breakpoints breakpoints;
	struct error error = {0};
	breakpoints_init(&breakpoints, document);
	assert_int_equal(breakpoints_add(&breakpoints, spec, &error), STATUS_BAD_INPUT);
	if (!strstr(error.text, saying))
		fail_msg("%s: \"%s\" does not say \"%s\"", spec, error.text, saying);
}

static void what_is_refused_comes_with_what_is_allowed(void **state)
{
	(void)state;
	struct stage stage = begin();
	assert_refused(stage.document, "fault if kind = foo", "minor, major");
	assert_refused(stage.document, "fault if foo", "minor, major");
	assert_refused(stage.document, "fault if foo", "demand_zero");
	assert_refused(stage.document, "ring 7", "ring 0 or in ring 3");
	assert_refused(stage.document, "line 9999", "the first is in line 1, the last in line 1");
	stage_end(&stage);
}

static void oom_is_met_where_a_process_is_killed_for_it(void **state)
{
	(void)state;
	static const char greedy[] =
	    "{\"faultline\": 1, \"machine\": {\"memory\": \"4MiB\"}, \"processes\": [{\"name\": \"one\", \"script\": ["
	    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"3MiB\"}, {\"op\": \"write\", \"at\": \"m\", \"length\": "
	    "\"3MiB\"},"
	    "{\"op\": \"mmap\", \"id\": \"n\", \"length\": \"3MiB\"}, {\"op\": \"write\", \"at\": \"n\", \"length\": "
	    "\"3MiB\"},"
	    "{\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGKILL\"}]}]}";
	struct stage stage = stage_begin(greedy, "test.json");
	struct breakpoints breakpoints = only("oom");
	struct travel_query query = breakpoints_query(&breakpoints);
	assert_int_equal(travel_forward(stage.travel, &query), TRAVEL_ARRIVED);
	assert_int_equal(travel_kind(stage.travel, travel_position(stage.travel)), EVENT_OOM_KILL);
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(there_and_back_it_is_met_at_the_same_events),
	    cmocka_unit_test(a_bit_is_seen_to_change_wherever_one_begins),
	    cmocka_unit_test(it_is_met_where_the_event_says_so),
	    cmocka_unit_test(a_bit_of_an_entry_is_seen_to_change),
	    cmocka_unit_test(what_cannot_be_read_is_refused_in_words),
	    cmocka_unit_test(what_is_refused_comes_with_what_is_allowed),
	    cmocka_unit_test(oom_is_met_where_a_process_is_killed_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
