/* Most recently used. */
#include "recency.h"

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	(void)incoming;
	return recency_take_newest(policy);
}

const struct policy_ops policy_mru = {
    .name = "mru",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "evicts the page that was used last: right for cyclic scans",
    .source = "Chou, DeWitt, VLDB 1985",
    .state_bytes = sizeof(struct recency),
    .place = recency_place,
    .insert = recency_insert,
    .remove = recency_remove,
    .victim = victim,
    .touch = recency_touch,
    .expect = recency_expect,
    .look = recency_look_newest,
    .check = recency_check,
};
