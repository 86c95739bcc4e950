/* The reference-string engine: one policy, a number of frames, and a stream of references to pages. Pages are dense
 * numbers, as a trace gives them out. */
#ifndef FAULTLINE_POLICY_ENGINE_H
#define FAULTLINE_POLICY_ENGINE_H

#include "faultline/policy.h"

/* A reference is a page number, and this bit when it writes. */
#define REFERENCE_WRITES (UINT32_C(1) << 31)

struct policy_engine;

struct policy_engine_config {
	uint32_t frames; /* at least 1 */
	uint32_t pages;  /* page numbers are below this, at most 2^31 */
	uint64_t tick;   /* references between two clock ticks; 0: as many as there are frames */
	uint64_t window; /* of working-set and wsclock, in references; 0: as many as there are frames */
	uint64_t seed;
	bool hardware; /* A is set by the reference that brings a page in, whatever the policy would like */
	/* Of each reference of the stream: the position at which its page is referenced next, UINT32_MAX: never. Only
	 * policies that know the future read it; NULL otherwise. It stays the caller's. */
	const uint32_t *next_use;
};

struct policy_engine_result {
	uint64_t references;
	uint64_t misses;
	uint64_t evictions;
	uint64_t writebacks; /* evictions of pages that were written to */
};

/* NULL: the host has no memory. */
struct policy_engine *policy_engine_new(const struct policy_ops *ops, const struct policy_engine_config *config);
void policy_engine_free(struct policy_engine *engine); /* NULL is allowed */

/* The next references of the stream. */
void policy_engine_feed(struct policy_engine *engine, const uint32_t *references, size_t count);
struct policy_engine_result policy_engine_result(const struct policy_engine *engine);
bool policy_engine_has(const struct policy_engine *engine, uint32_t page); /* resident now */
const struct policy *policy_engine_policy(const struct policy_engine *engine);
/* True for opt and unopt: they are nothing without next_use. */
bool policy_knows_future(const struct policy_ops *ops);

#endif
