/* Translation lookaside buffer: remembers finished walks in set-associative arrays with exact LRU replacement. Open for
 * looking; only the MMU changes it. SDM 3A 4.10.2. */
#ifndef FAULTLINE_TLB_H
#define FAULTLINE_TLB_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/units.h"

/* X(ID, log2 of bytes, name). 4M pages are those of 32-bit paging. */
#define PAGE_SIZE_LIST(X)                                                                                              \
	X(4K, 12, "4K")                                                                                                \
	X(2M, 21, "2M")                                                                                                \
	X(1G, 30, "1G")                                                                                                \
	X(4M, 22, "4M")

enum page_size {
#define X(id, shift, name) PAGE_SIZE_##id,
	PAGE_SIZE_LIST(X)
#undef X
	    PAGE_SIZE_COUNT
};

#define PAGE_SIZE_BIT(size) (1u << (size))

const char *page_size_name(enum page_size size);

static inline unsigned page_size_shift(enum page_size size)
{
	static const uint8_t shifts[] = {
#define X(id, shift, name) (shift),
	    PAGE_SIZE_LIST(X)
#undef X
	};
	return shifts[size];
}

static inline uint64_t page_size_bytes(enum page_size size)
{
	return (uint64_t)1 << page_size_shift(size);
}

/* Instruction fetches have a first-level TLB of their own. */
enum tlb_side { TLB_DATA, TLB_INSTRUCTION, TLB_SIDE_COUNT };

#define TLB_SIDE_BIT(side) (1u << (side))

enum tlb_role { TLB_ROLE_L1D, TLB_ROLE_L1I, TLB_ROLE_L2 };

const char *tlb_role_name(enum tlb_role role); /* "L1D", "L1I", "L2" */

/* One array of a profile. A page larger than every size that a level holds is kept in pieces of the largest one that
 * fits (SDM 3A 4.10.2.3). */
struct tlb_geometry {
	uint8_t page_sizes; /* PAGE_SIZE_BIT(...) of each size that it holds; 0: the array does not exist */
	uint16_t sets;      /* power of two; the set is the page number modulo sets */
	uint16_t ways;
	bool xor_index; /* the set is the exclusive or of the two lowest groups of page number bits */
	uint8_t sides;  /* L2 only: 0 serves data and instructions, else TLB_SIDE_BIT(...) of the one */
};

/* Which entry of a full set makes way: X(ID, name, text). */
#define TLB_REPLACEMENT_LIST(X)                                                                                        \
	X(LRU, "lru", "the least recently used, exactly")                                                              \
	X(FIFO, "fifo", "the one filled first")                                                                        \
	X(TREE_PLRU, "tree-plru", "the one that a binary tree of pointers away from each use leads to: pseudo-LRU")    \
	X(RANDOM, "random", "any, from a seeded generator")

enum tlb_replacement {
#define X(id, name, text) TLB_##id,
	TLB_REPLACEMENT_LIST(X)
#undef X
	    TLB_REPLACEMENT_COUNT
};

const char *tlb_replacement_name(enum tlb_replacement replacement);
const char *tlb_replacement_text(enum tlb_replacement replacement);

struct tlb;

/* A valid entry as an observer sees it. */
struct tlb_entry {
	struct vaddr page;           /* first address, sign-extended */
	struct pfn frame;            /* its first 4 KiB frame */
	enum page_size size;         /* of the entry */
	enum page_size mapping_size; /* of the page in the tables; larger than size if kept in pieces */
	uint16_t pcid;               /* 0 when global */
	bool global, user, writable, no_execute, dirty;
	uint8_t protection_key;
	uint64_t stamp; /* greater: used (LRU) or filled (other policies) later */
};

struct tlb_geometry tlb_geometry(const struct tlb *tlb);
enum tlb_role tlb_role(const struct tlb *tlb);
enum tlb_replacement tlb_replacement(const struct tlb *tlb);
/* Slots are numbered 0 .. sets * ways - 1, set by set. False when the slot is empty. */
unsigned tlb_slots(const struct tlb *tlb);
bool tlb_slot(const struct tlb *tlb, unsigned slot, struct tlb_entry *out);

/* Caches of upper-level entries, by the level of the entry: SDM 3A 4.10.3. */
#define PSC_LEVEL_LIST(X)                                                                                              \
	X(PDE, 2, "PDE")                                                                                               \
	X(PDPTE, 3, "PDPTE")                                                                                           \
	X(PML4E, 4, "PML4E")                                                                                           \
	X(PML5E, 5, "PML5E")

enum psc_level {
#define X(id, level, name) PSC_##id,
	PSC_LEVEL_LIST(X)
#undef X
	    PSC_LEVEL_COUNT
};

#endif
