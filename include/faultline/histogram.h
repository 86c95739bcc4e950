/* Sizes and lifetimes of blocks, as histograms. An observer: subscribe block_watch_event for block_watch_mask.
 *
 * A lifetime is measured in the bytes that the process requested between the birth and the death of a block, as is
 * usual for allocators (Barrett, Zorn, "Using lifetime predictors to improve memory allocation performance", PLDI
 * 1993): it depends on the program alone, not on the allocator or the machine. A block that realloc moves or resizes
 * lives on. */
#ifndef FAULTLINE_HISTOGRAM_H
#define FAULTLINE_HISTOGRAM_H

#include <stdint.h>

#include "faultline/event.h"

/* X(ID, "name", "unit", "text") */
#define HISTOGRAM_LIST(X)                                                                                              \
	X(SIZE, "size", "bytes", "of a request")                                                                       \
	X(LIFETIME, "lifetime", "bytes", "requested while a block lived that was freed")                               \
	X(ALIVE, "alive", "bytes", "requested so far in the life of a block that was never freed")

enum histogram {
#define X(id, name, unit, text) HISTOGRAM_##id,
	HISTOGRAM_LIST(X)
#undef X
	    HISTOGRAM_COUNT
};
const char *histogram_name(enum histogram histogram);

/* Bucket 0 is for 0, bucket n from 2^(n-1) to 2^n - 1. */
enum { HISTOGRAM_BUCKETS = 65 };
unsigned histogram_bucket(uint64_t value);
uint64_t histogram_first(unsigned bucket);
uint64_t histogram_last(unsigned bucket);

struct histograms {
	uint64_t count[HISTOGRAM_COUNT][HISTOGRAM_BUCKETS]; /* blocks, or requests */
};

struct block_watch;

/* Counts in `out`, which is the caller's. */
struct block_watch *block_watch_new(struct histograms *out);
uint64_t block_watch_mask(void);
void block_watch_event(void *block_watch, const struct event *event); /* an event_fn */
/* Counts those that are alive. */
void block_watch_free(struct block_watch *watch); /* NULL is allowed */

#endif
