/* The list of allocators, and what all of them have in common: events, counting, sbrk. */
#include "faultline/heap.h"

#include <string.h>

#include "faultline/libc_text.h"
#include "faultline/syscall.h"
#include "faultline/units.h"
#include "heap_private.h"

const struct heap_ops *const heap_registry[] = {&heap_glibc,    &heap_first_fit, &heap_next_fit,
						&heap_best_fit, &heap_worst_fit, NULL};

const struct heap_ops *heap_find(const char *name)
{
	for (unsigned i = 0; heap_registry[i]; i++) {
		if (strcmp(heap_registry[i]->name, name) == 0)
			return heap_registry[i];
	}
	return NULL;
}

struct heap *heap_new(struct arena *arena, const struct heap_ops *ops, struct user *user, uint64_t data_va)
{
	struct heap *heap = arena_new_object(arena, struct heap);
	heap->ops = ops;
	heap->user = user;
	heap->bus = user_bus(user);
	heap->data_va = data_va;
	heap->thread_va = data_va;
	heap->cores = 1;
	heap->arena = arena;
	return heap;
}

static void count_block(struct heap *heap, uint64_t block, uint64_t requested)
{
	struct heap_stats *stats = &heap->stats;
	if (block == 0) {
		stats->failures++;
		return;
	}
	stats->mallocs++;
	stats->live_blocks++;
	stats->requested_bytes += requested;
	stats->live_bytes += heap->last_usable;
	if (stats->live_bytes > stats->peak_live_bytes)
		stats->peak_live_bytes = stats->live_bytes;
}

static void count_free(struct heap *heap)
{
	heap->stats.frees++;
	heap->stats.live_blocks--;
	heap->stats.live_bytes -= heap->last_freed;
}

/* The names are literals: the compiler knows the answer. A function without an entry of its own stays where its caller
 * is. */
__attribute__((always_inline)) static inline bool find_entry(const char *function, uint64_t *offset)
{
#define X(id, name, body)                                                                                              \
	*offset = libc_entry_offset(LIBC_FUNCTION_##id);                                                               \
	if (strcmp(function, #name) == 0)                                                                              \
		return true;
	LIBC_FUNCTION_LIST(X)
#undef X
	return false;
}

__attribute__((always_inline)) static inline void enter(struct heap *heap, const char *function, uint64_t a, uint64_t b)
{
	uint64_t offset;
	heap->inside = find_entry(function, &offset);
	if (heap->inside)
		heap->caller = user_enter(heap->user, offset);
	emit(heap->bus, EVENT_LIBC_CALL, event_text(function), a, b);
}

static inline void leave(struct heap *heap, const char *function, uint64_t result)
{
	emit(heap->bus, EVENT_LIBC_RETURN, event_text(function), result);
	if (heap->inside)
		user_leave(heap->user, heap->caller);
}

uint64_t heap_malloc(struct heap *heap, uint64_t bytes)
{
	enter(heap, "malloc", bytes, 0);
	uint64_t block = heap->ops->malloc(heap, bytes);
	count_block(heap, block, bytes);
	leave(heap, "malloc", block);
	return block;
}

uint64_t heap_calloc(struct heap *heap, uint64_t count, uint64_t bytes)
{
	enter(heap, "calloc", count, bytes);
	uint64_t block = heap->ops->calloc(heap, count, bytes);
	count_block(heap, block, count * bytes);
	leave(heap, "calloc", block);
	return block;
}

static uint64_t aligned(struct heap *heap, const char *function, uint64_t alignment, uint64_t bytes)
{
	enter(heap, function, alignment, bytes);
	uint64_t block = heap->ops->aligned_alloc(heap, alignment, bytes);
	count_block(heap, block, bytes);
	leave(heap, function, block);
	return block;
}

uint64_t heap_aligned_alloc(struct heap *heap, uint64_t alignment, uint64_t bytes)
{
	return aligned(heap, "aligned_alloc", alignment, bytes);
}

/* realloc(0, n) is malloc, realloc(p, 0) is free; else the block changes its size, or stays as it is on failure. */
uint64_t heap_realloc(struct heap *heap, uint64_t block, uint64_t bytes)
{
	struct heap_stats *stats = &heap->stats;
	enter(heap, "realloc", block, bytes);
	uint64_t result = heap->ops->realloc(heap, block, bytes);
	if (block == 0) {
		count_block(heap, result, bytes);
	} else if (result == 0 && bytes == 0) {
		count_free(heap);
	} else if (result == 0) {
		stats->failures++;
	} else {
		stats->reallocs++;
		stats->requested_bytes += bytes;
		stats->live_bytes += heap->last_usable - heap->last_freed;
		if (stats->live_bytes > stats->peak_live_bytes)
			stats->peak_live_bytes = stats->live_bytes;
	}
	leave(heap, "realloc", result);
	return result;
}

/* The product is checked, then it is realloc. */
uint64_t heap_reallocarray(struct heap *heap, uint64_t block, uint64_t count, uint64_t bytes)
{
	uint64_t total;
	if (!__builtin_mul_overflow(count, bytes, &total))
		return heap_realloc(heap, block, total);
	enter(heap, "reallocarray", count, bytes);
	heap->errno_value = HEAP_ENOMEM;
	heap->stats.failures++;
	leave(heap, "reallocarray", 0);
	return 0;
}

int heap_posix_memalign(struct heap *heap, uint64_t *out, uint64_t alignment, uint64_t bytes)
{
	bool good = alignment % sizeof(uint64_t) == 0 && alignment != 0 && (alignment & (alignment - 1)) == 0;
	if (!good) {
		heap->stats.failures++;
		return HEAP_EINVAL;
	}
	uint64_t block = aligned(heap, "posix_memalign", alignment, bytes);
	if (block == 0)
		return HEAP_ENOMEM;
	*out = block;
	return 0;
}

uint64_t heap_valloc(struct heap *heap, uint64_t bytes)
{
	return aligned(heap, "valloc", PAGE_BYTES, bytes);
}

/* Whole pages. */
uint64_t heap_pvalloc(struct heap *heap, uint64_t bytes)
{
	if (bytes <= UINT64_MAX - (PAGE_BYTES - 1))
		return aligned(heap, "pvalloc", PAGE_BYTES, page_ceil(bytes));
	heap->errno_value = HEAP_ENOMEM;
	heap->stats.failures++;
	return 0;
}

void heap_free(struct heap *heap, uint64_t block)
{
	enter(heap, "free", block, 0);
	heap->ops->free(heap, block);
	if (block)
		count_free(heap);
	leave(heap, "free", 0);
}

uint64_t heap_usable_size(struct heap *heap, uint64_t block)
{
	enter(heap, "malloc_usable_size", block, 0);
	uint64_t bytes = heap->ops->usable_size(heap, block);
	leave(heap, "malloc_usable_size", bytes);
	return bytes;
}

int heap_trim(struct heap *heap, uint64_t pad)
{
	enter(heap, "malloc_trim", pad, 0);
	int released = heap->ops->trim(heap, pad);
	leave(heap, "malloc_trim", (uint64_t)released);
	return released;
}

int heap_mallopt(struct heap *heap, int param, int value)
{
	enter(heap, "mallopt", (uint64_t)(int64_t)param, (uint64_t)(int64_t)value);
	int done = heap->ops->mallopt ? heap->ops->mallopt(heap, param, value) : 0;
	leave(heap, "mallopt", (uint64_t)done);
	return done;
}

/* brk(2) as the libc sees it: the kernel answers with the break that holds now. */
static uint64_t brk_call(struct heap *heap, uint64_t wanted)
{
	return (uint64_t)user_syscall(heap->user, SYS_NR_BRK, (const uint64_t[6]){wanted});
}

/* misc/sbrk.c: the break is asked for once and remembered. */
uint64_t heap_sbrk(struct heap *heap, int64_t increment)
{
	if (heap->known_break == 0)
		heap->known_break = brk_call(heap, 0);
	uint64_t old = heap->known_break, wanted = old + (uint64_t)increment;
	if (increment == 0)
		return old;
	if (increment > 0 ? wanted < old : wanted > old) {
		heap->errno_value = HEAP_ENOMEM;
		return UINT64_MAX;
	}
	heap->known_break = brk_call(heap, wanted);
	if (heap->known_break < wanted) {
		heap->errno_value = HEAP_ENOMEM;
		return UINT64_MAX;
	}
	return old;
}
