/* Which pages of a mapping have been written: the host protects them, and an asynchronous userfaultfd takes the
 * protection away at the first write to each. Since Linux 6.7; see admin-guide/mm/userfaultfd.rst, "Write Protect
 * Notifications". */
#ifndef FAULTLINE_BASE_WRITTEN_H
#define FAULTLINE_BASE_WRITTEN_H

#include "pagemap.h"

struct written {
	int faults, pagemap;
	uint64_t base;
};

/* Begins to watch an anonymous mapping, in which every page counts as written. False: the host cannot. */
bool written_watch(struct written *written, const void *base, size_t bytes);
void written_release(struct written *written);
/* Visits the written ones among the first `pages` pages, in order; `forget`: they count as not written from now on, but
 * for what the visits write. False when the host did not answer, or a visit said so. */
bool written_visit(const struct written *written, size_t pages, bool forget, page_fn *visit, void *self);

#endif
