/* MGLRU: up to four generations. Aging makes a new youngest one of the pages found used; eviction takes from the
 * oldest. Without tiers, their feedback loop and looking at neighbours in page tables. */
#include "policy_private.h"

enum { MOST_GENERATIONS = 4, FEWEST_GENERATIONS = 2 };

/* oldest + 2 - 1 <= youngest < oldest + 4 */
struct mglru {
	struct link *links;
	uint8_t *slot; /* of each frame: its generation modulo 4 */
	struct list list[MOST_GENERATIONS];
	uint64_t youngest, oldest; /* max_seq and min_seq */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct mglru *lru = state;
	lru->youngest = FEWEST_GENERATIONS - 1;
	lru->links = room_array(room, struct link, config->frames);
	lru->slot = room_array(room, uint8_t, config->frames);
}

static void enter(struct mglru *lru, uint32_t frame, uint64_t generation)
{
	lru->slot[frame] = (uint8_t)(generation % MOST_GENERATIONS);
	list_append(&lru->list[generation % MOST_GENERATIONS], lru->links, frame);
}

/* A page that a fault brings in is young. */
static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct mglru *lru = policy->state;
	(void)key;
	enter(lru, frame, lru->youngest);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct mglru *lru = policy->state;
	list_remove(&lru->list[lru->slot[frame]], lru->links, frame);
}

/* Empty generations at the old end vanish, as long as there are more than two. */
static void retire(struct mglru *lru)
{
	while (lru->youngest - lru->oldest + 1 > FEWEST_GENERATIONS &&
	       lru->list[lru->oldest % MOST_GENERATIONS].count == 0)
		lru->oldest++;
}

/* walk_mm() and inc_max_seq(): who was used since the last walk becomes the new youngest generation. */
static void age(struct policy *policy, struct mglru *lru)
{
	if (lru->youngest - lru->oldest + 1 == MOST_GENERATIONS)
		return;
	uint64_t last = lru->youngest++;
	for (uint64_t generation = lru->oldest; generation <= last; generation++) {
		uint32_t next;
		const struct list *list = &lru->list[generation % MOST_GENERATIONS];
		for (uint32_t frame = list_first(list); frame != LIST_END; frame = next) {
			next = list_next(lru->links, frame);
			if (take_accessed(policy, frame)) {
				remove_frame(policy, frame);
				enter(lru, frame, lru->youngest);
			}
		}
	}
	retire(lru);
}

/* The first of a generation that may go; who was used meanwhile becomes young. */
static uint32_t victim_of(struct policy *policy, struct mglru *lru, uint64_t generation)
{
	uint32_t next;
	const struct list *list = &lru->list[generation % MOST_GENERATIONS];
	for (uint32_t frame = list_first(list); frame != LIST_END; frame = next) {
		next = list_next(lru->links, frame);
		if (generation != lru->youngest && take_accessed(policy, frame)) {
			remove_frame(policy, frame);
			enter(lru, frame, lru->youngest);
		} else if (is_evictable(policy, frame)) {
			return frame;
		}
	}
	return POLICY_NO_FRAME;
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct mglru *lru = policy->state;
	uint32_t frame = POLICY_NO_FRAME;
	(void)incoming;
	/* Each time all of the old ones turn out to be used there is another walk, in which their bits are clear. */
	for (unsigned walks = 0; walks <= MOST_GENERATIONS && frame == POLICY_NO_FRAME; walks++) {
		for (uint64_t i = lru->oldest; i < lru->youngest && frame == POLICY_NO_FRAME; i++)
			frame = victim_of(policy, lru, i);
		retire(lru);
		if (frame == POLICY_NO_FRAME)
			age(policy, lru);
	}
	if (frame == POLICY_NO_FRAME)
		frame = victim_of(policy, lru, lru->youngest);
	if (frame != POLICY_NO_FRAME)
		remove_frame(policy, frame);
	return frame;
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	static const char *const names[MOST_GENERATIONS] = {"oldest generation", "second generation",
							    "third generation", "youngest generation"};
	const struct mglru *lru = policy->state;
	for (uint64_t i = lru->oldest; i <= lru->youngest; i++)
		look_list(out, names[i == lru->youngest ? MOST_GENERATIONS - 1 : i - lru->oldest],
			  &lru->list[i % MOST_GENERATIONS], lru->links, POLICY_NO_FRAME);
}

static const char *check(const struct policy *policy)
{
	const struct mglru *lru = policy->state;
	uint64_t generations = lru->youngest - lru->oldest + 1;
	uint32_t count = 0;
	for (unsigned i = 0; i < MOST_GENERATIONS; i++)
		count += lru->list[i].count;
	if (generations < FEWEST_GENERATIONS || generations > MOST_GENERATIONS)
		return "there are not between two and four generations";
	return count == policy->resident ? NULL : "the generations do not hold every resident frame";
}

const struct policy_ops policy_mglru = {
    .name = "mglru",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = true,
    .summary = "up to four generations; walks make the used pages the youngest, the oldest are evicted",
    .source = "Linux 6.1, Documentation/mm/multigen_lru.rst",
    .state_bytes = sizeof(struct mglru),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .look = look_at,
    .check = check,
};
