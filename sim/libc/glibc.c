/* The public functions of the model: __libc_malloc, __libc_free, malloc_usable_size, and the state at start. */
#include "glibc.h"

#include "heap_private.h"

_Noreturn void glibc_printerr(struct heap *heap, const char *message)
{
	user_abort(heap->user, message);
}

/* ptmalloc_init */
static void glibc_start(struct heap *heap)
{
	heap->thread_va = heap->data_va + G_TLS;
	heap->av = heap->data_va;
	glibc_init_state(heap);
	set_arena_word(heap, M_NEXT, heap->av);
	set_arena_word(heap, M_ATTACHED_THREADS, 1);
	set_tls(heap, TLS_ARENA, heap->av);
	set_var(heap, G_NARENAS, 1);
	set_var(heap, MP_ARENA_TEST, 8); /* NARENAS_FROM_NCORES(1) */
	set_var(heap, MP_TRIM_THRESHOLD, 128 * KIB);
	set_var(heap, MP_TOP_PAD, 128 * KIB);
	set_var(heap, MP_MMAP_THRESHOLD, 128 * KIB);
	set_var32(heap, MP_N_MMAPS_MAX, 65536);
	set_var(heap, MP_TCACHE_BINS, TCACHE_BINS);
	set_var(heap, MP_TCACHE_MAX_BYTES, 1032);
	set_var(heap, MP_TCACHE_COUNT, 7);
	glibc_apply_tunables(heap);
}

/* SINGLE_THREAD_P: until the first thread is made there is nothing to choose. */
uint64_t glibc_bins_malloc(struct heap *heap, uint64_t bytes)
{
	if (!heap->threaded) {
		heap->av = heap->data_va;
		uint64_t mem = glibc_int_malloc(heap, bytes);
		glibc_assert_arena(heap, mem, "__libc_malloc", "victim", "&main_arena");
		return mem;
	}
	glibc_arena_get(heap, bytes);
	uint64_t mem = glibc_int_malloc(heap, bytes);
	if (mem == 0 && heap->av != 0) {
		glibc_arena_get_retry(heap, bytes);
		mem = glibc_int_malloc(heap, bytes);
	}
	glibc_assert_arena(heap, mem, "__libc_malloc", "victim", "ar_ptr");
	return mem;
}

static uint64_t glibc_malloc(struct heap *heap, uint64_t bytes)
{
	uint64_t nb;
	if (!request_to_size(bytes, &nb)) {
		heap->errno_value = HEAP_ENOMEM;
		return 0;
	}
	uint64_t mem = glibc_tcache_malloc(heap, tcache_index(nb));
	return mem ? mem : glibc_bins_malloc(heap, bytes);
}

/* A freed mapping that is larger than the threshold raises it, so that the next block of its size comes from the heap.
 * The comparison is made with the flag bits in place, as in the original. */
static void raise_mmap_threshold(struct heap *heap, uint64_t word)
{
	if (var32(heap, MP_NO_DYN_THRESHOLD) != 0 || word <= var(heap, MP_MMAP_THRESHOLD) || word > MMAP_THRESHOLD_MAX)
		return;
	uint64_t size = word & ~(uint64_t)SIZE_BITS;
	set_var(heap, MP_MMAP_THRESHOLD, size);
	set_var(heap, MP_TRIM_THRESHOLD, 2 * size);
}

static void glibc_free(struct heap *heap, uint64_t block)
{
	if (block == 0)
		return;
	int errno_before = heap->errno_value; /* free keeps errno */
	uint64_t chunk = chunk_of(block), word = head(heap, chunk);
	if (word & IS_MMAPPED) {
		heap->last_freed = (word & ~(uint64_t)SIZE_BITS) - CHUNK_HDR_SZ;
		raise_mmap_threshold(heap, word);
		glibc_munmap_chunk(heap, chunk);
	} else {
		uint64_t tcache = glibc_tcache_existing_or_new(heap);
		glibc_arena_for_chunk(heap, chunk, word);
		heap->last_freed = (word & ~(uint64_t)SIZE_BITS) - SIZE_SZ;
		glibc_int_free_to(heap, tcache, chunk, word, false);
	}
	heap->errno_value = errno_before;
}

static uint64_t glibc_usable_size(struct heap *heap, uint64_t block)
{
	if (block == 0)
		return 0;
	uint64_t chunk = chunk_of(block), word = head(heap, chunk), size = word & ~(uint64_t)SIZE_BITS;
	if (word & IS_MMAPPED)
		return size - CHUNK_HDR_SZ;
	return prev_inuse(heap, chunk + size) ? size - SIZE_SZ : 0;
}

void glibc_alloc_perturb(struct heap *heap, uint64_t mem, uint64_t bytes)
{
	int32_t perturb = var32(heap, G_PERTURB);
	if (perturb)
		user_fill(heap->user, mem, (uint8_t)(perturb ^ 0xff), bytes);
}

void glibc_free_perturb(struct heap *heap, uint64_t mem, uint64_t bytes)
{
	int32_t perturb = var32(heap, G_PERTURB);
	if (perturb)
		user_fill(heap->user, mem, (uint8_t)perturb, bytes);
}

const struct heap_ops heap_glibc = {
    .name = "glibc",
    .summary = "GNU libc: tcache, fastbins, small and large bins, top, brk and mmap",
    .source = "glibc 2.36, malloc/malloc.c",
    .data_bytes = GLIBC_DATA_BYTES,
    .start = glibc_start,
    .malloc = glibc_malloc,
    .calloc = glibc_calloc,
    .realloc = glibc_realloc,
    .free = glibc_free,
    .aligned_alloc = glibc_memalign,
    .usable_size = glibc_usable_size,
    .trim = glibc_trim,
    .mallopt = glibc_mallopt,
    .tunable = glibc_tunable,
    .walk = glibc_walk,
    .mallinfo = glibc_mallinfo,
    .print_stats = glibc_print_stats,
    .print_info = glibc_print_info,
    .thread_exit = glibc_thread_freeres,
};
