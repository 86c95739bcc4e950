/* Frames in classes by a small number, in each class those that entered it first at its start: what NRU and aging
 * share. */
#ifndef FAULTLINE_POLICY_CLASSES_H
#define FAULTLINE_POLICY_CLASSES_H

#include "policy_private.h"

struct classes {
	struct link *links;
	uint8_t *class; /* of each frame */
	struct list *list;
	unsigned count;
};

void classes_place(struct classes *classes, unsigned count, uint32_t frames, struct policy_room *room);
void classes_enter(struct classes *classes, uint32_t frame, unsigned class);
void classes_leave(struct classes *classes, uint32_t frame);
/* Every frame, lowest class first, enters the class that `sort` names. */
void classes_sort(struct policy *policy, struct classes *classes,
		  unsigned (*sort)(const struct policy *policy, uint32_t frame, unsigned class));
const char *classes_check(const struct policy *policy, const struct classes *classes);

#endif
