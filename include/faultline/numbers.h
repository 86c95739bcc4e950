/* The numbers of a run or of a study, flat: scopes with statistics by name. What two of them can be compared by. Of a
 * run the scopes are "machine", "process NAME" and "phase NAME"; of a study there is one for each point, called after
 * its settings. One owner: numbers_release frees everything. */
#ifndef FAULTLINE_NUMBERS_H
#define FAULTLINE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "faultline/results.h"
#include "faultline/status.h"

struct number {
	char *name;
	double value; /* exact up to 2^53 */
};

struct numbers_scope {
	char *name;
	bool main; /* the machine, a point of a study: what is meant when no scope is named */
	struct number *number;
	size_t count;
};

struct numbers {
	struct numbers_scope *scope;
	size_t count;
};

/* A document of `run --stats json`; `name` stands for it in messages. BAD_INPUT: it is none. */
enum status numbers_of_stats(const char *text, const char *name, struct numbers *out, struct error *error);
void numbers_of_results(const struct results *results, struct numbers *out);
void numbers_release(struct numbers *numbers);

/* NULL: there is none. `hint` is where it probably is. */
const struct numbers_scope *numbers_find_scope(const struct numbers *numbers, const char *name, size_t hint);
const struct number *numbers_find(const struct numbers_scope *scope, const char *name, size_t hint);

#endif
