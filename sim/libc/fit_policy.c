/* The one decision in which the textbook allocators differ: which of the free chunks that fit is taken. */
#include "fit.h"

typedef uint64_t fit_fn(struct heap *heap, uint64_t wanted);

/* The first chunk from `from` up to (not including) `until` that fits. */
static uint64_t scan(struct heap *heap, uint64_t from, uint64_t until, uint64_t wanted)
{
	for (uint64_t chunk = from; chunk != until; chunk = next_free(heap, chunk)) {
		heap->stats.searched++;
		if (size_at(heap, chunk) >= wanted)
			return chunk;
	}
	return 0;
}

static uint64_t first_fit(struct heap *heap, uint64_t wanted)
{
	return scan(heap, var(heap, VAR_FIRST_FREE), 0, wanted);
}

/* Goes on where the last search ended, and round to there. */
static uint64_t next_fit(struct heap *heap, uint64_t wanted)
{
	uint64_t rover = var(heap, VAR_ROVER), chunk = scan(heap, rover, 0, wanted);
	if (!chunk && rover)
		chunk = scan(heap, var(heap, VAR_FIRST_FREE), rover, wanted);
	else if (!chunk)
		chunk = scan(heap, var(heap, VAR_FIRST_FREE), 0, wanted);
	if (chunk)
		set_var(heap, VAR_ROVER, next_free(heap, chunk));
	return chunk;
}

static uint64_t extreme_fit(struct heap *heap, uint64_t wanted, bool smallest)
{
	uint64_t best = 0, best_size = 0;
	for (uint64_t chunk = var(heap, VAR_FIRST_FREE); chunk; chunk = next_free(heap, chunk)) {
		uint64_t size = size_at(heap, chunk);
		heap->stats.searched++;
		if (size < wanted || (best && (smallest ? size >= best_size : size <= best_size)))
			continue;
		best = chunk;
		best_size = size;
		if (smallest && size == wanted)
			break;
	}
	return best;
}

static uint64_t best_fit(struct heap *heap, uint64_t wanted)
{
	return extreme_fit(heap, wanted, true);
}

static uint64_t worst_fit(struct heap *heap, uint64_t wanted)
{
	return extreme_fit(heap, wanted, false);
}

/* A heap's allocator is a row of this table. */
static const struct fit_policy {
	const struct heap_ops *ops;
	const char *where; /* what the story says was searched */
	fit_fn *choose;
} policies[] = {
    {&heap_first_fit, "the free list, first that fits", first_fit},
    {&heap_next_fit, "the free list, next that fits", next_fit},
    {&heap_best_fit, "the free list, smallest that fits", best_fit},
    {&heap_worst_fit, "the free list, largest", worst_fit},
};

uint64_t fit_choose(struct heap *heap, uint64_t wanted)
{
	unsigned row = 0;
	while (policies[row].ops != heap->ops)
		row++;
	uint64_t chunk = policies[row].choose(heap, wanted);
	emit(heap->bus, EVENT_LIBC_SEARCH, event_text(policies[row].where), wanted, chunk);
	return chunk;
}
