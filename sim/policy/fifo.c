/* First in, first out. */
#include "policy_private.h"

struct fifo {
	struct link *links;
	struct list queue; /* the oldest first */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct fifo *fifo = state;
	fifo->links = room_array(room, struct link, config->frames);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct fifo *fifo = policy->state;
	(void)key;
	list_append(&fifo->queue, fifo->links, frame);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct fifo *fifo = policy->state;
	list_remove(&fifo->queue, fifo->links, frame);
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct fifo *fifo = policy->state;
	(void)incoming;
	uint32_t frame = list_first_evictable(policy, &fifo->queue, fifo->links);
	if (frame != LIST_END)
		list_remove(&fifo->queue, fifo->links, frame);
	return frame;
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct fifo *fifo = policy->state;
	look_list(out, "queue, the oldest first", &fifo->queue, fifo->links, POLICY_NO_FRAME);
}

static const char *check(const struct policy *policy)
{
	const struct fifo *fifo = policy->state;
	return fifo->queue.count == policy->resident ? NULL : "the queue does not hold every resident frame";
}

const struct policy_ops policy_fifo = {
    .name = "fifo",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = true,
    .summary = "evicts the page that came first, used or not",
    .source = "Belady, IBM Systems Journal 5(2), 1966",
    .state_bytes = sizeof(struct fifo),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .look = look_at,
    .check = check,
};
