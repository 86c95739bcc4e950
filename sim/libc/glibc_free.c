/* _int_free and malloc_consolidate: where a block goes when the program is done with it. */
#include "glibc.h"

static void into_fastbin(struct heap *heap, uint64_t chunk, uint64_t size, bool locked)
{
	uint64_t next_word = head(heap, chunk + size);
	if (next_word <= CHUNK_HDR_SZ || (next_word & ~(uint64_t)SIZE_BITS) >= arena_word(heap, M_SYSTEM_MEM)) {
		if (!locked)
			take_lock(heap); /* to look again */
		glibc_printerr(heap, "free(): invalid next size (fast)");
	}
	glibc_free_perturb(heap, mem_of(chunk), size - CHUNK_HDR_SZ);
	set_arena_word32(heap, M_HAVE_FASTCHUNKS, 1);
	uint64_t bin = fastbin_at(heap, size), first = user_load64(heap->user, bin);
	if (first == chunk)
		glibc_printerr(heap, "double free or corruption (fasttop)");
	set_fd(heap, chunk, protect_ptr(mem_of(chunk), first));
	user_store64(heap->user, bin, chunk);
	if (locked && first && fastbin_at(heap, chunk_size(heap, first)) != bin)
		glibc_printerr(heap, "invalid fastbin entry (free)");
	emit(heap->bus, EVENT_LIBC_PLACE, chunk, size, event_text("fastbin"));
}

static void check_normal(struct heap *heap, uint64_t chunk, uint64_t size)
{
	uint64_t top = arena_word(heap, M_TOP), next = chunk + size;
	if (chunk == top)
		glibc_printerr(heap, "double free or corruption (top)");
	if (is_contiguous(heap) && next >= top + chunk_size(heap, top))
		glibc_printerr(heap, "double free or corruption (out)");
	uint64_t next_word = head(heap, next);
	if (!(next_word & PREV_INUSE))
		glibc_printerr(heap, "double free or corruption (!prev)");
	if (next_word <= CHUNK_HDR_SZ || (next_word & ~(uint64_t)SIZE_BITS) >= arena_word(heap, M_SYSTEM_MEM))
		glibc_printerr(heap, "free(): invalid next size (normal)");
}

/* Joins a chunk with its free neighbours and puts the whole into the unsorted bin, or into the top. Returns the size of
 * the whole. */
static uint64_t join_and_place(struct heap *heap, uint64_t chunk, uint64_t size, const char *mismatch,
			       const char *broken)
{
	uint64_t next = chunk + size, next_size = chunk_size(heap, next);
	if (!prev_inuse(heap, chunk)) {
		uint64_t before = prev_size(heap, chunk);
		size += before;
		chunk -= before;
		if (chunk_size(heap, chunk) != before)
			glibc_printerr(heap, mismatch);
		glibc_tell_join(heap, chunk + before, chunk, size);
		glibc_unlink(heap, chunk);
	}
	if (next == arena_word(heap, M_TOP)) {
		size += next_size;
		glibc_tell_join(heap, chunk, next, size);
		set_head(heap, chunk, size | PREV_INUSE);
		set_arena_word(heap, M_TOP, chunk);
		emit(heap->bus, EVENT_LIBC_PLACE, chunk, size, event_text("top"));
		return size;
	}
	if (!prev_inuse(heap, next + next_size)) {
		size += next_size;
		glibc_tell_join(heap, chunk, next, size);
		glibc_unlink(heap, next);
	} else {
		set_head(heap, next, head(heap, next) & ~(uint64_t)PREV_INUSE);
	}
	glibc_put_unsorted(heap, chunk, size, broken);
	set_head(heap, chunk, size | PREV_INUSE);
	set_foot(heap, chunk, size);
	return size;
}

static void into_bins(struct heap *heap, uint64_t chunk, uint64_t size)
{
	check_normal(heap, chunk, size);
	glibc_free_perturb(heap, mem_of(chunk), size - CHUNK_HDR_SZ);
	size = join_and_place(heap, chunk, size, "corrupted size vs. prev_size while consolidating",
			      "free(): corrupted unsorted chunks");
	if (size < FASTBIN_CONSOLIDATION_THRESHOLD)
		return;
	if (glibc_have_fastchunks(heap))
		glibc_consolidate(heap);
	if (!is_main_arena(heap))
		glibc_heap_trim(heap, var(heap, MP_TOP_PAD));
	else if (chunk_size(heap, arena_word(heap, M_TOP)) >= var(heap, MP_TRIM_THRESHOLD))
		(void)glibc_systrim(heap, var(heap, MP_TOP_PAD), "the top has reached the trim threshold");
}

void glibc_int_free_to(struct heap *heap, uint64_t tcache, uint64_t chunk, uint64_t word, bool locked)
{
	uint64_t size = word & ~(uint64_t)SIZE_BITS;
	if (chunk > 0 - size || !is_aligned(chunk))
		glibc_printerr(heap, "free(): invalid pointer");
	if (size < MINSIZE || !is_aligned(size))
		glibc_printerr(heap, "free(): invalid size");
	if (glibc_tcache_free(heap, tcache, chunk, size))
		return;
	if (size <= var(heap, G_MAX_FAST))
		into_fastbin(heap, chunk, size, locked);
	else if (word & IS_MMAPPED)
		glibc_munmap_chunk(heap, chunk);
	else
		into_bins(heap, chunk, size);
}

static void consolidate_bin(struct heap *heap, uint64_t bin, uint64_t chunk)
{
	while (chunk) {
		if (!is_aligned(chunk))
			glibc_printerr(heap, "malloc_consolidate(): unaligned fastbin chunk detected");
		uint64_t size = chunk_size(heap, chunk);
		if (fastbin_at(heap, size) != bin)
			glibc_printerr(heap, "malloc_consolidate(): invalid chunk size");
		uint64_t next = reveal_ptr(heap, mem_of(chunk));
		(void)join_and_place(heap, chunk, size, "corrupted size vs. prev_size in fastbins", NULL);
		chunk = next;
	}
}

void glibc_consolidate(struct heap *heap)
{
	set_arena_word32(heap, M_HAVE_FASTCHUNKS, 0);
	for (unsigned i = 0; i < NFASTBINS; i++) {
		uint64_t bin = heap->av + M_FASTBINS + i * 8u, first = user_load64(heap->user, bin);
		user_store64(heap->user, bin, 0);
		consolidate_bin(heap, bin, first);
	}
}
