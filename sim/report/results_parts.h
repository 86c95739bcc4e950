/* The tables of a study besides its points. */
#ifndef FAULTLINE_REPORT_RESULTS_PARTS_H
#define FAULTLINE_REPORT_RESULTS_PARTS_H

#include "faultline/results.h"

/* Those that are there. BAD_INPUT: one is broken. */
enum status results_parts_read(struct results *results, const char *folder, struct error *error);
void results_parts_release(struct results *results);

#endif
