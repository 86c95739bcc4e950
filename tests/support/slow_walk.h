/* Translation straight from SDM 3A chapter 4, without TLBs, caches or shared code: what the MMU is compared with. Sets
 * A and D as a successful access does. */
#ifndef FAULTLINE_SLOW_WALK_H
#define FAULTLINE_SLOW_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/physmem.h"

struct slow_state {
	uint64_t cr3;
	unsigned levels, maxphyaddr;
	bool wp, nxe, smep, smap, pke, ac, user_mode;
	uint32_t pkru;
};

struct slow_result {
	bool ok;
	uint64_t pa;     /* if ok */
	unsigned vector; /* 13 or 14 if not */
	uint32_t error_code;
};

/* kind: 'r', 'w' or 'x'. */
struct slow_result slow_walk(struct physmem *mem, const struct slow_state *state, uint64_t va, char kind);

#endif
