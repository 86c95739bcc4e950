/* What all allocators share: the registry, sbrk, events and counters. */
#include <string.h>

#include "flat_heap.h"

static void registry_lists_every_allocator_by_a_unique_name(void **state)
{
	(void)state;
	for (unsigned i = 0; heap_registry[i]; i++) {
		const struct heap_ops *ops = heap_registry[i];
		assert_ptr_equal(heap_find(ops->name), ops);
		assert_true(strlen(ops->summary) > 0 && strlen(ops->source) > 0);
		assert_in_range(ops->data_bytes, 1, FLAT_DATA_BYTES);
	}
	assert_non_null(heap_find("glibc"));
	assert_non_null(heap_find("worst-fit"));
	assert_null(heap_find("no-such-allocator"));
}

static void sbrk_asks_for_the_break_once(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("first-fit");
	uint64_t *brks = &flat.facts->calls[SYSCALL_BRK];
	assert_int_equal(heap_sbrk(flat.heap, 0), FLAT_START_BRK);
	assert_int_equal(*brks, 1);
	assert_int_equal(heap_sbrk(flat.heap, 0), FLAT_START_BRK);
	assert_int_equal(*brks, 1);
	assert_int_equal(heap_sbrk(flat.heap, 8192), FLAT_START_BRK);
	assert_int_equal(heap_sbrk(flat.heap, -4096), FLAT_START_BRK + 8192);
	assert_int_equal(*brks, 3);
	assert_int_equal(flat.facts->break_now, FLAT_START_BRK + 4096);
	flat_heap_free(&flat);
}

static void sbrk_first_call_with_an_increment_is_two_system_calls(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("first-fit");
	assert_int_equal(heap_sbrk(flat.heap, 4096), FLAT_START_BRK);
	assert_int_equal(flat.facts->calls[SYSCALL_BRK], 2);
	flat_heap_free(&flat);
}

static void sbrk_that_the_kernel_or_arithmetic_refuses_sets_enomem(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("first-fit");
	flat.facts->break_limit = FLAT_START_BRK + MIB;
	assert_int_equal(heap_sbrk(flat.heap, (int64_t)(2 * MIB)), UINT64_MAX);
	assert_int_equal(flat.heap->errno_value, HEAP_ENOMEM);
	uint64_t brks = flat.facts->calls[SYSCALL_BRK];
	flat.heap->errno_value = 0;
	assert_int_equal(heap_sbrk(flat.heap, INT64_MIN), UINT64_MAX);
	assert_int_equal(flat.heap->errno_value, HEAP_ENOMEM);
	assert_int_equal(flat.facts->calls[SYSCALL_BRK], brks);
	assert_int_equal(heap_sbrk(flat.heap, 0), FLAT_START_BRK);
	flat_heap_free(&flat);
}

struct heard {
	unsigned calls, returns;
	const char *function; /* lives as long as the world */
	uint64_t a, b, result;
};

static void listen(void *self, const struct event *event)
{
	struct heard *heard = self;
	if (event->kind == EVENT_LIBC_CALL) {
		heard->calls++;
		heard->function = event_arg_text(event, 0);
		heard->a = event->arg[1];
		heard->b = event->arg[2];
	} else {
		heard->returns++;
		assert_string_equal(heard->function, event_arg_text(event, 0));
		heard->result = event->arg[1];
	}
}

static void every_call_is_told_with_its_arguments_and_result(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("best-fit");
	struct heap *heap = flat.heap;
	struct heard heard = {0};
	bus_subscribe(user_bus(flat.user), EVENT_BIT(EVENT_LIBC_CALL) | EVENT_BIT(EVENT_LIBC_RETURN), listen, &heard);
	uint64_t block = heap_calloc(heap, 3, 50);
	assert_string_equal(heard.function, "calloc");
	assert_int_equal(heard.a, 3);
	assert_int_equal(heard.b, 50);
	assert_int_equal(heard.result, block);
	uint64_t moved = heap_realloc(heap, block, 500);
	assert_string_equal(heard.function, "realloc");
	assert_int_equal(heard.a, block);
	assert_int_equal(heard.result, moved);
	(void)heap_usable_size(heap, moved);
	(void)heap_aligned_alloc(heap, 64, 10);
	(void)heap_malloc(heap, 10);
	(void)heap_trim(heap, 0);
	(void)heap_mallopt(heap, -1, 5);
	assert_int_equal(heard.a, UINT64_MAX);
	heap_free(heap, moved);
	assert_string_equal(heard.function, "free");
	assert_int_equal(heard.calls, 8);
	assert_int_equal(heard.returns, 8);
	flat_heap_free(&flat);
}

static void counters_follow_the_life_of_blocks(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("first-fit");
	struct heap *heap = flat.heap;
	const struct heap_stats *stats = &heap->stats;
	uint64_t small = heap_malloc(heap, 100), large = heap_malloc(heap, 5000);
	uint64_t usable = heap_usable_size(heap, small) + heap_usable_size(heap, large);
	assert_int_equal(stats->live_bytes, usable);
	assert_int_equal(stats->requested_bytes, 5100);
	small = heap_realloc(heap, small, 50);
	assert_int_equal(stats->live_blocks, 2);
	assert_int_equal(stats->reallocs, 1);
	assert_int_equal(stats->peak_live_bytes, usable);
	heap_free(heap, large);
	assert_int_equal(stats->live_bytes, heap_usable_size(heap, small));
	assert_int_equal(stats->frees, 1);
	assert_int_equal(heap_malloc(heap, UINT64_MAX), 0);
	assert_int_equal(stats->failures, 1);
	assert_int_equal(stats->mallocs, 2);
	flat_heap_free(&flat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(registry_lists_every_allocator_by_a_unique_name),
	    cmocka_unit_test(sbrk_asks_for_the_break_once),
	    cmocka_unit_test(sbrk_first_call_with_an_increment_is_two_system_calls),
	    cmocka_unit_test(sbrk_that_the_kernel_or_arithmetic_refuses_sets_enomem),
	    cmocka_unit_test(every_call_is_told_with_its_arguments_and_result),
	    cmocka_unit_test(counters_follow_the_life_of_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
