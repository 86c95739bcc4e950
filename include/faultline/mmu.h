/* Memory management unit: turns linear addresses into physical ones through TLBs, paging-structure caches and the
 * tables in RAM, exactly as paging is described in SDM 3A chapter 4. It knows nothing of any operating system. A
 * refused access is a value, struct fault. Owner: struct machine. */
#ifndef FAULTLINE_MMU_H
#define FAULTLINE_MMU_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/tlb.h"
#include "faultline/units.h"
#include "faultline/walk.h"

enum access_kind { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH, ACCESS_KIND_COUNT };

const char *access_kind_name(enum access_kind kind); /* "read", "write", "fetch" */

/* An access that has been served, for who watches: machine_watch. */
struct mmu_reference {
	struct vaddr va;
	struct paddr pa;
	enum access_kind kind;
};
enum { MMU_WATCHERS = 2 };
typedef void mmu_watch_fn(void *self, const struct mmu_reference *reference);

/* Vectors of SDM 3A table 6-1: X(ID, number, name, pushes an error code, text) */
#define VECTOR_LIST(X)                                                                                                 \
	X(DIVIDE, 0, "#DE", 0, "divide error")                                                                         \
	X(DEBUG, 1, "#DB", 0, "debug")                                                                                 \
	X(BREAKPOINT, 3, "#BP", 0, "breakpoint")                                                                       \
	X(OVERFLOW, 4, "#OF", 0, "overflow")                                                                           \
	X(BOUND, 5, "#BR", 0, "bound range exceeded")                                                                  \
	X(INVALID_OPCODE, 6, "#UD", 0, "invalid opcode")                                                               \
	X(NO_DEVICE, 7, "#NM", 0, "device not available")                                                              \
	X(DOUBLE_FAULT, 8, "#DF", 1, "double fault")                                                                   \
	X(INVALID_TSS, 10, "#TS", 1, "invalid TSS")                                                                    \
	X(NOT_PRESENT, 11, "#NP", 1, "segment not present")                                                            \
	X(STACK, 12, "#SS", 1, "stack-segment fault")                                                                  \
	X(PROTECTION, 13, "#GP", 1, "general protection")                                                              \
	X(PAGE_FAULT, 14, "#PF", 1, "page fault")                                                                      \
	X(ALIGNMENT, 17, "#AC", 1, "alignment check")

enum vector {
#define X(id, number, name, error, text) VECTOR_##id = (number),
	VECTOR_LIST(X)
#undef X
	    VECTOR_COUNT = 256
};

const char *vector_name(unsigned vector); /* "#PF"; "INT" for a vector that the processor itself never raises */

/* Error code of a page fault, SDM 3A 4.7. */
#define FAULT_PRESENT ((uint32_t)1 << 0)
#define FAULT_WRITE ((uint32_t)1 << 1)
#define FAULT_USER ((uint32_t)1 << 2)
#define FAULT_RESERVED ((uint32_t)1 << 3)
#define FAULT_FETCH ((uint32_t)1 << 4)
#define FAULT_PROTECTION_KEY ((uint32_t)1 << 5)

/* Why an access was refused: #PF, or #GP(0) / #SS(0) for an address that is not canonical. */
struct fault {
	unsigned vector;
	uint32_t error_code;
	struct vaddr va;
};

/* Facts, counted per access. A range that is touched counts as so many accesses as it has 8-byte words; all but the
 * first of one page are L1 hits. A cached entry that does not allow an access (a right is missing, or the first write
 * through a clean entry) is dropped and is no hit. Identities, which mmu_check() verifies:
 *	sum(accesses) == sum(l1_hits) + sum(l1_misses)
 *	sum(l1_misses) == sum(l2_hits) + walks - rewalks_stale_path
 *	walks == sum(walk_mapped) + walk_refused + rewalks_stale_path
 *	filled == valid entries now + evicted + flushed + dropped */
struct mmu_stats {
	uint64_t accesses[ACCESS_KIND_COUNT];
	uint64_t l1_hits[TLB_SIDE_COUNT][PAGE_SIZE_COUNT]; /* by the size of the TLB entry */
	uint64_t l1_misses[TLB_SIDE_COUNT];
	uint64_t l2_hits[PAGE_SIZE_COUNT];
	uint64_t walks;
	uint64_t walk_entries;                 /* paging-structure entries read from RAM */
	uint64_t walk_mapped[PAGE_SIZE_COUNT]; /* walks that found a page of this size and were allowed to use it */
	uint64_t walk_refused;                 /* walks that ended in a page fault */
	uint64_t walk_cycles;                  /* charged for L2 TLB hits and walks */
	uint64_t rewalks_dirty;                /* walks because a cached entry was clean and the access a write */
	uint64_t rewalks_denied;               /* walks because a cached entry denied the access */
	uint64_t rewalks_stale_path; /* second walks from the root, when one from a paging-structure cache was denied */
	uint64_t psc_hits[PSC_LEVEL_COUNT];
	uint64_t page_faults;
	uint64_t not_canonical;
	uint64_t unpaged; /* accesses with CR0.PG clear; not part of accesses[] */
	uint64_t flushes; /* INVLPG, CR3 loads that flush, CR0/CR4 writes that flush */
	uint64_t flushed; /* valid TLB entries dropped by them */
	uint64_t evicted; /* valid TLB entries replaced by others */
	uint64_t dropped; /* valid TLB entries dropped because they denied an access, and by page faults */
	uint64_t filled;  /* TLB entries written */
	uint64_t accessed_set, dirty_set; /* entries in RAM that got A, D */
};

struct mmu;

const struct mmu_stats *mmu_stats(const struct mmu *mmu);
uint64_t mmu_stats_accesses(const struct mmu_stats *stats);
uint64_t mmu_stats_l1_hits(const struct mmu_stats *stats);
uint64_t mmu_stats_l1_misses(const struct mmu_stats *stats);
uint64_t mmu_stats_l2_hits(const struct mmu_stats *stats);
/* One access of at most 8 bytes within a page, as the current ring makes it; the result is a value, nothing is
 * delivered. What machine_load and its kin do before they move data or raise the exception. */
bool mmu_access(struct mmu *mmu, struct vaddr va, enum access_kind kind, struct paddr *pa, struct fault *fault);
/* The same through the stack segment: an address that is not canonical is #SS(0) instead of #GP(0). */
bool mmu_access_stack(struct mmu *mmu, struct vaddr va, enum access_kind kind, struct paddr *pa, struct fault *fault);

/* The identities above; false with the broken one in words. */
bool mmu_check(const struct mmu *mmu, const char **why);

/* How the tables are read now: root, levels, MAXPHYADDR, NXE. */
struct paging mmu_paging(const struct mmu *mmu);
/* Where the tables in RAM (not the TLBs) put this address now. Touches and counts nothing. */
bool mmu_peek(const struct mmu *mmu, struct vaddr va, struct paddr *pa);

/* The TLBs, for the checker and the visualizer: arrays 0 .. count - 1, first-level data, first-level instruction,
 * second level, as far as the profile has them. */
unsigned mmu_tlb_count(const struct mmu *mmu);
const struct tlb *mmu_tlb(const struct mmu *mmu, unsigned index);

/* The paging-structure caches, by the level of the entries that they hold: slots 0 .. count - 1, 0 slots where the
 * profile has no such cache or the paging mode no such level. */
struct psc_slot {
	struct vaddr page;  /* the first address that the entry serves, sign-extended */
	uint64_t bytes;     /* so many of them */
	struct paddr table; /* the next table, where a walk begins that finds it */
	uint16_t pcid;
	struct walk_rights rights; /* of the path down to it */
};
unsigned mmu_psc_slots(const struct mmu *mmu, enum psc_level level);
bool mmu_psc_slot(const struct mmu *mmu, enum psc_level level, unsigned slot, struct psc_slot *out); /* false: empty */

#endif
