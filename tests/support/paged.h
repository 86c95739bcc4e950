/* A machine in any paging mode with several address spaces and nothing else: no kernel, no descriptor tables. For tests
 * of translation, which make accesses as values (mmu_access) and never raise an exception. */
#ifndef FAULTLINE_PAGED_H
#define FAULTLINE_PAGED_H

#include "faultline/machine.h"

enum { PAGED_SPACES = 3 };

#define PAGED_PAGES ((uint64_t)0x800000) /* from here on RAM is for the test's own pages */
#define PAGED_USER ((uint64_t)0x40000000)

struct paged {
	struct arena *arena;
	struct bus bus;
	struct machine *machine;
	struct physmem *mem;
	struct mmu *mmu;
	struct cpu *cpu;
	enum paging_mode mode;
	struct paddr roots[PAGED_SPACES]; /* space n has PCID n where there are PCIDs */
	uint64_t shared;                  /* from this address on the spaces share their tables */
	uint64_t next_table;              /* frame */
};

/* Paging is on, CPL 0, in space 0; CR4.PGE, and CR4.PCIDE in IA-32e mode. All root entries point at tables. config has
 * at least 16 MiB of memory. */
void paged_init(struct paged *paged, enum paging_mode mode, const struct machine_config *config);
void paged_release(struct paged *paged);

/* How far the span of one entry of this level reaches. */
uint64_t paged_span(const struct paged *paged, unsigned level);
/* Where the entry of this level for va lies; tables above it are made, with every right. */
struct paddr paged_entry(struct paged *paged, unsigned space, uint64_t va, unsigned level);
/* Writes that entry. A table that it pointed at before is forgotten. */
void paged_set(struct paged *paged, unsigned space, uint64_t va, unsigned level, uint64_t entry);
uint64_t paged_get(struct paged *paged, unsigned space, uint64_t va, unsigned level);
/* The value of CR3 for the space. */
uint64_t paged_cr3(const struct paged *paged, unsigned space);

#endif
