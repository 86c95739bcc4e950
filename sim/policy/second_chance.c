/* FIFO in which a page that was used since it was last looked at goes to the back of the queue instead. */
#include "policy_private.h"

struct second_chance {
	struct link *links;
	struct list queue; /* the oldest first */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct second_chance *second = state;
	second->links = room_array(room, struct link, config->frames);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct second_chance *second = policy->state;
	(void)key;
	list_append(&second->queue, second->links, frame);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct second_chance *second = policy->state;
	list_remove(&second->queue, second->links, frame);
}

/* The second time round no page has its bit set; only pages that are not evictable can make a third pointless. */
static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct second_chance *second = policy->state;
	(void)incoming;
	for (uint64_t looks = 2 * (uint64_t)second->queue.count; looks > 0; looks--) {
		uint32_t frame = list_first(&second->queue);
		if (!take_accessed(policy, frame) && is_evictable(policy, frame)) {
			list_remove(&second->queue, second->links, frame);
			return frame;
		}
		list_move_to_end(&second->queue, second->links, frame);
	}
	return POLICY_NO_FRAME;
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct second_chance *chance = policy->state;
	look_list(out, "queue, the oldest first", &chance->queue, chance->links, POLICY_NO_FRAME);
}

static const char *check(const struct policy *policy)
{
	const struct second_chance *second = policy->state;
	return second->queue.count == policy->resident ? NULL : "the queue does not hold every resident frame";
}

const struct policy_ops policy_second_chance = {
    .name = "second-chance",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = true,
    .summary = "FIFO in which a page used since the last look goes to the end of the queue",
    .source = "Tanenbaum, Modern Operating Systems, 3.4.4",
    .state_bytes = sizeof(struct second_chance),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .look = look_at,
    .check = check,
};
