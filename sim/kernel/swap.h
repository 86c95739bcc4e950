/* The swap area: slots of one page each, how many entries lead to each of them, and the swap cache. See
 * mm/swapfile.c, mm/swap_state.c. */
#ifndef FAULTLINE_KERNEL_SWAP_H
#define FAULTLINE_KERNEL_SWAP_H

#include "block.h"
#include "faultline/arena.h"
#include "faultline/physmem.h"
#include "layout.h"

struct kernel;
struct mm;
struct vma;

enum { SWAP_CLUSTER = 256 }; /* SWAPFILE_CLUSTER: slots that are given away in order */

/* A slot is in use while an entry leads to it, or a frame of the swap cache has its content.
 * Invariants: used counts those; entries is the sum of all counts; cached counts the frames of the cache. */
struct swap {
	struct physmem *store;
	struct block_device device;
	uint64_t slots;   /* slot 0 is the header: never given away */
	uint32_t *counts; /* by slot: entries of tables, and of files in memory */
	uint32_t *frames; /* by slot: the frame in the swap cache, 0: none */
	uint64_t *keys;   /* by slot: under which key the replacement policy remembers the page */
	uint16_t *taken;  /* by cluster: slots in use */
	uint64_t used, entries, cached;
	uint64_t next; /* where the search goes on */
};

void swap_init(struct swap *swap, struct arena *arena, uint64_t bytes, enum block_kind kind);
uint64_t swap_reserve_bytes(uint64_t bytes); /* of host address space */

static inline bool swap_exists(const struct swap *swap)
{
	return swap->slots > 1;
}

static inline uint64_t swap_total(const struct swap *swap)
{
	return swap_exists(swap) ? swap->slots - 1 : 0;
}

/* vm_swap_full: slots of pages that are in RAM are given back early. */
static inline bool swap_is_half_full(const struct swap *swap)
{
	return swap->used * 2 > swap_total(swap);
}

/* ---- entries: arch/x86/include/asm/pgtable_64.h, pgtable-2level.h ---- */

/* Not present, and with neither bit 7 nor bit 8 (PROT_NONE). The offset is stored inverted in 64-bit entries, so that
 * the address bits point beyond RAM (L1TF). */
static inline struct pte swap_entry(const struct layout *layout, uint64_t slot)
{
	return (struct pte){layout->entry_bytes == 4 ? slot << 9 : ~slot << 14 >> 5};
}

static inline uint64_t swap_entry_slot(const struct layout *layout, struct pte entry)
{
	return layout->entry_bytes == 4 ? entry.word >> 9 : ~(entry.word << 5) >> 14;
}

/* ---- slots ---- */
bool swap_slot_take(struct kernel *kernel, uint64_t *slot); /* false: swap is full. Give it a use at once. */
void swap_get(struct kernel *kernel, uint64_t slot);        /* one more entry */
void swap_put(struct kernel *kernel, uint64_t slot);        /* one fewer; the last one frees what nobody needs */

/* ---- the swap cache ---- */
struct pfn swap_cache_find(const struct kernel *kernel, uint64_t slot); /* 0: none */
void swap_cache_add(struct kernel *kernel, struct pfn frame, uint64_t slot);
void swap_cache_remove(struct kernel *kernel, struct pfn frame); /* the slot goes with the last entry */

/* ---- transfers ---- */
void swap_write(struct kernel *kernel, struct pfn frame, uint64_t slot);
/* The page of the slot into a new frame of the swap cache, and those around it, as the device likes it; waits. `va` is
 * where the fault was. False: no frame is left. */
bool swap_read(struct kernel *kernel, struct mm *mm, const struct vma *vma, struct vaddr va, uint64_t slot,
	       struct pfn *out);
/* Into a frame that has a place already. Waits. */
void swap_read_into(struct kernel *kernel, uint64_t slot, struct pfn frame);

bool swap_check(const struct kernel *kernel, const char **why);

#endif
