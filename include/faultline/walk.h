/* The page walk: reads one paging-structure entry per level until it finds a page or a reason to stop. SDM 3A 4.3
 * (32-bit paging), 4.4 (PAE paging), 4.5 (4-level and 5-level paging). */
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

/* SDM 3A 4.1.1. X(ID, name, levels, bits of a linear address, bytes of an entry, mask of the root in CR3) */
#define PAGING_MODE_LIST(X)                                                                                            \
	X(32BIT, "32-bit", 2, 32, 4, 0x00000000fffff000)                                                               \
	X(PAE, "pae", 3, 32, 8, 0x00000000ffffffe0)                                                                    \
	X(4LEVEL, "4-level", 4, 48, 8, 0x000ffffffffff000)                                                             \
	X(5LEVEL, "5-level", 5, 57, 8, 0x000ffffffffff000)

enum paging_mode {
#define X(id, name, levels, linear_bits, entry_bytes, root) PAGING_##id,
	PAGING_MODE_LIST(X)
#undef X
	    PAGING_MODE_COUNT
};

struct paging_mode_info {
	const char *name; /* as machine.paging has it */
	uint8_t levels, linear_bits, entry_bytes;
	uint64_t root; /* the bits of CR3 that hold it */
};

const struct paging_mode_info *paging_mode_info(enum paging_mode mode);

enum { PAE_PDPTES = 4 };

/* The lowest bit of a linear address that selects an entry of this level; what lies below is inside its span. */
static inline unsigned paging_level_shift(enum paging_mode mode, unsigned level)
{
	return PAGE_SHIFT + (mode == PAGING_32BIT ? 10 : 9) * (level - 1);
}

/* Which entry of the table of this level an address selects. */
static inline unsigned paging_index(enum paging_mode mode, struct vaddr va, unsigned level)
{
	unsigned entries = mode == PAGING_32BIT ? 1024 : mode == PAGING_PAE && level == 3 ? PAE_PDPTES : 512;
	return (unsigned)(va.v >> paging_level_shift(mode, level)) & (entries - 1);
}

struct walk_format;

/* What the walk needs to know of the control registers; made by paging_make. */
struct paging {
	struct paddr root; /* of the table of the highest level; in PAE paging of the four PDPTEs */
	enum paging_mode mode;
	uint8_t levels;     /* of the mode */
	uint8_t maxphyaddr; /* physical address bits: CPUID 80000008H */
	bool nxe;           /* bit 63 means no-execute, else it is reserved: EFER.NXE, where entries have 64 bits */
	/* PAE paging: the processor's PDPTE registers. The table in RAM is read only when they are loaded. */
	struct pte pdpte[PAE_PDPTES];
	/* For the walk: */
	const struct walk_format *format;
	uint64_t reserved;       /* bits that are reserved in every entry */
	uint64_t reserved_in_4m; /* those of a 4 MiB page besides: address bits that the processor lacks */
};

/* pse: CR4.PSE, nxe: EFER.NXE; each is ignored in modes where it has no effect. The PDPTE registers are clear. */
struct paging paging_make(enum paging_mode mode, uint64_t cr3, uint8_t maxphyaddr, bool nxe, bool pse);
/* The bits that must be 0 in a present entry of this level, given whether it is one that maps a page. */
uint64_t paging_reserved_bits(const struct paging *paging, unsigned level, struct pte entry);
/* Loads the PDPTE registers from RAM; without effect in other modes. False: one that is present has a reserved bit set,
 * nothing was loaded. SDM 3A 4.4.1. */
bool paging_load_pdptes(struct paging *paging, const struct physmem *mem);

/* The same paging in another address space: what the processor would hold after a load of CR3. */
struct paging paging_elsewhere(const struct paging *paging, const struct physmem *mem, struct paddr root);

/* One entry that was read. */
struct walk_step {
	uint8_t level;   /* 5 PML5E, 4 PML4E, 3 PDPTE, 2 PDE, 1 PTE */
	struct paddr pa; /* of a PDPTE register: where it was loaded from */
	struct pte entry;
};

/* The rights of a translation: U/S and R/W are the AND, NX the OR over the path. */
struct walk_rights {
	bool user, writable, no_execute;
	uint8_t protection_key;
};

struct walk {
	enum walk_outcome outcome; /* never DENIED from walk_peek: that depends on the access */
	unsigned count;            /* entries used; the last one decided */
	unsigned registers;        /* how many of them, the first ones, came from PDPTE registers: 0 or 1 */
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

/* All bits above the highest translated one equal it: 48 bits with 4 levels, 57 with 5. SDM 1 3.3.7.1. With fewer
 * levels linear addresses have 32 bits, and any is good. */
static inline bool vaddr_is_canonical(struct vaddr va, unsigned levels)
{
	if (levels < 4)
		return va.v >> 32 == 0;
	unsigned unused = 64 - (PAGE_SHIFT + 9 * levels);
	return (uint64_t)((int64_t)(va.v << unused) >> unused) == va.v;
}

#endif
