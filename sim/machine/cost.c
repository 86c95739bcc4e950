#include "faultline/cost.h"

#include "faultline/status.h"

static const struct cost_info infos[] = {
#define X(id, name, cycles, text) [COST_##id] = {#name, (cycles), text},
    COST_LIST(X)
#undef X
};

const struct cost_info *cost_info(enum cost cost)
{
	BUG_ON(cost >= COST_COUNT);
	return &infos[cost];
}

struct cost_table cost_table_default(void)
{
	return (struct cost_table){{
#define X(id, name, cycles, text) [COST_##id] = (cycles),
	    COST_LIST(X)
#undef X
	}};
}
