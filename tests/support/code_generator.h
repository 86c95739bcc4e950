/* Random 64-bit machine code of ring 3, from a table of encodings: what a processor and its model are both asked to
 * execute. What the SDM leaves undefined is tracked, so that nothing reads an undefined flag and the caller knows which
 * ones not to compare. */
#ifndef FAULTLINE_CODE_GENERATOR_H
#define FAULTLINE_CODE_GENERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/rng.h"

enum { GENERATED_BYTES = 512, GENERATED_INSNS = 24 };

/* Where operands in memory may lie: all below 2 GiB. */
struct code_places {
	uint64_t code;
	uint64_t data;
	uint64_t data_bytes;
};

struct generated {
	uint8_t code[GENERATED_BYTES]; /* ends with INT3 */
	unsigned bytes;
	uint64_t undefined; /* flags at the end */
	/* Of each instruction: where it begins, what it is called, and which flags are undefined if it faults. */
	unsigned count;
	unsigned start[GENERATED_INSNS];
	const char *name[GENERATED_INSNS];
	uint64_t undefined_before[GENERATED_INSNS];
};

void code_generate(struct rng *rng, const struct code_places *places, unsigned instructions, struct generated *out);

#endif
