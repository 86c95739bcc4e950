/* Taking pages away: which ones may go, what becomes of their content, and when. See mm/vmscan.c. */
#ifndef FAULTLINE_KERNEL_RECLAIM_H
#define FAULTLINE_KERNEL_RECLAIM_H

#include "faultline/frame.h"

struct kernel;
struct mm;
struct vma;

/* A page can be reclaimed from now on, or no longer. */
void reclaim_add(struct kernel *kernel, struct pfn frame);
void reclaim_forget(struct kernel *kernel, struct pfn frame);
/* There are frames to spend on a guess, such as readahead. */
bool reclaim_has_spare(const struct kernel *kernel);

/* ---- evict.c ---- */
/* Takes the page away from all who map it and frees its frame; what must be kept is written out. False: it stays,
 * because it is locked or swap is full. */
bool evict(struct kernel *kernel, struct pfn frame);
/* MADV_PAGEOUT: the pages of the range that only this address space maps. */
void evict_range(struct mm *mm, const struct vma *vma, struct vaddr start, struct vaddr end);

#endif
