/* The buddy allocator against a bitmap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "faultline/frame.h"
#include "faultline/rng.h"

struct fixture {
	struct arena *arena;
	struct bus bus;
	struct physmem *mem;
	struct frame_pool *pool;
};

static void open_pool(struct fixture *f, uint64_t frames)
{
	f->arena = arena_new(frames * PAGE_BYTES + 64 * MIB);
	bus_init(&f->bus);
	f->mem = physmem_new(f->arena, frames * PAGE_BYTES);
	f->pool = frame_pool_new(f->arena, f->mem, &f->bus, true);
}

static void check_pool(const struct fixture *f)
{
	const char *why;
	if (!frame_pool_check(f->pool, &why))
		fail_msg("%s", why);
}

static void a_new_pool_has_all_frames_free_but_frame_zero(void **state)
{
	(void)state;
	struct fixture f;
	open_pool(&f, 5000);
	assert_int_equal(frame_pool_total(f.pool), 5000);
	assert_int_equal(frame_pool_free(f.pool), 4999);
	check_pool(&f);
	arena_free(f.arena);
}

static void blocks_are_aligned_and_coalesce_when_given_back(void **state)
{
	(void)state;
	struct fixture f;
	struct pfn block;
	open_pool(&f, 4096);
	for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
		assert_true(frame_take(f.pool, order, FRAME_ANON, &block));
		assert_int_equal(block.v & (((uint64_t)1 << order) - 1), 0);
		frame_put(f.pool, block);
		check_pool(&f);
	}
	/* Everything is whole again: three blocks of the highest order, and the first megabytes but frame 0. */
	struct pfn whole[3];
	for (unsigned i = 0; i < 3; i++)
		assert_true(frame_take(f.pool, FRAME_MAX_ORDER, FRAME_ANON, &whole[i]));
	assert_false(frame_take(f.pool, FRAME_MAX_ORDER, FRAME_ANON, &block));
	assert_int_equal(frame_pool_free(f.pool), 1023);
	arena_free(f.arena);
}

static void an_empty_pool_refuses_and_recovers(void **state)
{
	(void)state;
	struct fixture f;
	struct pfn frames[63], one;
	open_pool(&f, 64);
	for (unsigned i = 0; i < 63; i++)
		assert_true(frame_take(f.pool, 0, FRAME_ANON, &frames[i]));
	assert_false(frame_take(f.pool, 0, FRAME_ANON, &one));
	assert_int_equal(frame_pool_low_water(f.pool), 0);
	frame_put(f.pool, frames[10]);
	assert_true(frame_take(f.pool, 0, FRAME_TABLE, &one));
	assert_int_equal(one.v, frames[10].v);
	assert_int_equal(frame_pool_used(f.pool, FRAME_TABLE), 1);
	check_pool(&f);
	arena_free(f.arena);
}

static void a_freed_frame_with_content_is_filled_with_junk(void **state)
{
	(void)state;
	struct fixture f;
	struct pfn frame;
	open_pool(&f, 64);
	assert_true(frame_take(f.pool, 0, FRAME_ANON, &frame));
	physmem_store64(f.mem, pfn_to_paddr(frame), 42);
	frame_put(f.pool, frame);
	assert_int_equal(physmem_load64(f.mem, pfn_to_paddr(frame)), 0x6b6b6b6b6b6b6b6b);
	arena_free(f.arena);
}

static void random_traffic_agrees_with_a_bitmap(void **state)
{
	(void)state;
	enum { FRAMES = 3000, LIVE = 400, STEPS = 40000 };
	struct fixture f;
	struct rng rng = rng_seeded(20);
	static uint8_t taken[FRAMES];
	static struct {
		struct pfn first;
		unsigned order;
	} live[LIVE];
	unsigned count = 0;
	uint64_t used = 0;
	open_pool(&f, FRAMES);
	for (unsigned step = 0; step < STEPS; step++) {
		if (count < LIVE && rng_below(&rng, 2)) {
			unsigned order = (unsigned)rng_below(&rng, 6);
			struct pfn first;
			if (!frame_take(f.pool, order, FRAME_ANON, &first))
				continue;
			for (uint64_t i = first.v; i < first.v + (1u << order); i++) {
				assert_true(i < FRAMES && !taken[i]);
				taken[i] = 1;
			}
			live[count].first = first;
			live[count++].order = order;
			used += 1u << order;
		} else if (count) {
			unsigned victim = (unsigned)rng_below(&rng, count);
			for (uint64_t i = 0; i < (1u << live[victim].order); i++)
				taken[live[victim].first.v + i] = 0;
			used -= 1u << live[victim].order;
			frame_put(f.pool, live[victim].first);
			live[victim] = live[--count];
		}
		assert_int_equal(frame_pool_free(f.pool), FRAMES - 1 - used);
		if (step % 500 == 0)
			check_pool(&f);
	}
	arena_free(f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_pool_has_all_frames_free_but_frame_zero),
	    cmocka_unit_test(blocks_are_aligned_and_coalesce_when_given_back),
	    cmocka_unit_test(an_empty_pool_refuses_and_recovers),
	    cmocka_unit_test(a_freed_frame_with_content_is_filled_with_junk),
	    cmocka_unit_test(random_traffic_agrees_with_a_bitmap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
