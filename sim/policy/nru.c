/* Not recently used: four classes by A and D; a tick forgets A. A page is put into its class when it is looked at, so
 * that a victim costs no scan of all pages. */
#include "policy_private.h"

enum { CLASSES = 4, USED = 2, DIRTY = 1 };

struct nru {
	struct link *links;
	uint8_t *class; /* of each frame: USED and DIRTY */
	struct list list[CLASSES];
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct nru *nru = state;
	nru->links = room_array(room, struct link, config->frames);
	nru->class = room_array(room, uint8_t, config->frames);
}

static void enter(struct nru *nru, uint32_t frame, unsigned class)
{
	nru->class[frame] = (uint8_t) class;
	list_append(&nru->list[class], nru->links, frame);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	(void)key;
	enter(policy->state, frame, USED);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct nru *nru = policy->state;
	list_remove(&nru->list[nru->class[frame]], nru->links, frame);
}

/* Its class now; use since the last tick stays known although the A bit is cleared. */
static unsigned look(const struct policy *policy, const struct nru *nru, uint32_t frame)
{
	bool used = take_accessed(policy, frame) || (nru->class[frame] & USED);
	return (used ? USED : 0) | (is_dirty(policy, frame) ? DIRTY : 0);
}

/* The first of a class that is really of it; the others go where they belong, always upwards: what has been cleaned
 * meanwhile is seen at the next tick. */
static uint32_t victim_of_class(struct policy *policy, struct nru *nru, unsigned class)
{
	uint32_t next;
	for (uint32_t frame = list_first(&nru->list[class]); frame != LIST_END; frame = next) {
		unsigned seen = look(policy, nru, frame);
		next = list_next(nru->links, frame);
		if (seen > class) {
			remove_frame(policy, frame);
			enter(nru, frame, seen);
		} else if (is_evictable(policy, frame)) {
			return frame;
		}
	}
	return POLICY_NO_FRAME;
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct nru *nru = policy->state;
	uint32_t frame = POLICY_NO_FRAME;
	(void)incoming;
	for (unsigned class = 0; class < CLASSES && frame == POLICY_NO_FRAME; class ++)
		frame = victim_of_class(policy, nru, class);
	if (frame != POLICY_NO_FRAME)
		remove_frame(policy, frame);
	return frame;
}

static void tick(struct policy *policy)
{
	struct nru *nru = policy->state;
	struct list before[CLASSES];
	for (unsigned class = 0; class < CLASSES; class ++) {
		before[class] = nru->list[class];
		nru->list[class] = (struct list){0};
	}
	for (unsigned class = 0; class < CLASSES; class ++) {
		uint32_t next;
		for (uint32_t frame = list_first(&before[class]); frame != LIST_END; frame = next) {
			next = list_next(nru->links, frame);
			(void)take_accessed(policy, frame);
			enter(nru, frame, is_dirty(policy, frame) ? DIRTY : 0);
		}
	}
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	static const char *const names[CLASSES] = {"unused clean", "unused dirty", "used clean", "used dirty"};
	const struct nru *nru = policy->state;
	for (unsigned class = 0; class < CLASSES; class ++)
		look_list(out, names[class], &nru->list[class], nru->links, POLICY_NO_FRAME);
}

static const char *check(const struct policy *policy)
{
	const struct nru *nru = policy->state;
	uint32_t count = 0;
	for (unsigned class = 0; class < CLASSES; class ++)
		count += nru->list[class].count;
	return count == policy->resident ? NULL : "the classes do not hold every resident frame";
}

const struct policy_ops policy_nru = {
    .name = "nru",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = true,
    .summary = "evicts from the lowest class: unused clean, unused dirty, used clean, used dirty; ticks forget use",
    .source = "Tanenbaum, Modern Operating Systems, 3.4.2",
    .state_bytes = sizeof(struct nru),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .tick = tick,
    .look = look_at,
    .check = check,
};
