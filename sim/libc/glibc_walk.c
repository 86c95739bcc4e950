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
	struct listed cached; /* tcache and fastbins: "in use" for their neighbours */
	uint64_t in_bins;     /* chunks in the doubly linked bins */
	uint64_t found_free;  /* chunks whose successor says that they are free */
	const char *why;
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

static void collect_tcache(struct walk_state *state)
{
	uint64_t tcache = peek_var(state, G_TCACHE), limit = peek_var(state, MP_TCACHE_COUNT);
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
		uint64_t chunk = peek_var(state, M_FASTBINS + i * 8u);
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
	uint64_t bin = bin_at(state->heap, index), previous = bin, last_size = UINT64_MAX;
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

static void visit_chunk(struct walk_state *state, uint64_t chunk, uint64_t size, heap_block_fn *visit, void *self)
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
	else if (visit)
		visit(self, &block);
}

/* From the first break upwards. A foreign sbrk or a mapping in place of brk leaves two small fence chunks behind which
 * nothing can be known; then only the lists are checked. True: the top was reached. */
static bool walk_chunks(struct walk_state *state, heap_block_fn *visit, void *self)
{
	uint64_t chunk = peek_var(state, MP_SBRK_BASE), top = peek_var(state, M_TOP);
	if (chunk == 0)
		return false;
	if (!is_aligned(mem_of(chunk)))
		return false;
	while (chunk != top && !state->why) {
		uint64_t size = peek_size(state, chunk);
		if (size == CHUNK_HDR_SZ)
			return false;
		if (size < MINSIZE || !is_aligned(size) || chunk + size > top + peek_var(state, M_SYSTEM_MEM))
			state->why = "a chunk's size is impossible";
		else
			visit_chunk(state, chunk, size, visit, self);
		chunk += size;
	}
	if (state->why)
		return false;
	struct heap_block block = {top, mem_of(top), peek_size(state, top), HEAP_BLOCK_TOP, "top"};
	if (visit)
		visit(self, &block);
	return true;
}

bool glibc_walk(const struct heap *heap, heap_block_fn *visit, void *self, const char **why)
{
	struct walk_state state = {.heap = heap};
	collect_tcache(&state);
	collect_fastbins(&state);
	if (state.cached.count)
		qsort(state.cached.entries, state.cached.count, sizeof(struct entry), compare);
	for (size_t i = 1; i < state.cached.count && !state.why; i++) {
		if (state.cached.entries[i].chunk == state.cached.entries[i - 1].chunk)
			state.why = "a chunk is cached twice";
	}
	for (unsigned i = 1; i < NBINS && !state.why; i++)
		check_bin(&state, i);
	if (!state.why && walk_chunks(&state, visit, self) && state.in_bins != state.found_free)
		state.why = "free chunks and chunks in bins differ in number";
	free(state.cached.entries);
	*why = state.why;
	return state.why == NULL;
}
