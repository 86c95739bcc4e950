#include "paged.h"

#include <stdlib.h>

enum { FIRST_ROOT_FRAME = 1, FIRST_TABLE_FRAME = 16 };

#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITABLE | PTE_USER)

static unsigned index_bits(const struct paged *paged)
{
	return paged->mode == PAGING_32BIT ? 10 : 9;
}

static unsigned levels(const struct paged *paged)
{
	return paging_mode_info(paged->mode)->levels;
}

static unsigned root_entries(const struct paged *paged)
{
	return paged->mode == PAGING_PAE ? PAE_PDPTES : 1u << index_bits(paged);
}

static unsigned shift_of(const struct paged *paged, unsigned level)
{
	return PAGE_SHIFT + index_bits(paged) * (level - 1);
}

static uint64_t load(const struct paged *paged, struct paddr at)
{
	uint64_t entry = 0;
	physmem_read(paged->mem, at, &entry, paging_mode_info(paged->mode)->entry_bytes);
	return entry;
}

static void store(struct paged *paged, struct paddr at, uint64_t entry)
{
	physmem_write(paged->mem, at, &entry, paging_mode_info(paged->mode)->entry_bytes);
}

static struct paddr slot(const struct paged *paged, struct paddr table, uint64_t va, unsigned level)
{
	unsigned entries = level == levels(paged) ? root_entries(paged) : 1u << index_bits(paged);
	uint64_t index = (va >> shift_of(paged, level)) & (entries - 1);
	return paddr_add(table, index * paging_mode_info(paged->mode)->entry_bytes);
}

/* The first entry that is shared: the upper half, or the last quarter of 4 GiB. */
static unsigned first_shared(const struct paged *paged)
{
	unsigned entries = root_entries(paged);
	return levels(paged) > 3 ? entries / 2 : entries / 4 * 3;
}

/* Only those entries that the tests' addresses need point at tables; the others stay empty. */
static void make_roots(struct paged *paged)
{
	uint64_t rights = paged->mode == PAGING_PAE ? PTE_PRESENT : TABLE_FLAGS;
	uint64_t bytes = paging_mode_info(paged->mode)->entry_bytes;
	for (unsigned space = 0; space < PAGED_SPACES; space++) {
		paged->roots[space] = pfn_to_paddr(pfn(FIRST_ROOT_FRAME + space));
		store(paged, slot(paged, paged->roots[space], PAGED_USER, levels(paged)),
		      paged->next_table++ << PAGE_SHIFT | rights);
	}
	unsigned index = first_shared(paged);
	uint64_t shared = paged->next_table++ << PAGE_SHIFT | rights;
	for (unsigned space = 0; space < PAGED_SPACES; space++)
		store(paged, paddr_add(paged->roots[space], index * bytes), shared);
}

void paged_init(struct paged *paged, enum paging_mode mode, const struct machine_config *config)
{
	*paged = (struct paged){.mode = mode, .next_table = FIRST_TABLE_FRAME};
	bool long_mode = mode == PAGING_4LEVEL || mode == PAGING_5LEVEL;
	paged->arena = arena_new(machine_reserve_bytes(config) + MIB);
	if (!paged->arena)
		abort();
	bus_init(&paged->bus);
	paged->machine = machine_new(paged->arena, &paged->bus, config);
	paged->mem = machine_memory(paged->machine);
	paged->mmu = machine_mmu(paged->machine);
	paged->cpu = machine_cpu(paged->machine);
	unsigned sign = shift_of(paged, levels(paged) + 1) - 1;
	paged->shared = long_mode ? ~(uint64_t)0 << sign : 0xc0000000;
	make_roots(paged);
	uint64_t cr4 = CR4_PGE | CR4_PSE | (mode == PAGING_32BIT ? 0 : CR4_PAE) |
		       (mode == PAGING_5LEVEL ? CR4_LA57 : 0);
	machine_write_efer(paged->machine, EFER_NXE | (long_mode ? EFER_LME : 0));
	machine_write_cr4(paged->machine, cr4);
	machine_write_cr3(paged->machine, paged->roots[0].v);
	machine_write_cr0(paged->machine, CR0_PE | CR0_PG | CR0_WP);
	if (long_mode)
		machine_write_cr4(paged->machine, cr4 | CR4_PCIDE);
}

void paged_release(struct paged *paged)
{
	arena_free(paged->arena);
}

uint64_t paged_span(const struct paged *paged, unsigned level)
{
	return (uint64_t)1 << shift_of(paged, level);
}

struct paddr paged_entry(struct paged *paged, unsigned space, uint64_t va, unsigned level)
{
	struct paddr table = paged->roots[space];
	for (unsigned at = levels(paged); at > level; at--) {
		struct paddr upper = slot(paged, table, va, at);
		uint64_t entry = load(paged, upper);
		if (!(entry & PTE_PRESENT)) {
			entry = paged->next_table++ << PAGE_SHIFT | TABLE_FLAGS;
			store(paged, upper, entry);
		}
		table = pfn_to_paddr(pfn(pte_frame((struct pte){entry})));
	}
	return slot(paged, table, va, level);
}

void paged_set(struct paged *paged, unsigned space, uint64_t va, unsigned level, uint64_t entry)
{
	store(paged, paged_entry(paged, space, va, level), entry);
}

uint64_t paged_get(struct paged *paged, unsigned space, uint64_t va, unsigned level)
{
	return load(paged, paged_entry(paged, space, va, level));
}

uint64_t paged_cr3(const struct paged *paged, unsigned space)
{
	return paged->roots[space].v | (paged->cpu->cr4 & CR4_PCIDE ? space : 0);
}
