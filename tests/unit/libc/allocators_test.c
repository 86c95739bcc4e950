/* What holds for every allocator in the registry: the contract of malloc(3), a heap that stands up to inspection after
 * every call, and counters that agree with what the program was given. */
#include <stdio.h>
#include <string.h>

#include "faultline/rng.h"
#include "flat_heap.h"

#define SEED 20260101u

enum { SLOTS = 96, OPERATIONS = 4000 };

struct slot {
	uint64_t block, usable, requested;
	uint8_t fill;
};

/* The program's own book-keeping: an interval set small enough to compare all with all. */
struct program {
	struct flat_heap flat;
	struct rng rng;
	struct slot slots[SLOTS];
	unsigned live;
	uint64_t seed;
};

#define require(program, condition)                                                                                    \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			fail_msg("%s, seed %llu: %s", (program)->flat.heap->ops->name,                                 \
				 (unsigned long long)(program)->seed, #condition);                                     \
	} while (0)

static void require_apart(struct program *program, const struct slot *slot)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *other = &program->slots[i];
		if (other == slot || other->block == 0)
			continue;
		require(program,
			slot->block >= other->block + other->usable || other->block >= slot->block + slot->usable);
	}
}

/* First, last and a few bytes between carry the slot's mark. */
static void mark(struct program *program, struct slot *slot)
{
	slot->fill = (uint8_t)rng_next(&program->rng);
	user_fill(program->flat.user, slot->block, slot->fill, slot->requested);
}

static void require_marked(struct program *program, const struct slot *slot, uint64_t bytes)
{
	uint64_t step = bytes / 16 + 1;
	for (uint64_t at = 0; at < bytes; at += step)
		require(program, user_load8(program->flat.user, slot->block + at) == slot->fill);
	if (bytes)
		require(program, user_load8(program->flat.user, slot->block + bytes - 1) == slot->fill);
}

static void adopt(struct program *program, struct slot *slot, uint64_t block, uint64_t requested, uint64_t alignment)
{
	require(program, block != 0);
	require(program, block % alignment == 0);
	*slot = (struct slot){.block = block, .requested = requested};
	slot->usable = program->flat.heap->ops->usable_size(program->flat.heap, block);
	require(program, slot->usable >= requested);
	require_apart(program, slot);
}

static uint64_t any_size(struct rng *rng)
{
	static const uint64_t bounds[] = {64, 256, 1100, 5000, 40000, 300000};
	return rng_below(rng, bounds[rng_below(rng, sizeof(bounds) / sizeof(bounds[0]))]);
}

static void allocate(struct program *program, struct slot *slot)
{
	struct heap *heap = program->flat.heap;
	uint64_t bytes = any_size(&program->rng), alignment = 16;
	uint64_t kind = rng_below(&program->rng, 8);
	if (kind == 0) {
		adopt(program, slot, heap_calloc(heap, 1, bytes), bytes, alignment);
		for (uint64_t at = 0; at < bytes; at += bytes / 32 + 1)
			require(program, user_load8(program->flat.user, slot->block + at) == 0);
	} else if (kind == 1) {
		alignment = (uint64_t)16 << rng_below(&program->rng, 10);
		adopt(program, slot, heap_aligned_alloc(heap, alignment, bytes), bytes, alignment);
	} else {
		adopt(program, slot, heap_malloc(heap, bytes), bytes, alignment);
	}
	mark(program, slot);
	program->live++;
}

static void reallocate(struct program *program, struct slot *slot)
{
	uint64_t bytes = any_size(&program->rng) + 1;
	uint64_t kept = bytes < slot->requested ? bytes : slot->requested;
	uint8_t fill = slot->fill;
	adopt(program, slot, heap_realloc(program->flat.heap, slot->block, bytes), bytes, 16);
	slot->fill = fill;
	require_marked(program, slot, kept);
	mark(program, slot);
}

static void release(struct program *program, struct slot *slot)
{
	require_marked(program, slot, slot->requested);
	heap_free(program->flat.heap, slot->block);
	slot->block = 0;
	program->live--;
}

static void require_sound(struct program *program)
{
	const struct heap_stats *stats = &program->flat.heap->stats;
	uint64_t bytes = 0;
	flat_heap_check(&program->flat);
	for (unsigned i = 0; i < SLOTS; i++)
		bytes += program->slots[i].block ? program->slots[i].usable : 0;
	require(program, stats->live_blocks == program->live);
	require(program, stats->live_bytes == bytes);
	require(program, stats->peak_live_bytes >= bytes);
	require(program, stats->mallocs - stats->frees == stats->live_blocks);
	require(program, stats->splits == program->flat.heap->bus->count[EVENT_LIBC_SPLIT]);
	require(program, stats->coalesces == program->flat.heap->bus->count[EVENT_LIBC_COALESCE]);
}

static void one_operation(struct program *program)
{
	struct slot *slot = &program->slots[rng_below(&program->rng, SLOTS)];
	if (rng_below(&program->rng, 400) == 0)
		(void)heap_trim(program->flat.heap, rng_below(&program->rng, 100000));
	else if (slot->block == 0)
		allocate(program, slot);
	else if (rng_below(&program->rng, 3) == 0)
		reallocate(program, slot);
	else
		release(program, slot);
	require_sound(program);
}

static void for_each_allocator(void (*check)(const struct heap_ops *ops))
{
	for (unsigned i = 0; heap_registry[i]; i++)
		check(heap_registry[i]);
}

static void fuzz(const struct heap_ops *ops)
{
	struct program program = {.flat = flat_heap_new(ops->name), .seed = SEED};
	print_message("%s: seed %llu\n", ops->name, (unsigned long long)program.seed);
	program.rng = rng_seeded(program.seed);
	for (unsigned i = 0; i < OPERATIONS; i++)
		one_operation(&program);
	for (unsigned i = 0; i < SLOTS; i++) {
		if (program.slots[i].block)
			release(&program, &program.slots[i]);
	}
	require_sound(&program);
	flat_heap_free(&program.flat);
}

static void random_calls_never_overlap_and_keep_contents(void **state)
{
	(void)state;
	for_each_allocator(fuzz);
}

static void count_used(void *self, const struct heap_block *block)
{
	*(unsigned *)self += block->state == HEAP_BLOCK_USED;
}

static void walk_reports_blocks(const struct heap_ops *ops)
{
	struct flat_heap flat = flat_heap_new(ops->name);
	unsigned before = 0, after = 0;
	const char *why = NULL;
	uint64_t first = heap_malloc(flat.heap, 100);
	assert_true(ops->walk(flat.heap, count_used, &before, &why));
	(void)heap_malloc(flat.heap, 2000);
	(void)heap_malloc(flat.heap, 30000);
	assert_true(ops->walk(flat.heap, count_used, &after, &why));
	assert_int_equal(after, before + 2);
	heap_free(flat.heap, first);
	uint64_t faults = flat.facts->faults;
	assert_true(ops->walk(flat.heap, count_used, &after, &why));
	assert_int_equal(flat.facts->faults, faults);
	flat_heap_free(&flat);
}

static void walk_reports_every_block_and_touches_nothing(void **state)
{
	(void)state;
	for_each_allocator(walk_reports_blocks);
}

static void refuses(const struct heap_ops *ops)
{
	struct flat_heap flat = flat_heap_new(ops->name);
	static const uint64_t absurd[] = {UINT64_MAX, UINT64_MAX - 4096, (uint64_t)1 << 63, (uint64_t)INT64_MAX,
					  (uint64_t)1 << 50};
	uint64_t block = heap_malloc(flat.heap, 100);
	for (unsigned i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++) {
		flat.heap->errno_value = 0;
		assert_int_equal(heap_malloc(flat.heap, absurd[i]), 0);
		assert_int_equal(flat.heap->errno_value, HEAP_ENOMEM);
		assert_int_equal(heap_realloc(flat.heap, block, absurd[i]), 0);
		assert_int_equal(heap_aligned_alloc(flat.heap, 64, absurd[i]), 0);
	}
	assert_int_equal(heap_calloc(flat.heap, (uint64_t)1 << 33, (uint64_t)1 << 33), 0);
	assert_int_equal(flat.heap->errno_value, HEAP_ENOMEM);
	assert_int_equal(flat.heap->stats.failures, 16);
	heap_free(flat.heap, block);
	flat_heap_check(&flat);
	flat_heap_free(&flat);
}

static void absurd_sizes_are_refused_with_enomem(void **state)
{
	(void)state;
	for_each_allocator(refuses);
}

static void null_calls(const struct heap_ops *ops)
{
	struct flat_heap flat = flat_heap_new(ops->name);
	heap_free(flat.heap, 0);
	assert_int_equal(flat.facts->calls[SYSCALL_BRK], 0);
	assert_int_equal(heap_usable_size(flat.heap, 0), 0);
	uint64_t block = heap_realloc(flat.heap, 0, 10);
	assert_int_not_equal(block, 0);
	assert_int_equal(heap_realloc(flat.heap, block, 0), 0);
	assert_int_equal(flat.heap->stats.live_blocks, 0);
	assert_int_equal(flat.heap->stats.frees, 1);
	assert_int_not_equal(heap_malloc(flat.heap, 0), 0);
	flat_heap_free(&flat);
}

static void null_is_no_block(void **state)
{
	(void)state;
	for_each_allocator(null_calls);
}

static void out_of_memory(const struct heap_ops *ops)
{
	struct flat_heap flat = flat_heap_new(ops->name);
	uint64_t blocks = 0;
	flat.facts->break_limit = FLAT_START_BRK + MIB;
	flat.facts->mapped_limit = MIB;
	while (heap_malloc(flat.heap, 10000) != 0)
		blocks++;
	assert_int_equal(flat.heap->errno_value, HEAP_ENOMEM);
	assert_in_range(blocks, 90, 2 * 1048576 / 10000);
	flat_heap_check(&flat);
	flat_heap_free(&flat);
}

static void a_kernel_without_memory_means_null(void **state)
{
	(void)state;
	for_each_allocator(out_of_memory);
}

struct misuse {
	struct heap *heap;
	void (*commit)(struct heap *heap);
};

static void commit(void *self)
{
	struct misuse *misuse = self;
	misuse->commit(misuse->heap);
}

static void free_large_twice(struct heap *heap)
{
	uint64_t block = heap_malloc(heap, 3000);
	(void)heap_malloc(heap, 3000);
	heap_free(heap, block);
	heap_free(heap, block);
}

static void free_between_two_free_twice(struct heap *heap)
{
	uint64_t before = heap_malloc(heap, 3000), block = heap_malloc(heap, 3000), behind = heap_malloc(heap, 3000);
	(void)heap_malloc(heap, 3000);
	heap_free(heap, before);
	heap_free(heap, behind);
	heap_free(heap, block);
	heap_free(heap, block);
}

static void free_inside(struct heap *heap)
{
	heap_free(heap, heap_malloc(heap, 3000) + 8);
}

static void free_with_ruined_size(struct heap *heap)
{
	uint64_t block = heap_malloc(heap, 3000);
	user_store64(heap->user, block - 8, 16 + 1);
	heap_free(heap, block);
}

static void misuses(const struct heap_ops *ops)
{
	static const struct {
		void (*commit)(struct heap *heap);
		const char *begins;
	} table[] = {{free_large_twice, "double free or corruption"},
		     {free_between_two_free_twice, ""}, /* which check finds it is the allocator's */
		     {free_inside, "free(): invalid pointer"},
		     {free_with_ruined_size, "free(): invalid size"}};
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct flat_heap flat = flat_heap_new(ops->name);
		struct misuse misuse = {flat.heap, table[i].commit};
		assert_false(user_run(flat.user, commit, &misuse));
		assert_int_equal(flat.facts->end, FLAT_ABORTED);
		assert_int_equal(strncmp(flat.facts->message, table[i].begins, strlen(table[i].begins)), 0);
		assert_int_equal(user_bus(flat.user)->count[EVENT_LIBC_ABORT], 1);
		flat_heap_free(&flat);
	}
}

static void misuse_aborts_the_program(void **state)
{
	(void)state;
	for_each_allocator(misuses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_calls_never_overlap_and_keep_contents),
	    cmocka_unit_test(walk_reports_every_block_and_touches_nothing),
	    cmocka_unit_test(absurd_sizes_are_refused_with_enomem),
	    cmocka_unit_test(null_is_no_block),
	    cmocka_unit_test(a_kernel_without_memory_means_null),
	    cmocka_unit_test(misuse_aborts_the_program),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
