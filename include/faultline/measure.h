/* What a table or plot of a study can show: a statistic, a shape of a time series, or what is computed of them. */
#ifndef FAULTLINE_MEASURE_H
#define FAULTLINE_MEASURE_H

#include <stdbool.h>

/* X("name", "unit", "text") */
#define MEASURE_LIST(X)                                                                                                \
	X("time.program", "cycles", "cycles.app without page walks")                                                   \
	X("time.libc", "cycles", "cycles.libc without page walks")                                                     \
	X("time.kernel", "cycles", "cycles.kernel without page walks and waiting")                                     \
	X("time.walk", "cycles", "page walks and TLB misses of all layers")                                            \
	X("time.disk", "cycles", "waiting for devices")                                                                \
	X("tlb.miss_ratio", "%", "translations that no TLB had")

bool measure_is_known(const char *name);
const char *measure_unit(const char *name); /* "" for one that is not known */

/* The value of a column, NAN where there is none. */
typedef double measure_column_fn(const void *row, const char *column);
double measure_value(const char *name, measure_column_fn *column, const void *row);

#endif
