/* Misses of Belady's optimum for every number of frames at once, from one pass over a reference string. */
#ifndef FAULTLINE_OPT_CURVE_H
#define FAULTLINE_OPT_CURVE_H

#include <stddef.h>
#include <stdint.h>

struct opt_curve;

/* Of a string with so many pages, at most 2^30. NULL: the host has no memory. */
struct opt_curve *opt_curve_new(uint32_t pages);
void opt_curve_free(struct opt_curve *curve); /* NULL is allowed */

/* The next references, from the string's first one on. next_use: of each of them, the position in the whole string at
 * which its page is referenced next, UINT32_MAX: never. That is all there is to know of a page. Ends the program when
 * the host has no memory. */
void opt_curve_feed(struct opt_curve *curve, const uint32_t *next_use, size_t count);
/* misses[n]: with n frames; room for pages + 1. */
void opt_curve_misses(const struct opt_curve *curve, uint64_t *misses);

#endif
