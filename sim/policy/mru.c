/* Most recently used. */
#include "policy_private.h"

struct mru {
	struct link *links;
	struct list order; /* the least recently used first */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct mru *mru = state;
	mru->links = room_array(room, struct link, config->frames);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct mru *mru = policy->state;
	(void)key;
	list_append(&mru->order, mru->links, frame);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct mru *mru = policy->state;
	list_remove(&mru->order, mru->links, frame);
}

static void touch(struct policy *policy, uint32_t frame)
{
	struct mru *mru = policy->state;
	list_move_to_end(&mru->order, mru->links, frame);
}

static uint32_t last_evictable(const struct policy *policy, const struct mru *mru)
{
	uint32_t frame = list_last(&mru->order);
	while (frame != LIST_END && !is_evictable(policy, frame))
		frame = list_previous(mru->links, frame);
	return frame;
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct mru *mru = policy->state;
	(void)incoming;
	uint32_t frame = last_evictable(policy, mru);
	if (frame != LIST_END)
		list_remove(&mru->order, mru->links, frame);
	return frame;
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct mru *mru = policy->state;
	look_list_backwards(out, "most recently used first", &mru->order, mru->links);
}

static const char *check(const struct policy *policy)
{
	const struct mru *mru = policy->state;
	return mru->order.count == policy->resident ? NULL : "the order does not hold every resident frame";
}

const struct policy_ops policy_mru = {
    .name = "mru",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "evicts the page that was used last: right for cyclic scans",
    .source = "Chou, DeWitt, VLDB 1985",
    .state_bytes = sizeof(struct mru),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .touch = touch,
    .look = look_at,
    .check = check,
};
