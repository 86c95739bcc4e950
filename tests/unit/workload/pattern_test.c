#include "test_document.h"

#include <math.h>

#include "pattern.h"

enum { ELEMENTS = 1000, DRAWS = 200000 };

static void count_draws(enum access_pattern kind, uint64_t seed, unsigned *counts)
{
	struct pattern pattern;
	pattern_init(&pattern, kind, ELEMENTS, DRAWS, seed);
	pattern_set_zipf(&pattern, 0.99);
	pattern.phases = 4;
	for (unsigned i = 0; i < DRAWS; i++) {
		uint64_t element = pattern_next(&pattern);
		assert_true(element < ELEMENTS);
		counts[element]++;
	}
}

static void every_pattern_repeats_itself_with_the_same_seed(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < ACCESS_PATTERN_COUNT; kind++) {
		struct pattern a;
		struct pattern b;
		pattern_init(&a, (enum access_pattern)kind, ELEMENTS, 100, 7);
		pattern_init(&b, (enum access_pattern)kind, ELEMENTS, 100, 7);
		pattern_set_zipf(&a, 1.2);
		pattern_set_zipf(&b, 1.2);
		for (unsigned i = 0; i < 100; i++)
			assert_int_equal(pattern_next(&a), pattern_next(&b));
	}
}

static void sequential_goes_up_and_reverse_goes_down(void **state)
{
	(void)state;
	struct pattern up;
	struct pattern down;
	pattern_init(&up, ACCESS_PATTERN_SEQUENTIAL, 3, 7, 1);
	pattern_init(&down, ACCESS_PATTERN_REVERSE, 3, 7, 1);
	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(pattern_next(&up), i % 3);
		assert_int_equal(pattern_next(&down), 2 - i % 3);
	}
}

static void uniform_is_even(void **state)
{
	(void)state;
	unsigned counts[ELEMENTS] = {0};
	count_draws(ACCESS_PATTERN_UNIFORM, 1, counts);
	/* Mean 200, standard deviation 14: six of them. */
	for (unsigned i = 0; i < ELEMENTS; i++)
		assert_in_range(counts[i], 115, 285);
}

static void zipf_follows_its_law(void **state)
{
	(void)state;
	unsigned counts[ELEMENTS] = {0};
	double sum = 0;
	count_draws(ACCESS_PATTERN_ZIPF, 1, counts);
	for (unsigned k = 1; k <= ELEMENTS; k++)
		sum += pow(k, -0.99);
	for (unsigned k = 1; k <= 20; k++) {
		double expected = DRAWS * pow(k, -0.99) / sum;
		assert_true(fabs(counts[k - 1] - expected) < 6 * sqrt(expected));
	}
}

static void zipf_with_theta_one_is_no_special_case(void **state)
{
	(void)state;
	struct pattern pattern;
	unsigned first = 0;
	pattern_init(&pattern, ACCESS_PATTERN_ZIPF, 2, 30000, 3);
	pattern_set_zipf(&pattern, 1);
	for (unsigned i = 0; i < 30000; i++)
		first += pattern_next(&pattern) == 0;
	/* 2/3 of 30000, standard deviation 82. */
	assert_in_range(first, 19500, 20500);
}

static void chase_visits_every_element_once_a_round(void **state)
{
	(void)state;
	for (uint64_t elements = 1; elements <= 130; elements++) {
		unsigned seen[130] = {0};
		struct pattern pattern;
		pattern_init(&pattern, ACCESS_PATTERN_CHASE, elements, 3 * elements, elements);
		for (uint64_t i = 0; i < 3 * elements; i++)
			seen[pattern_next(&pattern)]++;
		for (uint64_t i = 0; i < elements; i++)
			assert_int_equal(seen[i], 3);
	}
}

static void phases_stay_in_their_part(void **state)
{
	(void)state;
	struct pattern pattern;
	pattern_init(&pattern, ACCESS_PATTERN_PHASES, 100, 400, 1);
	pattern.phases = 4;
	for (unsigned i = 0; i < 400; i++)
		assert_int_equal(pattern_next(&pattern) / 25, i / 100);
}

static void stores_have_their_share(void **state)
{
	(void)state;
	struct pattern pattern;
	unsigned stores = 0;
	pattern_init(&pattern, ACCESS_PATTERN_SEQUENTIAL, 1, 1, 1);
	for (unsigned i = 0; i < 10000; i++) {
		stores += pattern_stores(&pattern, 0.25);
		assert_false(pattern_stores(&pattern, 0));
		assert_true(pattern_stores(&pattern, 1));
	}
	assert_in_range(stores, 2240, 2760);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_pattern_repeats_itself_with_the_same_seed),
	    cmocka_unit_test(sequential_goes_up_and_reverse_goes_down),
	    cmocka_unit_test(uniform_is_even),
	    cmocka_unit_test(zipf_follows_its_law),
	    cmocka_unit_test(zipf_with_theta_one_is_no_special_case),
	    cmocka_unit_test(chase_visits_every_element_once_a_round),
	    cmocka_unit_test(phases_stay_in_their_part),
	    cmocka_unit_test(stores_have_their_share),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
