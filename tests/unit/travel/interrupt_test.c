/* Whoever is interrupted stands where travel.h says. */
#include <sched.h>

#include "trip.h"

/* Somebody interrupts when the world is at the event. */
struct interrupt {
	struct travel *travel;
	uint64_t at;
};

static bool interrupt_at(void *self, const struct world *world, const struct event *event)
{
	const struct interrupt *interrupt = self;
	(void)world;
	if (event->number == interrupt->at)
		travel_interrupt(interrupt->travel);
	return false;
}

/* A position that somebody was interrupted at is one like any other. */
static void assert_stands_at(struct travel *travel, const char *text, uint64_t position)
{
	struct trip direct = begin_script(text, 0, 0);
	assert_int_equal(travel_position(travel), position);
	assert_int_equal(travel_seek(direct.travel, position), TRAVEL_ARRIVED);
	assert_true(fingerprint(travel) == fingerprint(direct.travel));
	for (uint64_t number = position - 60; number <= position + 60; number++)
		assert_non_null(travel_record(travel, number));
	end(&direct);
}

static void an_interrupted_run_stands_where_it_was_interrupted(void **state)
{
	(void)state;
	struct trip trip = begin(64, 0);
	struct interrupt interrupt = {trip.travel, 700};
	const struct travel_query query = {.kinds = EVENT_MASK_ALL, .matches = interrupt_at, .self = &interrupt};
	assert_int_equal(travel_forward(trip.travel, &query), TRAVEL_INTERRUPTED);
	assert_stands_at(trip.travel, script, 701);
	interrupt.at = 900; /* and not from the start, but from there */
	assert_int_equal(travel_forward(trip.travel, &query), TRAVEL_INTERRUPTED);
	assert_stands_at(trip.travel, script, 901);
	assert_int_equal(travel_forward(trip.travel, &any), TRAVEL_ARRIVED);
	assert_stands_at(trip.travel, script, 902);
	end(&trip);
}

static void an_interrupted_search_back_stands_where_it_began(void **state)
{
	(void)state;
	struct trip trip = begin(64, 0);
	struct interrupt interrupt = {trip.travel, 400};
	const struct travel_query query = {.kinds = EVENT_MASK_ALL, .matches = interrupt_at, .self = &interrupt};
	assert_int_equal(travel_seek(trip.travel, 900), TRAVEL_ARRIVED);
	assert_int_equal(travel_backward(trip.travel, &query), TRAVEL_INTERRUPTED);
	assert_stands_at(trip.travel, script, 900);
	assert_int_equal(travel_backward(trip.travel, &any), TRAVEL_ARRIVED);
	assert_stands_at(trip.travel, script, 899);
	end(&trip);
}

/* It would take minutes. */
static const char endless[] = "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"processes\": [{\"name\": "
			      "\"one\", \"script\": [{\"op\": \"repeat\", \"times\": 100000000, \"as\": \"i\", "
			      "\"body\": [{\"op\": \"malloc\", \"id\": \"b\", \"size\": 100}, "
			      "{\"op\": \"free\", \"id\": \"b\"}]}]}]}";

static enum travel_end interrupt_behind(struct travel *travel, uint64_t number)
{
	while (travel_progress(travel) < number)
		(void)sched_yield();
	travel_interrupt(travel);
	return travel_finish(travel);
}

static void an_interrupted_seek_stands_where_it_was_interrupted(void **state)
{
	(void)state;
	struct trip trip = begin_script(endless, 0, 0);
	struct travel *travel = trip.travel;
	static const uint64_t behind[] = {20000, 400000};
	for (unsigned i = 0; i < sizeof(behind) / sizeof(*behind); i++) {
		travel_start_seek(travel, UINT64_MAX / 2);
		assert_int_equal(interrupt_behind(travel, behind[i]), TRAVEL_INTERRUPTED);
		assert_true(travel_position(travel) >= behind[i]);
		assert_false(travel_complete(travel));
		assert_stands_at(travel, endless, travel_position(travel));
	}
	end(&trip);
}

static void an_interrupted_exploration_stands_where_it_began(void **state)
{
	(void)state;
	struct trip trip = begin_script(endless, 0, 0);
	static const uint64_t from[] = {0, 900};
	for (unsigned i = 0; i < sizeof(from) / sizeof(*from); i++) {
		assert_int_equal(travel_seek(trip.travel, from[i]), TRAVEL_ARRIVED);
		travel_start_explore(trip.travel);
		assert_int_equal(interrupt_behind(trip.travel, (i + 1) * 20000), TRAVEL_INTERRUPTED);
		assert_int_equal(travel_position(trip.travel), from[i]);
		assert_true(travel_known(trip.travel) >= (i + 1) * 20000);
	}
	end(&trip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_interrupted_run_stands_where_it_was_interrupted),
	    cmocka_unit_test(an_interrupted_search_back_stands_where_it_began),
	    cmocka_unit_test(an_interrupted_seek_stands_where_it_was_interrupted),
	    cmocka_unit_test(an_interrupted_exploration_stands_where_it_began),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
