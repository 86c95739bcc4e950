/* One side of a comparison: what its path names, its numbers, and its events as a stream. */
#ifndef FAULTLINE_APP_DIFF_SIDE_H
#define FAULTLINE_APP_DIFF_SIDE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "faultline/numbers.h"
#include "faultline/status.h"

enum { DIFF_SETTINGS = 32 };

struct diff_side {
	const char *path;
	const char *settings[DIFF_SETTINGS];
	unsigned setting_count;
	char label[512];
	bool has_numbers, has_events;
	bool is_run;
	struct numbers numbers; /* of a run: after diff_side_finish */
	FILE *events;           /* after diff_side_start */

	/* A run goes on in a process of its own, which writes its events into a pipe and leaves its result in a file.
	 */
	pid_t child; /* 0: it does not run */
	FILE *result;
};

/* More than DIFF_SETTINGS are a mistake that diff_side_open tells. */
void diff_side_set(struct diff_side *side, const char *setting);
/* Finds out what the path is; reads it, unless it is a workload. */
enum status diff_side_open(struct diff_side *side, struct error *error);
/* A run begins to run. */
enum status diff_side_start(struct diff_side *side, bool with_events, struct error *error);
/* Waits for its end; its numbers are known then. Does nothing when it does not run. */
enum status diff_side_finish(struct diff_side *side, struct error *error);
void diff_side_close(struct diff_side *side);

#endif
