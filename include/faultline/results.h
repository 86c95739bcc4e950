/* The results of a study, read from the folder that `faultline batch` leaves (docs/study-1.md). One owner: results_free
 * frees everything. */
#ifndef FAULTLINE_RESULTS_H
#define FAULTLINE_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "faultline/status.h"

struct results_column {
	char *name, *unit, *text;
	bool setting;   /* workload, a parameter, the seed */
	bool statistic; /* a total, level or peak */
};

struct results_cell {
	char *text;
	double value; /* NAN: no number */
};

/* A parameter that takes more than one value, the workload included. */
struct results_axis {
	unsigned column;
	unsigned value_column; /* where its value in bytes stands, else the same */
	bool is_number;
	char **values; /* as texts, in the order of the study */
	unsigned count;
};

enum { RESULTS_AXES = 8 };

struct results {
	char *folder, *name, *description, *digest, *version;
	struct results_column *columns;
	unsigned column_count;
	struct results_cell *cells; /* row by row */
	unsigned row_count;
	struct results_axis axes[RESULTS_AXES];
	unsigned axis_count;
	unsigned seeds;               /* repetitions of each point, at least 1 */
	char *baseline[RESULTS_AXES]; /* value of each axis that tables compare with; NULL: the first */
};

/* BAD_INPUT: no study, or a broken one. HOST: cannot be read. */
enum status results_read(const char *folder, struct results **out, struct error *error);
void results_free(struct results *results); /* NULL is allowed */

/* Column of this name, or -1. */
int results_column(const struct results *results, const char *name);
const struct results_cell *results_at(const struct results *results, unsigned row, unsigned column);
/* True when the point ran to its end: its numbers count. */
bool results_ran(const struct results *results, unsigned row);

/* The whole file, with a zero behind it; the caller frees it. HOST: cannot be read. */
enum status results_read_file(const char *path, char **out, struct error *error);

#endif
