/* Working set: pages unused for longer than the window do not belong to it and go first. The whole table is scanned at
 * each fault, which is what WSClock is the cure for. */
#include "policy_private.h"

struct working_set {
	struct link *links;
	struct list table;
	uint64_t *last_use; /* virtual time at which a scan last saw the A bit */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct working_set *set = state;
	set->links = room_array(room, struct link, config->frames);
	set->last_use = room_array(room, uint64_t, config->frames);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct working_set *set = policy->state;
	(void)key;
	set->last_use[frame] = now(policy);
	list_append(&set->table, set->links, frame);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct working_set *set = policy->state;
	list_remove(&set->table, set->links, frame);
}

/* Notes who has been used; the evictable one whose last use is oldest. */
static uint32_t scan(const struct policy *policy, struct working_set *set)
{
	uint64_t time = now(policy);
	uint32_t oldest = POLICY_NO_FRAME;
	for (uint32_t frame = list_first(&set->table); frame != LIST_END; frame = list_next(set->links, frame)) {
		if (take_accessed(policy, frame))
			set->last_use[frame] = time;
		if (is_evictable(policy, frame) &&
		    (oldest == POLICY_NO_FRAME || set->last_use[frame] < set->last_use[oldest]))
			oldest = frame;
	}
	return oldest;
}

/* The first clean page outside the window, for it costs no write; else the oldest. */
static uint32_t choose(const struct policy *policy, const struct working_set *set, uint32_t oldest)
{
	uint64_t time = now(policy);
	if (time - set->last_use[oldest] <= policy->config.window)
		return oldest;
	for (uint32_t frame = list_first(&set->table); frame != LIST_END; frame = list_next(set->links, frame)) {
		if (time - set->last_use[frame] > policy->config.window && !is_dirty(policy, frame) &&
		    is_evictable(policy, frame))
			return frame;
	}
	return oldest;
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct working_set *set = policy->state;
	(void)incoming;
	uint32_t frame = scan(policy, set);
	if (frame == POLICY_NO_FRAME)
		return frame;
	frame = choose(policy, set, frame);
	remove_frame(policy, frame);
	return frame;
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct working_set *set = policy->state;
	look_list(out, "table in the order of scans", &set->table, set->links, POLICY_NO_FRAME);
}

static const char *check(const struct policy *policy)
{
	const struct working_set *set = policy->state;
	return set->table.count == policy->resident ? NULL : "the table does not hold every resident frame";
}

const struct policy_ops policy_working_set = {
    .name = "working-set",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = true,
    .summary = "evicts a page unused for longer than the window, or else the oldest; scans all pages",
    .source = "Denning, Communications of the ACM 11(5), 1968",
    .state_bytes = sizeof(struct working_set),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .look = look_at,
    .check = check,
};
