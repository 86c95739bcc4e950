/* One pass gives what one run a size gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "faultline/lru_curve.h"
#include "faultline/policy_engine.h"
#include "faultline/rng.h"

enum { REFERENCES = 30000 };

static uint64_t run_lru(uint32_t frames, uint32_t pages, const uint32_t *string)
{
	struct policy_engine_config config = {.frames = frames, .pages = pages};
	struct policy_engine *engine = policy_engine_new(policy_find("lru"), &config);
	policy_engine_feed(engine, string, REFERENCES);
	uint64_t misses = policy_engine_result(engine).misses;
	policy_engine_free(engine);
	return misses;
}

/* Short lines of time are compacted often, long ones have many blocks. */
static void one_pass_equals_a_run_for_every_size(void **state)
{
	(void)state;
	static const uint32_t sizes[] = {1, 2, 7, 300, 2000};
	uint32_t *string = calloc(REFERENCES, sizeof(*string));
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t pages = sizes[i];
		uint64_t *misses = calloc((size_t)pages + 1, sizeof(*misses));
		struct lru_curve *curve = lru_curve_new(pages);
		struct rng rng = rng_seeded(i);
		for (unsigned j = 0; j < REFERENCES; j++)
			string[j] = (uint32_t)rng_below(&rng, 1 + rng_below(&rng, pages)) |
				    (j % 3 ? 0 : REFERENCE_WRITES);
		lru_curve_feed(curve, string, 100);
		lru_curve_feed(curve, string + 100, REFERENCES - 100);
		lru_curve_misses(curve, misses);
		assert_int_equal(misses[0], REFERENCES);
		for (uint32_t frames = 1; frames <= pages; frames += 1 + pages / 60)
			assert_int_equal(misses[frames], run_lru(frames, pages, string));
		assert_int_equal(misses[pages], run_lru(pages, pages, string));
		lru_curve_free(curve);
		free(misses);
	}
	free(string);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(one_pass_equals_a_run_for_every_size)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
