/* The comparison of two runs or studies, A and B, through the emitter: where their events part, which statistics
 * changed and by how much, which thresholds are exceeded. */
#ifndef FAULTLINE_REPORT_DIFF_H
#define FAULTLINE_REPORT_DIFF_H

#include "faultline/event_diff.h"
#include "faultline/numbers.h"
#include "faultline/report.h"
#include "faultline/threshold.h"

struct report_diff {
	const char *name_a, *name_b;
	const struct numbers *a, *b;     /* NULL: no statistics to compare */
	const struct event_diff *events; /* NULL: no events to compare */
	const struct threshold *thresholds;
	unsigned threshold_count;
	bool all; /* every scope and every statistic, also to people */
};

/* What came out, for an exit status. */
struct report_diff_verdict {
	uint64_t changed;  /* numbers that differ, or are on one side only */
	uint64_t exceeded; /* thresholds, once for each scope */
	bool parted;       /* events differ, be it in time alone */
};

/* BAD_INPUT: a threshold names what is not there. */
enum status report_diff_check(const struct report_diff *diff, struct error *error);
void report_diff(struct report *report, const struct report_diff *diff, struct report_diff_verdict *out);

#endif
