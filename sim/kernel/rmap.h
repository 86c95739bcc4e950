/* Reverse mapping: who maps a frame. An anonymous frame knows its entries one by one, as the pte_chain of Linux 2.5
 * did; a page of a file is looked for in the VMAs that map the file, as i_mmap does. See mm/rmap.c. */
#ifndef FAULTLINE_KERNEL_RMAP_H
#define FAULTLINE_KERNEL_RMAP_H

#include "faultline/frame.h"
#include "faultline/pte.h"

struct kernel;
struct mm;
struct vma;

/* One more entry of an anonymous frame. */
struct rmap_node {
	uint32_t next;  /* 0: none */
	uint32_t space; /* mm->id */
	uint64_t vpn;
};

enum { RMAP_NODES = 1 << 26 };

struct rmap {
	struct rmap_node *nodes; /* node 0 is none */
	uint32_t free, fresh;    /* head of the free ones; those from here on were never used */
};

void rmap_init(struct kernel *kernel);
uint64_t rmap_reserve_bytes(void);

/* An entry of an anonymous frame appears, goes, or moves. */
void rmap_add(struct mm *mm, struct pfn frame, struct vaddr va);
void rmap_remove(struct mm *mm, struct pfn frame, struct vaddr va);
void rmap_move(struct mm *mm, struct pfn frame, struct vaddr from, struct vaddr to);
/* Whether the entry is known to its frame. */
bool rmap_has(const struct kernel *kernel, struct pfn frame, uint32_t space, uint64_t vpn);

/* Calls fn for each entry that maps the frame, until it says false. fn may take the entry away. */
struct rmap_entry {
	struct mm *mm;
	struct vma *vma;
	struct vaddr va; /* of the frame */
	struct paddr entry_pa;
	struct pte entry; /* of a huge page, perhaps, in which the frame is */
};
typedef bool rmap_fn(const struct rmap_entry *entry, void *self);
bool rmap_for_each(struct kernel *kernel, struct pfn frame, rmap_fn *fn, void *self); /* false: fn said so */

#endif
