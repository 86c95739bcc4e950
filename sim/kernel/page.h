/* What page.c and page_range.c share. */
#ifndef FAULTLINE_KERNEL_PAGE_H
#define FAULTLINE_KERNEL_PAGE_H

#include "kernel_private.h"

/* The entry that a VMA's permissions call for; what is `ours` to write is a frame of our own, or shared memory. */
struct pte page_entry(const struct mm *mm, const struct vma *vma, struct pfn frame, bool ours);
/* A store through an entry of this VMA, whose pages are a file's, needs no fault before it. */
bool page_shares_writes(const struct vma *vma);
enum rss_kind page_kind(const struct frame *record);
/* Ends the mapping of an entry: the zero page is only counted, a page of a file stays in the page cache. True: the
 * frame is nobody's now; the caller frees it once no TLB can reach it. */
bool page_release(struct mm *mm, struct vaddr va, struct pte entry);

#endif
