/* Frames in order of a rank: a binary heap that knows where each frame stands. The lowest rank goes first; of equal
 * ones the lower `then`. A policy whose whole state it is says how a page ranks, and takes the rest from here. */
#ifndef FAULTLINE_POLICY_RANKING_H
#define FAULTLINE_POLICY_RANKING_H

#include "policy_private.h"

struct rank {
	uint64_t first;
	uint64_t then;
};

struct ranking {
	uint32_t *heap; /* frames */
	uint32_t *at;   /* place of each frame in the heap */
	struct rank *rank;
	uint32_t count;
	uint64_t clock; /* for who wants the order of calls as `then` */
};

void ranking_add(struct ranking *ranking, uint32_t frame, struct rank rank);
void ranking_change(struct ranking *ranking, uint32_t frame, struct rank rank);
/* After ranks were written directly. */
void ranking_rebuild(struct ranking *ranking);

/* ---- struct policy_ops of a policy whose state is a ranking ---- */

void ranking_place(void *state, const struct policy_config *config, struct policy_room *room);
void ranking_remove(struct policy *policy, uint32_t frame);
/* The lowest evictable one. */
uint32_t ranking_victim(struct policy *policy, uint64_t incoming);
/* How many there are, and the lowest. */
void ranking_look(const struct policy *policy, struct policy_look *out);
const char *ranking_check(const struct policy *policy);
/* By the number of uses since it came in; of equally used ones the one used longest ago is lower. */
void ranking_insert_used(struct policy *policy, uint32_t frame, uint64_t key);
void ranking_use(struct policy *policy, uint32_t frame);

#endif
