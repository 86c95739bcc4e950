/* The textbook allocators (Knuth, The Art of Computer Programming 1, section 2.5; Wilson et al., Dynamic storage
 * allocation, 1995): boundary tags, one list of free chunks in address order, immediate coalescing, growth by brk. They
 * differ in one decision only: which of the free chunks that fit is taken.
 *
 *	chunk ->  +0  size of the previous chunk, valid while that is free
 *	          +8  size | PREV_USED
 *	block -> +16  next free, previous free (while free); the program's data (while used)
 *
 * The heap ends in a header of size 0, so that every chunk has a successor.
 *
 * Private to sim/libc/fit*.c. */
#ifndef FAULTLINE_FIT_H
#define FAULTLINE_FIT_H

#include "faultline/units.h"
#include "heap_private.h"

enum {
	HEADER = 16,
	TAG = 8, /* a used chunk's data run into the next chunk's first word */
	MIN_CHUNK = 32,
	ALIGNMENT = 16,
	PREV_USED = 1,
};

/* Static variables of the library, in simulated memory. */
enum { VAR_FIRST_FREE = 0, VAR_ROVER = 8, VAR_START = 16, VAR_END = 24, DATA_BYTES = 32 };

static inline uint64_t var(struct heap *heap, uint64_t offset)
{
	return user_load64(heap->user, heap->data_va + offset);
}

static inline void set_var(struct heap *heap, uint64_t offset, uint64_t value)
{
	user_store64(heap->user, heap->data_va + offset, value);
}

static inline uint64_t word(struct heap *heap, uint64_t chunk)
{
	return user_load64(heap->user, chunk + TAG);
}

static inline void set_word(struct heap *heap, uint64_t chunk, uint64_t value)
{
	user_store64(heap->user, chunk + TAG, value);
}

static inline uint64_t size_of(uint64_t word)
{
	return word & ~(uint64_t)(ALIGNMENT - 1);
}

static inline uint64_t size_at(struct heap *heap, uint64_t chunk)
{
	return size_of(word(heap, chunk));
}

static inline uint64_t next_free(struct heap *heap, uint64_t chunk)
{
	return user_load64(heap->user, chunk + HEADER);
}

static inline void set_next_free(struct heap *heap, uint64_t chunk, uint64_t next)
{
	user_store64(heap->user, chunk + HEADER, next);
}

static inline uint64_t prev_free(struct heap *heap, uint64_t chunk)
{
	return user_load64(heap->user, chunk + HEADER + 8);
}

static inline void set_prev_free(struct heap *heap, uint64_t chunk, uint64_t prev)
{
	user_store64(heap->user, chunk + HEADER + 8, prev);
}

/* A chunk is used when its successor says so. */
static inline bool is_used(struct heap *heap, uint64_t chunk, uint64_t size)
{
	return (word(heap, chunk + size) & PREV_USED) != 0;
}

/* ---- fit_policy.c ---- */
/* The free chunk of at least `wanted` bytes that the heap's policy takes; 0: none fits. */
uint64_t fit_choose(struct heap *heap, uint64_t wanted);

/* ---- fit_walk.c ---- */
bool fit_walk(const struct heap *heap, heap_block_fn *visit, void *self, const char **why);

#endif
