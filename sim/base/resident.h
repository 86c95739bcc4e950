/* Which pages of a mapping the host keeps something for, in memory or in its swap. All others of an anonymous mapping
 * hold zero. */
#ifndef FAULTLINE_BASE_RESIDENT_H
#define FAULTLINE_BASE_RESIDENT_H

#include <stdbool.h>
#include <stddef.h>

enum { RESIDENT_PAGE_BYTES = 4096 };

/* How the host is asked, the first that it answers. Where it answers none, every page counts: right, and slow. */
enum resident_way {
	RESIDENT_BY_SCAN = 1,    /* ioctl PAGEMAP_SCAN, since Linux 6.7: passes over what is empty at once */
	RESIDENT_BY_ENTRIES = 2, /* reads an entry of /proc/self/pagemap for each page */
	RESIDENT_ANY_WAY = 3,
};

/* `page` is its number in the mapping. */
typedef bool resident_fn(void *self, size_t page);
/* Visits those of the first `pages` pages at `base`, in order, and some that hold zero; a visit may write to pages up
 * to its own. False when a visit said so. */
bool resident_visit(const void *base, size_t pages, enum resident_way ways, resident_fn *visit, void *self);

#endif
