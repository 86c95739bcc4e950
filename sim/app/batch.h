/* Parts of `faultline batch`. */
#ifndef FAULTLINE_APP_BATCH_H
#define FAULTLINE_APP_BATCH_H

#include <signal.h>
#include <stdint.h>

#include "faultline/status.h"
#include "faultline/study.h"

/* The line on a terminal, and Ctrl-C: the first ends the study after the points in progress, the second at once. */
struct batch_watch {
	const struct study *study;
	enum stat best;
	bool visible;      /* standard error is a terminal and nobody wants quiet */
	uint64_t start_ns; /* of the host's clock */
	int signal;        /* that has come; 0: none */
	sigset_t before;
};

/* From here to batch_watch_end the signals that end a program wait to be looked at. Before any worker is made. */
void batch_watch_begin(struct batch_watch *watch);
bool batch_watch_progress(void *watch, const struct study_progress *progress); /* a study_progress_fn */
void batch_watch_end(struct batch_watch *watch);

/* Writes the finished study in `folder` to a database: tables points, phases, columns, study. */
enum status batch_sqlite(const char *folder, const char *path, struct error *error);

#endif
