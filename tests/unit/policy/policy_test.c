/* Every policy keeps the promises of the interface, whatever it decides; and a kernel's way of using it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/policy.h"
#include "faultline/rng.h"

enum { FRAMES = 64, CAPACITY = 48, PAGES = 200, STEPS = 20000 };

/* A kernel in small: frames with A and D bits, some of them locked. */
struct kernel {
	struct arena *arena;
	struct policy *policy;
	struct rng rng;
	uint64_t page[FRAMES]; /* + 1; 0: free */
	bool accessed[FRAMES], dirty[FRAMES], locked[FRAMES];
	uint64_t time;
	uint32_t used;
};

static bool take_accessed(void *self, uint32_t frame)
{
	struct kernel *kernel = self;
	bool was = kernel->accessed[frame];
	kernel->accessed[frame] = false;
	return was;
}

static bool is_dirty(void *self, uint32_t frame)
{
	return ((struct kernel *)self)->dirty[frame];
}

static bool is_evictable(void *self, uint32_t frame)
{
	return !((struct kernel *)self)->locked[frame];
}

static uint64_t now(void *self)
{
	return ((struct kernel *)self)->time;
}

static void kernel_open(struct kernel *kernel, const struct policy_ops *ops, uint64_t seed)
{
	struct policy_config config = {.frames = FRAMES, .capacity = CAPACITY, .window = 100, .seed = seed};
	struct policy_view view = {.self = kernel,
				   .test_and_clear_accessed = take_accessed,
				   .is_dirty = is_dirty,
				   .is_evictable = is_evictable,
				   .now = now};
	*kernel = (struct kernel){.rng = rng_seeded(seed)};
	kernel->arena = arena_new(policy_bytes(ops, &config));
	kernel->policy = policy_new(kernel->arena, ops, &config, &view);
}

static void kernel_close(struct kernel *kernel)
{
	const char *wrong = policy_check(kernel->policy);
	if (wrong)
		fail_msg("%s: %s", policy_ops(kernel->policy)->name, wrong);
	assert_int_equal(policy_resident(kernel->policy), kernel->used);
	arena_free(kernel->arena);
}

static uint32_t find(const struct kernel *kernel, uint64_t page)
{
	for (uint32_t frame = 0; frame < FRAMES; frame++) {
		if (kernel->page[frame] == page + 1)
			return frame;
	}
	return POLICY_NO_FRAME;
}

static uint32_t find_free(struct kernel *kernel)
{
	uint32_t frame = (uint32_t)rng_below(&kernel->rng, FRAMES);
	while (kernel->page[frame] != 0)
		frame = (frame + 1) % FRAMES;
	return frame;
}

static bool anything_evictable(const struct kernel *kernel)
{
	for (uint32_t frame = 0; frame < FRAMES; frame++) {
		if (kernel->page[frame] && !kernel->locked[frame])
			return true;
	}
	return false;
}

/* False when all is locked. */
static bool evict(struct kernel *kernel, uint64_t incoming)
{
	uint64_t key;
	uint32_t frame = policy_victim(kernel->policy, incoming, &key);
	if (frame == POLICY_NO_FRAME) {
		assert_false(anything_evictable(kernel));
		return false;
	}
	assert_true(frame < FRAMES && kernel->page[frame] && !kernel->locked[frame]);
	assert_int_equal(key, kernel->page[frame] - 1);
	kernel->page[frame] = 0;
	kernel->used--;
	return true;
}

static void bring_in(struct kernel *kernel, uint64_t page)
{
	if (kernel->used == CAPACITY && !evict(kernel, page))
		return;
	uint32_t frame = find_free(kernel);
	kernel->page[frame] = page + 1;
	kernel->used++;
	kernel->accessed[frame] = kernel->dirty[frame] = kernel->locked[frame] = false;
	policy_insert(kernel->policy, frame, page);
	assert_int_equal(policy_key(kernel->policy, frame), page);
}

static void reference(struct kernel *kernel, uint64_t page, bool write)
{
	uint32_t frame = find(kernel, page);
	kernel->time++;
	if (frame == POLICY_NO_FRAME) {
		bring_in(kernel, page);
		frame = find(kernel, page);
	} else {
		policy_touch(kernel->policy, frame);
	}
	if (frame == POLICY_NO_FRAME)
		return;
	kernel->accessed[frame] = true;
	kernel->dirty[frame] |= write;
}

static void unmap(struct kernel *kernel, uint64_t page)
{
	uint32_t frame = find(kernel, page);
	if (frame == POLICY_NO_FRAME) {
		policy_forget(kernel->policy, page);
		return;
	}
	policy_remove(kernel->policy, frame);
	kernel->page[frame] = 0;
	kernel->used--;
}

static void step(struct kernel *kernel)
{
	uint64_t page = rng_below(&kernel->rng, 1 + rng_below(&kernel->rng, PAGES));
	uint64_t what = rng_below(&kernel->rng, 100);
	uint32_t frame = find(kernel, page);
	if (what < 85)
		reference(kernel, page, what < 20);
	else if (what < 88)
		unmap(kernel, page);
	else if (what < 91)
		policy_tick(kernel->policy);
	else if (what < 93 && kernel->used > 0)
		(void)evict(kernel, POLICY_NO_KEY);
	else if (frame != POLICY_NO_FRAME)
		kernel->locked[frame] = what % 2;
	assert_int_equal(policy_resident(kernel->policy), kernel->used);
}

static void every_policy_keeps_its_promises_to_a_kernel(void **state)
{
	(void)state;
	for (unsigned i = 0; policy_registry[i]; i++) {
		struct kernel kernel;
		kernel_open(&kernel, policy_registry[i], i + 1);
		for (unsigned j = 0; j < STEPS; j++) {
			step(&kernel);
			const char *wrong = j % 50 ? NULL : policy_check(kernel.policy);
			if (wrong)
				fail_msg("%s after %u steps: %s", policy_registry[i]->name, j, wrong);
		}
		kernel_close(&kernel);
	}
}

static void with_everything_locked_there_is_no_victim(void **state)
{
	(void)state;
	for (unsigned i = 0; policy_registry[i]; i++) {
		uint64_t key;
		struct kernel kernel;
		kernel_open(&kernel, policy_registry[i], 1);
		assert_int_equal(policy_victim(kernel.policy, 7, &key), POLICY_NO_FRAME);
		for (uint64_t page = 0; page < CAPACITY; page++)
			reference(&kernel, page, true);
		memset(kernel.locked, true, sizeof(kernel.locked));
		assert_int_equal(policy_victim(kernel.policy, 1000, &key), POLICY_NO_FRAME);
		kernel.locked[find(&kernel, 5)] = false;
		assert_true(evict(&kernel, 1000));
		assert_int_equal(find(&kernel, 5), POLICY_NO_FRAME);
		kernel_close(&kernel);
	}
}

static void the_same_seed_makes_the_same_decisions(void **state)
{
	(void)state;
	for (unsigned i = 0; policy_registry[i]; i++) {
		struct kernel first, second;
		kernel_open(&first, policy_registry[i], 3);
		kernel_open(&second, policy_registry[i], 3);
		for (unsigned j = 0; j < STEPS / 10; j++) {
			step(&first);
			step(&second);
			assert_memory_equal(first.page, second.page, sizeof(first.page));
		}
		kernel_close(&first);
		kernel_close(&second);
	}
}

/* The frames of the look, or POLICY_NO_FRAME. */
static uint32_t first_shown(const struct policy_look *look)
{
	for (unsigned i = 0; i < look->lists; i++) {
		if (look->list[i].shown > 0)
			return look->list[i].frame[0];
	}
	return POLICY_NO_FRAME;
}

static void an_onlooker_sees_frames_that_are_held(void **state)
{
	(void)state;
	for (unsigned i = 0; policy_registry[i]; i++) {
		struct kernel kernel;
		kernel_open(&kernel, policy_registry[i], i + 5);
		for (unsigned j = 0; j < STEPS / 10; j++) {
			struct policy_look look;
			step(&kernel);
			policy_look(kernel.policy, &look);
			assert_true(look.lists > 0);
			for (unsigned list = 0; list < look.lists; list++) {
				assert_true(look.list[list].shown <= look.list[list].count);
				for (unsigned k = 0; k < look.list[list].shown; k++)
					assert_true(policy_holds(kernel.policy, look.list[list].frame[k]));
			}
			assert_true(look.hand == POLICY_NO_FRAME || policy_holds(kernel.policy, look.hand));
		}
		kernel_close(&kernel);
	}
}

/* Where only the order decides: nothing is locked, and no A bit is set. */
static void who_is_seen_first_goes_first(void **state)
{
	static const char *const ordered[] = {"fifo", "second-chance", "clock", "lru", "mru",  "sieve",
					      "lfu",  "nru",           "linux", "opt", "mglru"};
	(void)state;
	for (unsigned i = 0; i < sizeof(ordered) / sizeof(*ordered); i++) {
		struct kernel kernel;
		kernel_open(&kernel, policy_find(ordered[i]), i + 5);
		for (unsigned j = 0; j < STEPS / 10; j++)
			step(&kernel);
		while (kernel.used > 0) {
			struct policy_look look;
			memset(kernel.accessed, false, sizeof(kernel.accessed));
			memset(kernel.dirty, false, sizeof(kernel.dirty));
			memset(kernel.locked, false, sizeof(kernel.locked));
			policy_look(kernel.policy, &look);
			uint64_t key;
			uint32_t victim = policy_victim(kernel.policy, POLICY_NO_KEY, &key);
			if (victim != first_shown(&look))
				fail_msg("%s: %u goes, %u was first", ordered[i], victim, first_shown(&look));
			kernel.page[victim] = 0;
			kernel.used--;
		}
		kernel_close(&kernel);
	}
}

static void every_row_says_what_it_is(void **state)
{
	(void)state;
	for (unsigned i = 0; policy_registry[i]; i++) {
		const struct policy_ops *ops = policy_registry[i];
		assert_ptr_equal(policy_find(ops->name), ops);
		assert_true(strlen(ops->summary) > 10 && strlen(ops->source) > 10);
		/* What is told every reference must not pretend that a kernel could do it. */
		assert_true(!ops->touch || ops->kind == POLICY_IDEAL);
	}
	assert_null(policy_find("no such policy"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_policy_keeps_its_promises_to_a_kernel),
	    cmocka_unit_test(with_everything_locked_there_is_no_victim),
	    cmocka_unit_test(the_same_seed_makes_the_same_decisions),
	    cmocka_unit_test(an_onlooker_sees_frames_that_are_held),
	    cmocka_unit_test(who_is_seen_first_goes_first),
	    cmocka_unit_test(every_row_says_what_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
