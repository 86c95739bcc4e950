/* The opposite of the optimum: a bound from the other side. */
#include "ranking.h"

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	ranking_place(state, room, config->frames);
}

/* Pages that are never used again are alike: the lower frame number goes. */
static struct rank rank_of(const struct policy *policy, uint32_t frame)
{
	return (struct rank){.first = next_use(policy, frame), .then = frame};
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	(void)key;
	ranking_add(policy->state, frame, rank_of(policy, frame));
}

static void touch(struct policy *policy, uint32_t frame)
{
	ranking_change(policy->state, frame, rank_of(policy, frame));
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	ranking_remove(policy->state, frame);
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	(void)incoming;
	return ranking_victim(policy->state, policy);
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	ranking_look(policy->state, out);
}

static const char *check(const struct policy *policy)
{
	return ranking_check(policy->state, policy);
}

const struct policy_ops policy_unopt = {
    .name = "unopt",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "evicts the page that is used next: the worst that can be done on purpose",
    .source = "the opposite of Belady, IBM Systems Journal 5(2), 1966",
    .state_bytes = sizeof(struct ranking),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .touch = touch,
    .look = look_at,
    .check = check,
};
