#include "fold.h"

#include <stdlib.h>

#include "faultline/status.h"

/* Folding fewer items than this saves no line worth having. */
enum { LEAST_FOLDED = 4 };

struct fold {
	unsigned longest;
	const struct fold_ops *ops;
	fold_tell_fn *tell;
	void *self;

	/* What was told last, the newest at (told - 1) % room; room is twice the longest cycle. */
	struct fold_item *history;
	unsigned room;
	uint64_t told;

	/* In a cycle: its items, what is held back of its next rounds, and the run so far. */
	unsigned length; /* 0: not in a cycle */
	struct fold_item *cycle;
	struct fold_item *held;
	unsigned held_count;
	struct fold_item run; /* run.items == 0: none yet */
};

struct fold *fold_new(unsigned longest, const struct fold_ops *ops, fold_tell_fn *tell, void *self)
{
	struct fold *fold = calloc(1, sizeof(*fold));
	BUG_ON(!fold);
	fold->longest = longest;
	fold->ops = ops;
	fold->tell = tell;
	fold->self = self;
	fold->room = 2 * longest;
	fold->history = calloc(fold->room, sizeof(*fold->history));
	fold->cycle = calloc(longest, sizeof(*fold->cycle));
	fold->held = calloc((size_t)longest + LEAST_FOLDED, sizeof(*fold->held));
	BUG_ON(!fold->history || !fold->cycle || !fold->held);
	return fold;
}

void fold_free(struct fold *fold)
{
	if (!fold)
		return;
	free(fold->history);
	free(fold->cycle);
	free(fold->held);
	free(fold);
}

/* ---- finding a cycle ---- */

/* The item told `back` items ago; 0 is the newest. */
static const struct fold_item *recent(const struct fold *fold, unsigned back)
{
	return &fold->history[(fold->told - 1 - back) % fold->room];
}

static bool repeats(const struct fold *fold, unsigned length)
{
	for (unsigned back = 0; back < length; back++) {
		if (recent(fold, back)->shape != recent(fold, back + length)->shape)
			return false;
	}
	return true;
}

static bool begins_well(const struct fold *fold, unsigned length)
{
	unsigned first = recent(fold, length - 1)->rank;
	for (unsigned back = 0; back < length; back++) {
		if (recent(fold, back)->rank > first)
			return false;
	}
	return true;
}

static void look_for_cycle(struct fold *fold)
{
	for (unsigned length = 1; length <= fold->longest && 2 * (uint64_t)length <= fold->told; length++) {
		if (recent(fold, 0)->shape != recent(fold, length)->shape || !repeats(fold, length) ||
		    !begins_well(fold, length))
			continue;
		for (unsigned i = 0; i < length; i++)
			fold->cycle[i] = *recent(fold, length - 1 - i);
		fold->length = length;
		fold->held_count = 0;
		fold->run = (struct fold_item){0};
		return;
	}
}

static void tell(struct fold *fold, const struct fold_item *item)
{
	fold->tell(fold->self, item);
	fold->history[fold->told++ % fold->room] = *item;
}

/* ---- inside a cycle ---- */

static struct fold_run run_of(const struct fold *fold, const struct fold_item *item)
{
	if (item->is_run)
		return item->run;
	uint64_t value = fold->ops->key_value(&item->event);
	return (struct fold_run){.items = 1,
				 .first = item->event.number,
				 .last = item->event.number,
				 .key = item->event.kind,
				 .keys = 1,
				 .key_low = value,
				 .key_high = value};
}

static void join(const struct fold *fold, struct fold_run *run, const struct fold_run *other)
{
	unsigned rank = fold->ops->key_rank(run->key);
	unsigned other_rank = fold->ops->key_rank(other->key);
	uint64_t items = run->items + other->items;
	uint64_t first = run->first;
	if (run->items == 0 || other_rank < rank) {
		first = run->items ? run->first : other->first;
		*run = *other;
	} else if (other->key == run->key) {
		run->keys += other->keys;
		run->key_low = other->key_low < run->key_low ? other->key_low : run->key_low;
		run->key_high = other->key_high > run->key_high ? other->key_high : run->key_high;
	}
	run->items = items;
	run->first = first;
	run->last = other->last;
}

/* The same whatever the number of rounds, so that runs can be part of longer cycles. */
static uint64_t cycle_shape(const struct fold *fold)
{
	uint64_t shape = 0x9e3779b97f4a7c15u;
	for (unsigned i = 0; i < fold->length; i++)
		shape = (shape ^ fold->cycle[i].shape) * 0x100000001b3u;
	return shape;
}

/* Whole rounds that are held back become part of the run. */
static void absorb(struct fold *fold)
{
	struct fold_item *run = &fold->run;
	if (run->run.items == 0) {
		run->is_run = true;
		run->rank = 0;
		run->shape = cycle_shape(fold);
		run->event = fold->held[0].event;
	}
	for (unsigned i = 0; i < fold->held_count; i++) {
		struct fold_run other = run_of(fold, &fold->held[i]);
		join(fold, &run->run, &other);
	}
	fold->held_count = 0;
}

static void leave_cycle(struct fold *fold)
{
	fold->length = 0;
	if (fold->run.run.items) {
		fold->tell(fold->self, &fold->run);
		fold->told = 0; /* what comes now is compared with itself only: a run never comes in */
	}
	for (unsigned i = 0; i < fold->held_count; i++)
		tell(fold, &fold->held[i]);
	fold->held_count = 0;
}

/* True when the item is the next one of the cycle. */
static bool continue_cycle(struct fold *fold, const struct fold_item *item)
{
	if (item->shape != fold->cycle[fold->held_count % fold->length].shape)
		return false;
	fold->held[fold->held_count++] = *item;
	bool whole = fold->held_count % fold->length == 0;
	if (whole && (fold->run.run.items || fold->held_count >= LEAST_FOLDED))
		absorb(fold);
	return true;
}

void fold_add(struct fold *fold, const struct fold_item *item)
{
	if (fold->length && continue_cycle(fold, item))
		return;
	if (fold->length)
		leave_cycle(fold);
	tell(fold, item);
	look_for_cycle(fold);
}

void fold_finish(struct fold *fold)
{
	if (fold->length)
		leave_cycle(fold);
	fold->told = 0;
}
