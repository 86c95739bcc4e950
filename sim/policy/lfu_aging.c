/* LFU whose counts are halved at every tick, so that old fame fades. */
#include "ranking.h"

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	ranking_place(state, room, config->frames);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct ranking *ranking = policy->state;
	(void)key;
	ranking_add(ranking, frame, (struct rank){.first = 1, .then = ++ranking->clock});
}

static void touch(struct policy *policy, uint32_t frame)
{
	struct ranking *ranking = policy->state;
	struct rank rank = {.first = ranking->rank[frame].first + 1, .then = ++ranking->clock};
	ranking_change(ranking, frame, rank);
}

static void tick(struct policy *policy)
{
	struct ranking *ranking = policy->state;
	for (uint32_t i = 0; i < ranking->count; i++)
		ranking->rank[ranking->heap[i]].first /= 2;
	/* What was apart may be equal now, and then the last use decides. */
	ranking_rebuild(ranking);
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

const struct policy_ops policy_lfu_aging = {
    .name = "lfu-aging",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "LFU whose counts are halved at every tick",
    .source = "Robinson, Devarakonda, SIGMETRICS 1990",
    .state_bytes = sizeof(struct ranking),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .touch = touch,
    .tick = tick,
    .look = look_at,
    .check = check,
};
