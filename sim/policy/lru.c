/* Least recently used, exactly. */
#include "policy_private.h"

struct lru {
	struct link *links;
	struct list order; /* the least recently used first */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct lru *lru = state;
	lru->links = room_array(room, struct link, config->frames);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct lru *lru = policy->state;
	(void)key;
	list_append(&lru->order, lru->links, frame);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct lru *lru = policy->state;
	list_remove(&lru->order, lru->links, frame);
}

static void touch(struct policy *policy, uint32_t frame)
{
	struct lru *lru = policy->state;
	list_move_to_end(&lru->order, lru->links, frame);
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct lru *lru = policy->state;
	(void)incoming;
	uint32_t frame = list_first_evictable(policy, &lru->order, lru->links);
	if (frame != LIST_END)
		list_remove(&lru->order, lru->links, frame);
	return frame;
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct lru *lru = policy->state;
	look_list(out, "least recently used first", &lru->order, lru->links, POLICY_NO_FRAME);
}

static const char *check(const struct policy *policy)
{
	const struct lru *lru = policy->state;
	return lru->order.count == policy->resident ? NULL : "the order does not hold every resident frame";
}

const struct policy_ops policy_lru = {
    .name = "lru",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "evicts the page whose last use is longest ago",
    .source = "Mattson et al., IBM Systems Journal 9(2), 1970",
    .state_bytes = sizeof(struct lru),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .touch = touch,
    .look = look_at,
    .check = check,
};
