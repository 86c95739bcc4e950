/* Huge pages made of small ones, afterwards. See mm/khugepaged.c. */
#ifndef FAULTLINE_KERNEL_KHUGEPAGED_H
#define FAULTLINE_KERNEL_KHUGEPAGED_H

#include "kernel_private.h"

/* The thread's turn: called when thp.next_scan has come. */
void khugepaged_run(struct kernel *kernel);
/* MADV_COLLAPSE of a part of one VMA: 0, or -errno of the last failure. */
int64_t khugepaged_collapse_range(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end);

/* It wakes at the first entry to the kernel after its sleep. */
static inline void khugepaged_wake(struct kernel *kernel)
{
	if (kernel->bus->cycle >= kernel->thp.next_scan)
		khugepaged_run(kernel);
}

#endif
