/* Frames in order of their last use: what LRU and MRU share. They differ in the end from which they take.
 *
 * The order is a line that each use is written at the end of. Only a frame's last place counts; the others are stale
 * and go when the line is full. A use so costs two stores, where a linked list needs four in other places. */
#ifndef FAULTLINE_POLICY_RECENCY_H
#define FAULTLINE_POLICY_RECENCY_H

#include "policy_private.h"

/* Invariant: a place p holds a frame that is resident where at[line[p]] == p + 1. */
struct recency {
	uint32_t *line;
	uint32_t *at; /* of each frame: its place plus one; 0: not resident */
	uint32_t places;
	uint32_t first, end; /* what is used of the line */
};

/* The least or the most recently used that is evictable, taken out; POLICY_NO_FRAME: none. */
uint32_t recency_take_oldest(struct policy *policy);
uint32_t recency_take_newest(struct policy *policy);
/* For onlookers: the order from either end. */
void recency_look_oldest(const struct policy *policy, struct policy_look *out);
void recency_look_newest(const struct policy *policy, struct policy_look *out);

/* ---- struct policy_ops of a policy whose state it is ---- */

void recency_place(void *state, const struct policy_config *config, struct policy_room *room);
void recency_insert(struct policy *policy, uint32_t frame, uint64_t key);
void recency_remove(struct policy *policy, uint32_t frame);
void recency_touch(struct policy *policy, uint32_t frame);
void recency_expect(const struct policy *policy, uint32_t frame);
const char *recency_check(const struct policy *policy);

#endif
