/* Processors by name: geometry of TLBs and paging-structure caches, and the latencies that differ from the default
 * table. Every row cites where its numbers are from. */
#ifndef FAULTLINE_PROFILE_H
#define FAULTLINE_PROFILE_H

#include <stdint.h>

#include "faultline/cost.h"
#include "faultline/tlb.h"

enum { PROFILE_L1_ARRAYS = 3, PROFILE_L2_ARRAYS = 3 };

struct cpu_profile {
	const char *name;
	const char *text;
	uint8_t maxphyaddr; /* physical address bits */
	/* Arrays with page_sizes == 0 do not exist. */
	struct tlb_geometry l1d[PROFILE_L1_ARRAYS];
	struct tlb_geometry l1i[PROFILE_L1_ARRAYS];
	struct tlb_geometry l2[PROFILE_L2_ARRAYS];
	uint16_t psc_entries[PSC_LEVEL_COUNT]; /* sets of 4 ways (an assumption); 0: no such cache */
	uint32_t tlb_l2_hit_cycles;            /* 0: the default of cost.h */
	uint32_t walk_step_cycles;             /* 0: the default of cost.h */
	const char *source;
};

/* NULL: no such profile. */
const struct cpu_profile *cpu_profile_find(const char *name);
/* All of them, the default one first; NULL behind the last. */
const struct cpu_profile *cpu_profile_at(unsigned index);
struct cost_table cpu_profile_costs(const struct cpu_profile *profile);

#endif
