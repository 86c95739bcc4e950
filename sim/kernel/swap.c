#include "swap.h"

#include "kernel_private.h"
#include "reclaim.h"

void swap_init(struct swap *swap, struct arena *arena, uint64_t bytes, enum block_kind kind)
{
	swap->device.kind = block_kind_info(kind);
	swap->slots = bytes / PAGE_BYTES;
	if (!swap_exists(swap))
		return;
	swap->store = physmem_new(arena, swap->slots * PAGE_BYTES);
	swap->counts = arena_new_array(arena, uint32_t, swap->slots);
	swap->frames = arena_new_array(arena, uint32_t, swap->slots);
	swap->keys = arena_new_array(arena, uint64_t, swap->slots);
	swap->taken = arena_new_array(arena, uint16_t, swap->slots / SWAP_CLUSTER + 1);
	swap->taken[0] = 1; /* the header */
	swap->next = 1;
}

uint64_t swap_reserve_bytes(uint64_t bytes)
{
	const uint64_t per_slot = 2 * sizeof(uint32_t) + sizeof(uint64_t);
	uint64_t slots = bytes / PAGE_BYTES;
	return physmem_reserve_bytes(bytes) + slots * per_slot + (slots / SWAP_CLUSTER + 1) * sizeof(uint16_t) +
	       PAGE_BYTES;
}

/* ---- slots ---- */

static bool is_free(const struct swap *swap, uint64_t slot)
{
	return slot != 0 && swap->counts[slot] == 0 && swap->frames[slot] == 0;
}

/* The first slot of an empty cluster, searched from this cluster on; where there is none, the slot given. */
static uint64_t empty_cluster(const struct swap *swap, uint64_t slot)
{
	uint64_t clusters = swap->slots / SWAP_CLUSTER; /* a last one that is cut off is never empty */
	for (uint64_t i = 0; i < clusters; i++) {
		uint64_t cluster = (slot / SWAP_CLUSTER + i) % clusters;
		if (swap->taken[cluster] == 0)
			return cluster * SWAP_CLUSTER;
	}
	return slot;
}

bool swap_slot_take(struct kernel *kernel, uint64_t *out)
{
	struct swap *swap = &kernel->swap;
	if (swap->used >= swap_total(swap))
		return false;
	uint64_t slot = swap->next < swap->slots ? swap->next : 0;
	if (slot % SWAP_CLUSTER == 0)
		slot = empty_cluster(swap, slot);
	while (!is_free(swap, slot))
		slot = slot + 1 < swap->slots ? slot + 1 : 0;
	swap->next = slot + 1;
	swap->taken[slot / SWAP_CLUSTER]++;
	swap->used++;
	*out = slot;
	return true;
}

static void give_back(struct swap *swap, uint64_t slot)
{
	swap->taken[slot / SWAP_CLUSTER]--;
	swap->used--;
}

void swap_get(struct kernel *kernel, uint64_t slot)
{
	kernel->swap.counts[slot]++;
	kernel->swap.entries++;
}

void swap_put(struct kernel *kernel, uint64_t slot)
{
	struct swap *swap = &kernel->swap;
	struct pfn frame = pfn(swap->frames[slot]);
	BUG_ON(swap->counts[slot] == 0);
	swap->entries--;
	if (--swap->counts[slot] != 0)
		return;
	if (frame.v == 0)
		give_back(swap, slot);
	else if (frame_at(kernel->frames, frame)->mappings == 0)
		page_free(kernel, frame);
}

/* ---- the swap cache ---- */

struct pfn swap_cache_find(const struct kernel *kernel, uint64_t slot)
{
	return pfn(kernel->swap.frames[slot]);
}

void swap_cache_add(struct kernel *kernel, struct pfn frame, uint64_t slot)
{
	BUG_ON(kernel->swap.frames[slot] != 0);
	kernel->swap.frames[slot] = (uint32_t)frame.v;
	kernel->swap.cached++;
	frame_at(kernel->frames, frame)->swap = (uint32_t)slot;
}

void swap_cache_remove(struct kernel *kernel, struct pfn frame)
{
	struct swap *swap = &kernel->swap;
	struct frame *record = frame_at(kernel->frames, frame);
	uint64_t slot = record->swap;
	BUG_ON(swap->frames[slot] != frame.v);
	swap->frames[slot] = 0;
	swap->cached--;
	record->swap = 0;
	if (swap->counts[slot] == 0)
		give_back(swap, slot);
}

/* ---- transfers ---- */

void swap_write(struct kernel *kernel, struct pfn frame, uint64_t slot)
{
	struct swap *swap = &kernel->swap;
	machine_charge(kernel->machine, COST_IO_SUBMIT, swap->device.kind->by_cpu ? 0 : 1);
	kernel->written_until = block_submit(kernel, &swap->device, true, slot, 1);
	physmem_transfer(swap->store, pfn(slot), kernel->mem, frame);
	kernel->vm.swapped_out++;
}

/* Returns when the page is there. */
static uint64_t begin_read(struct kernel *kernel, uint64_t slot, struct pfn frame, const char *why)
{
	struct swap *swap = &kernel->swap;
	physmem_transfer(kernel->mem, frame, swap->store, pfn(slot));
	kernel->vm.swapped_in++;
	emit(kernel->bus, EVENT_SWAP_IN, slot, frame.v, event_text(why));
	return block_submit(kernel, &swap->device, false, slot, 1);
}

static bool into_cache(struct kernel *kernel, uint64_t slot, const char *why, struct pfn *frame, uint64_t *done)
{
	if (!frame_take(kernel->frames, 0, FRAME_ANON, frame))
		return false;
	*done = begin_read(kernel, slot, *frame, why);
	swap_cache_add(kernel, *frame, slot);
	reclaim_add(kernel, *frame);
	return true;
}

void swap_read_into(struct kernel *kernel, uint64_t slot, struct pfn frame)
{
	machine_charge(kernel->machine, COST_IO_SUBMIT, kernel->swap.device.kind->by_cpu ? 0 : 1);
	block_wait(kernel, begin_read(kernel, slot, frame, "a fault needs it"));
}

/* A neighbour is read only if that costs nobody else a frame. */
static void read_ahead(struct kernel *kernel, uint64_t slot)
{
	struct pfn frame;
	uint64_t done;
	const struct swap *swap = &kernel->swap;
	if (slot == 0 || slot >= swap->slots || swap->counts[slot] == 0 || swap->frames[slot] != 0)
		return;
	if (reclaim_has_spare(kernel) && into_cache(kernel, slot, "readahead", &frame, &done))
		kernel->vm.swap_readahead++;
}

/* swap_vma_readahead: neighbours by address, where seeks cost nothing. */
static void read_ahead_by_address(struct kernel *kernel, struct mm *mm, const struct vma *vma, struct vaddr va)
{
	uint64_t window = PAGE_BYTES << kernel->config.page_cluster;
	uint64_t start = align_down(va.v, window), end = start + window;
	for (uint64_t at = start; at < end; at += PAGE_BYTES) {
		struct paddr entry_pa;
		if (at < vma->start.v || at >= vma->end.v || !table_entry(mm, vaddr(at), false, &entry_pa))
			continue;
		struct pte entry = entry_load(kernel, entry_pa);
		if (entry_is_swap(entry))
			read_ahead(kernel, swap_entry_slot(mm->layout, entry));
	}
}

bool swap_read(struct kernel *kernel, struct mm *mm, const struct vma *vma, struct vaddr va, uint64_t slot,
	       struct pfn *out)
{
	const struct block_kind_info *kind = kernel->swap.device.kind;
	uint64_t window = (uint64_t)1 << kernel->config.page_cluster;
	uint64_t start = align_down(slot, window), done = 0;
	bool by_slot = !kind->by_cpu && kind->read_us > 1000; /* something turns */
	machine_charge(kernel->machine, COST_IO_SUBMIT, kind->by_cpu ? 0 : 1);
	for (uint64_t i = start; by_slot && i < slot; i++)
		read_ahead(kernel, i);
	if (!into_cache(kernel, slot, "a fault needs it", out, &done))
		return false;
	for (uint64_t i = slot + 1; by_slot && i < start + window; i++)
		read_ahead(kernel, i);
	if (!by_slot && !kind->by_cpu)
		read_ahead_by_address(kernel, mm, vma, va);
	block_wait(kernel, done);
	return true;
}

/* ---- checking ---- */

bool swap_check(const struct kernel *kernel, const char **why)
{
	const struct swap *swap = &kernel->swap;
	uint64_t used = 0, entries = 0, cached = 0;
	for (uint64_t slot = 1; slot < swap->slots && (used < swap->used || slot < swap->next); slot++) {
		const struct frame *record = frame_peek(kernel->frames, pfn(swap->frames[slot]));
		used += !is_free(swap, slot);
		entries += swap->counts[slot];
		cached += swap->frames[slot] != 0;
		if (swap->frames[slot] && (!record || record->use != FRAME_ANON || record->swap != slot))
			*why = "swap: a slot and its frame in the swap cache do not know each other";
	}
	if (used != swap->used || cached != swap->cached)
		*why = "swap: slots in use, or in the swap cache, are miscounted";
	else if (entries != swap->entries)
		*why = "swap: the entries that lead to slots are miscounted";
	return *why == NULL;
}
