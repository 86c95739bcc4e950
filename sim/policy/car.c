/* CAR: ARC with clocks in place of LRU lists, so that A bits are enough. */
#include "ghosts.h"

enum { RECENT, FREQUENT, LISTS };

struct car {
	struct link *links;
	uint8_t *where;
	struct list list[LISTS]; /* T1 and T2: clocks whose hand is at the first */
	struct ghosts ghosts;
	struct list ghost_list[LISTS]; /* B1 and B2 */
	uint32_t target;               /* p: the wanted length of T1 */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct car *car = state;
	car->links = room_array(room, struct link, config->frames);
	car->where = room_array(room, uint8_t, config->frames);
	ghosts_place(&car->ghosts, room, 2 * config->capacity + 2);
}

/* p of the paper moves towards the list whose ghost was missed, by the ratio of the ghost lists. */
static void adapt(const struct policy *policy, struct car *car, unsigned list)
{
	uint32_t recent = car->ghost_list[RECENT].count;
	uint32_t frequent = car->ghost_list[FREQUENT].count;
	if (list == RECENT) {
		uint32_t by = frequent > recent ? frequent / recent : 1;
		uint32_t most = policy->config.capacity - car->target;
		car->target += by < most ? by : most;
	} else {
		uint32_t by = recent > frequent ? recent / frequent : 1;
		car->target -= by < car->target ? by : car->target;
	}
}

/* Once per miss: at the choice of a victim if there is one, else when the page comes in. */
static void learn(const struct policy *policy, struct car *car, uint64_t key)
{
	uint32_t ghost = ghost_find(&car->ghosts, key);
	if (ghost != NO_GHOST && !car->ghosts.entry[ghost].note) {
		adapt(policy, car, car->ghosts.entry[ghost].list);
		car->ghosts.entry[ghost].note = 1;
	}
}

static void drop_oldest_ghost(struct car *car, unsigned list)
{
	ghost_drop(&car->ghosts, &car->ghost_list[list], list_first(&car->ghost_list[list]));
}

/* |T1| + |B1| <= c and all four together <= 2c, where the newcomer is no ghost. */
static void trim(const struct policy *policy, struct car *car)
{
	const uint32_t capacity = policy->config.capacity;
	while (car->ghost_list[RECENT].count > 0 && car->list[RECENT].count + car->ghost_list[RECENT].count > capacity)
		drop_oldest_ghost(car, RECENT);
	while (car->ghost_list[FREQUENT].count > 0 && policy->resident + car->ghosts.count > 2 * capacity)
		drop_oldest_ghost(car, FREQUENT);
}

static void enter(struct car *car, uint32_t frame, unsigned where)
{
	car->where[frame] = (uint8_t)where;
	list_append(&car->list[where], car->links, frame);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct car *car = policy->state;
	uint32_t ghost = ghost_find(&car->ghosts, key);
	/* The paper adapts after it has made room, not before. */
	learn(policy, car, key);
	if (ghost != NO_GHOST)
		ghost_drop(&car->ghosts, &car->ghost_list[car->ghosts.entry[ghost].list], ghost);
	enter(car, frame, ghost == NO_GHOST ? RECENT : FREQUENT);
	trim(policy, car);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct car *car = policy->state;
	list_remove(&car->list[car->where[frame]], car->links, frame);
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct car *car = policy->state;
	(void)incoming;
	for (uint64_t looks = 3 * (uint64_t)policy->resident; looks > 0; looks--) {
		uint32_t wanted = car->target > 1 ? car->target : 1;
		bool recent = car->list[FREQUENT].count == 0 || car->list[RECENT].count >= wanted;
		/* Where one clock holds only pages that must stay, the other has its turn in the last round. */
		if (looks <= policy->resident && car->list[recent ? FREQUENT : RECENT].count > 0 && looks % 2)
			recent = !recent;
		unsigned where = recent ? RECENT : FREQUENT;
		uint32_t frame = list_first(&car->list[where]);
		remove_frame(policy, frame);
		if (take_accessed(policy, frame)) {
			enter(car, frame, FREQUENT);
		} else if (!is_evictable(policy, frame)) {
			enter(car, frame, where);
		} else {
			(void)ghost_add(&car->ghosts, &car->ghost_list[where], (uint8_t)where,
					policy_key(policy, frame));
			return frame;
		}
	}
	return POLICY_NO_FRAME;
}

static void forget(struct policy *policy, uint64_t key)
{
	struct car *car = policy->state;
	uint32_t ghost = ghost_find(&car->ghosts, key);
	if (ghost != NO_GHOST)
		ghost_drop(&car->ghosts, &car->ghost_list[car->ghosts.entry[ghost].list], ghost);
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct car *car = policy->state;
	look_list(out, "T1 from its hand, used once", &car->list[RECENT], car->links, POLICY_NO_FRAME);
	look_list(out, "T2 from its hand, used again", &car->list[FREQUENT], car->links, POLICY_NO_FRAME);
	look_ghosts(out, "B1", car->ghost_list[RECENT].count);
	look_ghosts(out, "B2", car->ghost_list[FREQUENT].count);
}

static const char *check(const struct policy *policy)
{
	const struct car *car = policy->state;
	const uint32_t capacity = policy->config.capacity;
	if (car->list[RECENT].count + car->list[FREQUENT].count != policy->resident)
		return "T1 and T2 do not hold every resident frame";
	if (car->ghost_list[RECENT].count + car->ghost_list[FREQUENT].count != car->ghosts.count)
		return "B1 and B2 do not hold every ghost";
	if (car->target > capacity || car->ghosts.count > 2 * capacity)
		return "there are more ghosts, or a higher target, than the capacity allows";
	return NULL;
}

const struct policy_ops policy_car = {
    .name = "car",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = false,
    .summary = "ARC with two clocks in place of its LRU lists",
    .source = "Bansal, Modha, FAST 2004",
    .state_bytes = sizeof(struct car),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .forget = forget,
    .look = look_at,
    .check = check,
};
