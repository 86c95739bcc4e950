/* Aging: every frame has a shift register into which each tick pushes the A bit. The lowest value goes. */
#include "policy_private.h"

enum { VALUES = 256, NEWEST = 128 };

struct aging {
	struct link *links;
	uint8_t *value;    /* the shift register of each frame */
	struct list *list; /* frames by value, those that have had it longest first */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct aging *aging = state;
	aging->links = room_array(room, struct link, config->frames);
	aging->value = room_array(room, uint8_t, config->frames);
	aging->list = room_array(room, struct list, VALUES);
}

static void enter(struct aging *aging, uint32_t frame, unsigned value)
{
	aging->value[frame] = (uint8_t)value;
	list_append(&aging->list[value], aging->links, frame);
}

/* As if a tick had just seen the reference that brought it in. */
static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	(void)key;
	enter(policy->state, frame, NEWEST);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct aging *aging = policy->state;
	list_remove(&aging->list[aging->value[frame]], aging->links, frame);
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct aging *aging = policy->state;
	(void)incoming;
	for (unsigned value = 0; value < VALUES; value++) {
		uint32_t frame = list_first_evictable(policy, &aging->list[value], aging->links);
		if (frame != LIST_END) {
			remove_frame(policy, frame);
			return frame;
		}
	}
	return POLICY_NO_FRAME;
}

static void tick(struct policy *policy)
{
	struct aging *aging = policy->state;
	struct list before[VALUES];
	for (unsigned value = 0; value < VALUES; value++) {
		before[value] = aging->list[value];
		aging->list[value] = (struct list){0};
	}
	for (unsigned value = 0; value < VALUES; value++) {
		uint32_t next;
		for (uint32_t frame = list_first(&before[value]); frame != LIST_END; frame = next) {
			next = list_next(aging->links, frame);
			enter(aging, frame, value / 2 + (take_accessed(policy, frame) ? NEWEST : 0));
		}
	}
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	static const char *const names[] = {"register 0", "register 1-127", "register 128-255"};
	const struct aging *aging = policy->state;
	uint32_t count[3] = {0};
	for (unsigned value = 0; value < VALUES; value++)
		count[value == 0 ? 0 : value < NEWEST ? 1 : 2] += aging->list[value].count;
	look_list(out, names[0], &aging->list[0], aging->links, POLICY_NO_FRAME);
	for (unsigned i = 1; i < 3; i++)
		look_count(out, names[i], count[i]);
}

static const char *check(const struct policy *policy)
{
	const struct aging *aging = policy->state;
	uint32_t count = 0;
	for (unsigned value = 0; value < VALUES; value++)
		count += aging->list[value].count;
	return count == policy->resident ? NULL : "the lists do not hold every resident frame";
}

const struct policy_ops policy_aging = {
    .name = "aging",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = true,
    .summary = "8-bit shift registers into which ticks push the A bit; the lowest value goes",
    .source = "Tanenbaum, Modern Operating Systems, 3.4.7",
    .state_bytes = sizeof(struct aging),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .tick = tick,
    .look = look_at,
    .check = check,
};
