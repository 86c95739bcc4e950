/* What Linux does without MGLRU: an active and an inactive list; a page found used twice on its way to the end of the
 * inactive one is activated; a page that comes back sooner than the active list is long is activated at once. One kind
 * of pages, no balance between anonymous and file pages (swappiness): the caller that has both runs two. */
#include "ghosts.h"

enum { INACTIVE, ACTIVE, LISTS };

struct linux_lists {
	struct link *links;
	uint8_t *where;
	uint8_t *referenced;     /* PG_referenced */
	struct list list[LISTS]; /* the end of the list, where pages go, first */
	struct ghosts ghosts;
	struct list shadows;
	uint64_t age;   /* nonresident_age: evictions and activations */
	uint32_t ratio; /* how many times longer the active list may be */
};

/* inactive_is_low(): int_sqrt(10 * GiB), at least 1. */
static uint32_t inactive_ratio(uint32_t pages)
{
	uint32_t ten_gib = (uint32_t)(((uint64_t)pages >> 18) * 10);
	uint32_t root = 1;
	while ((uint64_t)(root + 1) * (root + 1) <= ten_gib)
		root++;
	return root;
}

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct linux_lists *lists = state;
	lists->ratio = inactive_ratio(config->capacity);
	lists->links = room_array(room, struct link, config->frames);
	lists->where = room_array(room, uint8_t, config->frames);
	lists->referenced = room_array(room, uint8_t, config->frames);
	ghosts_place(&lists->ghosts, room, config->capacity + 1);
}

static void enter(struct linux_lists *lists, uint32_t frame, unsigned where)
{
	lists->where[frame] = (uint8_t)where;
	list_append(&lists->list[where], lists->links, frame);
}

/* workingset_refault(): the refault distance against the size of the workingset. */
static bool comes_back_soon(struct linux_lists *lists, uint64_t key)
{
	uint32_t shadow = ghost_find(&lists->ghosts, key);
	if (shadow == NO_GHOST)
		return false;
	uint64_t distance = lists->age - lists->ghosts.entry[shadow].note;
	ghost_drop(&lists->ghosts, &lists->shadows, shadow);
	return distance <= lists->list[ACTIVE].count;
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct linux_lists *lists = policy->state;
	bool soon = comes_back_soon(lists, key);
	lists->age += soon;
	lists->referenced[frame] = 0;
	enter(lists, frame, soon ? ACTIVE : INACTIVE);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct linux_lists *lists = policy->state;
	list_remove(&lists->list[lists->where[frame]], lists->links, frame);
}

/* shrink_active_list(): used or not, the end of the active list is deactivated, its A bit cleared. */
static void shrink_active(struct policy *policy, struct linux_lists *lists)
{
	while (lists->list[ACTIVE].count > 0 &&
	       (uint64_t)lists->list[INACTIVE].count * lists->ratio < lists->list[ACTIVE].count) {
		uint32_t frame = list_first(&lists->list[ACTIVE]);
		(void)take_accessed(policy, frame);
		remove_frame(policy, frame);
		enter(lists, frame, INACTIVE);
	}
}

static void evict(const struct policy *policy, struct linux_lists *lists, uint32_t frame)
{
	if (lists->shadows.count == policy->config.capacity)
		ghost_drop(&lists->ghosts, &lists->shadows, list_first(&lists->shadows));
	uint32_t shadow = ghost_add(&lists->ghosts, &lists->shadows, 0, policy_key(policy, frame));
	lists->ghosts.entry[shadow].note = lists->age++;
}

/* shrink_inactive_list() and folio_check_references(): the first use found keeps the page, the second activates it. */
static bool look(struct policy *policy, struct linux_lists *lists, uint32_t frame)
{
	bool used = take_accessed(policy, frame);
	bool before = lists->referenced[frame];
	if (!used && is_evictable(policy, frame))
		return true;
	remove_frame(policy, frame);
	lists->referenced[frame] = used && !before;
	lists->age += used && before;
	enter(lists, frame, used && before ? ACTIVE : INACTIVE);
	return false;
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct linux_lists *lists = policy->state;
	(void)incoming;
	for (uint64_t looks = 8 * (uint64_t)policy->resident; looks > 0; looks--) {
		/* Under pressure that nothing on the inactive list relieves, the active one gives. */
		bool pressed = looks <= 4 * (uint64_t)policy->resident && lists->list[ACTIVE].count > 0;
		shrink_active(policy, lists);
		uint32_t frame = list_first(&lists->list[pressed ? ACTIVE : INACTIVE]);
		if (pressed) {
			remove_frame(policy, frame);
			enter(lists, frame, INACTIVE);
			frame = list_first(&lists->list[INACTIVE]);
		}
		if (look(policy, lists, frame)) {
			remove_frame(policy, frame);
			evict(policy, lists, frame);
			return frame;
		}
	}
	return POLICY_NO_FRAME;
}

static void forget(struct policy *policy, uint64_t key)
{
	struct linux_lists *lists = policy->state;
	uint32_t shadow = ghost_find(&lists->ghosts, key);
	if (shadow != NO_GHOST)
		ghost_drop(&lists->ghosts, &lists->shadows, shadow);
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct linux_lists *lists = policy->state;
	look_list(out, "inactive", &lists->list[INACTIVE], lists->links, POLICY_NO_FRAME);
	look_list(out, "active", &lists->list[ACTIVE], lists->links, POLICY_NO_FRAME);
	look_ghosts(out, "shadows", lists->shadows.count);
}

static const char *check(const struct policy *policy)
{
	const struct linux_lists *lists = policy->state;
	if (lists->shadows.count != lists->ghosts.count)
		return "there are shadows that no list holds";
	return lists->list[INACTIVE].count + lists->list[ACTIVE].count == policy->resident
		   ? NULL
		   : "the lists do not hold every resident frame";
}

const struct policy_ops policy_linux = {
    .name = "linux",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = true,
    .summary = "active and inactive list; pages that come back within the refault distance are active",
    .source = "Linux 6.1, mm/vmscan.c and mm/workingset.c",
    .state_bytes = sizeof(struct linux_lists),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .forget = forget,
    .look = look_at,
    .check = check,
};
