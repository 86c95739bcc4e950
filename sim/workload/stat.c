#include "faultline/stat.h"

#include <string.h>

static const struct stat_info infos[STAT_COUNT] = {
#define X(id, name, kind, unit, text) [STAT_##id] = {name, STAT_##kind, unit, text},
    STAT_LIST(X)
#undef X
};

const struct stat_info *stat_info(enum stat stat)
{
	return &infos[stat];
}

bool stat_find(const char *name, enum stat *out)
{
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		if (strcmp(infos[i].name, name) == 0) {
			*out = (enum stat)i;
			return true;
		}
	}
	return false;
}

uint64_t stats_utilisation(const struct stats *stats)
{
	return stats->cycle ? 100 * (stats->cycle - stats->waited) / stats->cycle : 100;
}

void stats_difference(const struct stats *later, const struct stats *earlier, struct stats *out)
{
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		uint64_t before = infos[i].kind == STAT_TOTAL ? earlier->value[i] : 0;
		out->value[i] = later->value[i] - before;
	}
	out->cycle = later->cycle - earlier->cycle;
	out->waited = later->waited - earlier->waited;
	out->value[STAT_CPU_UTILISATION] = stats_utilisation(out);
}
