/* OPT for all sizes in one pass. It is a stack algorithm (Mattson et al., IBM Systems Journal 9(2), 1970): memories of
 * all sizes are the prefixes of one row of pages. A reference takes its page out of the row and puts it first. The page
 * that was first is carried along the row to the gap, and gives its turn to each one of later use that it meets.
 *
 * The row falls into runs in which next uses ascend. Whoever comes to a run finds its place in the order, and the last
 * of the run is carried on; so all that need be known of a run is a set with its least and its greatest. And no page
 * has to be looked for: the one referenced now has the least next use of all, now, so its run begins with it, and as
 * many pages as the runs before have stand before it. There are few runs, some dozens for a million pages, and a
 * reference changes but two or three of them. */
#include "faultline/opt_curve.h"

#include <string.h>

#include "faultline/arena.h"
#include "faultline/status.h"
#include "interval_heap.h"

struct opt_curve {
	struct arena *arena;
	uint64_t *hits; /* by place in the row, from 1 */
	uint32_t pages;
	uint32_t held; /* pages in the row */
	uint64_t references;
	/* Runs from the row's end to its start, where most happens: of next uses. Neighbours are not in order, else
	 * they were one. Heaps behind the last run are empty. */
	struct interval_heap *run;
	uint32_t *least, *greatest; /* of each run */
	uint32_t runs;
};

struct opt_curve *opt_curve_new(uint32_t pages)
{
	const size_t most_runs = (size_t)pages + 1;
	struct arena *arena = arena_new(
	    sizeof(struct opt_curve) +
	    most_runs * (sizeof(uint64_t) + sizeof(struct interval_heap) + 2 * sizeof(uint32_t)) + 256);
	if (!arena)
		return NULL;
	struct opt_curve *curve = arena_new_object(arena, struct opt_curve);
	curve->arena = arena;
	curve->pages = pages;
	curve->hits = arena_new_array(arena, uint64_t, (size_t)pages + 1);
	curve->run = arena_new_array(arena, struct interval_heap, most_runs);
	curve->least = arena_new_array(arena, uint32_t, most_runs);
	curve->greatest = arena_new_array(arena, uint32_t, most_runs);
	return curve;
}

void opt_curve_free(struct opt_curve *curve)
{
	if (!curve)
		return;
	for (uint32_t i = 0; i <= curve->pages && curve->run[i].value; i++)
		interval_heap_release(&curve->run[i]);
	arena_free(curve->arena);
}

/* ---- runs ---- */

static void describe(struct opt_curve *curve, uint32_t i)
{
	curve->least[i] = interval_heap_least(&curve->run[i]);
	curve->greatest[i] = interval_heap_greatest(&curve->run[i]);
}

static void put(struct opt_curve *curve, uint32_t i, uint32_t use)
{
	interval_heap_put(&curve->run[i], use);
	describe(curve, i);
}

/* An empty run; its heap is left for one to come. */
static void drop(struct opt_curve *curve, uint32_t i)
{
	const struct interval_heap empty = curve->run[i];
	const uint32_t before = --curve->runs - i;
	memmove(&curve->run[i], &curve->run[i + 1], before * sizeof(*curve->run));
	memmove(&curve->least[i], &curve->least[i + 1], before * sizeof(*curve->least));
	memmove(&curve->greatest[i], &curve->greatest[i + 1], before * sizeof(*curve->greatest));
	curve->run[curve->runs] = empty;
}

/* Run i and the one behind it become one, if they are in order. */
static void join(struct opt_curve *curve, uint32_t i)
{
	if (i == 0 || i >= curve->runs || curve->greatest[i] > curve->least[i - 1])
		return;
	struct interval_heap lesser = curve->run[i], *larger = &curve->run[i - 1];
	if (lesser.count > larger->count) {
		curve->run[i] = *larger;
		*larger = lesser;
	}
	interval_heap_put_all(larger, &curve->run[i]);
	describe(curve, i - 1);
	drop(curve, i);
}

/* ---- a reference ---- */

/* The page used now leaves the row, if it is there. Returns how many runs stand behind the gap. */
static uint32_t open_gap(struct opt_curve *curve, uint32_t now)
{
	uint32_t i = curve->runs, place = 1;
	while (i > 0 && curve->least[i - 1] != now)
		place += curve->run[--i].count;
	if (i == 0) {
		BUG_ON(curve->held == curve->pages);
		curve->held++;
		return 0;
	}
	curve->hits[place]++;
	i--;
	interval_heap_remove_least(&curve->run[i]);
	if (curve->run[i].count == 0) {
		drop(curve, i);
		return i;
	}
	describe(curve, i);
	return i + 1;
}

/* From the row's start to the gap, behind which so many runs stand. */
static void carry(struct opt_curve *curve, uint32_t behind)
{
	uint32_t i = curve->runs - 1;
	uint32_t use = curve->greatest[i];
	interval_heap_remove_greatest(&curve->run[i]);
	if (curve->run[i].count > 0)
		describe(curve, i);
	else
		curve->runs--;
	while (--i > behind) {
		if (curve->greatest[i] <= use)
			continue;
		uint32_t last = curve->greatest[i];
		interval_heap_replace_greatest(&curve->run[i], use);
		describe(curve, i);
		use = last;
		join(curve, i);
	}
	put(curve, behind, use);
}

static void reference(struct opt_curve *curve, uint32_t now, uint32_t next_use)
{
	const uint32_t behind = open_gap(curve, now);
	if (curve->runs > behind + 1)
		carry(curve, behind);
	join(curve, behind);
	put(curve, curve->runs++, next_use);
	join(curve, curve->runs - 1);
}

void opt_curve_feed(struct opt_curve *curve, const uint32_t *next_use, size_t count)
{
	for (size_t i = 0; i < count; i++)
		reference(curve, (uint32_t)curve->references++, next_use[i]);
}

void opt_curve_misses(const struct opt_curve *curve, uint64_t *misses)
{
	misses[0] = curve->references;
	for (uint32_t frames = 1; frames <= curve->pages; frames++)
		misses[frames] = misses[frames - 1] - curve->hits[frames];
}
