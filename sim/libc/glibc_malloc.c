/* _int_malloc: fastbin, small bin, unsorted bin, large bins, top, in this order. */
#include "glibc.h"

/* One request on its way through the bins. */
struct request {
	uint64_t bytes, nb;
	unsigned bin; /* index of its own size */
	uint64_t tcache_index;
	bool may_cache;  /* chunks of its size may go to the tcache */
	uint64_t sorted; /* unsorted chunks put where they belong so far */
};

static void tell_search(struct heap *heap, const char *where, uint64_t bin, uint64_t nb, uint64_t found)
{
	heap->stats.searched += found != 0;
	emit(heap->bus, EVENT_LIBC_SEARCH, event_text(where), nb, found, bin);
}

/* What every path ends with: the block is the program's. */
static uint64_t hand_out(struct heap *heap, const struct request *request, uint64_t chunk, uint64_t size)
{
	heap->last_usable = size - SIZE_SZ;
	glibc_alloc_perturb(heap, mem_of(chunk), request->bytes);
	return mem_of(chunk);
}

static void cut_heads(struct heap *heap, uint64_t chunk, uint64_t nb, uint64_t rest_size)
{
	set_head(heap, chunk, nb | PREV_INUSE | arena_flag(heap));
	set_head(heap, chunk + nb, rest_size | PREV_INUSE);
	glibc_tell_split(heap, chunk, nb, rest_size);
}

/* ---- fastbins and small bins: exact fits ---- */

static uint64_t pop_fastbin(struct heap *heap, uint64_t bin, const char *unaligned)
{
	uint64_t chunk = user_load64(heap->user, bin);
	if (chunk == 0)
		return 0;
	if (!is_aligned(chunk))
		glibc_printerr(heap, unaligned);
	uint64_t next = reveal_ptr(heap, chunk + CHUNK_HDR_SZ);
	/* REMOVE_FB, the way with locks, looks at once. */
	if (heap->threaded && !is_aligned(next))
		glibc_printerr(heap, "malloc(): unaligned fastbin chunk detected");
	user_store64(heap->user, bin, next);
	return chunk;
}

static uint64_t from_fastbin(struct heap *heap, const struct request *request)
{
	uint64_t bin = fastbin_at(heap, request->nb), more;
	uint64_t chunk = pop_fastbin(heap, bin, "malloc(): unaligned fastbin chunk detected 2");
	tell_search(heap, "fastbin", (request->nb >> 4) - 2, request->nb, chunk);
	if (chunk == 0)
		return 0;
	if (fastbin_at(heap, chunk_size(heap, chunk)) != bin)
		glibc_printerr(heap, "malloc(): memory corruption (fast)");
	/* While here, the rest of the bin moves to the tcache, which reverses its order. */
	while (request->may_cache && glibc_tcache_has_room(heap, request->tcache_index) &&
	       (more = pop_fastbin(heap, bin, "malloc(): unaligned fastbin chunk detected 3")) != 0)
		glibc_tcache_put(heap, more, request->tcache_index);
	return hand_out(heap, request, chunk, request->nb);
}

/* A free chunk is used as it is. */
static void set_whole_in_use(struct heap *heap, uint64_t chunk, uint64_t size)
{
	set_inuse_at(heap, chunk, size);
	if (!is_main_arena(heap))
		set_head(heap, chunk, head(heap, chunk) | NON_MAIN_ARENA);
}

static void detach_last(struct heap *heap, uint64_t bin, uint64_t chunk, uint64_t nb)
{
	uint64_t back = bk(heap, chunk);
	set_whole_in_use(heap, chunk, nb);
	set_bk(heap, bin, back);
	set_fd(heap, back, bin);
}

static uint64_t from_small_bin(struct heap *heap, const struct request *request)
{
	uint64_t bin = bin_at(heap, request->bin), chunk = bk(heap, bin), more;
	tell_search(heap, "small bin", request->bin, request->nb, chunk == bin ? 0 : chunk);
	if (chunk == bin)
		return 0;
	if (fd(heap, bk(heap, chunk)) != chunk)
		glibc_printerr(heap, "malloc(): smallbin double linked list corrupted");
	detach_last(heap, bin, chunk, request->nb);
	while (request->may_cache && glibc_tcache_has_room(heap, request->tcache_index) &&
	       (more = bk(heap, bin)) != bin) {
		detach_last(heap, bin, more, request->nb);
		glibc_tcache_put(heap, more, request->tcache_index);
	}
	return hand_out(heap, request, chunk, request->nb);
}

/* ---- the unsorted bin ---- */

static void check_unsorted(struct heap *heap, uint64_t chunk, uint64_t size, uint64_t back)
{
	uint64_t limit = arena_word(heap, M_SYSTEM_MEM), next = chunk + size;
	if (size <= CHUNK_HDR_SZ || size > limit)
		glibc_printerr(heap, "malloc(): invalid size (unsorted)");
	uint64_t next_word = head(heap, next);
	if (next_word < CHUNK_HDR_SZ || next_word > limit)
		glibc_printerr(heap, "malloc(): invalid next size (unsorted)");
	if ((prev_size(heap, next) & ~(uint64_t)SIZE_BITS) != size)
		glibc_printerr(heap, "malloc(): mismatching next->prev_size (unsorted)");
	if (fd(heap, back) != chunk || fd(heap, chunk) != unsorted(heap))
		glibc_printerr(heap, "malloc(): unsorted double linked list corrupted");
	if (next_word & PREV_INUSE)
		glibc_printerr(heap, "malloc(): invalid next->prev_inuse (unsorted)");
}

/* The only chunk there, and what the last split left: consecutive small requests stay side by side. */
static uint64_t split_last_remainder(struct heap *heap, const struct request *request, uint64_t chunk, uint64_t size)
{
	uint64_t bin = unsorted(heap), rest = chunk + request->nb, rest_size = size - request->nb;
	set_bk(heap, bin, rest);
	set_fd(heap, bin, rest);
	set_arena_word(heap, M_LAST_REMAINDER, rest);
	set_bk(heap, rest, bin);
	set_fd(heap, rest, bin);
	if (!is_small(rest_size)) {
		set_fd_nextsize(heap, rest, 0);
		set_bk_nextsize(heap, rest, 0);
	}
	cut_heads(heap, chunk, request->nb, rest_size);
	set_foot(heap, rest, rest_size);
	return hand_out(heap, request, chunk, request->nb);
}

static uint64_t take_cached(struct heap *heap, const struct request *request)
{
	return glibc_tcache_get(heap, request->tcache_index);
}

/* Empties the unsorted bin into the sorted ones until something fits exactly. */
static uint64_t from_unsorted(struct heap *heap, struct request *request)
{
	uint64_t bin = unsorted(heap), chunk;
	unsigned sorted = 0;
	bool cached = false;
	while (sorted < MAX_UNSORTED_ITERATIONS && (chunk = bk(heap, bin)) != bin) {
		uint64_t back = bk(heap, chunk), size = chunk_size(heap, chunk);
		check_unsorted(heap, chunk, size, back);
		if (is_small(request->nb) && back == bin && chunk == arena_word(heap, M_LAST_REMAINDER) &&
		    size > request->nb + MINSIZE) {
			tell_search(heap, "unsorted bin", 1, request->nb, chunk);
			return split_last_remainder(heap, request, chunk, size);
		}
		set_bk(heap, bin, back);
		set_fd(heap, back, bin);
		if (size == request->nb) {
			set_whole_in_use(heap, chunk, size);
			tell_search(heap, "unsorted bin", 1, request->nb, chunk);
			if (!request->may_cache || !glibc_tcache_has_room(heap, request->tcache_index))
				return hand_out(heap, request, chunk, size);
			/* Others of this size may follow: cache it and go on. */
			glibc_tcache_put(heap, chunk, request->tcache_index);
			cached = true;
			continue;
		}
		glibc_put_sorted(heap, chunk, size);
		heap->stats.searched++;
		sorted++;
		request->sorted++;
		uint64_t limit = cached ? var(heap, MP_TCACHE_UNSORTED_LIMIT) : 0;
		if (limit && request->sorted > limit)
			return take_cached(heap, request);
	}
	if (cached)
		return take_cached(heap, request);
	tell_search(heap, "unsorted bin", 1, request->nb, 0);
	return 0;
}

/* ---- larger chunks: best fit, the rest goes to the unsorted bin ---- */

static uint64_t carve(struct heap *heap, const struct request *request, uint64_t chunk, bool remember,
		      const char *broken)
{
	uint64_t size = chunk_size(heap, chunk), rest_size = size - request->nb;
	glibc_unlink(heap, chunk);
	if (rest_size < MINSIZE) {
		set_whole_in_use(heap, chunk, size);
		return hand_out(heap, request, chunk, size);
	}
	uint64_t rest = chunk + request->nb;
	glibc_put_unsorted(heap, rest, rest_size, broken);
	if (remember)
		set_arena_word(heap, M_LAST_REMAINDER, rest);
	cut_heads(heap, chunk, request->nb, rest_size);
	set_foot(heap, rest, rest_size);
	return hand_out(heap, request, chunk, request->nb);
}

/* The request's own large bin, smallest chunk that fits. */
static uint64_t from_large_bin(struct heap *heap, const struct request *request)
{
	uint64_t bin = bin_at(heap, request->bin), chunk = fd(heap, bin), size;
	if (chunk == bin || head(heap, chunk) < request->nb) {
		tell_search(heap, "large bin", request->bin, request->nb, 0);
		return 0;
	}
	chunk = bk_nextsize(heap, chunk);
	while ((size = chunk_size(heap, chunk)) < request->nb) {
		heap->stats.searched++;
		chunk = bk_nextsize(heap, chunk);
	}
	/* The second of its size, if there is one: taking it leaves the list of different sizes alone. */
	if (chunk != bk(heap, bin) && head(heap, chunk) == head(heap, fd(heap, chunk)))
		chunk = fd(heap, chunk);
	tell_search(heap, "large bin", request->bin, request->nb, chunk);
	return carve(heap, request, chunk, false, "malloc(): corrupted unsorted chunks");
}

/* The next larger bin that is not empty, by the bitmap, which may lag behind. */
static uint64_t from_larger_bins(struct heap *heap, const struct request *request, unsigned first)
{
	unsigned index = first;
	while (index < NBINS) {
		uint64_t offset = M_BINMAP + (index >> 5) * 4u;
		uint32_t map = (uint32_t)arena_word32(heap, offset), left = map & (0xffffffffu << (index & 31));
		if (left == 0) {
			index = (index | 31) + 1;
			continue;
		}
		index = (index & ~31u) + (unsigned)__builtin_ctz(left);
		uint64_t bin = bin_at(heap, index), chunk = bk(heap, bin);
		if (chunk == bin) {
			set_arena_word32(heap, offset, (int32_t)(map & ~(1u << (index & 31))));
			index++;
			continue;
		}
		tell_search(heap, "larger bins", index, request->nb, chunk);
		glibc_assert(heap, chunk_size(heap, chunk) >= request->nb, "_int_malloc",
			     "(unsigned long) (size) >= (unsigned long) (nb)");
		return carve(heap, request, chunk, is_small(request->nb), "malloc(): corrupted unsorted chunks 2");
	}
	tell_search(heap, "larger bins", first, request->nb, 0);
	return 0;
}

/* ---- top ---- */

static uint64_t from_top(struct heap *heap, const struct request *request)
{
	uint64_t top = arena_word(heap, M_TOP), size = chunk_size(heap, top);
	if (size > arena_word(heap, M_SYSTEM_MEM))
		glibc_printerr(heap, "malloc(): corrupted top size");
	bool fits = size >= request->nb + MINSIZE;
	tell_search(heap, "top", 0, request->nb, fits ? top : 0);
	if (!fits)
		return 0;
	set_arena_word(heap, M_TOP, top + request->nb);
	cut_heads(heap, top, request->nb, size - request->nb);
	return hand_out(heap, request, top, request->nb);
}

uint64_t glibc_take(struct heap *heap, uint64_t chunk, uint64_t nb)
{
	uint64_t size = chunk_size(heap, chunk);
	set_arena_word(heap, M_TOP, chunk + nb);
	cut_heads(heap, chunk, nb, size - nb);
	heap->last_usable = nb - SIZE_SZ;
	return mem_of(chunk);
}

static uint64_t from_bins(struct heap *heap, struct request *request)
{
	uint64_t mem = from_unsorted(heap, request);
	if (!mem && !is_small(request->nb))
		mem = from_large_bin(heap, request);
	if (!mem)
		mem = from_larger_bins(heap, request, request->bin + 1);
	return mem ? mem : from_top(heap, request);
}

uint64_t glibc_int_malloc(struct heap *heap, uint64_t bytes)
{
	struct request request = {.bytes = bytes};
	if (!request_to_size(bytes, &request.nb)) {
		heap->errno_value = HEAP_ENOMEM;
		return 0;
	}
	request.bin = glibc_bin_index(request.nb);
	request.tcache_index = tcache_index(request.nb);
	request.may_cache = glibc_tcache_serves(heap, request.tcache_index);
	uint64_t mem = 0;
	if (heap->av == 0) {
		mem = glibc_sysmalloc(heap, request.nb);
		if (mem)
			glibc_alloc_perturb(heap, mem, bytes);
		return mem;
	}
	if (request.nb <= var(heap, G_MAX_FAST))
		mem = from_fastbin(heap, &request);
	if (!mem && is_small(request.nb))
		mem = from_small_bin(heap, &request);
	else if (!mem && glibc_have_fastchunks(heap))
		glibc_consolidate(heap);
	while (!mem) {
		mem = from_bins(heap, &request);
		if (mem || !glibc_have_fastchunks(heap))
			break;
		glibc_consolidate(heap);
	}
	if (mem)
		return mem;
	mem = glibc_sysmalloc(heap, request.nb);
	if (mem)
		glibc_alloc_perturb(heap, mem, bytes);
	return mem;
}
