/* A model of glibc 2.36's malloc, x86-64 (malloc/malloc.c, malloc/arena.c). The struct layouts are glibc's own and lie
 *in simulated memory: the main arena's malloc_state and malloc_par in the libc's data, chunk headers and tcaches in the
 * heaps, other arenas at the start of their first heap. Every function makes the accesses that the real one makes, so
 * that the same pages fault.
 *
 * What the original passes around as `av`, the arena whose lock is held, is heap->av here.
 *
 *	chunk ->  +0  size of the previous chunk, if that is free
 *	          +8  size | P (previous in use) | M (mmapped) | A (not main arena)
 *	mem   -> +16  fd, then bk, fd_nextsize, bk_nextsize while free; the program's data while in use
 *
 * Private to sim/libc/glibc_*.c. */
#ifndef FAULTLINE_GLIBC_H
#define FAULTLINE_GLIBC_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/heap.h"
#include "faultline/units.h"

enum {
	SIZE_SZ = 8,
	CHUNK_HDR_SZ = 16,
	MALLOC_ALIGNMENT = 16,
	MINSIZE = 32,
	PREV_INUSE = 1,
	IS_MMAPPED = 2,
	NON_MAIN_ARENA = 4,
	SIZE_BITS = 7,
	CHUNK_STRUCT_BYTES = 48,
	NBINS = 128,
	NFASTBINS = 10,
	MIN_LARGE_SIZE = 1024,
	TCACHE_BINS = 64,
	TCACHE_BYTES = 0x280,
	MAX_FAST_SIZE = 160,
	MAX_UNSORTED_ITERATIONS = 10000,
};

#define PTRDIFF_LIMIT ((uint64_t)INT64_MAX)
#define FASTBIN_CONSOLIDATION_THRESHOLD ((uint64_t)65536)
#define MMAP_THRESHOLD_MAX ((uint64_t)32 << 20)
#define MMAP_AS_MORECORE_BYTES ((uint64_t)1 << 20)
/* The real key is a random number chosen at start; any fixed one makes the same decisions. */
#define TCACHE_KEY ((uint64_t)0x7463616368656b79)

/* Offsets in an arena: struct malloc_state. */
#define M_MUTEX 0
#define M_FLAGS 4
#define M_HAVE_FASTCHUNKS 8
#define M_FASTBINS 16
#define M_TOP 96
#define M_LAST_REMAINDER 104
#define M_BINS 112
#define M_BINMAP 2144
#define M_NEXT 2160
#define M_NEXT_FREE 2168
#define M_ATTACHED_THREADS 2176
#define M_SYSTEM_MEM 2184
#define M_MAX_SYSTEM_MEM 2192
#define M_BYTES 2200
#define NONCONTIGUOUS_BIT 2 /* of M_FLAGS */

/* Offsets in the libc's data: the main arena, struct malloc_par, then loose variables. */
#define MP_BASE 2208
#define MP_TRIM_THRESHOLD (MP_BASE + 0)
#define MP_TOP_PAD (MP_BASE + 8)
#define MP_MMAP_THRESHOLD (MP_BASE + 16)
#define MP_ARENA_TEST (MP_BASE + 24)
#define MP_ARENA_MAX (MP_BASE + 32)
#define MP_N_MMAPS (MP_BASE + 60)
#define MP_N_MMAPS_MAX (MP_BASE + 64)
#define MP_MAX_N_MMAPS (MP_BASE + 68)
#define MP_NO_DYN_THRESHOLD (MP_BASE + 72)
#define MP_MMAPPED_MEM (MP_BASE + 80)
#define MP_MAX_MMAPPED_MEM (MP_BASE + 88)
#define MP_SBRK_BASE (MP_BASE + 96)
#define MP_TCACHE_BINS (MP_BASE + 104)
#define MP_TCACHE_MAX_BYTES (MP_BASE + 112)
#define MP_TCACHE_COUNT (MP_BASE + 120)
#define MP_TCACHE_UNSORTED_LIMIT (MP_BASE + 128)
#define G_MAX_FAST (MP_BASE + 136)
#define G_PERTURB (MP_BASE + 144)
#define G_NARENAS (MP_BASE + 152)
#define G_NARENAS_LIMIT (MP_BASE + 160)
#define G_FREE_LIST (MP_BASE + 168)
#define G_NEXT_TO_USE (MP_BASE + 176)
#define G_ALIGNED_HEAP_AREA (MP_BASE + 184)
#define G_TLS (MP_BASE + 192) /* the main thread's */
#define GLIBC_DATA_BYTES (G_TLS + TLS_BYTES)

/* Offsets in a thread's own variables. */
#define TLS_TCACHE 0
#define TLS_ARENA 8
#define TLS_TCACHE_SHUTTING_DOWN 16
#define TLS_BYTES 24

/* Offsets in a heap that is not the main arena's: heap_info of arena.c, at a multiple of its greatest size. */
#define H_ARENA 0
#define H_PREV 8
#define H_SIZE 16
#define H_MPROTECT_SIZE 24
#define H_PAGESIZE 32
#define H_BYTES 48
#define HEAP_MIN_BYTES ((uint64_t)32 << 10)
#define HEAP_MAX_BYTES (2 * MMAP_THRESHOLD_MAX)

/* ---- words of the libc's data, of the arena at work, of the thread ---- */
static inline uint64_t var(struct heap *heap, uint64_t offset)
{
	return user_load64(heap->user, heap->data_va + offset);
}

static inline void set_var(struct heap *heap, uint64_t offset, uint64_t value)
{
	user_store64(heap->user, heap->data_va + offset, value);
}

static inline uint64_t arena_word(struct heap *heap, uint64_t offset)
{
	return user_load64(heap->user, heap->av + offset);
}

static inline void set_arena_word(struct heap *heap, uint64_t offset, uint64_t value)
{
	user_store64(heap->user, heap->av + offset, value);
}

static inline int32_t arena_word32(struct heap *heap, uint64_t offset)
{
	return (int32_t)user_load32(heap->user, heap->av + offset);
}

static inline void set_arena_word32(struct heap *heap, uint64_t offset, int32_t value)
{
	user_store32(heap->user, heap->av + offset, (uint32_t)value);
}

static inline uint64_t tls(struct heap *heap, uint64_t offset)
{
	return user_load64(heap->user, heap->thread_va + offset);
}

static inline void set_tls(struct heap *heap, uint64_t offset, uint64_t value)
{
	user_store64(heap->user, heap->thread_va + offset, value);
}

static inline bool is_contiguous(struct heap *heap)
{
	return (arena_word32(heap, M_FLAGS) & NONCONTIGUOUS_BIT) == 0;
}

/* Operations come one after the other: the lock is always free. To take it touches the arena, which a ruined chunk may
 * have led astray. */
static inline void take_lock(struct heap *heap)
{
	set_arena_word32(heap, M_MUTEX, arena_word32(heap, M_MUTEX));
}

static inline bool is_main_arena(const struct heap *heap)
{
	return heap->av == heap->data_va;
}

/* The flag that used chunks of the arena at work carry. */
static inline uint64_t arena_flag(const struct heap *heap)
{
	return is_main_arena(heap) ? 0 : NON_MAIN_ARENA;
}

static inline int32_t var32(struct heap *heap, uint64_t offset)
{
	return (int32_t)user_load32(heap->user, heap->data_va + offset);
}

static inline void set_var32(struct heap *heap, uint64_t offset, int32_t value)
{
	user_store32(heap->user, heap->data_va + offset, (uint32_t)value);
}

/* ---- fields of a chunk ---- */
#define CHUNK_FIELD_LIST(X)                                                                                            \
	X(prev_size, 0)                                                                                                \
	X(head, 8) /* size and flags */                                                                                \
	X(fd, 16)                                                                                                      \
	X(bk, 24)                                                                                                      \
	X(fd_nextsize, 32)                                                                                             \
	X(bk_nextsize, 40)

#define X(field, offset)                                                                                               \
	static inline uint64_t field(struct heap *heap, uint64_t chunk)                                                \
	{                                                                                                              \
		return user_load64(heap->user, chunk + (offset));                                                      \
	}                                                                                                              \
	static inline void set_##field(struct heap *heap, uint64_t chunk, uint64_t value)                              \
	{                                                                                                              \
		user_store64(heap->user, chunk + (offset), value);                                                     \
	}
CHUNK_FIELD_LIST(X)
#undef X

static inline uint64_t chunk_size(struct heap *heap, uint64_t chunk)
{
	return head(heap, chunk) & ~(uint64_t)SIZE_BITS;
}

static inline uint64_t mem_of(uint64_t chunk)
{
	return chunk + CHUNK_HDR_SZ;
}

static inline uint64_t chunk_of(uint64_t mem)
{
	return mem - CHUNK_HDR_SZ;
}

static inline bool is_aligned(uint64_t address)
{
	return (address & (MALLOC_ALIGNMENT - 1)) == 0;
}

static inline bool prev_inuse(struct heap *heap, uint64_t chunk)
{
	return (head(heap, chunk) & PREV_INUSE) != 0;
}

/* Changes the size and keeps the flags. */
static inline void set_head_size(struct heap *heap, uint64_t chunk, uint64_t size)
{
	set_head(heap, chunk, (head(heap, chunk) & SIZE_BITS) | size);
}

/* The size at the end of a free chunk is the prev_size of the next. */
static inline void set_foot(struct heap *heap, uint64_t chunk, uint64_t size)
{
	set_prev_size(heap, chunk + size, size);
}

static inline void set_inuse_at(struct heap *heap, uint64_t chunk, uint64_t size)
{
	set_head(heap, chunk + size, head(heap, chunk + size) | PREV_INUSE);
}

/* ---- sizes and indices ---- */
/* Chunk size for a request; false above PTRDIFF_MAX. */
static inline bool request_to_size(uint64_t request, uint64_t *nb)
{
	if (request > PTRDIFF_LIMIT)
		return false;
	uint64_t padded = request + SIZE_SZ + MALLOC_ALIGNMENT - 1;
	*nb = padded < MINSIZE ? MINSIZE : padded & ~(uint64_t)(MALLOC_ALIGNMENT - 1);
	return true;
}

static inline bool is_small(uint64_t size)
{
	return size < MIN_LARGE_SIZE;
}

static inline uint64_t tcache_index(uint64_t size)
{
	return (size - MINSIZE + MALLOC_ALIGNMENT - 1) / MALLOC_ALIGNMENT;
}

static inline uint64_t fastbin_at(const struct heap *heap, uint64_t size)
{
	/* fastbin_index keeps 32 bits, which a ruined size may exceed. */
	return heap->av + M_FASTBINS + (uint64_t)(((uint32_t)size >> 4) - 2u) * 8;
}

/* A bin's head looks like a chunk whose fd and bk are the list's ends. */
static inline uint64_t bin_of(uint64_t arena, unsigned index)
{
	return arena + M_BINS + (index - 1) * 16u - 16u;
}

static inline uint64_t bin_at(const struct heap *heap, unsigned index)
{
	return bin_of(heap->av, index);
}

static inline uint64_t unsorted(const struct heap *heap)
{
	return bin_at(heap, 1);
}

/* Safe-linking: Itkin, Safe-Linking, 2020. The address of the link masks its value. */
static inline uint64_t protect_ptr(uint64_t position, uint64_t pointer)
{
	return (position >> 12) ^ pointer;
}

static inline uint64_t reveal_ptr(struct heap *heap, uint64_t position)
{
	return (position >> 12) ^ user_load64(heap->user, position);
}

unsigned glibc_bin_index(uint64_t size);

/* ---- glibc_bins.c ---- */
void glibc_unlink(struct heap *heap, uint64_t chunk);
/* At the front of the unsorted bin; `broken` is what malloc says when the list is corrupt, NULL if it does not look. */
void glibc_put_unsorted(struct heap *heap, uint64_t chunk, uint64_t size, const char *broken);
/* Where it belongs by its size, in order. */
void glibc_put_sorted(struct heap *heap, uint64_t chunk, uint64_t size);

/* ---- glibc_tcache.c ---- */
void glibc_tcache_init(struct heap *heap);
static inline void glibc_maybe_init_tcache(struct heap *heap)
{
	if (tls(heap, TLS_TCACHE) == 0)
		glibc_tcache_init(heap);
}
void glibc_tcache_thread_shutdown(struct heap *heap);
bool glibc_tcache_serves(struct heap *heap, uint64_t index); /* index is below tcache_bins and a tcache exists */
bool glibc_tcache_has_room(struct heap *heap, uint64_t index);
void glibc_tcache_put(struct heap *heap, uint64_t chunk, uint64_t index);
uint64_t glibc_tcache_get(struct heap *heap, uint64_t index); /* mem, or 0 when the bin is empty */
/* MAYBE_INIT_TCACHE: the thread's; 0 when there is no memory for it. */
static inline uint64_t glibc_tcache_existing_or_new(struct heap *heap)
{
	uint64_t tcache = tls(heap, TLS_TCACHE);
	if (tcache != 0)
		return tcache;
	glibc_tcache_init(heap);
	return tls(heap, TLS_TCACHE);
}
/* What malloc and free try first. 0 and false: the bins' turn. */
uint64_t glibc_tcache_malloc(struct heap *heap, uint64_t index);
bool glibc_tcache_free(struct heap *heap, uint64_t tcache, uint64_t chunk, uint64_t size);

/* ---- glibc_arena.c ---- */
/* Makes the arena at work: the calling thread's, another one after a failure, the one that a chunk belongs to. A new
 * one is made large enough for the request. */
void glibc_arena_get(struct heap *heap, uint64_t request);
void glibc_arena_get_retry(struct heap *heap, uint64_t request);
static inline uint64_t glibc_arena_of(struct heap *heap, uint64_t chunk, uint64_t word)
{
	return word & NON_MAIN_ARENA ? user_load64(heap->user, (chunk & ~(HEAP_MAX_BYTES - 1)) + H_ARENA)
				     : heap->data_va;
}
static inline void glibc_arena_for_chunk(struct heap *heap, uint64_t chunk, uint64_t word)
{
	heap->av = glibc_arena_of(heap, chunk, word);
}
/* The assertion of malloc's public functions: what they hand out is a mapping, of the arena at work, or nothing. */
#define glibc_assert_arena(heap, mem, function, name, arena)                                                           \
	glibc_assert(heap, glibc_is_of_arena(heap, mem), function,                                                     \
		     "!" name " || chunk_is_mmapped (mem2chunk (" name ")) || " arena                                  \
		     " == arena_for_chunk (mem2chunk (" name "))")
bool glibc_is_of_arena(struct heap *heap, uint64_t mem);
void glibc_init_state(struct heap *heap);
void glibc_thread_freeres(struct heap *heap);

/* ---- glibc_heap.c: heaps that are not the main arena's ---- */
uint64_t glibc_new_heap(struct heap *heap, uint64_t bytes, uint64_t pad); /* address of its heap_info, or 0 */
/* More memory for the top of the arena at work, from its heap or a new one; false: none. */
bool glibc_grow_arena(struct heap *heap, uint64_t nb);
void glibc_heap_trim(struct heap *heap, uint64_t pad);

/* ---- glibc_malloc.c, glibc_sysmalloc.c, glibc_mmap.c ---- */
uint64_t glibc_int_malloc(struct heap *heap, uint64_t bytes); /* mem or 0; sets errno and last_usable */
/* malloc behind the tcache, and with other arenas' help. */
uint64_t glibc_bins_malloc(struct heap *heap, uint64_t bytes);
uint64_t glibc_sysmalloc(struct heap *heap, uint64_t nb);
bool glibc_systrim(struct heap *heap, uint64_t pad, const char *why);
/* A system call; an error goes to errno. */
int64_t glibc_call(struct heap *heap, uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);
static inline bool glibc_call_failed(int64_t result)
{
	return result < 0 && result >= -4095;
}
uint64_t glibc_map_block(struct heap *heap, uint64_t nb, const char *why); /* mem of a mapping of its own, or 0 */
void glibc_munmap_chunk(struct heap *heap, uint64_t chunk);
uint64_t glibc_mremap_chunk(struct heap *heap, uint64_t chunk, uint64_t nb);
/* Makes [chunk, chunk + nb) a used chunk and what follows the top or a free remainder; returns mem. */
uint64_t glibc_take(struct heap *heap, uint64_t chunk, uint64_t size);

/* ---- glibc_free.c ---- */
/* Into the thread's tcache (0: it has none) or the arena at work. `word` is the chunk's size with its flags. `locked`:
 * called by the allocator itself, with the arena's lock held; only then the fastbin's first chunk is looked at. */
void glibc_int_free_to(struct heap *heap, uint64_t tcache, uint64_t chunk, uint64_t word, bool locked);
static inline void glibc_int_free(struct heap *heap, uint64_t chunk, uint64_t word, bool locked)
{
	glibc_int_free_to(heap, tls(heap, TLS_TCACHE), chunk, word, locked);
}
void glibc_consolidate(struct heap *heap);
static inline bool glibc_have_fastchunks(struct heap *heap)
{
	return arena_word32(heap, M_HAVE_FASTCHUNKS) != 0;
}

/* ---- glibc_realloc.c, glibc_control.c, glibc_walk.c ---- */
uint64_t glibc_calloc(struct heap *heap, uint64_t count, uint64_t bytes);
uint64_t glibc_realloc(struct heap *heap, uint64_t block, uint64_t bytes);
uint64_t glibc_memalign(struct heap *heap, uint64_t alignment, uint64_t bytes);
int glibc_trim(struct heap *heap, uint64_t pad);
int glibc_mallopt(struct heap *heap, int param, int value);
bool glibc_tunable(struct heap *heap, const char *name, uint64_t value);
void glibc_apply_tunables(struct heap *heap);
bool glibc_walk(const struct heap *heap, heap_block_fn *visit, void *self, const char **why);
void glibc_mallinfo(const struct heap *heap, struct heap_mallinfo *out);
/* int_mallinfo: adds one arena. */
void glibc_add_mallinfo(const struct heap *heap, uint64_t arena, struct heap_mallinfo *out);
void glibc_print_stats(const struct heap *heap, heap_write_fn *write, void *self);
void glibc_print_info(const struct heap *heap, heap_write_fn *write, void *self);

/* ---- the story ---- */
static inline void glibc_tell_split(struct heap *heap, uint64_t chunk, uint64_t nb, uint64_t rest_size)
{
	heap->stats.splits++;
	emit(heap->bus, EVENT_LIBC_SPLIT, chunk, nb, chunk + nb, rest_size);
}

static inline void glibc_tell_join(struct heap *heap, uint64_t chunk, uint64_t neighbour, uint64_t bytes)
{
	heap->stats.coalesces++;
	emit(heap->bus, EVENT_LIBC_COALESCE, chunk, neighbour, bytes);
}

/* M_PERTURB */
void glibc_alloc_perturb(struct heap *heap, uint64_t mem, uint64_t bytes);
void glibc_free_perturb(struct heap *heap, uint64_t mem, uint64_t bytes);

_Noreturn void glibc_printerr(struct heap *heap, const char *message);
/* assert() of malloc.c: __malloc_assert prints the function and the condition. */
#define GLIBC_ASSERT_TEXT(function, condition) "Fatal glibc error: malloc assertion failure in " function ": " condition
#define glibc_assert(heap, holds, function, condition)                                                                 \
	((holds) ? (void)0 : glibc_printerr(heap, GLIBC_ASSERT_TEXT(function, condition)))

#endif
