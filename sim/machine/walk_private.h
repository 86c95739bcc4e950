/* The walk as the MMU drives it: it may begin below the root, where a paging-structure cache knows the way. */
#ifndef FAULTLINE_WALK_PRIVATE_H
#define FAULTLINE_WALK_PRIVATE_H

#include "faultline/walk.h"

/* Where to read the first entry, and the rights of the entries above it. */
struct walk_start {
	unsigned level;
	struct paddr table;
	struct walk_rights rights;
};

struct walk_start walk_start_at_root(const struct paging *paging);
/* The span of an entry of this level: log2 of its bytes. */
unsigned walk_level_shift(const struct paging *paging, unsigned level);
/* Reads entries from `start` downwards. The address is canonical. */
void walk_read(const struct physmem *mem, const struct paging *paging, const struct walk_start *start, struct vaddr va,
	       struct walk *out);

/* What a successful walk leaves in RAM, SDM 3A 4.8: A in every entry that it used, D in the leaf for a write. A PDPTE
 * register has no A bit. */
struct walk_marks {
	unsigned accessed, dirty; /* entries that got the bit now */
};
struct walk_marks walk_mark(struct physmem *mem, const struct paging *paging, struct walk *walk, bool write);

#endif
