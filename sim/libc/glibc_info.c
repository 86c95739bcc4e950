/* mallinfo2: what the allocator says of itself, read without touching it. */
#include "glibc.h"

static uint64_t peek(const struct heap *heap, uint64_t va)
{
	uint64_t value = 0;
	(void)user_peek64(heap->user, va, &value); /* a page without a frame reads as zeroes */
	return value;
}

static uint64_t peek_size(const struct heap *heap, uint64_t chunk)
{
	return peek(heap, chunk + 8) & ~(uint64_t)SIZE_BITS;
}

static void add_fastbins(const struct heap *heap, uint64_t arena, struct heap_mallinfo *out)
{
	for (unsigned i = 0; i < NFASTBINS; i++) {
		uint64_t chunk = peek(heap, arena + M_FASTBINS + i * 8u);
		while (chunk) {
			uint64_t size = peek_size(heap, chunk);
			out->smblks++;
			out->fsmblks += size;
			out->fordblks += size;
			chunk = (mem_of(chunk) >> 12) ^ peek(heap, mem_of(chunk));
		}
	}
}

static void add_bins(const struct heap *heap, uint64_t arena, struct heap_mallinfo *out)
{
	for (unsigned i = 1; i < NBINS; i++) {
		uint64_t bin = bin_of(arena, i);
		for (uint64_t chunk = peek(heap, bin + 24); chunk != bin && chunk; chunk = peek(heap, chunk + 24)) {
			out->ordblks++;
			out->fordblks += peek_size(heap, chunk);
		}
	}
}

void glibc_add_mallinfo(const struct heap *heap, uint64_t arena, struct heap_mallinfo *out)
{
	uint64_t top = peek_size(heap, peek(heap, arena + M_TOP));
	add_fastbins(heap, arena, out);
	add_bins(heap, arena, out);
	out->ordblks++;
	out->fordblks += top;
	out->arena += peek(heap, arena + M_SYSTEM_MEM);
	out->uordblks = out->arena - out->fordblks;
	if (arena == heap->data_va)
		out->keepcost = top;
}

void glibc_mallinfo(const struct heap *heap, struct heap_mallinfo *out)
{
	uint64_t arena = heap->data_va;
	*out = (struct heap_mallinfo){0};
	do {
		glibc_add_mallinfo(heap, arena, out);
		arena = peek(heap, arena + M_NEXT);
	} while (arena && arena != heap->data_va);
	out->hblks = peek(heap, heap->data_va + MP_N_MMAPS) & UINT32_MAX;
	out->hblkhd = peek(heap, heap->data_va + MP_MMAPPED_MEM);
}
