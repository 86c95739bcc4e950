/* Names of the program's variables, numbered from 0 in the order of their first use. */
#ifndef FAULTLINE_WORKLOAD_NAMES_H
#define FAULTLINE_WORKLOAD_NAMES_H

#include <stdint.h>

#include "faultline/arena.h"

/* Invariant: texts[0 .. count - 1] are different; buckets has a power of two of places, at most half of them full. */
struct names {
	struct arena *arena;
	const char **texts;
	uint32_t count, capacity;
	uint32_t *buckets; /* number + 1, 0: empty */
	uint32_t bucket_count;
};

void names_init(struct names *names, struct arena *arena);
/* The text is copied when it is new. */
uint32_t names_number(struct names *names, const char *text);

#endif
