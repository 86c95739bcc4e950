/* calloc, realloc and memalign. */
#include "glibc.h"

/* How much of a chunk at the top's start may hold old data: what lies behind comes zeroed from the kernel. A heap that
 * is not the main arena's may have shrunk with its pages dropped but still accessible; those count as old. */
static uint64_t dirty_bytes(struct heap *heap, uint64_t top)
{
	uint64_t bytes = chunk_size(heap, top), info = top & ~(HEAP_MAX_BYTES - 1);
	if (is_main_arena(heap))
		return bytes;
	uint64_t accessible = info + user_load64(heap->user, info + H_MPROTECT_SIZE) - top;
	return accessible > bytes ? accessible : bytes;
}

uint64_t glibc_calloc(struct heap *heap, uint64_t count, uint64_t bytes)
{
	int64_t product; /* signed: more than PTRDIFF_MAX is refused before anything else happens */
	if (__builtin_mul_overflow(count, bytes, &product)) {
		heap->errno_value = HEAP_ENOMEM;
		return 0;
	}
	uint64_t total = (uint64_t)product;
	glibc_maybe_init_tcache(heap);
	heap->av = heap->data_va;
	if (heap->threaded)
		glibc_arena_get(heap, total);
	uint64_t top = heap->av ? arena_word(heap, M_TOP) : 0, dirty = heap->av ? dirty_bytes(heap, top) : 0;
	uint64_t mem = glibc_int_malloc(heap, total);
	glibc_assert_arena(heap, mem, "__libc_calloc", "mem", "av");
	if (mem == 0 && heap->threaded && heap->av != 0) {
		glibc_arena_get_retry(heap, total);
		mem = glibc_int_malloc(heap, total);
	}
	if (mem == 0)
		return 0;
	uint64_t chunk = chunk_of(mem), word = head(heap, chunk), size = word & ~(uint64_t)SIZE_BITS;
	bool perturbed = var32(heap, G_PERTURB) != 0;
	if (word & IS_MMAPPED) {
		if (perturbed)
			user_fill(heap->user, mem, 0, total);
		return mem;
	}
	if (!perturbed && chunk == top && size > dirty)
		size = dirty;
	user_fill(heap->user, mem, 0, size - SIZE_SZ);
	return mem;
}

/* Frees what a chunk has beyond nb, if that makes a chunk of its own. */
static void give_back_tail(struct heap *heap, uint64_t chunk, uint64_t size, uint64_t nb)
{
	uint64_t rest_size = size - nb;
	if (rest_size < MINSIZE) {
		set_head_size(heap, chunk, size);
		set_inuse_at(heap, chunk, size);
		heap->last_usable = size - SIZE_SZ;
		return;
	}
	uint64_t rest = chunk + nb;
	glibc_tell_split(heap, chunk, nb, rest_size);
	set_head_size(heap, chunk, nb);
	set_head(heap, rest, rest_size | PREV_INUSE | arena_flag(heap));
	set_inuse_at(heap, rest, rest_size);
	glibc_int_free(heap, rest, head(heap, rest), true);
	heap->last_usable = nb - SIZE_SZ;
}

static uint64_t copy_to_new(struct heap *heap, uint64_t chunk, uint64_t size, uint64_t nb)
{
	uint64_t mem = glibc_int_malloc(heap, nb - MALLOC_ALIGNMENT + 1), next = chunk + size;
	if (mem == 0)
		return 0;
	if (chunk_of(mem) == next) {
		give_back_tail(heap, chunk, size + chunk_size(heap, next), nb);
		return mem_of(chunk);
	}
	uint64_t usable = heap->last_usable;
	user_copy(heap->user, mem, mem_of(chunk), size - SIZE_SZ);
	glibc_int_free(heap, chunk, head(heap, chunk), true);
	heap->last_usable = usable;
	return mem;
}

static uint64_t grow_into_top(struct heap *heap, uint64_t chunk, uint64_t top, uint64_t total, uint64_t nb)
{
	glibc_tell_join(heap, chunk, top, total);
	glibc_tell_split(heap, chunk, nb, total - nb);
	set_head_size(heap, chunk, nb);
	set_arena_word(heap, M_TOP, chunk + nb);
	set_head(heap, chunk + nb, (total - nb) | PREV_INUSE);
	heap->last_usable = nb - SIZE_SZ;
	return mem_of(chunk);
}

/* _int_realloc */
static uint64_t resize(struct heap *heap, uint64_t chunk, uint64_t word, uint64_t nb)
{
	uint64_t size = word & ~(uint64_t)SIZE_BITS, limit = arena_word(heap, M_SYSTEM_MEM);
	if (word <= CHUNK_HDR_SZ || size >= limit)
		glibc_printerr(heap, "realloc(): invalid old size");
	uint64_t next = chunk + size, next_word = head(heap, next), next_size = next_word & ~(uint64_t)SIZE_BITS;
	if (next_word <= CHUNK_HDR_SZ || next_size >= limit)
		glibc_printerr(heap, "realloc(): invalid next size");
	if (size < nb) {
		uint64_t top = arena_word(heap, M_TOP);
		if (next == top && size + next_size >= nb + MINSIZE)
			return grow_into_top(heap, chunk, next, size + next_size, nb);
		if (next == top || prev_inuse(heap, next + next_size) || size + next_size < nb)
			return copy_to_new(heap, chunk, size, nb);
		size += next_size;
		glibc_tell_join(heap, chunk, next, size);
		glibc_unlink(heap, next);
	}
	give_back_tail(heap, chunk, size, nb);
	return mem_of(chunk);
}

static uint64_t resize_mapping(struct heap *heap, uint64_t chunk, uint64_t nb, uint64_t bytes)
{
	uint64_t size = chunk_size(heap, chunk), moved = glibc_mremap_chunk(heap, chunk, nb);
	if (moved) {
		heap->last_usable = chunk_size(heap, moved) - CHUNK_HDR_SZ;
		return mem_of(moved);
	}
	if (size - SIZE_SZ >= nb) {
		heap->last_usable = size - CHUNK_HDR_SZ;
		return mem_of(chunk);
	}
	uint64_t mem = heap->ops->malloc(heap, bytes);
	if (mem == 0)
		return 0;
	user_copy(heap->user, mem, mem_of(chunk), size - CHUNK_HDR_SZ);
	glibc_munmap_chunk(heap, chunk);
	return mem;
}

/* The block's own arena has no room for more. */
static uint64_t copy_to_other_arena(struct heap *heap, uint64_t chunk, uint64_t size, uint64_t bytes)
{
	uint64_t av = heap->av, mem = heap->ops->malloc(heap, bytes);
	if (mem == 0)
		return 0;
	uint64_t usable = heap->last_usable;
	user_copy(heap->user, mem, mem_of(chunk), size - SIZE_SZ);
	heap->av = av;
	glibc_int_free(heap, chunk, head(heap, chunk), false);
	heap->last_usable = usable;
	return mem;
}

uint64_t glibc_realloc(struct heap *heap, uint64_t block, uint64_t bytes)
{
	if (block == 0)
		return heap->ops->malloc(heap, bytes);
	if (bytes == 0) {
		heap->ops->free(heap, block);
		return 0;
	}
	uint64_t chunk = chunk_of(block), word = head(heap, chunk), size = word & ~(uint64_t)SIZE_BITS, nb;
	heap->last_freed = size - (word & IS_MMAPPED ? CHUNK_HDR_SZ : SIZE_SZ);
	if (!(word & IS_MMAPPED)) {
		glibc_maybe_init_tcache(heap);
		glibc_arena_for_chunk(heap, chunk, word);
	}
	if (chunk > 0 - size || !is_aligned(chunk))
		glibc_printerr(heap, "realloc(): invalid pointer");
	if (!request_to_size(bytes, &nb)) {
		heap->errno_value = HEAP_ENOMEM;
		return 0;
	}
	if (word & IS_MMAPPED)
		return resize_mapping(heap, chunk, nb, bytes);
	if (heap->threaded)
		take_lock(heap);
	uint64_t mem = resize(heap, chunk, word, nb);
	glibc_assert_arena(heap, mem, "__libc_realloc", "newp", "ar_ptr");
	return mem == 0 && heap->threaded ? copy_to_other_arena(heap, chunk, size, bytes) : mem;
}

/* Cuts the unaligned front off; a mapping keeps it and only remembers how far in the chunk begins. */
static uint64_t cut_front(struct heap *heap, uint64_t chunk, uint64_t alignment, uint64_t nb)
{
	uint64_t word = head(heap, chunk), size = word & ~(uint64_t)SIZE_BITS;
	uint64_t at = chunk_of((mem_of(chunk) + alignment - 1) & ~(alignment - 1));
	if (at - chunk < MINSIZE)
		at += alignment;
	uint64_t front = at - chunk;
	if (word & IS_MMAPPED) {
		set_prev_size(heap, at, prev_size(heap, chunk) + front);
		set_head(heap, at, (size - front) | IS_MMAPPED);
		return at;
	}
	glibc_tell_split(heap, chunk, front, size - front);
	set_head(heap, at, (size - front) | PREV_INUSE | arena_flag(heap));
	set_inuse_at(heap, at, size - front);
	set_head_size(heap, chunk, front);
	glibc_int_free(heap, chunk, head(heap, chunk), true);
	glibc_assert(heap, size - front >= nb, "_int_memalign",
		     "newsize >= nb && (((unsigned long) (chunk2mem (p))) % alignment) == 0");
	return at;
}

/* _int_memalign: a block large enough to hold an aligned one wherever it lies. */
static uint64_t aligned_block(struct heap *heap, uint64_t alignment, uint64_t bytes)
{
	uint64_t nb, wanted;
	if (!request_to_size(bytes, &nb) || __builtin_add_overflow(nb, alignment + MINSIZE, &wanted)) {
		heap->errno_value = HEAP_ENOMEM;
		return 0;
	}
	uint64_t mem = glibc_int_malloc(heap, wanted);
	if (mem == 0)
		return 0;
	uint64_t chunk = chunk_of(mem);
	if (mem % alignment != 0)
		chunk = cut_front(heap, chunk, alignment, nb);
	uint64_t word = head(heap, chunk), size = word & ~(uint64_t)SIZE_BITS;
	if (word & IS_MMAPPED) {
		heap->last_usable = size - CHUNK_HDR_SZ;
		return mem_of(chunk);
	}
	if (size > nb + MINSIZE) {
		glibc_tell_split(heap, chunk, nb, size - nb);
		set_head(heap, chunk + nb, (size - nb) | PREV_INUSE | arena_flag(heap));
		set_head_size(heap, chunk, nb);
		glibc_int_free(heap, chunk + nb, head(heap, chunk + nb), true);
		size = nb;
	}
	heap->last_usable = size - SIZE_SZ;
	return mem_of(chunk);
}

uint64_t glibc_memalign(struct heap *heap, uint64_t alignment, uint64_t bytes)
{
	if (alignment <= MALLOC_ALIGNMENT)
		return heap->ops->malloc(heap, bytes);
	if (alignment > (uint64_t)1 << 63) {
		heap->errno_value = HEAP_EINVAL;
		return 0;
	}
	uint64_t rounded = MINSIZE;
	while (rounded < alignment)
		rounded <<= 1;
	uint64_t request = bytes + rounded + MINSIZE;
	heap->av = heap->data_va;
	if (heap->threaded)
		glibc_arena_get(heap, request);
	uint64_t mem = aligned_block(heap, rounded, bytes);
	if (!heap->threaded) {
		glibc_assert_arena(heap, mem, "_mid_memalign", "p", "&main_arena");
		return mem;
	}
	if (mem == 0 && heap->av != 0) {
		glibc_arena_get_retry(heap, bytes); /* without room for the alignment, as the original has it */
		mem = aligned_block(heap, rounded, bytes);
	}
	glibc_assert_arena(heap, mem, "_mid_memalign", "p", "ar_ptr");
	return mem;
}
