/* Belady's optimum, by knowing the future. */
#include "ranking.h"

/* Pages that are never used again are alike: the lower frame number goes. */
static struct rank rank_of(const struct policy *policy, uint32_t frame)
{
	return (struct rank){.first = UINT64_MAX - next_use(policy, frame), .then = frame};
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

const struct policy_ops policy_opt = {
    .name = "opt",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "evicts the page whose next use is farthest in the future: no policy misses less",
    .source = "Belady, IBM Systems Journal 5(2), 1966",
    .state_bytes = sizeof(struct ranking),
    .place = ranking_place,
    .insert = insert,
    .remove = ranking_remove,
    .victim = ranking_victim,
    .touch = touch,
    .look = ranking_look,
    .check = ranking_check,
};
