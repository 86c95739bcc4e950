/* Not recently used: four classes by A and D; a tick forgets A. A page is put into its class when it is looked at, so
 * that a victim costs no scan of all pages. */
#include "classes.h"

enum { CLASSES = 4, USED = 2, DIRTY = 1 };

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	classes_place(state, CLASSES, config->frames, room);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	(void)key;
	classes_enter(policy->state, frame, USED);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	classes_leave(policy->state, frame);
}

/* Its class now; use since the last tick stays known although the A bit is cleared. */
static unsigned look(const struct policy *policy, uint32_t frame, unsigned class)
{
	bool used = take_accessed(policy, frame) || (class & USED);
	return (used ? USED : 0) | (is_dirty(policy, frame) ? DIRTY : 0);
}

/* The first of a class that is really of it; the others go where they belong, always upwards: what has been cleaned
 * meanwhile is seen at the next tick. */
static uint32_t victim_of_class(struct policy *policy, struct classes *classes, unsigned class)
{
	uint32_t next;
	for (uint32_t frame = list_first(&classes->list[class]); frame != LIST_END; frame = next) {
		unsigned seen = look(policy, frame, class);
		next = list_next(classes->links, frame);
		if (seen > class) {
			classes_leave(classes, frame);
			classes_enter(classes, frame, seen);
		} else if (is_evictable(policy, frame)) {
			return frame;
		}
	}
	return POLICY_NO_FRAME;
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct classes *classes = policy->state;
	uint32_t frame = POLICY_NO_FRAME;
	(void)incoming;
	for (unsigned class = 0; class < CLASSES && frame == POLICY_NO_FRAME; class ++)
		frame = victim_of_class(policy, classes, class);
	if (frame != POLICY_NO_FRAME)
		classes_leave(classes, frame);
	return frame;
}

static unsigned forget_use(const struct policy *policy, uint32_t frame, unsigned class)
{
	(void)class;
	(void)take_accessed(policy, frame);
	return is_dirty(policy, frame) ? DIRTY : 0;
}

static void tick(struct policy *policy)
{
	classes_sort(policy, policy->state, forget_use);
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	static const char *const names[CLASSES] = {"unused clean", "unused dirty", "used clean", "used dirty"};
	const struct classes *classes = policy->state;
	for (unsigned class = 0; class < CLASSES; class ++)
		look_list(out, names[class], &classes->list[class], classes->links, POLICY_NO_FRAME);
}

static const char *check(const struct policy *policy)
{
	return classes_check(policy, policy->state);
}

const struct policy_ops policy_nru = {
    .name = "nru",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = true,
    .summary = "evicts from the lowest class: unused clean, unused dirty, used clean, used dirty; ticks forget use",
    .source = "Tanenbaum, Modern Operating Systems, 3.4.2",
    .state_bytes = sizeof(struct classes),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .tick = tick,
    .look = look_at,
    .check = check,
};
