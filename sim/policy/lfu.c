/* Least frequently used. Counts are of the time in memory; of equally used pages the one used longest ago goes. */
#include "ranking.h"

const struct policy_ops policy_lfu = {
    .name = "lfu",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "evicts the page used least often since it came in; of equals, the least recently used",
    .source = "Aho, Denning, Ullman, Journal of the ACM 18(1), 1971",
    .state_bytes = sizeof(struct ranking),
    .place = ranking_place,
    .insert = ranking_insert_used,
    .remove = ranking_remove,
    .victim = ranking_victim,
    .touch = ranking_use,
    .look = ranking_look,
    .check = ranking_check,
};
