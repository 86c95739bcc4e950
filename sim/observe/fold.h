/* Shortens a stream that repeats itself: the first two rounds of a cycle are told, the further ones are counted and
 * told as one run. A cycle is found when the last k items have the shapes of the k before them, for the smallest such
 * k, and begins at an item of the highest rank in it, so that a page fault is not cut in its middle. */
#ifndef FAULTLINE_OBSERVE_FOLD_H
#define FAULTLINE_OBSERVE_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/event.h"

/* Rounds of a cycle that were not told. */
struct fold_run {
	uint64_t items;             /* all items in them, folded ones of an earlier stage included */
	uint64_t first, last;       /* numbers of their first and last event */
	uint8_t key;                /* enum event_kind of what the run is about */
	uint64_t keys;              /* how often it is in them */
	uint64_t key_low, key_high; /* range of its value */
};

struct fold_item {
	uint64_t shape; /* equal for items that are told alike */
	unsigned rank;
	bool is_run;
	struct event event;  /* else: of the first item of a round */
	struct fold_run run; /* valid if is_run */
};

typedef void fold_tell_fn(void *self, const struct fold_item *item);
/* What a run is about: the most telling kind has the lowest number. */
typedef unsigned fold_key_rank_fn(uint8_t kind);
typedef uint64_t fold_key_value_fn(const struct event *event);

struct fold_ops {
	fold_key_rank_fn *key_rank;
	fold_key_value_fn *key_value;
};

struct fold;

/* Cycles are at most `longest` items long. */
struct fold *fold_new(unsigned longest, const struct fold_ops *ops, fold_tell_fn *tell, void *self);
void fold_add(struct fold *fold, const struct fold_item *item);
/* Tells what is held back. */
void fold_finish(struct fold *fold);
void fold_free(struct fold *fold); /* NULL is allowed */

#endif
