/* When pages are taken away, and which: mm/vmscan.c. */
#include "reclaim.h"

#include "kernel_private.h"

void reclaim_add(struct kernel *kernel, struct pfn frame)
{
	(void)kernel, (void)frame;
}

void reclaim_forget(struct kernel *kernel, struct pfn frame)
{
	(void)kernel, (void)frame;
}

bool reclaim_has_spare(const struct kernel *kernel)
{
	return frame_pool_free(kernel->frames) > frame_pool_total(kernel->frames) / 64;
}
