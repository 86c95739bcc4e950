/* Access patterns: which element of a range comes next. Same parameters and seed, same sequence, on every host. */
#ifndef FAULTLINE_WORKLOAD_PATTERN_H
#define FAULTLINE_WORKLOAD_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/op.h"
#include "faultline/rng.h"

struct pattern {
	enum access_pattern kind;
	struct rng rng;
	uint64_t elements, count, phases;
	uint64_t done;
	uint64_t state; /* chase: the element we are at */
	/* zipf: constants of the sampler. */
	double theta, h_first, h_last, shortcut;
};

/* elements > 0; count is the length of the whole sequence. */
void pattern_init(struct pattern *pattern, enum access_pattern kind, uint64_t elements, uint64_t count, uint64_t seed);
/* Before the first pattern_next of a zipf pattern. theta > 0 */
void pattern_set_zipf(struct pattern *pattern, double theta);
/* The next element, below elements. */
uint64_t pattern_next(struct pattern *pattern);
/* Whether the access stores: with this probability, from the same generator. */
bool pattern_stores(struct pattern *pattern, double write_ratio);

#endif
