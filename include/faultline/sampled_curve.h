/* Misses of LRU against the number of frames from a sample of the pages, for strings too long to follow each reference:
 * SHARDS (Waldspurger, Park, Garthwaite, Ahmad, FAST 2015), with its correction for what the sample has too much or too
 * little of. The sample falls into eight by another hash; how much these differ tells the error. */
#ifndef FAULTLINE_SAMPLED_CURVE_H
#define FAULTLINE_SAMPLED_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sampled_curve;

struct sampled_point {
	double ratio; /* misses of references, estimated */
	double error; /* standard error of that */
};

/* Page numbers are below `pages`, at most 2^30. rate: share of the pages, above 0 and up to 1. NULL: the host has no
 * memory. */
struct sampled_curve *sampled_curve_new(uint32_t pages, double rate, uint64_t seed);
void sampled_curve_free(struct sampled_curve *curve); /* NULL is allowed */

/* The next references; the write bit (REFERENCE_WRITES) is ignored. */
void sampled_curve_feed(struct sampled_curve *curve, const uint32_t *references, size_t count);
uint64_t sampled_curve_references(const struct sampled_curve *curve); /* of those that were fed: in the sample */
/* Estimates for each of these numbers of frames. HOST memory is needed for a moment: false if there is none. */
bool sampled_curve_points(const struct sampled_curve *curve, const uint32_t *frames, size_t count,
			  struct sampled_point *points);

#endif
