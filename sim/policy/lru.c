/* Least recently used, exactly. */
#include "recency.h"

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	(void)incoming;
	return recency_take_oldest(policy);
}

const struct policy_ops policy_lru = {
    .name = "lru",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "evicts the page whose last use is longest ago",
    .source = "Mattson et al., IBM Systems Journal 9(2), 1970",
    .state_bytes = sizeof(struct recency),
    .place = recency_place,
    .insert = recency_insert,
    .remove = recency_remove,
    .victim = victim,
    .touch = recency_touch,
    .expect = recency_expect,
    .look = recency_look_oldest,
    .check = recency_check,
};
