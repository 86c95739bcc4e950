/* The heap as it lies in memory, read without touching it: every chunk from the first break to the top, and every list.
 * malloc_check of the invariants in malloc.c, "Chunk-level invariants" and do_check_malloc_state. */
#include <stdlib.h>

#include "glibc.h"

/* What is on the lists: addresses of chunks, sorted, to be looked up while walking. */
struct listed {
	struct entry {
		uint64_t chunk;
		const char *where;
	} * entries;
	size_t count, capacity;
};

struct walk_state {
	const struct heap *heap;
	struct listed cached; /* tcaches and fastbins: "in use" for their neighbours */
	heap_block_fn *visit; /* NULL: nobody wants to know */
	void *self;
	const char *why;
	/* Of one arena: */
	uint64_t arena;
	uint64_t in_bins;    /* chunks in the doubly linked bins */
	uint64_t found_free; /* chunks whose successor says that they are free */
};

static uint64_t peek(struct walk_state *state, uint64_t va)
{
	uint64_t value = 0;
	if (!user_peek64(state->heap->user, va, &value) && !state->why)
		state->why = "a heap structure lies in memory without a frame";
	return value;
}

static uint64_t peek_var(struct walk_state *state, uint64_t offset)
{
	return peek(state, state->heap->data_va + offset);
}

static uint64_t peek_arena(struct walk_state *state, uint64_t offset)
{
	return peek(state, state->arena + offset);
}

static uint64_t peek_size(struct walk_state *state, uint64_t chunk)
{
	return peek(state, chunk + 8) & ~(uint64_t)SIZE_BITS;
}

static void add(struct walk_state *state, uint64_t chunk, const char *where)
{
	struct listed *listed = &state->cached;
	if (listed->count == listed->capacity) {
		size_t capacity = listed->capacity ? 2 * listed->capacity : 256;
		struct entry *entries = realloc(listed->entries, capacity * sizeof(*entries));
		if (!entries) {
			state->why = "the host has no memory for the check";
			return;
		}
		listed->entries = entries;
		listed->capacity = capacity;
	}
	listed->entries[listed->count++] = (struct entry){chunk, where};
}

static int compare(const void *a, const void *b)
{
	uint64_t x = ((const struct entry *)a)->chunk, y = ((const struct entry *)b)->chunk;
	return (x > y) - (x < y);
}

static const char *where_cached(const struct walk_state *state, uint64_t chunk)
{
	const struct entry key = {chunk, NULL};
	const struct entry *found = state->cached.count ? bsearch(&key, state->cached.entries, state->cached.count,
								  sizeof(key), compare)
							: NULL;
	return found ? found->where : NULL;
}

static void collect_tcache(struct walk_state *state, uint64_t thread_va)
{
	uint64_t tcache = peek(state, thread_va + TLS_TCACHE), limit = peek_var(state, MP_TCACHE_COUNT);
	if (!tcache)
		return;
	for (uint64_t i = 0; i < TCACHE_BINS && !state->why; i++) {
		uint64_t counts = peek(state, tcache + (i & ~(uint64_t)3) * 2), seen = 0;
		uint64_t entry = peek(state, tcache + (uint64_t)TCACHE_BINS * 2 + i * 8);
		for (; entry && seen <= limit && !state->why; seen++) {
			add(state, chunk_of(entry), "tcache");
			entry = (entry >> 12) ^ peek(state, entry);
		}
		if (!state->why && seen != (counts >> (i & 3) * 16 & 0xffff))
			state->why = "a tcache bin's list and count differ";
	}
}

static void collect_fastbins(struct walk_state *state)
{
	for (unsigned i = 0; i < NFASTBINS && !state->why; i++) {
		uint64_t chunk = peek_arena(state, M_FASTBINS + i * 8u);
		while (chunk && !state->why) {
			if (peek_size(state, chunk) != (i + 2) * 16u)
				state->why = "a fastbin holds a chunk of another size";
			add(state, chunk, "fastbin");
			chunk = (mem_of(chunk) >> 12) ^ peek(state, mem_of(chunk));
		}
	}
}

/* Only the first chunk of a size is on the list of different sizes. */
static void check_sizes_list(struct walk_state *state, uint64_t chunk, bool first_of_size)
{
	uint64_t smaller = peek(state, chunk + 32), larger = peek(state, chunk + 40);
	if (first_of_size != (smaller != 0))
		state->why = "a large bin's list of sizes holds a wrong chunk";
	else if (first_of_size && (peek(state, smaller + 40) != chunk || peek(state, larger + 32) != chunk))
		state->why = "a large bin's list of sizes is not linked both ways";
}

static void check_bin(struct walk_state *state, unsigned index)
{
	uint64_t bin = bin_of(state->arena, index), previous = bin, last_size = UINT64_MAX;
	for (uint64_t chunk = peek(state, bin + 16); chunk != bin && !state->why; chunk = peek(state, chunk + 16)) {
		uint64_t size = peek_size(state, chunk);
		if (peek(state, chunk + 24) != previous)
			state->why = "a bin's forward and backward links differ";
		else if (index > 1 && glibc_bin_index(size) != index)
			state->why = "a bin holds a chunk of another size";
		else if (index > 1 && size > last_size)
			state->why = "a large bin is not sorted";
		else if (index > 1 && !is_small(size))
			check_sizes_list(state, chunk, size != last_size);
		previous = chunk;
		last_size = size;
		state->in_bins++;
	}
}

static void visit_chunk(struct walk_state *state, uint64_t chunk, uint64_t size)
{
	const char *where = where_cached(state, chunk);
	bool free = !(peek(state, chunk + size + 8) & PREV_INUSE);
	struct heap_block block = {.chunk = chunk, .user = mem_of(chunk), .bytes = size, .where = where ? where : ""};
	block.state = where ? HEAP_BLOCK_CACHED : free ? HEAP_BLOCK_FREE : HEAP_BLOCK_USED;
	state->found_free += free;
	if (free && peek(state, chunk + size) != size)
		state->why = "a free chunk's size at its end is not the size at its start";
	else if (free && where)
		state->why = "a cached chunk is marked free";
	else if (free && !(peek(state, chunk + 8) & PREV_INUSE))
		state->why = "two free chunks stand side by side";
	else if (state->visit)
		state->visit(state->self, &block);
}

/* From a chunk to the top, or to the two small fence chunks that a foreign sbrk, a mapping in place of brk or the next
 * heap leave behind. True: the top was reached. */
static bool walk_chunks(struct walk_state *state, uint64_t chunk)
{
	uint64_t top = peek_arena(state, M_TOP);
	while (chunk != top && !state->why) {
		uint64_t size = peek_size(state, chunk);
		if (size == CHUNK_HDR_SZ || size == 0)
			return false;
		if (size < MINSIZE || !is_aligned(size) || size > peek_arena(state, M_SYSTEM_MEM))
			state->why = "a chunk's size is impossible";
		else
			visit_chunk(state, chunk, size);
		chunk += size;
	}
	if (state->why)
		return false;
	struct heap_block block = {top, mem_of(top), peek_size(state, top), HEAP_BLOCK_TOP, "top"};
	if (state->visit)
		state->visit(state->self, &block);
	return true;
}

/* From the first break upwards. True: all of it is known. */
static bool walk_main(struct walk_state *state)
{
	uint64_t first = peek_var(state, MP_SBRK_BASE);
	return first != 0 && is_aligned(mem_of(first)) && walk_chunks(state, first);
}

/* Each heap of another arena, the newest first. */
static bool walk_heaps(struct walk_state *state)
{
	uint64_t info = peek_arena(state, M_TOP) & ~(HEAP_MAX_BYTES - 1);
	while (info && !state->why) {
		uint64_t previous = peek(state, info + H_PREV), first = info + H_BYTES;
		if (previous == 0)
			first = (first + M_BYTES + MALLOC_ALIGNMENT - 1) & ~(uint64_t)(MALLOC_ALIGNMENT - 1);
		(void)walk_chunks(state, first);
		info = previous;
	}
	return true;
}

static void walk_arena(struct walk_state *state)
{
	state->in_bins = state->found_free = 0;
	for (unsigned i = 1; i < NBINS && !state->why; i++)
		check_bin(state, i);
	bool whole = !state->why && (state->arena == state->heap->data_va ? walk_main(state) : walk_heaps(state));
	if (whole && !state->why && state->in_bins != state->found_free)
		state->why = "free chunks and chunks in bins differ in number";
}

/* Calls it for each arena. */
static void for_each_arena(struct walk_state *state, void (*fn)(struct walk_state *state))
{
	state->arena = state->heap->data_va;
	do {
		fn(state);
		state->arena = peek_arena(state, M_NEXT);
	} while (!state->why && state->arena != state->heap->data_va);
}

bool glibc_walk(const struct heap *heap, heap_block_fn *visit, void *self, const char **why)
{
	struct walk_state state = {.heap = heap, .visit = visit, .self = self};
	collect_tcache(&state, heap->data_va + G_TLS);
	for (unsigned i = 1; heap->threads && i < HEAP_MAX_THREADS && !state.why; i++) {
		if (heap->threads->thread[i].alive)
			collect_tcache(&state, heap->threads->thread[i].tls);
	}
	for_each_arena(&state, collect_fastbins);
	if (state.cached.count)
		qsort(state.cached.entries, state.cached.count, sizeof(struct entry), compare);
	for (size_t i = 1; i < state.cached.count && !state.why; i++) {
		if (state.cached.entries[i].chunk == state.cached.entries[i - 1].chunk)
			state.why = "a chunk is cached twice";
	}
	for_each_arena(&state, walk_arena);
	free(state.cached.entries);
	*why = state.why;
	return state.why == NULL;
}
