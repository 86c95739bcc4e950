/* Paging-structure caches: remember upper-level entries, so that a walk can begin near the leaf. An entry holds the
 * address of the next table and the rights of the whole path above it. SDM 3A 4.10.3. */
#ifndef FAULTLINE_PSC_H
#define FAULTLINE_PSC_H

#include "faultline/arena.h"
#include "faultline/mmu.h"
#include "tlb_private.h"
#include "walk_private.h"

enum { PSC_WAYS = 4 };

struct psc_entry {
	uint64_t tag; /* valid, PCID, linear address above the span of the entry; 0: empty */
	struct paddr table;
	struct walk_rights rights;
	uint64_t stamp;
};

/* The cache of one level. */
struct psc {
	unsigned level; /* of the paging-structure entries that it holds */
	unsigned shift; /* log2 of the bytes that one spans, in the current paging mode */
	uint32_t sets;  /* 0: this cache does not exist */
	struct psc_entry *entries;
};

void psc_init(struct psc *psc, struct arena *arena, unsigned level, unsigned entries);
/* True when the entry of this level for the address is known: the walk continues at *start. */
bool psc_find(struct psc *psc, struct tlb_key key, uint64_t tick, struct walk_start *start);
void psc_insert(struct psc *psc, struct tlb_key key, uint64_t tick, struct paddr table,
		const struct walk_rights *rights);
void psc_drop_address(struct psc *psc, struct tlb_key key);
void psc_drop_pcid(struct psc *psc, uint64_t pcid);
void psc_drop_all(struct psc *psc);
/* False: the slot is empty. */
bool psc_look(const struct psc *psc, unsigned slot, unsigned levels, struct psc_slot *out);

#endif
