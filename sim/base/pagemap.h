/* What the host knows of our pages: ioctl PAGEMAP_SCAN of /proc/self/pagemap, since Linux 6.7. */
#ifndef FAULTLINE_BASE_PAGEMAP_H
#define FAULTLINE_BASE_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGEMAP_PAGE_BYTES = 4096, PAGEMAP_RUNS = 512 };

/* Pages of the host, by address. */
struct page_run {
	uint64_t start, end;
};

/* Among the pages that have something in memory or in the host's swap. */
enum pagemap_want {
	PAGEMAP_KEPT,           /* all */
	PAGEMAP_WRITTEN,        /* those that were written, where that is watched (written.h) */
	PAGEMAP_WRITTEN_FORGET, /* the same, which count as not written from now on */
};

/* `page` is its number from the base of a mapping on. False: no more of them. */
typedef bool page_fn(void *self, size_t page);
/* False when a visit said so. */
bool page_run_visit(const struct page_run *run, uint64_t base, page_fn *visit, void *self);

/* The descriptor, closed by whoever opened it; negative: the host has none, or pages of another size. */
int pagemap_open(void);
/* The next runs in [*at, end), which moves *at behind what they tell of. False: the host does not answer. */
bool pagemap_scan(int pagemap, enum pagemap_want want, uint64_t *at, uint64_t end, struct page_run *runs,
		  unsigned *count);

#endif
