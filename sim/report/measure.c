#include "faultline/measure.h"

#include <math.h>
#include <string.h>

#include "faultline/series.h"
#include "faultline/stat.h"

enum measure {
	TIME_PROGRAM,
	TIME_LIBC,
	TIME_KERNEL,
	TIME_WALK,
	TIME_DISK,
	TLB_MISS_RATIO,
	MEASURE_COUNT,
};

static const struct {
	const char *name, *unit;
} measures[] = {
#define X(name, unit, text) {name, unit},
    MEASURE_LIST(X)
#undef X
};
_Static_assert(sizeof(measures) / sizeof(measures[0]) == MEASURE_COUNT, "every measure has its row");

/* MEASURE_COUNT: it is none. */
static enum measure find_measure(const char *name)
{
	unsigned i = 0;
	while (i < MEASURE_COUNT && strcmp(measures[i].name, name) != 0)
		i++;
	return (enum measure)i;
}

/* SERIES_VALUES: it is none. */
static unsigned find_series_value(const char *name)
{
	unsigned i = 0;
	while (i < SERIES_VALUES && strcmp(series_value_name(i), name) != 0)
		i++;
	return i;
}

bool measure_is_known(const char *name)
{
	enum stat stat;
	return stat_find(name, &stat) || find_measure(name) < MEASURE_COUNT || find_series_value(name) < SERIES_VALUES;
}

const char *measure_unit(const char *name)
{
	enum stat stat;
	if (stat_find(name, &stat))
		return stat_info(stat)->unit;
	if (find_measure(name) < MEASURE_COUNT)
		return measures[find_measure(name)].unit;
	return find_series_value(name) < SERIES_VALUES ? series_value_unit(find_series_value(name)) : "";
}

static double miss_ratio(measure_column_fn *column, const void *row)
{
	double misses = column(row, "tlb.misses");
	double all = misses + column(row, "tlb.l1_hits") + column(row, "tlb.l2_hits");
	return all > 0 ? misses * 100 / all : NAN;
}

double measure_value(const char *name, measure_column_fn *column, const void *row)
{
	double walk_libc = column(row, "cycles.walk_libc"), walk_kernel = column(row, "cycles.walk_kernel");
	switch (find_measure(name)) {
	case TIME_PROGRAM:
		return column(row, "cycles.app") - (column(row, "cycles.walk") - walk_libc - walk_kernel);
	case TIME_LIBC:
		return column(row, "cycles.libc") - walk_libc;
	case TIME_KERNEL:
		return column(row, "cycles.kernel") - walk_kernel - column(row, "cycles.wait");
	case TIME_WALK:
		return column(row, "cycles.walk");
	case TIME_DISK:
		return column(row, "cycles.wait");
	case TLB_MISS_RATIO:
		return miss_ratio(column, row);
	case MEASURE_COUNT:
		break;
	}
	return column(row, name);
}
