/* Free lists by the course's rules: the whole heap is one free block at first; a freed block joins the list in one of
 * five orders, and only then neighbours in the list may merge. */
#include <stddef.h>
#include <string.h>

#include "faultline/arena.h"
#include "faultline/ostep.h"

/* Allocations by number; a failed one has no address. */
struct allocation {
	int64_t address;
	bool succeeded;
};

struct heap {
	const struct ostep_freelist *rules;
	struct mersenne random;
	struct ostep_block *free;
	uint32_t free_count;
	struct ostep_block *used; /* in no order */
	uint32_t used_count;
	struct allocation *allocation;
	uint32_t allocations;
	uint32_t successes;
	uint32_t *live; /* random operations: allocations that were not freed, in the order in which they were made */
	uint32_t live_count;
};

/* ---- malloc ---- */

static bool is_better(enum ostep_fit fit, int64_t bytes, int64_t best)
{
	return fit == OSTEP_FIT_BEST ? bytes < best : bytes > best;
}

/* The place in the list, or its length when nothing fits. */
static uint32_t find_fit(const struct heap *heap, int64_t bytes, uint32_t *searched)
{
	uint32_t best = heap->free_count;
	*searched = 0;
	for (uint32_t i = 0; i < heap->free_count; i++) {
		int64_t here = heap->free[i].bytes;
		++*searched;
		if (here < bytes)
			continue;
		if (heap->rules->fit == OSTEP_FIT_FIRST)
			return i;
		if (best == heap->free_count || is_better(heap->rules->fit, here, heap->free[best].bytes))
			best = i;
	}
	return best;
}

static void drop_free(struct heap *heap, uint32_t at)
{
	heap->free_count--;
	memmove(&heap->free[at], &heap->free[at + 1], (heap->free_count - at) * sizeof(*heap->free));
}

static int64_t heap_alloc(struct heap *heap, int64_t bytes, uint32_t *searched)
{
	const struct ostep_freelist *rules = heap->rules;
	if (rules->align > 0)
		bytes = (bytes + rules->align - 1) / rules->align * rules->align;
	bytes += rules->header_bytes;
	uint32_t at = find_fit(heap, bytes, searched);
	if (at == heap->free_count)
		return -1;
	int64_t address = heap->free[at].address;
	heap->free[at] = (struct ostep_block){address + bytes, heap->free[at].bytes - bytes};
	if (heap->free[at].bytes == 0)
		drop_free(heap, at);
	heap->used[heap->used_count++] = (struct ostep_block){address, bytes};
	return address;
}

/* ---- free ---- */

/* Whether two blocks stand the wrong way round. */
static bool is_behind(enum ostep_order order, const struct ostep_block *left, const struct ostep_block *right)
{
	switch (order) {
	case OSTEP_ORDER_ADDRSORT:
		return left->address > right->address;
	case OSTEP_ORDER_SIZESORT_UP:
		return left->bytes > right->bytes;
	case OSTEP_ORDER_SIZESORT_DOWN:
		return left->bytes < right->bytes;
	case OSTEP_ORDER_INSERT_FRONT:
	case OSTEP_ORDER_INSERT_BACK:
	case OSTEP_ORDER_COUNT:
		break;
	}
	return false;
}

/* The whole list and stably: splits may have put it out of order. */
static void sort_free(struct heap *heap)
{
	for (uint32_t i = 1; i < heap->free_count; i++) {
		struct ostep_block block = heap->free[i];
		uint32_t at = i;
		for (; at > 0 && is_behind(heap->rules->order, &heap->free[at - 1], &block); at--)
			heap->free[at] = heap->free[at - 1];
		heap->free[at] = block;
	}
}

static void add_free(struct heap *heap, struct ostep_block block)
{
	uint32_t at = heap->rules->order == OSTEP_ORDER_INSERT_FRONT ? 0 : heap->free_count;
	memmove(&heap->free[at + 1], &heap->free[at], (heap->free_count - at) * sizeof(*heap->free));
	heap->free[at] = block;
	heap->free_count++;
	sort_free(heap);
}

/* Only what stands side by side in the list, in this order, merges. */
static void merge_neighbours(struct heap *heap)
{
	uint32_t last = 0;
	for (uint32_t i = 1; i < heap->free_count; i++) {
		struct ostep_block *left = &heap->free[last];
		if (left->address + left->bytes == heap->free[i].address)
			left->bytes += heap->free[i].bytes;
		else
			heap->free[++last] = heap->free[i];
	}
	heap->free_count = last + 1;
}

static int64_t heap_release(struct heap *heap, int64_t address)
{
	uint32_t at = 0;
	while (at < heap->used_count && heap->used[at].address != address)
		at++;
	if (at == heap->used_count)
		return -1;
	struct ostep_block block = heap->used[at];
	heap->used[at] = heap->used[--heap->used_count];
	add_free(heap, block);
	if (heap->rules->coalesce)
		merge_neighbours(heap);
	return 0;
}

/* ---- operations ---- */

static void alloc_step(struct heap *heap, int64_t bytes, struct ostep_heap_step *step)
{
	step->alloc = true;
	step->id = heap->allocations;
	step->bytes = bytes;
	step->returned = heap_alloc(heap, bytes, &step->searched);
	heap->allocation[heap->allocations++] = (struct allocation){step->returned, step->returned != -1};
	heap->successes += step->returned != -1;
	/* Random operations print the address behind the header, whether there is a block or not. */
	step->printed = step->returned + (heap->rules->requests ? 0 : heap->rules->header_bytes);
}

static void free_step(struct heap *heap, uint32_t id, struct ostep_heap_step *step)
{
	step->id = id;
	step->returned = heap_release(heap, heap->allocation[id].address);
}

/* False: nothing to free, nothing happens and nothing is printed. */
static bool random_step(struct heap *heap, struct ostep_heap_step *step)
{
	const struct ostep_freelist *rules = heap->rules;
	if (mersenne_unit(&heap->random) < (double)rules->percent_alloc / 100.0) {
		alloc_step(heap, (int64_t)(mersenne_unit(&heap->random) * (double)rules->range) + 1, step);
		if (step->returned != -1)
			heap->live[heap->live_count++] = (uint32_t)step->id;
		return true;
	}
	if (heap->live_count == 0)
		return false;
	uint32_t at = (uint32_t)(mersenne_unit(&heap->random) * heap->live_count);
	free_step(heap, heap->live[at], step);
	heap->live_count--;
	memmove(&heap->live[at], &heap->live[at + 1], (heap->live_count - at) * sizeof(*heap->live));
	return true;
}

static enum status given_step(struct heap *heap, const struct ostep_request *request, struct ostep_heap_step *step,
			      struct error *error)
{
	if (request->alloc) {
		alloc_step(heap, request->number, step);
		return STATUS_OK;
	}
	step->id = request->number;
	step->skipped = request->number < 0 || request->number >= heap->successes;
	if (step->skipped)
		return STATUS_OK;
	if (!heap->allocation[request->number].succeeded)
		return error_set(error, STATUS_BAD_INPUT,
				 "-%lld frees an allocation that failed; free one that succeeded",
				 (long long)request->number);
	free_step(heap, (uint32_t)request->number, step);
	return STATUS_OK;
}

static enum status run(struct heap *heap, void *self, void (*tell)(void *self, const struct ostep_heap_step *step),
		       struct error *error)
{
	const struct ostep_freelist *rules = heap->rules;
	for (uint32_t i = 0; i < rules->count;) {
		struct ostep_heap_step step = {0};
		enum status status = STATUS_OK;
		bool happened = true;
		if (rules->requests)
			status = given_step(heap, &rules->requests[i], &step, error);
		else
			happened = random_step(heap, &step);
		if (status != STATUS_OK)
			return status;
		step.list = heap->free;
		step.list_count = heap->free_count;
		if (happened)
			tell(self, &step);
		i += happened;
	}
	return STATUS_OK;
}

enum status ostep_freelist_run(const struct ostep_freelist *freelist, void *self,
			       void (*step)(void *self, const struct ostep_heap_step *step), struct error *error)
{
	const size_t most = (size_t)freelist->count + 2;
	struct heap heap = {.rules = freelist, .free_count = 1};
	struct arena *arena = arena_new(
	    most * (2 * sizeof(struct ostep_block) + sizeof(struct allocation) + sizeof(uint32_t)) + 4096);
	if (!arena)
		return error_set(error, STATUS_HOST, "no memory for %u operations", freelist->count);
	heap.free = arena_new_array(arena, struct ostep_block, most);
	heap.used = arena_new_array(arena, struct ostep_block, most);
	heap.allocation = arena_new_array(arena, struct allocation, most);
	heap.live = arena_new_array(arena, uint32_t, most);
	heap.free[0] = (struct ostep_block){freelist->base, freelist->bytes};
	mersenne_seed(&heap.random, freelist->seed);
	enum status status = run(&heap, self, step, error);
	arena_free(arena);
	return status;
}

/* ---- names ---- */

static bool find_name(const char *const *names, unsigned count, const char *name, unsigned *out)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

bool ostep_fit_find(const char *name, enum ostep_fit *out)
{
#define X(id, text) text,
	static const char *const names[] = {OSTEP_FIT_LIST(X)};
#undef X
	unsigned found = 0;
	bool known = find_name(names, OSTEP_FIT_COUNT, name, &found);
	*out = (enum ostep_fit)found;
	return known;
}

bool ostep_order_find(const char *name, enum ostep_order *out)
{
#define X(id, text) text,
	static const char *const names[] = {OSTEP_ORDER_LIST(X)};
#undef X
	unsigned found = 0;
	bool known = find_name(names, OSTEP_ORDER_COUNT, name, &found);
	*out = (enum ostep_order)found;
	return known;
}
