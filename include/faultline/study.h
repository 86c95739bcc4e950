/* A study: a plan made into a list of independent numbered points, run in processes of the host, one world at a time in
 * each, and kept in a folder that docs/study-1.md describes. The bytes of the folder depend on the plan alone: not on
 * the number of processes, not on interruptions, not on slices that were merged. */
#ifndef FAULTLINE_STUDY_H
#define FAULTLINE_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline/stat.h"
#include "faultline/status.h"
#include "faultline/study_plan.h"

#define STUDY_SCHEMA "faultline-study-1"

/* X(ID, name, text) how a point ended; the value of its column `status`. */
#define STUDY_OUTCOME_LIST(X)                                                                                          \
	X(OK, "ok", "all went well")                                                                                   \
	X(EXPECT_FAILED, "expect_failed", "an expectation failed")                                                     \
	X(BAD_INPUT, "bad_input", "the settings make no machine")                                                      \
	X(MACHINE_STOPPED, "machine_stopped", "the simulated machine stopped")                                         \
	X(BUG, "bug", "faultline itself failed")

/* The points whose number is `number` modulo `of`; of 1: all. */
struct study_slice {
	unsigned number, of;
};

struct study;

/* Reads the workloads and tries every value on them. BAD_INPUT: a workload, a key, a value is wrong, or nothing is
 * left. The plan must outlive the study. */
enum status study_new(const struct study_plan *plan, struct study_slice slice, struct study **out, struct error *error);
void study_free(struct study *study); /* NULL is allowed */

uint64_t study_points(const struct study *study);       /* of the whole study */
uint64_t study_slice_points(const struct study *study); /* of the slice: positions 0 to this - 1 */
uint64_t study_point_number(const struct study *study, uint64_t position);
/* "first-malloc, machine.memory=16MiB, seed=3" */
void study_point_text(const struct study *study, uint64_t position, char *out, size_t bytes);

/* What is told while it runs, by the thread that called study_run, about ten times a second. */
struct study_progress {
	uint64_t points, done, before; /* of the slice; saved on the disk; of these: saved by earlier runs */
	uint64_t failed;               /* in this run */
	bool has_best;
	uint64_t best_position, best_value;
};
/* False: the points in progress are finished, no other is begun. */
typedef bool study_progress_fn(void *self, const struct study_progress *progress);

struct study_request {
	const char *folder;
	unsigned jobs; /* processes */
	bool resume;   /* the folder may hold finished points */
	enum stat best;
	study_progress_fn *progress; /* may be NULL */
	void *self;
};

struct study_summary {
	uint64_t points, done, failed;
	bool complete;          /* the results are written */
	enum status worst;      /* of the points */
	uint64_t first_failed;  /* number of a point, 0: none */
	struct error first_why; /* its message */
};

/* Makes processes by fork(2): the caller should have no other thread, and no child that it waits for by -1. OK also
 * when it was stopped or when points failed: see the summary. BAD_INPUT: the folder holds something else. HOST:
 * something could not be written; what was finished is safe, and the next run with `resume` goes on. */
enum status study_run(const struct study *study, const struct study_request *request, struct study_summary *summary,
		      struct error *error);

/* Joins the folders of all slices of one study; the folder `into` is new. */
enum status study_merge(const char *const *folders, unsigned count, const char *into, struct error *error);

#endif
