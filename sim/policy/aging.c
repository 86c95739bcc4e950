/* Aging: every frame has a shift register into which each tick pushes the A bit. The lowest value goes. */
#include "classes.h"

enum { VALUES = 256, NEWEST = 128 };

/* Its state: a class for each value of the register. */
static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	classes_place(state, VALUES, config->frames, room);
}

/* As if a tick had just seen the reference that brought it in. */
static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	(void)key;
	classes_enter(policy->state, frame, NEWEST);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	classes_leave(policy->state, frame);
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct classes *values = policy->state;
	(void)incoming;
	for (unsigned value = 0; value < VALUES; value++) {
		uint32_t frame = list_first_evictable(policy, &values->list[value], values->links);
		if (frame != LIST_END) {
			classes_leave(values, frame);
			return frame;
		}
	}
	return POLICY_NO_FRAME;
}

static unsigned shift(const struct policy *policy, uint32_t frame, unsigned value)
{
	return value / 2 + (take_accessed(policy, frame) ? NEWEST : 0);
}

static void tick(struct policy *policy)
{
	classes_sort(policy, policy->state, shift);
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	static const char *const names[] = {"register 0", "register 1-127", "register 128-255"};
	const struct classes *values = policy->state;
	uint32_t count[3] = {0};
	for (unsigned value = 0; value < VALUES; value++)
		count[value == 0 ? 0 : value < NEWEST ? 1 : 2] += values->list[value].count;
	look_list(out, names[0], &values->list[0], values->links, POLICY_NO_FRAME);
	for (unsigned i = 1; i < 3; i++)
		look_count(out, names[i], count[i]);
}

static const char *check(const struct policy *policy)
{
	return classes_check(policy, policy->state);
}

const struct policy_ops policy_aging = {
    .name = "aging",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = true,
    .summary = "8-bit shift registers into which ticks push the A bit; the lowest value goes",
    .source = "Tanenbaum, Modern Operating Systems, 3.4.7",
    .state_bytes = sizeof(struct classes),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .tick = tick,
    .look = look_at,
    .check = check,
};
