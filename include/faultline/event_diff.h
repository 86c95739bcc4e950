/* Where two histories part: two streams of events as eventlog.h writes them, compared line by line. Numbers and cycles
 * of the events are not what happens: a difference in time alone is told apart. */
#ifndef FAULTLINE_EVENT_DIFF_H
#define FAULTLINE_EVENT_DIFF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "faultline/status.h"

enum { EVENT_DIFF_CONTEXT = 3 };

/* Lines of one side, as they stand in the stream; NULL behind the end. */
struct event_diff_side {
	char *line[EVENT_DIFF_CONTEXT];
	uint64_t events; /* read in all */
};

struct event_diff {
	bool parted;                      /* something different happens */
	uint64_t common;                  /* events before it */
	char *before[EVENT_DIFF_CONTEXT]; /* the last of these, the oldest first */
	struct event_diff_side a, b;      /* from the first different event on */
	bool time_parted;                 /* among the common ones: the same event at another time */
	char *time_a, *time_b;
};

/* Reads both to their ends, in step: pipes of two running worlds will do. BAD_INPUT: a stream is no event log. */
enum status event_diff_read(FILE *a, FILE *b, const char *name_a, const char *name_b, struct event_diff *out,
			    struct error *error);
void event_diff_release(struct event_diff *diff);

#endif
