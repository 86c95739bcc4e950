/* ARC: two LRU lists, of pages used once and more often, and two of their ghosts, which say which of both is too short.
 */
#include "ghosts.h"

enum { RECENT, FREQUENT, LISTS };

struct arc {
	struct link *links;
	uint8_t *where;
	struct list list[LISTS]; /* T1 and T2, the least recently used first */
	struct ghosts ghosts;
	struct list ghost_list[LISTS]; /* B1 and B2 */
	uint32_t target;               /* p: the wanted length of T1 */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct arc *arc = state;
	arc->links = room_array(room, struct link, config->frames);
	arc->where = room_array(room, uint8_t, config->frames);
	ghosts_place(&arc->ghosts, room, 2 * config->capacity + 2);
}

/* p of the paper moves towards the list whose ghost was missed, by the ratio of the ghost lists. */
static void adapt(const struct policy *policy, struct arc *arc, unsigned list)
{
	uint32_t recent = arc->ghost_list[RECENT].count;
	uint32_t frequent = arc->ghost_list[FREQUENT].count;
	if (list == RECENT) {
		uint32_t by = frequent > recent ? frequent / recent : 1;
		uint32_t most = policy->config.capacity - arc->target;
		arc->target += by < most ? by : most;
	} else {
		uint32_t by = recent > frequent ? recent / frequent : 1;
		arc->target -= by < arc->target ? by : arc->target;
	}
}

/* Once per miss: at the choice of a victim if there is one, else when the page comes in. */
static void learn(const struct policy *policy, struct arc *arc, uint64_t key)
{
	uint32_t ghost = ghost_find(&arc->ghosts, key);
	if (ghost != NO_GHOST && !arc->ghosts.entry[ghost].note) {
		adapt(policy, arc, arc->ghosts.entry[ghost].list);
		arc->ghosts.entry[ghost].note = 1;
	}
}

static void drop_oldest_ghost(struct arc *arc, unsigned list)
{
	ghost_drop(&arc->ghosts, &arc->ghost_list[list], list_first(&arc->ghost_list[list]));
}

/* |T1| + |B1| <= c and all four together <= 2c. */
static void trim(const struct policy *policy, struct arc *arc)
{
	const uint32_t capacity = policy->config.capacity;
	while (arc->ghost_list[RECENT].count > 0 && arc->list[RECENT].count + arc->ghost_list[RECENT].count > capacity)
		drop_oldest_ghost(arc, RECENT);
	while (arc->ghost_list[FREQUENT].count > 0 && policy->resident + arc->ghosts.count > 2 * capacity)
		drop_oldest_ghost(arc, FREQUENT);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct arc *arc = policy->state;
	learn(policy, arc, key);
	uint32_t ghost = ghost_find(&arc->ghosts, key);
	uint8_t where = ghost == NO_GHOST ? RECENT : FREQUENT;
	if (ghost != NO_GHOST)
		ghost_drop(&arc->ghosts, &arc->ghost_list[arc->ghosts.entry[ghost].list], ghost);
	arc->where[frame] = where;
	list_append(&arc->list[where], arc->links, frame);
	trim(policy, arc);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct arc *arc = policy->state;
	list_remove(&arc->list[arc->where[frame]], arc->links, frame);
}

static void touch(struct policy *policy, uint32_t frame)
{
	struct arc *arc = policy->state;
	if (arc->where[frame] == FREQUENT) {
		list_move_to_end(&arc->list[FREQUENT], arc->links, frame);
		return;
	}
	remove_frame(policy, frame);
	arc->where[frame] = FREQUENT;
	list_append(&arc->list[FREQUENT], arc->links, frame);
}

/* REPLACE of the paper. */
static unsigned replace(const struct arc *arc, uint64_t incoming)
{
	uint32_t ghost = ghost_find(&arc->ghosts, incoming);
	bool was_frequent = ghost != NO_GHOST && arc->ghosts.entry[ghost].list == FREQUENT;
	uint32_t recent = arc->list[RECENT].count;
	return recent > 0 && (recent > arc->target || (was_frequent && recent == arc->target)) ? RECENT : FREQUENT;
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct arc *arc = policy->state;
	learn(policy, arc, incoming);
	/* Case IV A of the paper: T1 fills the whole cache, its oldest goes and leaves no ghost. */
	bool only_recent = arc->list[RECENT].count == policy->config.capacity &&
			   ghost_find(&arc->ghosts, incoming) == NO_GHOST;
	unsigned first = only_recent ? RECENT : replace(arc, incoming);
	for (unsigned i = 0; i < LISTS; i++) {
		unsigned where = i == 0 ? first : !first;
		uint32_t frame = list_first_evictable(policy, &arc->list[where], arc->links);
		if (frame == LIST_END)
			continue;
		remove_frame(policy, frame);
		if (!only_recent)
			(void)ghost_add(&arc->ghosts, &arc->ghost_list[where], (uint8_t)where,
					policy_key(policy, frame));
		return frame;
	}
	return POLICY_NO_FRAME;
}

static void forget(struct policy *policy, uint64_t key)
{
	struct arc *arc = policy->state;
	uint32_t ghost = ghost_find(&arc->ghosts, key);
	if (ghost != NO_GHOST)
		ghost_drop(&arc->ghosts, &arc->ghost_list[arc->ghosts.entry[ghost].list], ghost);
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct arc *arc = policy->state;
	look_list(out, "T1, used once", &arc->list[RECENT], arc->links, POLICY_NO_FRAME);
	look_list(out, "T2, used again", &arc->list[FREQUENT], arc->links, POLICY_NO_FRAME);
	look_ghosts(out, "B1", arc->ghost_list[RECENT].count);
	look_ghosts(out, "B2", arc->ghost_list[FREQUENT].count);
}

static const char *check(const struct policy *policy)
{
	const struct arc *arc = policy->state;
	const uint32_t capacity = policy->config.capacity;
	if (arc->list[RECENT].count + arc->list[FREQUENT].count != policy->resident)
		return "T1 and T2 do not hold every resident frame";
	if (arc->ghost_list[RECENT].count + arc->ghost_list[FREQUENT].count != arc->ghosts.count)
		return "B1 and B2 do not hold every ghost";
	if (arc->target > capacity || arc->ghosts.count > 2 * capacity)
		return "there are more ghosts, or a higher target, than the capacity allows";
	return NULL;
}

const struct policy_ops policy_arc = {
    .name = "arc",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "LRU lists of pages used once and more often; ghosts of both adapt their lengths",
    .source = "Megiddo, Modha, FAST 2003",
    .state_bytes = sizeof(struct arc),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .touch = touch,
    .forget = forget,
    .look = look_at,
    .check = check,
};
