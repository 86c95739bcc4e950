/* The report of a study through the emitter: a summary in words, tables with the best marked and the spread over seeds,
 * plots. */
#ifndef FAULTLINE_REPORT_STUDY_H
#define FAULTLINE_REPORT_STUDY_H

#include "faultline/report.h"
#include "faultline/results.h"

/* `baseline` is the value of the compared setting that the others are held against; NULL: what the study says, else its
 * first one. BAD_INPUT: there is no such value; nothing is written then. */
enum status report_study_check(const struct results *results, const char *baseline, struct error *error);
void report_study(struct report *report, const struct results *results, const char *baseline);

#endif
