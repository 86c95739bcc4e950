/* What a study leaves for readers. */
#ifndef FAULTLINE_STUDY_RESULTS_H
#define FAULTLINE_STUDY_RESULTS_H

#include "journal.h"

/* study.json */
enum status results_describe(const struct study *study, const char *folder, struct error *error);
/* The tables, from a journal that has every point; counts what failed. */
enum status results_write(struct journal *journal, const char *folder, struct study_summary *summary,
			  struct error *error);

#endif
