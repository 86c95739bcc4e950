/* Frames in order of a rank: a binary heap that knows where each frame stands. The lowest rank goes first; of equal
 * ones the lower `then`. */
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

void ranking_place(struct ranking *ranking, struct policy_room *room, uint32_t frames);
void ranking_add(struct ranking *ranking, uint32_t frame, struct rank rank);
void ranking_change(struct ranking *ranking, uint32_t frame, struct rank rank);
void ranking_remove(struct ranking *ranking, uint32_t frame);
/* After ranks were written directly. */
void ranking_rebuild(struct ranking *ranking);
/* For onlookers: how many there are, and the lowest. */
void ranking_look(const struct ranking *ranking, struct policy_look *look);
/* Takes out the lowest evictable one; POLICY_NO_FRAME: none. */
uint32_t ranking_victim(struct ranking *ranking, const struct policy *policy);
const char *ranking_check(const struct ranking *ranking, const struct policy *policy);

#endif
