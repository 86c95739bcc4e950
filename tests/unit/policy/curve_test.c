/* One pass gives what one run a size gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/lru_curve.h"
#include "faultline/opt_curve.h"
#include "faultline/policy_engine.h"
#include "faultline/rng.h"
#include "faultline/sampled_curve.h"
#include "faultline/set_curve.h"

enum { REFERENCES = 30000 };

static const uint32_t sizes[] = {1, 2, 7, 300, 2000};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

struct string {
	uint32_t pages;
	uint32_t *page, *next;
	uint64_t *misses;
};

static void look_ahead(struct string *string)
{
	uint32_t *last = calloc(string->pages, sizeof(*last));
	memset(last, 0xff, string->pages * sizeof(*last));
	string->next = calloc(REFERENCES, sizeof(*string->next));
	for (uint32_t i = REFERENCES; i > 0; i--) {
		uint32_t page = string->page[i - 1] & ~REFERENCE_WRITES;
		string->next[i - 1] = last[page];
		last[page] = i - 1;
	}
	free(last);
}

/* Near pages more often, stretches in order, some writes. */
static struct string random_string(uint32_t pages, uint64_t seed)
{
	struct string string = {pages, calloc(REFERENCES, 4), NULL, calloc((size_t)pages + 1, 8)};
	struct rng rng = rng_seeded(seed);
	uint32_t page = 0;
	for (unsigned i = 0; i < REFERENCES; i++) {
		bool jumps = rng_below(&rng, 1 + i / 5000) == 0;
		page = jumps ? (uint32_t)rng_below(&rng, 1 + rng_below(&rng, pages)) : (page + 1) % pages;
		string.page[i] = page | (i % 3 ? 0 : REFERENCE_WRITES);
	}
	look_ahead(&string);
	return string;
}

static void release(struct string *string)
{
	free(string->page);
	free(string->next);
	free(string->misses);
}

static uint64_t run(const char *policy, uint32_t frames, const struct string *string)
{
	struct policy_engine_config config = {.frames = frames, .pages = string->pages, .next_use = string->next};
	struct policy_engine *engine = policy_engine_new(policy_find(policy), &config);
	policy_engine_feed(engine, string->page, REFERENCES);
	uint64_t misses = policy_engine_result(engine).misses;
	policy_engine_free(engine);
	return misses;
}

static void assert_curve_of(const char *policy, const struct string *string)
{
	assert_int_equal(string->misses[0], REFERENCES);
	for (uint32_t frames = 1; frames <= string->pages; frames += 1 + string->pages / 60)
		assert_int_equal(string->misses[frames], run(policy, frames, string));
	assert_int_equal(string->misses[string->pages], run(policy, string->pages, string));
}

/* Short lines of time are compacted often, long ones have many blocks. */
static void one_pass_of_lru_equals_a_run_for_every_size(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SIZES; i++) {
		struct string string = random_string(sizes[i], i);
		struct lru_curve *curve = lru_curve_new(sizes[i]);
		lru_curve_feed(curve, string.page, 100);
		lru_curve_feed(curve, string.page + 100, REFERENCES - 100);
		lru_curve_misses(curve, string.misses);
		assert_curve_of("lru", &string);
		lru_curve_free(curve);
		release(&string);
	}
}

static void one_pass_of_opt_equals_a_run_for_every_size(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SIZES; i++) {
		struct string string = random_string(sizes[i], 10 + i);
		struct opt_curve *curve = opt_curve_new(sizes[i]);
		opt_curve_feed(curve, string.next, 100);
		opt_curve_feed(curve, string.next + 100, REFERENCES - 100);
		opt_curve_misses(curve, string.misses);
		assert_curve_of("opt", &string);
		opt_curve_free(curve);
		release(&string);
	}
}

/* ---- sets and ways ---- */

/* The textbook's way: each set remembers when each of its ways was used. */
static uint64_t run_sets(uint32_t sets, uint32_t ways, const struct string *string, const uint64_t *number)
{
	uint32_t *held = calloc((size_t)sets * ways, sizeof(*held)); /* page + 1 */
	uint32_t *used = calloc((size_t)sets * ways, sizeof(*used));
	uint64_t misses = 0;
	for (uint32_t i = 0; i < REFERENCES; i++) {
		uint32_t page = string->page[i] & ~REFERENCE_WRITES;
		uint32_t first = (uint32_t)(number[page] % sets) * ways, oldest = first, way = first;
		for (; way < first + ways && held[way] != page + 1; way++)
			oldest = used[way] < used[oldest] ? way : oldest;
		misses += way == first + ways;
		way = way == first + ways ? oldest : way;
		held[way] = page + 1;
		used[way] = i + 1;
	}
	free(held);
	free(used);
	return misses;
}

static void one_pass_over_sets_equals_a_run_for_every_number_of_ways(void **state)
{
	(void)state;
	static const uint32_t sets[] = {1, 2, 16, 64};
	struct string string = random_string(600, 3);
	uint64_t number[600];
	for (unsigned i = 0; i < 600; i++)
		number[i] = i * 7 + i / 9;
	for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct set_curve *curve = set_curve_new(sets[i], 16);
		set_curve_feed(curve, string.page, number, REFERENCES);
		for (uint32_t ways = 1; ways <= 16; ways++)
			assert_int_equal(set_curve_misses(curve, ways), run_sets(sets[i], ways, &string, number));
		set_curve_free(curve);
	}
	release(&string);
}

/* ---- samples ---- */

static void a_sample_of_all_pages_is_exact(void **state)
{
	(void)state;
	struct string string = random_string(500, 4);
	struct sampled_curve *curve = sampled_curve_new(500, 1.0, 1);
	sampled_curve_feed(curve, string.page, REFERENCES);
	assert_int_equal(sampled_curve_references(curve), REFERENCES);
	for (uint32_t frames = 1; frames <= 500; frames += 37) {
		struct sampled_point point;
		assert_true(sampled_curve_points(curve, &frames, 1, &point));
		assert_float_equal(point.ratio, (double)run("lru", frames, &string) / REFERENCES, 1e-9);
	}
	sampled_curve_free(curve);
	release(&string);
}

/* Of forty estimates with ten samples, nearly all are within three of the errors that they tell. */
static void a_sample_tells_how_far_it_may_be_off(void **state)
{
	(void)state;
	static const uint32_t frames[] = {200, 500, 1000, 1500};
	struct string string = random_string(2000, 5);
	unsigned far = 0;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct sampled_point points[4];
		struct sampled_curve *curve = sampled_curve_new(2000, 0.2, seed);
		sampled_curve_feed(curve, string.page, REFERENCES);
		assert_in_range(sampled_curve_references(curve), REFERENCES / 8, REFERENCES / 3);
		assert_true(sampled_curve_points(curve, frames, 4, points));
		for (unsigned i = 0; i < 4; i++) {
			double off = points[i].ratio - (double)run("lru", frames[i], &string) / REFERENCES;
			assert_true(points[i].error > 0 && points[i].error < 0.1);
			far += off > 3 * points[i].error || off < -3 * points[i].error;
		}
		sampled_curve_free(curve);
	}
	assert_in_range(far, 0, 4);
	release(&string);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_pass_of_lru_equals_a_run_for_every_size),
	    cmocka_unit_test(one_pass_of_opt_equals_a_run_for_every_size),
	    cmocka_unit_test(one_pass_over_sets_equals_a_run_for_every_number_of_ways),
	    cmocka_unit_test(a_sample_of_all_pages_is_exact),
	    cmocka_unit_test(a_sample_tells_how_far_it_may_be_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
