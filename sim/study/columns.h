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
void study_visit_phase(const struct study_row *row, unsigned phase, study_cell_fn *visit, void *self);

#endif
