/* A list for each class. */
#include "classes.h"

#include <string.h>

enum { MOST = 256 };

void classes_place(struct classes *classes, unsigned count, uint32_t frames, struct policy_room *room)
{
	BUG_ON(count > MOST);
	classes->count = count;
	classes->links = room_array(room, struct link, frames);
	classes->class = room_array(room, uint8_t, frames);
	classes->list = room_array(room, struct list, count);
}

void classes_enter(struct classes *classes, uint32_t frame, unsigned class)
{
	classes->class[frame] = (uint8_t) class;
	list_append(&classes->list[class], classes->links, frame);
}

void classes_leave(struct classes *classes, uint32_t frame)
{
	list_remove(&classes->list[classes->class[frame]], classes->links, frame);
}

void classes_sort(struct policy *policy, struct classes *classes,
		  unsigned (*sort)(const struct policy *policy, uint32_t frame, unsigned class))
{
	struct list before[MOST];
	memcpy(before, classes->list, classes->count * sizeof(struct list));
	memset(classes->list, 0, classes->count * sizeof(struct list));
	for (unsigned class = 0; class < classes->count; class ++) {
		uint32_t next;
		for (uint32_t frame = list_first(&before[class]); frame != LIST_END; frame = next) {
			next = list_next(classes->links, frame);
			classes_enter(classes, frame, sort(policy, frame, class));
		}
	}
}

const char *classes_check(const struct policy *policy, const struct classes *classes)
{
	uint32_t count = 0;
	for (unsigned class = 0; class < classes->count; class ++)
		count += classes->list[class].count;
	return count == policy->resident ? NULL : "the classes do not hold every resident frame";
}
