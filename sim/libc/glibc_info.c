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

/* int_mallinfo */
static void add_fastbins(const struct heap *heap, struct heap_mallinfo *out)
{
	for (unsigned i = 0; i < NFASTBINS; i++) {
		uint64_t chunk = peek(heap, heap->data_va + M_FASTBINS + i * 8u);
		while (chunk) {
			out->smblks++;
			out->fsmblks += peek_size(heap, chunk);
			chunk = (mem_of(chunk) >> 12) ^ peek(heap, mem_of(chunk));
		}
	}
}

static void add_bins(const struct heap *heap, struct heap_mallinfo *out)
{
	for (unsigned i = 1; i < NBINS; i++) {
		uint64_t bin = bin_at(heap, i);
		for (uint64_t chunk = peek(heap, bin + 24); chunk != bin && chunk; chunk = peek(heap, chunk + 24)) {
			out->ordblks++;
			out->fordblks += peek_size(heap, chunk);
		}
	}
}

void glibc_mallinfo(const struct heap *heap, struct heap_mallinfo *out)
{
	*out = (struct heap_mallinfo){.ordblks = 1};
	out->keepcost = peek_size(heap, peek(heap, heap->data_va + M_TOP));
	add_fastbins(heap, out);
	add_bins(heap, out);
	out->arena = peek(heap, heap->data_va + M_SYSTEM_MEM);
	out->fordblks += out->keepcost + out->fsmblks;
	out->uordblks = out->arena - out->fordblks;
	out->hblks = peek(heap, heap->data_va + MP_N_MMAPS) & UINT32_MAX;
	out->hblkhd = peek(heap, heap->data_va + MP_MMAPPED_MEM);
}
