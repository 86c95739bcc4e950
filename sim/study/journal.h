/* The journal: finished points, appended one line each, found again by position. What is no whole line (the end of one
 * that a crash cut off, a damaged one) counts as not there. Owner: whoever runs the study; one process at a time. */
#ifndef FAULTLINE_STUDY_JOURNAL_H
#define FAULTLINE_STUDY_JOURNAL_H

#include "study_private.h"

struct journal {
	const struct study *study;
	char path[4096];
	int fd;
	uint64_t end;      /* of the last whole line */
	uint64_t *offsets; /* of each position's line; 0: none, the header stands there */
	uint64_t done;
};

/* BAD_INPUT: it belongs to another study, or to a finished one and resume is false. */
enum status journal_open(struct journal *journal, const struct study *study, const char *folder, bool resume,
			 struct error *error);
void journal_close(struct journal *journal);

bool journal_has(const struct journal *journal, uint64_t position);
/* After a failure the journal is as before. Calls must not overlap. */
enum status journal_append(struct journal *journal, uint64_t position, const char *line, size_t length,
			   struct error *error);
/* Until here the points survive a power failure; without it they survive the end of the process. */
enum status journal_sync(const struct journal *journal, struct error *error);
/* The row at a position that it has. HOST: it cannot be read any more. */
enum status journal_read(const struct journal *journal, uint64_t position, struct study_row *row, struct error *error);
/* The same journal in the order of the points, in its place. */
enum status journal_sort(struct journal *journal, const char *folder, struct error *error);

#endif
