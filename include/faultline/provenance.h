/* Where the randomness of a run comes from: the seeds in its script, and nothing else. Together with the version and
 * the document's digest they say which run an output belongs to. */
#ifndef FAULTLINE_PROVENANCE_H
#define FAULTLINE_PROVENANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/document.h"

enum { PROVENANCE_SEEDS = 8 };

struct provenance {
	uint64_t seeds[PROVENANCE_SEEDS]; /* distinct, in the order of the script */
	unsigned seed_count;
	bool more; /* there are others: too many, or computed by an expression */
};

struct provenance provenance_of(const struct document *document);

/* The seeds in one line: "none", "1 7", "1 7 and others". */
struct provenance_seeds {
	char text[192];
};
struct provenance_seeds provenance_seeds(const struct document *document);

#endif
