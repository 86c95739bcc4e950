/* The two halves of a comparison: numbers (diff.c) and events (diff_events.c). */
#ifndef FAULTLINE_REPORT_DIFF_PRIVATE_H
#define FAULTLINE_REPORT_DIFF_PRIVATE_H

#include "faultline/event_diff.h"
#include "faultline/report.h"

/* From a to b; NAN when a is nothing and b is not. */
double diff_percent(double a, double b);

/* In one sentence, where the events part. */
void diff_put_verdict(struct report *report, const struct event_diff *events);
/* The events around that place. */
void diff_put_events(struct report *report, const struct event_diff *events);

#endif
