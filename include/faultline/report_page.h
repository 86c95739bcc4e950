/* The page that a run ends with: what ran, the way from malloc to a frame as it happened first, each process in numbers
 * and why it was killed if it was, where the time went, what was expected. About one screen. */
#ifndef FAULTLINE_REPORT_PAGE_H
#define FAULTLINE_REPORT_PAGE_H

#include "faultline/check.h"
#include "faultline/report.h"
#include "faultline/status.h"
#include "faultline/timeline.h"
#include "faultline/witness.h"
#include "faultline/world.h"

struct report_page {
	const struct world *world;  /* has run */
	const struct error *result; /* what world_run left */
	const struct timeline *timeline;
	const struct witness *witness;
	const struct check *check;
};

void report_page(struct report *report, const struct report_page *page);

#endif
