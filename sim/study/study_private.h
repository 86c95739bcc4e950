/* A study from the inside. points.c numbers, point.c runs one, journal.c keeps it, worker.c is a process that runs
 * some, crew.c has all of them run, results.c writes. */
#ifndef FAULTLINE_STUDY_STUDY_PRIVATE_H
#define FAULTLINE_STUDY_STUDY_PRIVATE_H

#include <stdio.h>

#include "faultline/histogram.h"
#include "faultline/series.h"
#include "faultline/study.h"
#include "faultline/world.h"

enum {
	STUDY_MOST_POINTS = 10000000,
	STUDY_MOST_PHASES = 256,
	STUDY_MOST_SAMPLES = 256, /* even: then every second one is left out */
	STUDY_NAME_BYTES = 128
};

struct study_workload {
	const char *path;
	struct document *document; /* with the settings for all points */
	uint64_t digest;           /* of the document's bytes alone */
};

struct study {
	const struct study_plan *plan;
	struct study_slice slice;
	struct study_workload *workloads;
	uint64_t *combinations; /* by position in the slice */
	uint64_t count;         /* in the slice */
	uint64_t points;        /* in all */
	uint64_t digest;
};

/* Which of its values each thing has. */
struct study_choice {
	unsigned workload, seed;
	unsigned value[STUDY_MAX_PARAMETERS];
};
struct study_choice study_choice(const struct study *study, uint64_t position);
/* The seed's text, NULL without repetition. */
const char *study_seed(const struct study *study, const struct study_choice *choice);

/* BAD_INPUT: the study wants a table or a plot of something that it will not have. */
enum status study_check_wishes(const struct study *study, struct error *error);

/* ---- what a point leaves ---- */

struct study_phase {
	char name[STUDY_NAME_BYTES];
	struct stats stats;
};

struct study_row {
	uint64_t position, number;
	enum status status;
	struct error why;
	bool booted; /* there are statistics */
	uint64_t digest;
	struct world_progress progress;
	struct stats stats;
	unsigned phase_count;
	struct study_phase *phases; /* room for STUDY_MOST_PHASES */
	unsigned sample_count;
	struct series_sample *samples; /* room for STUDY_MOST_SAMPLES; of the machine, without a name */
	bool has_histograms;
	struct histograms histograms;
};

enum status study_row_init(struct study_row *row, struct error *error);
/* Of another point; the room stays. */
void study_row_reset(struct study_row *row);
void study_row_release(struct study_row *row);

const char *study_outcome_name(enum status status);

/* Runs the world of a point. HOST: the host could not; that is no result. */
enum status study_point_run(const struct study *study, uint64_t position, struct study_row *row);

/* That of its document with its settings. */
uint64_t study_point_digest(const struct study *study, uint64_t position);

/* One line of the journal, with its checksum. */
void study_row_write(FILE *out, const struct study_row *row);
/* False: the line is no whole one. Changes the line. */
bool study_row_read(char *line, size_t length, struct study_row *row);
uint64_t study_line_checksum(const char *line, size_t length);

#endif
