#include "pagemap.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* linux/fs.h, which is older on many systems than their kernel. */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan {
	uint64_t size, flags, start, end, walk_end;
	uint64_t vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_REQUEST _IOWR('f', 16, struct scan)
enum { SCAN_WP_MATCHING = 1 << 0, SCAN_CHECK_WPASYNC = 1 << 1 };
enum { IS_WRITTEN = 1 << 1, IS_PRESENT = 1 << 3, IS_SWAPPED = 1 << 4 };

bool page_run_visit(const struct page_run *run, uint64_t base, page_fn *visit, void *self)
{
	for (uint64_t at = run->start; at < run->end; at += PAGEMAP_PAGE_BYTES) {
		if (!visit(self, (size_t)((at - base) / PAGEMAP_PAGE_BYTES)))
			return false;
	}
	return true;
}

int pagemap_open(void)
{
	if (sysconf(_SC_PAGESIZE) != PAGEMAP_PAGE_BYTES)
		return -1;
	return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

bool pagemap_scan(int pagemap, enum pagemap_want want, uint64_t *at, uint64_t end, struct page_run *runs,
		  unsigned *count)
{
	struct scan_region regions[PAGEMAP_RUNS];
	struct scan scan = {
	    .size = sizeof(scan),
	    .flags = want == PAGEMAP_WRITTEN_FORGET ? SCAN_WP_MATCHING | SCAN_CHECK_WPASYNC : 0,
	    .start = *at,
	    .end = end,
	    .vec = (uintptr_t)regions,
	    .vec_len = PAGEMAP_RUNS,
	    .category_mask = want == PAGEMAP_KEPT ? 0 : IS_WRITTEN,
	    .category_anyof_mask = IS_PRESENT | IS_SWAPPED,
	    .return_mask = IS_PRESENT | IS_SWAPPED,
	};
	int found = ioctl(pagemap, SCAN_REQUEST, &scan);
	if (found < 0 || scan.walk_end <= *at)
		return false;
	for (int i = 0; i < found; i++)
		runs[i] = (struct page_run){regions[i].start, regions[i].end};
	*count = (unsigned)found;
	*at = scan.walk_end;
	return true;
}
