/* Translation straight from SDM 3A chapter 4, without TLBs, caches or shared code: what the MMU is compared with. Sets
 * A and D as a successful access does. */
#ifndef FAULTLINE_SLOW_WALK_H
#define FAULTLINE_SLOW_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/physmem.h"

enum slow_mode { SLOW_32BIT, SLOW_PAE, SLOW_4LEVEL, SLOW_5LEVEL, SLOW_MODE_COUNT };

struct slow_state {
	enum slow_mode mode;
	uint64_t cr3;
	uint64_t pdpte[4]; /* the registers of PAE paging */
	unsigned maxphyaddr;
	bool wp, nxe, smep, smap, pse, pke, pks, ac, user_mode;
	bool implicit; /* of a descriptor table or the TSS: supervisor, and AC does not matter */
	uint32_t pkru, pkrs;
};

enum { SLOW_MAX_PATH = 5 };

struct slow_result {
	bool ok;
	uint64_t pa;     /* if ok */
	unsigned vector; /* 13 or 14 if not */
	uint32_t error_code;
	/* The entries in RAM that were read, root first. */
	unsigned count;
	uint64_t at[SLOW_MAX_PATH];
};

/* kind: 'r', 'w' or 'x'. */
struct slow_result slow_walk(struct physmem *mem, const struct slow_state *state, uint64_t va, char kind);

/* What a load of CR3 puts into the PDPTE registers. False: #GP. */
bool slow_load_pdptes(const struct physmem *mem, struct slow_state *state);

#endif
