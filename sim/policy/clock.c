/* Pages in a circle and a hand that clears A bits until it meets a clear one. The new page takes the victim's place,
 * behind the hand. */
#include "policy_private.h"

struct clock {
	struct link *links;
	struct list circle; /* the end is followed by the start */
	uint32_t hand;      /* frame + 1 that it points at; 0: the start */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct clock *clock = state;
	clock->links = room_array(room, struct link, config->frames);
}

static uint32_t at_hand(const struct clock *clock)
{
	return clock->hand ? clock->hand - 1 : list_first(&clock->circle);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct clock *clock = policy->state;
	(void)key;
	list_insert_before(&clock->circle, clock->links, frame, clock->hand - 1);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct clock *clock = policy->state;
	if (clock->hand == frame + 1)
		clock->hand = clock->links[frame].next;
	list_remove(&clock->circle, clock->links, frame);
}

/* After one round every bit is clear; only pages that are not evictable can make a third round pointless. */
static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct clock *clock = policy->state;
	(void)incoming;
	for (uint64_t looks = 2 * (uint64_t)clock->circle.count; looks > 0; looks--) {
		uint32_t frame = at_hand(clock);
		clock->hand = clock->links[frame].next;
		if (!take_accessed(policy, frame) && is_evictable(policy, frame)) {
			list_remove(&clock->circle, clock->links, frame);
			return frame;
		}
	}
	return POLICY_NO_FRAME;
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct clock *clock = policy->state;
	look_circle(out, "circle from the hand", &clock->circle, clock->links, clock->hand, POLICY_NO_FRAME);
}

static const char *check(const struct policy *policy)
{
	const struct clock *clock = policy->state;
	if (clock->circle.count != policy->resident)
		return "the circle does not hold every resident frame";
	return clock->hand && !policy_holds(policy, clock->hand - 1) ? "the hand points at a frame that is not resident"
								     : NULL;
}

const struct policy_ops policy_clock = {
    .name = "clock",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = false,
    .summary = "a hand goes round, clears A bits and evicts the first page unused for a round",
    .source = "Corbato, MIT Project MAC M-384, 1968",
    .state_bytes = sizeof(struct clock),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .look = look_at,
    .check = check,
};
