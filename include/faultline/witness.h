/* Remembers what is gone at the end of a run: why each killed process was killed, with its translation at that moment,
 * and which expectations failed, with their places. An observer: witness_attach subscribes it. */
#ifndef FAULTLINE_WITNESS_H
#define FAULTLINE_WITNESS_H

#include "faultline/translation.h"
#include "faultline/world.h"

enum { WITNESS_FAILURES = 8, WITNESS_TEXT = 320 };

struct witness_failure {
	char place[WITNESS_TEXT]; /* "LINE:COLUMN: POINTER" */
	char text[WITNESS_TEXT];  /* "expected faults.minor equals 3, it is 4" */
};

struct witness {
	const struct world *world;
	bool killed[DOCUMENT_MAX_PROCESSES];
	struct translation death[DOCUMENT_MAX_PROCESSES];  /* of the address in the signal; valid where killed */
	struct witness_failure failures[WITNESS_FAILURES]; /* the first ones */
	unsigned failure_count;
};

/* The caller's storage; it must live until the run has ended. */
void witness_attach(struct witness *witness, struct world *world);

#endif
