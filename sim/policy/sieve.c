/* SIEVE: a queue whose hand sifts from the oldest to the newest; pages keep their place. */
#include "policy_private.h"

struct sieve {
	struct link *links;
	struct list queue; /* the oldest first */
	uint32_t hand;     /* frame + 1; 0: the oldest */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct sieve *sieve = state;
	sieve->links = room_array(room, struct link, config->frames);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct sieve *sieve = policy->state;
	(void)key;
	list_append(&sieve->queue, sieve->links, frame);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct sieve *sieve = policy->state;
	if (sieve->hand == frame + 1)
		sieve->hand = sieve->links[frame].next;
	list_remove(&sieve->queue, sieve->links, frame);
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct sieve *sieve = policy->state;
	(void)incoming;
	/* A round clears every bit; another finds what may go, if anything. */
	for (uint64_t looks = 2 * (uint64_t)sieve->queue.count; looks > 0; looks--) {
		uint32_t frame = sieve->hand ? sieve->hand - 1 : list_first(&sieve->queue);
		sieve->hand = sieve->links[frame].next;
		if (!take_accessed(policy, frame) && is_evictable(policy, frame)) {
			list_remove(&sieve->queue, sieve->links, frame);
			return frame;
		}
	}
	return POLICY_NO_FRAME;
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct sieve *sieve = policy->state;
	look_circle(out, "queue from the hand", &sieve->queue, sieve->links, sieve->hand, POLICY_NO_FRAME);
}

static const char *check(const struct policy *policy)
{
	const struct sieve *sieve = policy->state;
	return sieve->queue.count == policy->resident ? NULL : "the queue does not hold every resident frame";
}

const struct policy_ops policy_sieve = {
    .name = "sieve",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = false,
    .summary = "a hand sifts a queue from old to new; used pages stay where they are, new ones join at the end",
    .source = "Zhang et al., NSDI 2024",
    .state_bytes = sizeof(struct sieve),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .look = look_at,
    .check = check,
};
