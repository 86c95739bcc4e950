/* Huge pages of MAP_HUGETLB: pools that are filled at boot, and promises on them. See mm/hugetlb.c. Without a pool each
 * page of the default size is made when it is touched, as with vm.nr_overcommit_hugepages; those of 1 GiB come only
 * from a pool. Behind each mapping is a file (fs/hugetlbfs/inode.c): it has the pages and the promises of a shared
 * one. A private one has them in its own tables, and its promises go with the VMA of who made it. */
#ifndef FAULTLINE_KERNEL_HUGETLB_H
#define FAULTLINE_KERNEL_HUGETLB_H

#include "faultline/frame.h"
#include "faultline/process.h"
#include "faultline/pte.h"
#include "faultline/status.h"

struct area;
struct file;
struct kernel;
struct layout;
struct mm;
struct vma;

/* What an entry of level 2 maps, and what one of level 3 does in 4-level and 5-level paging. */
enum hugetlb_size { HUGETLB_DEFAULT, HUGETLB_GIGANTIC, HUGETLB_SIZES };

/* The pool of one size: struct hstate.
 * Invariants: free counts the pages of the chain that begins at first; reserved, what is promised and not touched yet,
 * to somebody or, lost of them, to nobody; free <= total. A promise can be broken: a child may keep the page that its
 * parent has let go of. */
struct hugetlb {
	uint64_t total, free, reserved, lost;
	uint32_t first;
};

/* Takes the pages of both pools out of RAM. Of the default size as many as there is room for, as Linux does. BAD_INPUT:
 * the paging mode has no pages of 1 GiB, or RAM no room for them. */
enum status hugetlb_fill(struct kernel *kernel, struct error *error);
/* hstate_sizelog: the level of the entries that map pages of the size that flags of mmap ask for; 1: of 4 KiB. 0: there
 * is no such size. */
unsigned hugetlb_level(const struct layout *layout, uint64_t map_flags);
static inline enum hugetlb_size hugetlb_size(unsigned level)
{
	return level == 2 ? HUGETLB_DEFAULT : HUGETLB_GIGANTIC;
}
/* hugetlb_file_setup, hugetlb_reserve_pages: the area gets a file, and promises unless it wants none. False: the pool
 * cannot give them. */
bool hugetlb_reserve(struct mm *mm, struct area *area, unsigned level);
void hugetlb_unreserve(struct mm *mm, const struct vma *vma, uint64_t bytes); /* of a private VMA */
/* Pages that are promised to a part of a private VMA, and to the file of a shared one. */
uint64_t hugetlb_promised(const struct vma *vma, struct vaddr start, struct vaddr end);
uint64_t hugetlb_promised_file(const struct kernel *kernel, const struct file *file);
/* The file is about to end: what it has not touched is promised no longer. */
void hugetlb_forget(struct kernel *kernel, const struct file *file);
/* hugetlb_fault */
enum fault_cause hugetlb_fault(struct mm *mm, struct vma *vma, struct vaddr va, bool write);
/* Whether a fault takes a page from the free frames, not from a pool. */
bool hugetlb_takes_frames(const struct mm *mm, const struct vma *vma);
/* The frame of va in the page of a shared mapping, whoever has touched that. False: nobody, or the VMA is private. */
bool hugetlb_frame(const struct vma *vma, struct vaddr va, struct pfn *out);
/* copy_hugetlb_page_range: the child maps what the parent maps in a private VMA. False: no frame for a table. */
bool hugetlb_copy(struct mm *child, struct mm *parent, struct vaddr va, struct paddr entry_pa, struct pte entry);
/* move_hugetlb_page_tables: the entries of a part of the VMA. False: no frame for a table, and nothing has moved. */
bool hugetlb_move(const struct vma *vma, struct vaddr from, struct vaddr to, uint64_t bytes);
/* clear_vma_resv_huge_pages: the promise has moved with [start, end). What the rest of the VMA had been promised is
 * lost: nobody may take it, and nobody gives it back. So it is in Linux 6.18. */
void hugetlb_move_promise(struct vma *vma, struct vaddr start, struct vaddr end);
/* Ends the mapping of an entry. True: the page is nobody's now, and is to be freed once no TLB can reach it. */
bool hugetlb_release(struct mm *mm, struct vaddr va, struct pfn page);
/* hugetlbfs_punch_hole: pages of a file, by number of 4 KiB, are nobody's any more. They are promised no longer. */
void hugetlb_remove(struct mm *mm, struct file *file, uint64_t first, uint64_t end);
/* Nobody has the page any more. */
void hugetlb_free(struct kernel *kernel, struct pfn page);
bool hugetlb_check(const struct kernel *kernel, const char **why);

#endif
