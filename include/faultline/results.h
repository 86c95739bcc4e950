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

/* A table of which a point has several rows, one after the other: its phases, samples, buckets. */
struct results_part {
	char **names; /* of the columns */
	unsigned column_count;
	double *values; /* row by row; NAN: no number */
	char **texts;   /* of each row: the name of a phase or of a histogram; NULL: none */
	unsigned row_count;
	unsigned *first; /* by point of results, one more at the end: where its rows begin */
};

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
	unsigned *axis_values;        /* by point and axis: which of its values it has */
	struct results_part phases, series, histograms; /* without rows where the study did not keep them */
	char *tables_json, *plots_json;                 /* what the study wants to be shown, "[]": nothing special */
};

/* BAD_INPUT: no study, or a broken one. HOST: cannot be read. */
enum status results_read(const char *folder, struct results **out, struct error *error);
void results_free(struct results *results); /* NULL is allowed */

/* Column of this name, or -1. */
int results_column(const struct results *results, const char *name);
const struct results_cell *results_at(const struct results *results, unsigned row, unsigned column);
/* Which of the axis' values a point has. */
unsigned results_axis_value(const struct results *results, unsigned row, unsigned axis);
/* Column of a part, or -1. */
int results_part_column(const struct results_part *part, const char *name);
/* True when the point ran to its end: its numbers count. */
bool results_ran(const struct results *results, unsigned row);

/* The whole file, with a zero behind it; the caller frees it. HOST: cannot be read. */
enum status results_read_file(const char *path, char **out, struct error *error);

#endif
