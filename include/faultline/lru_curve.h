/* Misses of LRU for every number of frames at once, from one pass over a reference string. */
#ifndef FAULTLINE_LRU_CURVE_H
#define FAULTLINE_LRU_CURVE_H

#include <stddef.h>
#include <stdint.h>

struct lru_curve;

/* Page numbers are below `pages`, at most 2^30. NULL: the host has no memory. */
struct lru_curve *lru_curve_new(uint32_t pages);
void lru_curve_free(struct lru_curve *curve); /* NULL is allowed */

/* The next references; the write bit (REFERENCE_WRITES) is ignored. O(log pages) each. */
void lru_curve_feed(struct lru_curve *curve, const uint32_t *references, size_t count);
/* misses[n]: with n frames; room for pages + 1. */
void lru_curve_misses(const struct lru_curve *curve, uint64_t *misses);

#endif
