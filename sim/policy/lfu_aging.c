/* LFU whose counts are halved at every tick, so that old fame fades. */
#include "ranking.h"

static void tick(struct policy *policy)
{
	struct ranking *ranking = policy->state;
	for (uint32_t i = 0; i < ranking->count; i++)
		ranking->rank[ranking->heap[i]].first /= 2;
	/* What was apart may be equal now, and then the last use decides. */
	ranking_rebuild(ranking);
}

const struct policy_ops policy_lfu_aging = {
    .name = "lfu-aging",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "LFU whose counts are halved at every tick",
    .source = "Robinson, Devarakonda, SIGMETRICS 1990",
    .state_bytes = sizeof(struct ranking),
    .place = ranking_place,
    .insert = ranking_insert_used,
    .remove = ranking_remove,
    .victim = ranking_victim,
    .touch = ranking_use,
    .tick = tick,
    .look = ranking_look,
    .check = ranking_check,
};
