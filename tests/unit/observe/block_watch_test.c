/* Sizes and lifetimes of blocks: by hand, and against a slow model on random scripts. */
#include "faultline/histogram.h"
#include "faultline/rng.h"

#include "small_world.h"

static void watch_script(const char *script, struct histograms *out)
{
	char *text = NULL;
	size_t length = 0;
	FILE *memory = open_memstream(&text, &length);
	(void)fprintf(memory, "{'faultline': 1, 'name': 'small', 'script': [%s]}", script);
	(void)fclose(memory);
	struct small_world small = small_world_of(text);
	struct block_watch *watch = block_watch_new(out);
	bus_subscribe(world_bus(small.world), block_watch_mask(), block_watch_event, watch);
	small_world_run(&small);
	block_watch_free(watch);
	small_world_free(&small);
	free(text);
}

static void assert_only(const uint64_t count[HISTOGRAM_BUCKETS], unsigned bucket, uint64_t wanted)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		assert_int_equal(count[i], i == bucket ? wanted : 0);
}

static void buckets_are_powers_of_two(void **state)
{
	(void)state;
	assert_int_equal(histogram_bucket(0), 0);
	for (unsigned bucket = 1; bucket < HISTOGRAM_BUCKETS; bucket++) {
		assert_int_equal(histogram_bucket(histogram_first(bucket)), bucket);
		assert_int_equal(histogram_bucket(histogram_last(bucket)), bucket);
		assert_true(histogram_first(bucket) == histogram_last(bucket - 1) + 1);
	}
}

static void a_lifetime_is_what_was_requested_meanwhile(void **state)
{
	struct histograms found;
	(void)state;
	watch_script("{'op': 'malloc', 'id': 'a', 'size': 100}, {'op': 'malloc', 'id': 'b', 'size': 120},"
		     "{'op': 'free', 'id': 'a'}, {'op': 'calloc', 'id': 'c', 'count': 3, 'size': 40}",
		     &found);
	assert_only(found.count[HISTOGRAM_SIZE], 7, 3);
	assert_only(found.count[HISTOGRAM_LIFETIME], 8, 1); /* its own 100 and the 120 of b */
	assert_int_equal(found.count[HISTOGRAM_ALIVE][8] + found.count[HISTOGRAM_ALIVE][7], 2);
}

static void realloc_is_a_request_and_the_block_lives_on(void **state)
{
	struct histograms found;
	(void)state;
	watch_script("{'op': 'malloc', 'id': 'a', 'size': 1000}, {'op': 'realloc', 'id': 'a', 'size': 5000},"
		     "{'op': 'free', 'id': 'a'}",
		     &found);
	assert_int_equal(found.count[HISTOGRAM_SIZE][10], 1);
	assert_int_equal(found.count[HISTOGRAM_SIZE][13], 1);
	assert_only(found.count[HISTOGRAM_LIFETIME], histogram_bucket(6000), 1);
	assert_only(found.count[HISTOGRAM_ALIVE], 0, 0);
}

enum { BLOCKS = 3000 };

/* It frees its parent's block, and its parent one of its own: two lives, both ended. */
static void a_child_of_vfork_works_on_its_parents_blocks(void **state)
{
	struct histograms found;
	(void)state;
	watch_script("{'op': 'malloc', 'id': 'a', 'size': 100}, {'op': 'vfork', 'body': [{'op': 'free', 'id': 'a'},"
		     "{'op': 'malloc', 'id': 'b', 'size': 100}]}, {'op': 'free', 'id': 'b'}",
		     &found);
	assert_only(found.count[HISTOGRAM_SIZE], 7, 2);
	assert_only(found.count[HISTOGRAM_LIFETIME], 7, 2);
	assert_only(found.count[HISTOGRAM_ALIVE], 0, 0);
}

static void many_blocks_are_counted_as_a_slow_model_counts_them(void **state)
{
	struct rng rng = rng_seeded(5);
	static uint64_t born[BLOCKS];
	struct histograms found, wanted = {{{0}}};
	uint64_t requested = 0;
	char *text = NULL;
	size_t length = 0;
	FILE *script = open_memstream(&text, &length);
	(void)state;
	for (unsigned i = 0; i < BLOCKS; i++) {
		uint64_t bytes = 1 + rng_below(&rng, 2000);
		(void)fprintf(script, "%s{'op': 'malloc', 'id': 'b%u', 'size': %u}", i ? "," : "", i, (unsigned)bytes);
		born[i] = requested + 1; /* 0: dead */
		requested += bytes;
		wanted.count[HISTOGRAM_SIZE][histogram_bucket(bytes)]++;
		unsigned victim = (unsigned)rng_below(&rng, i + 1);
		if (born[victim] == 0)
			continue;
		(void)fprintf(script, ",{'op': 'free', 'id': 'b%u'}", victim);
		wanted.count[HISTOGRAM_LIFETIME][histogram_bucket(requested + 1 - born[victim])]++;
		born[victim] = 0;
	}
	(void)fclose(script);
	for (unsigned i = 0; i < BLOCKS; i++) {
		if (born[i])
			wanted.count[HISTOGRAM_ALIVE][histogram_bucket(requested + 1 - born[i])]++;
	}
	watch_script(text, &found);
	assert_memory_equal(&found, &wanted, sizeof(found));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buckets_are_powers_of_two),
	    cmocka_unit_test(a_lifetime_is_what_was_requested_meanwhile),
	    cmocka_unit_test(realloc_is_a_request_and_the_block_lives_on),
	    cmocka_unit_test(a_child_of_vfork_works_on_its_parents_blocks),
	    cmocka_unit_test(many_blocks_are_counted_as_a_slow_model_counts_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
