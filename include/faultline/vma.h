/* Virtual memory areas: what an address space promises. A VMA says which addresses are valid and what may be done with
 * them; whether a frame stands behind a page is the page tables' business. */
#ifndef FAULTLINE_VMA_H
#define FAULTLINE_VMA_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/units.h"

struct file;
struct mm;

/* The flags, in the order of VM_* in include/linux/mm.h, with the two letters of the VmFlags line in /proc/PID/smaps:
 * X(ID, letters, text). The lowest three are equal to PROT_*. */
#define VMA_FLAG_LIST(X)                                                                                               \
	X(READ, "rd", "loads")                                                                                         \
	X(WRITE, "wr", "stores")                                                                                       \
	X(EXEC, "ex", "instruction fetches")                                                                           \
	X(SHARED, "sh", "stores are seen by all who map it")                                                           \
	X(MAYREAD, "mr", "mprotect may allow loads")                                                                   \
	X(MAYWRITE, "mw", "mprotect may allow stores")                                                                 \
	X(MAYEXEC, "me", "mprotect may allow fetches")                                                                 \
	X(MAYSHARE, "ms", "the mapping was asked for as shared")                                                       \
	X(GROWSDOWN, "gd", "grows down to an access below it: a stack")                                                \
	X(LOCKED, "lo", "pages stay in RAM: mlock")                                                                    \
	X(SEQ_READ, "sr", "MADV_SEQUENTIAL")                                                                           \
	X(RAND_READ, "rr", "MADV_RANDOM")                                                                              \
	X(DONTCOPY, "dc", "MADV_DONTFORK")                                                                             \
	X(DONTEXPAND, "de", "neither grows nor joins a neighbour: MAP_HUGETLB")                                        \
	X(LOCKONFAULT, "lf", "locked when it comes, not at once")                                                      \
	X(ACCOUNT, "ac", "counts against the overcommit limit")                                                        \
	X(NORESERVE, "nr", "MAP_NORESERVE")                                                                            \
	X(HUGETLB, "ht", "huge pages only: MAP_HUGETLB")                                                               \
	X(WIPEONFORK, "wf", "MADV_WIPEONFORK")                                                                         \
	X(DONTDUMP, "dd", "MADV_DONTDUMP")                                                                             \
	X(HUGEPAGE, "hg", "MADV_HUGEPAGE")                                                                             \
	X(NOHUGEPAGE, "nh", "MADV_NOHUGEPAGE, or MAP_STACK")                                                           \
	X(MERGEABLE, "mg", "MADV_MERGEABLE")

enum vma_bit {
#define X(id, letters, text) VMA_BIT_##id,
	VMA_FLAG_LIST(X)
#undef X
	    VMA_BITS
};

enum {
#define X(id, letters, text) VMA_##id = 1 << VMA_BIT_##id,
	VMA_FLAG_LIST(X)
#undef X
	    VMA_PROT = VMA_READ | VMA_WRITE | VMA_EXEC,
	VMA_MAY = VMA_MAYREAD | VMA_MAYWRITE | VMA_MAYEXEC,
	VMA_LOCKED_MASK = VMA_LOCKED | VMA_LOCKONFAULT,
};

/* Covers [start, end), both multiples of 4 KiB. Invariants: start < end; VMAs of one address space do not overlap and
 * stand in `prev`/`next` in address order. */
struct vma {
	struct vaddr start, end;
	uint32_t flags;
	/* Which anonymous memory has been written here: VMAs with different ones never merge (struct anon_vma of
	 * Linux). 0: none yet. */
	uint32_t anon;
	/* Page number of the start: in the file, or for private anonymous memory the one it had when first used. */
	uint64_t pgoff;
	struct file *file; /* NULL: private anonymous memory of small pages */
	const char *name;  /* for people: "[heap]", "[stack]", "text" ...; "" for anonymous mappings */
	bool reserves;     /* private, MAP_HUGETLB: what is not there yet is promised by the pool */
	struct vma *prev, *next;
	struct mm *mm;                     /* whose it is */
	struct vma *file_prev, *file_next; /* all that map the file */
	/* The tree; only vma.c looks at these. */
	struct vma *left, *right;
	uint64_t priority;
	uint64_t gap;     /* free bytes between prev->end and start */
	uint64_t max_gap; /* largest gap in the subtree */
};

/* "rwx" as /proc/PID/maps writes it; static storage of constants. */
const char *vma_prot_text(uint32_t flags);

static inline uint64_t vma_bytes(const struct vma *vma)
{
	return vma->end.v - vma->start.v;
}

#endif
