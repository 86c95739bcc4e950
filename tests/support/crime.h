/* Programs that ruin a glibc heap, and a court that hears what the library says before it aborts them. */
#ifndef FAULTLINE_TESTS_CRIME_H
#define FAULTLINE_TESTS_CRIME_H

#include <string.h>

#include "flat_heap.h"

/* ---- tools of the trade: a chunk's words as the program that overruns a block reaches them ---- */

static inline void write_size(struct heap *heap, uint64_t block, uint64_t word)
{
	user_store64(heap->user, block - 8, word);
}

static inline void write_prev_size(struct heap *heap, uint64_t block, uint64_t word)
{
	user_store64(heap->user, block - 16, word);
}

static inline void write_link(struct heap *heap, uint64_t block, unsigned index, uint64_t word)
{
	user_store64(heap->user, block + index * 8u, word);
}

/* Blocks of this size that are freed from now on do not fit the tcache. */
static inline void fill_tcache(struct heap *heap, uint64_t bytes)
{
	uint64_t blocks[7];
	for (unsigned i = 0; i < 7; i++)
		blocks[i] = heap_malloc(heap, bytes);
	for (unsigned i = 0; i < 7; i++)
		heap_free(heap, blocks[i]);
}

static inline void empty_tcache(struct heap *heap, uint64_t bytes)
{
	for (unsigned i = 0; i < 7; i++)
		(void)heap_malloc(heap, bytes);
}

static inline uint64_t guarded(struct heap *heap, uint64_t bytes)
{
	uint64_t block = heap_malloc(heap, bytes);
	(void)heap_malloc(heap, 0x18);
	return block;
}

/* Free, alone in the unsorted bin, with a used block behind. */
static inline uint64_t in_unsorted(struct heap *heap, uint64_t bytes)
{
	uint64_t block = guarded(heap, bytes);
	heap_free(heap, block);
	return block;
}

static inline uint64_t in_fastbin(struct heap *heap)
{
	uint64_t block = guarded(heap, 0x28);
	fill_tcache(heap, 0x28);
	heap_free(heap, block);
	empty_tcache(heap, 0x28);
	return block;
}

struct crime {
	const char *name;
	void (*commit)(struct heap *heap);
	const char *words;
};

#define CRIME(name, words)                                                                                             \
	{                                                                                                              \
#name, name, words                                                                                     \
	}

struct trial {
	struct heap *heap;
	const struct crime *crime;
};

static inline void crime_commit(void *self)
{
	const struct trial *trial = self;
	trial->crime->commit(trial->heap);
}

/* Each must end in its words. */
static inline void crimes_try(const struct crime *crimes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct flat_heap flat = flat_heap_new("glibc");
		struct trial trial = {flat.heap, &crimes[i]};
		bool survived = user_run(flat.user, crime_commit, &trial);
		if (survived || flat.facts->end != FLAT_ABORTED)
			fail_msg("%s: no abort", crimes[i].name);
		if (strcmp(flat.facts->message, crimes[i].words) != 0)
			fail_msg("%s: \"%s\"", crimes[i].name, flat.facts->message);
		flat_heap_free(&flat);
	}
}

#endif
