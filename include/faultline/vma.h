/* Virtual memory areas: what an address space promises. A VMA says which addresses are valid and what may be done with
 * them; whether a frame stands behind a page is the page tables' business. */
#ifndef FAULTLINE_VMA_H
#define FAULTLINE_VMA_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/units.h"

enum {
	VMA_READ = 1, /* equal to PROT_* */
	VMA_WRITE = 2,
	VMA_EXEC = 4,
	VMA_GROWSDOWN = 8, /* the stack */
	VMA_NORESERVE = 16,
	VMA_HEAP = 32,     /* grown by brk */
	VMA_IMAGE = 64,    /* backed by the program's image; resident from the start */
	VMA_ACCOUNT = 128, /* counts against the overcommit limit */
	VMA_HUGE = 256,    /* 2 MiB pages only: MAP_HUGETLB */
	VMA_PROT = 7,
};

/* Covers [start, end), both multiples of 4 KiB. Invariants: start < end; VMAs of one address space do not overlap and
 * stand in `prev`/`next` in address order. */
struct vma {
	struct vaddr start, end;
	uint32_t flags;
	const char *name; /* "[heap]", "[stack]", "text" ...; "" for anonymous mappings */
	struct vma *prev, *next;
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
