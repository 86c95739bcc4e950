/* The columns of a study, said once: every output of rows visits them. */
#ifndef FAULTLINE_STUDY_COLUMNS_H
#define FAULTLINE_STUDY_COLUMNS_H

#include "study_private.h"

struct study_cell {
	const char *name;
	bool is_text;
	const char *kind, *unit, *about;
	bool present;
	const char *text;
	uint64_t number;
};
typedef void study_cell_fn(void *self, const struct study_cell *cell);

/* Every column in its order, with its cell of the row. A NULL row has no cells. */
void study_visit_row(const struct study *study, const struct study_row *row, study_cell_fn *visit, void *self);
/* The same for rows of which a point has several: a phase, a sample, a bucket of a histogram. */
typedef void study_visit_part_fn(const struct study_row *row, unsigned part, study_cell_fn *visit, void *self);
study_visit_part_fn study_visit_phase, study_visit_sample, study_visit_bucket;

#endif
