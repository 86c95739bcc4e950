/* The statistics of a finished run through the emitter. As JSON this is the document "faultline-stats-1", which
 * docs/stats-1.md describes. */
#ifndef FAULTLINE_REPORT_STATS_H
#define FAULTLINE_REPORT_STATS_H

#include "faultline/report.h"
#include "faultline/status.h"
#include "faultline/world.h"

#define REPORT_STATS_SCHEMA "faultline-stats-1"

/* `result` is what world_run left. */
void report_stats(struct report *report, const struct world *world, const struct error *result);

#endif
