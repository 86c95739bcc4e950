/* The page walk: reads one paging-structure entry per level until it finds a page or a reason to stop. SDM 3A 4.5. */
#ifndef FAULTLINE_WALK_H
#define FAULTLINE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/physmem.h"
#include "faultline/pte.h"
#include "faultline/tlb.h"
#include "faultline/units.h"

enum { WALK_MAX_LEVELS = 5 };

/* X(ID, text as events and explanations say it) */
#define WALK_OUTCOME_LIST(X)                                                                                           \
	X(MAPPED, "mapped")                                                                                            \
	X(NOT_PRESENT, "not present")                                                                                  \
	X(RESERVED, "reserved bit set")                                                                                \
	X(DENIED, "access denied")                                                                                     \
	X(NOT_CANONICAL, "not canonical")

enum walk_outcome {
#define X(id, text) WALK_##id,
	WALK_OUTCOME_LIST(X)
#undef X
};

const char *walk_outcome_text(enum walk_outcome outcome);

/* What the walk needs to know of the control registers. */
struct paging {
	struct paddr root;
	uint8_t levels;     /* 4 or 5 (CR4.LA57) */
	uint8_t maxphyaddr; /* physical address bits: CPUID 80000008H */
	bool nxe;           /* EFER.NXE: bit 63 means no-execute, else it is reserved */
};

/* One entry that was read. */
struct walk_step {
	uint8_t level; /* 5 PML5E, 4 PML4E, 3 PDPTE, 2 PDE, 1 PTE */
	struct paddr pa;
	struct pte entry;
};

/* The rights of a translation: U/S and R/W are the AND, NX the OR over the path. */
struct walk_rights {
	bool user, writable, no_execute;
	uint8_t protection_key;
};

struct walk {
	enum walk_outcome outcome; /* never DENIED from walk_peek: that depends on the access */
	unsigned count;            /* entries read; the last one decided */
	struct walk_step step[WALK_MAX_LEVELS];
	/* Valid when mapped: */
	enum page_size size;
	struct paddr page; /* first address of the page */
	struct walk_rights rights;
	bool global, dirty;
};

/* Walks from the root, reads nothing but the tables, changes nothing: neither A bits nor TLBs nor counters. */
void walk_peek(const struct physmem *mem, const struct paging *paging, struct vaddr va, struct walk *out);

/* "PML4E", ... of level 1 to 5. */
const char *walk_level_name(unsigned level);

/* All bits above the highest translated one equal it: 48 bits with 4 levels, 57 with 5. SDM 1 3.3.7.1. */
static inline bool vaddr_is_canonical(struct vaddr va, unsigned levels)
{
	unsigned unused = 64 - (PAGE_SHIFT + 9 * levels);
	return (uint64_t)((int64_t)(va.v << unused) >> unused) == va.v;
}

#endif
