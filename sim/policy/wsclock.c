/* The working set kept by a clock: the hand looks for a clean page outside the window. */
#include "policy_private.h"

struct wsclock {
	struct link *links;
	struct list circle;
	uint64_t *last_use; /* virtual time at which a scan last saw the A bit */
	uint32_t hand;      /* frame + 1; 0: the start */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct wsclock *set = state;
	set->links = room_array(room, struct link, config->frames);
	set->last_use = room_array(room, uint64_t, config->frames);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct wsclock *set = policy->state;
	(void)key;
	set->last_use[frame] = now(policy);
	list_insert_before(&set->circle, set->links, frame, set->hand - 1);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct wsclock *set = policy->state;
	if (set->hand == frame + 1)
		set->hand = set->links[frame].next;
	list_remove(&set->circle, set->links, frame);
}

/* What a round has seen, for the case that it finds no clean old page. */
struct seen {
	uint32_t old_dirty; /* the first; a real kernel would have started to write it */
	uint32_t clean;     /* the oldest in the window */
	uint32_t any;       /* the oldest */
};

static void keep_older(const struct wsclock *set, uint32_t *best, uint32_t frame)
{
	if (*best == POLICY_NO_FRAME || set->last_use[frame] < set->last_use[*best])
		*best = frame;
}

/* True: evict it. */
static bool look(const struct policy *policy, struct wsclock *set, uint32_t frame, struct seen *seen)
{
	uint64_t time = now(policy);
	if (take_accessed(policy, frame))
		set->last_use[frame] = time;
	if (!is_evictable(policy, frame))
		return false;
	bool old = time - set->last_use[frame] > policy->config.window;
	bool dirty = is_dirty(policy, frame);
	if (old && dirty && seen->old_dirty == POLICY_NO_FRAME)
		seen->old_dirty = frame;
	if (!dirty)
		keep_older(set, &seen->clean, frame);
	keep_older(set, &seen->any, frame);
	return old && !dirty;
}

static uint32_t choose(const struct policy *policy, struct wsclock *set)
{
	struct seen seen = {POLICY_NO_FRAME, POLICY_NO_FRAME, POLICY_NO_FRAME};
	for (uint32_t looks = set->circle.count; looks > 0; looks--) {
		uint32_t frame = set->hand ? set->hand - 1 : list_first(&set->circle);
		set->hand = set->links[frame].next;
		if (look(policy, set, frame, &seen))
			return frame;
	}
	if (seen.old_dirty != POLICY_NO_FRAME)
		return seen.old_dirty;
	return seen.clean != POLICY_NO_FRAME ? seen.clean : seen.any;
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	uint32_t frame = choose(policy, policy->state);
	(void)incoming;
	if (frame != POLICY_NO_FRAME)
		remove_frame(policy, frame);
	return frame;
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct wsclock *clock = policy->state;
	look_circle(out, "circle from the hand", &clock->circle, clock->links, clock->hand, POLICY_NO_FRAME);
}

static const char *check(const struct policy *policy)
{
	const struct wsclock *set = policy->state;
	return set->circle.count == policy->resident ? NULL : "the circle does not hold every resident frame";
}

const struct policy_ops policy_wsclock = {
    .name = "wsclock",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = true,
    .summary = "a clock hand that evicts a clean page unused for longer than the window",
    .source = "Carr, Hennessy, SOSP 1981",
    .state_bytes = sizeof(struct wsclock),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .look = look_at,
    .check = check,
};
