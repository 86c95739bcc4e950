/* Misses of a set-associative TLB or cache with LRU, for every number of ways at once: one pass for each number of sets
 * (Hill, Smith, IEEE Transactions on Computers 38(12), 1989). */
#ifndef FAULTLINE_SET_CURVE_H
#define FAULTLINE_SET_CURVE_H

#include <stddef.h>
#include <stdint.h>

struct set_curve;

/* Pages go to the set that is their number modulo `sets`. ways: the most that is asked for, at most 64. NULL: the host
 * has no memory. */
struct set_curve *set_curve_new(uint32_t sets, uint32_t ways);
void set_curve_free(struct set_curve *curve); /* NULL is allowed */

/* The next references; number: of each page, as traces give it. The write bit (REFERENCE_WRITES) is ignored. */
void set_curve_feed(struct set_curve *curve, const uint32_t *references, const uint64_t *number, size_t count);
uint64_t set_curve_misses(const struct set_curve *curve, uint32_t ways); /* with so many ways */

#endif
