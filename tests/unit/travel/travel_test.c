/* A history is walked in both directions: what is found at a position does not depend on the way to it. */
#include <stdio.h>
#include <stdlib.h>

#include "travel_private.h"
#include "trip.h"

/* Few operations of many accesses each: those that the machine does at once, from an odd address on, and each kind of
 * those that are made one by one. %s: options of the kernel. */
static const char long_operations[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"kernel\": {%s}, \"processes\": ["
    "{\"name\": \"one\", \"script\": ["
    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"256KiB\"},"
    "{\"op\": \"write\", \"at\": {\"mapping\": \"m\", \"offset\": 4093}, \"length\": 70001, \"value\": "
    "\"0x0123456789abcdef\"},"
    "{\"op\": \"write\", \"at\": {\"mapping\": \"m\", \"offset\": 4093}, \"length\": 100001, \"value\": 3},"
    "{\"op\": \"read\", \"at\": {\"mapping\": \"m\", \"offset\": 17}, \"length\": 200000},"
    "{\"op\": \"read\", \"at\": \"m\", \"length\": \"256KiB\", \"stride\": \"page\"},"
    "{\"op\": \"access\", \"at\": \"m\", \"length\": \"256KiB\", \"pattern\": \"zipf\", \"count\": 300}]},"
    "{\"name\": \"two\", \"script\": ["
    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"256KiB\"},"
    "{\"op\": \"read\", \"at\": \"m\", \"length\": \"256KiB\", \"stride\": 5000},"
    "{\"op\": \"write\", \"at\": \"m\", \"length\": \"128KiB\", \"value\": 0}]}]}";
static const char *const schedules[] = {"", "\"quantum\": 3000"};

/* Returns the number of checkpoints. */
static unsigned go_there_and_back(struct trip trip)
{
	struct travel *travel = trip.travel;
	assert_int_equal(travel_explore(travel), TRAVEL_ARRIVED);
	assert_true(travel_complete(travel));
	unsigned checkpoints = travel_checkpoints(travel);
	uint64_t last = travel_known(travel);
	assert_true(last > 1500);
	uint64_t *seen = calloc(last + 1, sizeof(*seen));
	assert_non_null(seen);
	seen[0] = fingerprint(travel);
	for (uint64_t n = 1; n <= last; n++) {
		assert_int_equal(travel_forward(travel, &any), TRAVEL_ARRIVED);
		assert_int_equal(travel_position(travel), n);
		seen[n] = fingerprint(travel);
	}
	assert_int_equal(travel_forward(travel, &any), TRAVEL_EDGE);
	assert_int_equal(travel_position(travel), last);
	assert_int_equal(fingerprint(travel), seen[last]);
	for (uint64_t n = last; n-- > 0;) {
		assert_int_equal(travel_backward(travel, &any), n ? TRAVEL_ARRIVED : TRAVEL_EDGE);
		assert_int_equal(travel_position(travel), n);
		assert_int_equal(fingerprint(travel), seen[n]);
	}
	/* Jumps, in an order that is no order. */
	for (uint64_t i = 1; i < 200; i++) {
		uint64_t n = i * 7919 % (last + 1);
		assert_int_equal(travel_seek(travel, n), TRAVEL_ARRIVED);
		assert_int_equal(fingerprint(travel), seen[n]);
	}
	free(seen);
	end(&trip);
	return checkpoints;
}

static void there_and_back_is_the_same_at_every_event(void **state)
{
	(void)state;
	(void)go_there_and_back(begin(97, 0));
	(void)go_there_and_back(begin(3000, 0)); /* here the way back has checkpoints of its own */
}

static void a_checkpoint_may_lie_between_two_accesses(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(schedules) / sizeof(*schedules); i++) {
		char text[2048];
		(void)snprintf(text, sizeof(text), long_operations, schedules[i]);
		assert_true(go_there_and_back(begin_script(text, 50, 0)) > 20); /* of eight operations */
	}
}

static void note_event(void *self, const struct event *event)
{
	uint64_t *hash = self;
	*hash = mix(*hash, &event->number, sizeof(event->number));
	*hash = mix(*hash, &event->cycle, sizeof(event->cycle));
	*hash = mix(*hash, &event->kind, sizeof(event->kind));
}

static void come_in_between(void *self)
{
	++*(unsigned *)self;
}

/* Everything that can be counted. */
static uint64_t run_to_the_end(const char *text, unsigned *between)
{
	struct document *document = parse(text);
	struct world *world = NULL;
	struct error error;
	struct stats stats;
	uint64_t hash = 14695981039346656037u;
	if (world_new(document, &world, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	bus_subscribe(world_bus(world), EVENT_MASK_ALL, note_event, &hash);
	if (between)
		world_set_between_hook(world, come_in_between, between);
	if (world_run(world, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	world_machine_stats(world, &stats);
	hash = mix(hash, &stats, sizeof(stats));
	world_free(world);
	document_free(document);
	return hash;
}

static void who_comes_in_between_changes_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(schedules) / sizeof(*schedules); i++) {
		char text[2048];
		unsigned between = 0;
		(void)snprintf(text, sizeof(text), long_operations, schedules[i]);
		assert_true(run_to_the_end(text, &between) == run_to_the_end(text, NULL));
		assert_true(between > 300);
	}
}

static void what_is_known_of_a_part_is_the_sum_of_its_events(void **state)
{
	(void)state;
	struct trip trip = begin(0, 0);
	struct travel *travel = trip.travel;
	const uint64_t kinds = EVENT_BIT(EVENT_RING) | EVENT_BIT(EVENT_FRAME_ALLOC) | EVENT_BIT(EVENT_WALK);
	assert_int_equal(travel_explore(travel), TRAVEL_ARRIVED);
	uint64_t last = travel_known(travel);
	const uint64_t ends[] = {0, 1, 3, 1000, 1023, 1024, 1025, 2047, 2048, 2049, last - 1, last, last + 5000};
	for (unsigned i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		for (unsigned j = i; j < sizeof(ends) / sizeof(*ends); j++) {
			uint64_t mask = 0, count = 0;
			for (uint64_t n = ends[i] + 1; n <= ends[j] && n <= last; n++) {
				mask |= EVENT_BIT(travel_kind(travel, n));
				count += (kinds & EVENT_BIT(travel_kind(travel, n))) != 0;
			}
			assert_true(travel_known_kinds(travel, ends[i], ends[j]) == mask);
			assert_true(travel_known_count(travel, ends[i], ends[j], kinds) == count);
		}
	}
	end(&trip);
}

/* A condition keeps the history from answering by itself. */
static bool is_any(void *self, const struct world *world, const struct event *event)
{
	(void)self;
	(void)world;
	(void)event;
	return true;
}

static void a_backward_search_finds_what_a_forward_search_passed(void **state)
{
	(void)state;
	struct trip trip = begin(64, 0);
	struct travel *travel = trip.travel;
	const struct travel_query faults = {.kinds = EVENT_BIT(EVENT_FAULT), .matches = is_any};
	uint64_t found[512];
	unsigned count = 0;
	while (travel_forward(travel, &faults) == TRAVEL_ARRIVED)
		found[count++] = travel_position(travel);
	assert_true(count > 20);
	assert_int_equal(travel_position(travel), travel_known(travel));
	while (count > 0) {
		assert_int_equal(travel_backward(travel, &faults), TRAVEL_ARRIVED);
		assert_int_equal(travel_position(travel), found[--count]);
	}
	assert_int_equal(travel_backward(travel, &faults), TRAVEL_EDGE);
	assert_int_equal(travel_position(travel), 0);
	end(&trip);
}

static bool is_odd(void *self, const struct world *world, const struct event *event)
{
	(void)self;
	(void)world;
	return event->number % 2 == 1;
}

static void a_condition_is_asked_in_both_directions(void **state)
{
	(void)state;
	struct trip trip = begin(64, 0);
	const struct travel_query odd = {.kinds = EVENT_MASK_ALL, .matches = is_odd};
	assert_int_equal(travel_seek(trip.travel, 101), TRAVEL_ARRIVED);
	assert_int_equal(travel_forward(trip.travel, &odd), TRAVEL_ARRIVED);
	assert_int_equal(travel_position(trip.travel), 103);
	assert_int_equal(travel_backward(trip.travel, &odd), TRAVEL_ARRIVED);
	assert_int_equal(travel_position(trip.travel), 101);
	end(&trip);
}

static void records_show_the_past_and_what_will_be(void **state)
{
	(void)state;
	struct trip trip = begin(256, 0);
	struct travel *travel = trip.travel;
	char later[224];
	assert_int_equal(travel_seek(travel, 900), TRAVEL_ARRIVED);
	for (uint64_t n = 900 - 60; n <= 900 + 60; n++)
		assert_non_null(travel_record(travel, n));
	(void)snprintf(later, sizeof(later), "%s", travel_record(travel, 940)->sentence);
	assert_int_equal(travel_seek(travel, 940), TRAVEL_ARRIVED);
	assert_string_equal(travel_record(travel, 940)->sentence, later);
	uint64_t fault = travel_known_after(travel, 0, EVENT_BIT(EVENT_FAULT));
	assert_true(fault > 0);
	assert_int_equal(travel_kind(travel, fault), EVENT_FAULT);
	assert_int_equal(travel_ring(travel, fault), 0);
	assert_int_equal(travel_ring(travel, travel_known_after(travel, 0, EVENT_BIT(EVENT_OP_START))), 3);
	assert_int_equal(travel_kind(travel, travel_known(travel) + 1), EVENT_COUNT);
	end(&trip);
}

/* 12 MiB that all checkpoints behind the first operations share, and many operations that change little. */
static const char large_world[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"32MiB\"}, \"processes\": [{\"name\": \"one\", \"script\": ["
    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"12MiB\"},"
    "{\"op\": \"write\", \"at\": \"m\", \"length\": \"12MiB\", \"value\": 7},"
    "{\"op\": \"repeat\", \"times\": 4000, \"as\": \"i\", \"body\": ["
    "{\"op\": \"malloc\", \"id\": \"b\", \"size\": 100}, {\"op\": \"free\", \"id\": \"b\"}]}]}]}";

static void assert_within(const struct travel *travel, size_t bytes)
{
	assert_true(travel_checkpoint_bytes(travel) <= route_copy_bytes(&travel->route) + bytes);
}

static void checkpoints_are_thinned_out_within_their_bound(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t bytes;
		unsigned checkpoints; /* at least */
	} cases[] = {{script, MIB, 2}, {script, 4 * MIB, 8}, {large_world, 4 * MIB, 16}};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct trip trip = begin_script(cases[i].text, 8, cases[i].bytes);
		struct travel *travel = trip.travel;
		assert_int_equal(travel_explore(travel), TRAVEL_ARRIVED);
		assert_in_range(travel_checkpoints(travel), cases[i].checkpoints, ROUTE_CHECKPOINTS);
		assert_within(travel, cases[i].bytes);
		for (unsigned part = 8; part > 0; part--) {
			assert_int_equal(travel_seek(travel, travel_known(travel) * part / 8), TRAVEL_ARRIVED);
			assert_int_equal(travel_backward(travel, &any), TRAVEL_ARRIVED);
			assert_within(travel, cases[i].bytes);
		}
		end(&trip);
	}
}

static void behind_the_last_event_stands_for_it(void **state)
{
	(void)state;
	struct trip trip = begin(0, 0);
	assert_int_equal(travel_seek(trip.travel, UINT64_MAX / 2), TRAVEL_EDGE);
	assert_true(travel_complete(trip.travel));
	assert_int_equal(travel_position(trip.travel), travel_known(trip.travel));
	assert_int_equal(travel_outcome(trip.travel)->status, STATUS_OK);
	end(&trip);
}

/* The way from the checkpoint must not wipe out what was seen ahead of the goal: the journey would never end. */
static void a_goal_far_behind_its_checkpoint_is_reached(void **state)
{
	(void)state;
	struct trip trip = begin((uint64_t)1 << 40, 0);
	assert_int_equal(travel_explore(trip.travel), TRAVEL_ARRIVED);
	assert_int_equal(travel_checkpoints(trip.travel), 1);
	assert_true(travel_known(trip.travel) > 2000);
	assert_int_equal(travel_seek(trip.travel, 1900), TRAVEL_ARRIVED);
	assert_non_null(travel_record(trip.travel, 1950));
	assert_int_equal(travel_backward(trip.travel, &any), TRAVEL_ARRIVED);
	assert_int_equal(travel_position(trip.travel), 1899);
	end(&trip);
}

/* ---- op lists: the file goes back, too ---- */

static char *write_list(void)
{
	char *path = strdup("/tmp/travel_test.XXXXXX.ops");
	assert_non_null(path);
	int file = mkstemps(path, 4);
	assert_true(file >= 0);
	FILE *out = fdopen(file, "w");
	assert_non_null(out);
	for (unsigned i = 1; i <= 400; i++)
		(void)fprintf(out, "m %u %u\nt %u 0 %u\n", i, i * 370, i, i * 370);
	for (unsigned i = 1; i <= 400; i += 2)
		(void)fprintf(out, "f %u\nm %u %u\n", i, i + 1000, i);
	(void)fclose(out);
	return path;
}

static void an_op_list_is_read_again_from_any_checkpoint(void **state)
{
	(void)state;
	struct trip trip = {0};
	struct error error;
	const struct travel_limits limits = {.checkpoint_events = 100}; /* many in the middle of a line */
	char *path = write_list();
	if (document_load(path, &trip.document, &error) != STATUS_OK ||
	    travel_new(trip.document, &limits, &trip.travel, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	struct travel *travel = trip.travel;
	uint64_t seen[32];
	assert_int_equal(travel_explore(travel), TRAVEL_ARRIVED);
	assert_int_equal(travel_outcome(travel)->status, STATUS_OK);
	uint64_t last = travel_known(travel);
	for (unsigned i = 0; i < 32; i++) {
		assert_int_equal(travel_seek(travel, last * i / 31), TRAVEL_ARRIVED);
		seen[i] = world_bus_const(travel_world(travel))->cycle;
	}
	for (unsigned i = 32; i-- > 0;) {
		assert_int_equal(travel_seek(travel, last * i / 31), TRAVEL_ARRIVED);
		assert_int_equal(world_bus_const(travel_world(travel))->cycle, seen[i]);
	}
	end(&trip);
	(void)remove(path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(there_and_back_is_the_same_at_every_event),
	    cmocka_unit_test(a_checkpoint_may_lie_between_two_accesses),
	    cmocka_unit_test(who_comes_in_between_changes_nothing),
	    cmocka_unit_test(what_is_known_of_a_part_is_the_sum_of_its_events),
	    cmocka_unit_test(a_backward_search_finds_what_a_forward_search_passed),
	    cmocka_unit_test(a_condition_is_asked_in_both_directions),
	    cmocka_unit_test(records_show_the_past_and_what_will_be),
	    cmocka_unit_test(checkpoints_are_thinned_out_within_their_bound),
	    cmocka_unit_test(behind_the_last_event_stands_for_it),
	    cmocka_unit_test(a_goal_far_behind_its_checkpoint_is_reached),
	    cmocka_unit_test(an_op_list_is_read_again_from_any_checkpoint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
