/* The textbook allocators (Knuth, The Art of Computer Programming 1, section 2.5; Wilson et al., Dynamic storage
 * allocation, 1995): boundary tags, one list of free chunks in address order, immediate coalescing, growth by brk. They
 * differ in one decision only: which of the free chunks that fit is taken.
 *
 *	chunk ->  +0  size of the previous chunk, valid while that is free
 *	          +8  size | PREV_USED
 *	block -> +16  next free, previous free (while free); the program's data (while used)
 *
 * The heap ends in a header of size 0, so that every chunk has a successor. */
#include <stdlib.h>

#include "faultline/units.h"
#include "heap_private.h"

enum {
	HEADER = 16,
	TAG = 8, /* a used chunk's data run into the next chunk's first word */
	MIN_CHUNK = 32,
	ALIGNMENT = 16,
	PREV_USED = 1,
};

#define LARGEST_REQUEST ((uint64_t)1 << 46)
#define GROW_BYTES (64 * KIB)
#define TRIM_BYTES (128 * KIB)

/* Static variables of the library, in simulated memory. */
enum { VAR_FIRST_FREE = 0, VAR_ROVER = 8, VAR_START = 16, VAR_END = 24, DATA_BYTES = 32 };

static uint64_t var(struct heap *heap, uint64_t offset)
{
	return user_load64(heap->user, heap->data_va + offset);
}

static void set_var(struct heap *heap, uint64_t offset, uint64_t value)
{
	user_store64(heap->user, heap->data_va + offset, value);
}

static uint64_t word(struct heap *heap, uint64_t chunk)
{
	return user_load64(heap->user, chunk + TAG);
}

static void set_word(struct heap *heap, uint64_t chunk, uint64_t value)
{
	user_store64(heap->user, chunk + TAG, value);
}

static uint64_t size_of(uint64_t word)
{
	return word & ~(uint64_t)(ALIGNMENT - 1);
}

static uint64_t size_at(struct heap *heap, uint64_t chunk)
{
	return size_of(word(heap, chunk));
}

static uint64_t next_free(struct heap *heap, uint64_t chunk)
{
	return user_load64(heap->user, chunk + HEADER);
}

static void set_next_free(struct heap *heap, uint64_t chunk, uint64_t next)
{
	user_store64(heap->user, chunk + HEADER, next);
}

static uint64_t prev_free(struct heap *heap, uint64_t chunk)
{
	return user_load64(heap->user, chunk + HEADER + 8);
}

static void set_prev_free(struct heap *heap, uint64_t chunk, uint64_t prev)
{
	user_store64(heap->user, chunk + HEADER + 8, prev);
}

/* A chunk is used when its successor says so. */
static bool is_used(struct heap *heap, uint64_t chunk, uint64_t size)
{
	return (word(heap, chunk + size) & PREV_USED) != 0;
}

static uint64_t refuse(struct heap *heap, int errno_value)
{
	heap->errno_value = errno_value;
	return 0;
}

static bool chunk_size_for(uint64_t request, uint64_t *size)
{
	if (request > LARGEST_REQUEST)
		return false;
	*size = align_up(request + TAG, ALIGNMENT);
	if (*size < MIN_CHUNK)
		*size = MIN_CHUNK;
	return true;
}

/* ---- the free list ---- */

static void link_free(struct heap *heap, uint64_t chunk, uint64_t prev, uint64_t next)
{
	set_next_free(heap, chunk, next);
	set_prev_free(heap, chunk, prev);
	if (prev)
		set_next_free(heap, prev, chunk);
	else
		set_var(heap, VAR_FIRST_FREE, chunk);
	if (next)
		set_prev_free(heap, next, chunk);
}

static void unlink_free(struct heap *heap, uint64_t chunk)
{
	uint64_t next = next_free(heap, chunk), prev = prev_free(heap, chunk);
	if ((next && prev_free(heap, next) != chunk) || (prev && next_free(heap, prev) != chunk))
		user_abort(heap->user, "corrupted free list");
	if (prev)
		set_next_free(heap, prev, next);
	else
		set_var(heap, VAR_FIRST_FREE, next);
	if (next)
		set_prev_free(heap, next, prev);
	if (var(heap, VAR_ROVER) == chunk)
		set_var(heap, VAR_ROVER, next);
}

/* In address order, so that first fit prefers low addresses. */
static void insert_free(struct heap *heap, uint64_t chunk, uint64_t size)
{
	uint64_t prev = 0, next = var(heap, VAR_FIRST_FREE);
	while (next && next < chunk) {
		prev = next;
		next = next_free(heap, next);
	}
	link_free(heap, chunk, prev, next);
	user_store64(heap->user, chunk + size, size);
	emit(heap->bus, EVENT_LIBC_PLACE, chunk, size, event_text("free list"));
}

/* ---- the one decision ---- */

typedef uint64_t fit_fn(struct heap *heap, uint64_t wanted);

/* The first chunk from `from` up to (not including) `until` that fits. */
static uint64_t scan(struct heap *heap, uint64_t from, uint64_t until, uint64_t wanted)
{
	for (uint64_t chunk = from; chunk != until; chunk = next_free(heap, chunk)) {
		heap->stats.searched++;
		if (size_at(heap, chunk) >= wanted)
			return chunk;
	}
	return 0;
}

static uint64_t first_fit(struct heap *heap, uint64_t wanted)
{
	return scan(heap, var(heap, VAR_FIRST_FREE), 0, wanted);
}

/* Goes on where the last search ended, and round to there. */
static uint64_t next_fit(struct heap *heap, uint64_t wanted)
{
	uint64_t rover = var(heap, VAR_ROVER), chunk = scan(heap, rover, 0, wanted);
	if (!chunk && rover)
		chunk = scan(heap, var(heap, VAR_FIRST_FREE), rover, wanted);
	else if (!chunk)
		chunk = scan(heap, var(heap, VAR_FIRST_FREE), 0, wanted);
	if (chunk)
		set_var(heap, VAR_ROVER, next_free(heap, chunk));
	return chunk;
}

static uint64_t extreme_fit(struct heap *heap, uint64_t wanted, bool smallest)
{
	uint64_t best = 0, best_size = 0;
	for (uint64_t chunk = var(heap, VAR_FIRST_FREE); chunk; chunk = next_free(heap, chunk)) {
		uint64_t size = size_at(heap, chunk);
		heap->stats.searched++;
		if (size < wanted || (best && (smallest ? size >= best_size : size <= best_size)))
			continue;
		best = chunk;
		best_size = size;
		if (smallest && size == wanted)
			break;
	}
	return best;
}

static uint64_t best_fit(struct heap *heap, uint64_t wanted)
{
	return extreme_fit(heap, wanted, true);
}

static uint64_t worst_fit(struct heap *heap, uint64_t wanted)
{
	return extreme_fit(heap, wanted, false);
}

/* A heap's allocator is a row of this table. */
static const struct fit_policy {
	const struct heap_ops *ops;
	const char *where; /* what the story says was searched */
	fit_fn *choose;
} policies[] = {
    {&heap_first_fit, "the free list, first that fits", first_fit},
    {&heap_next_fit, "the free list, next that fits", next_fit},
    {&heap_best_fit, "the free list, smallest that fits", best_fit},
    {&heap_worst_fit, "the free list, largest", worst_fit},
};

static uint64_t choose(struct heap *heap, uint64_t wanted)
{
	unsigned row = 0;
	while (policies[row].ops != heap->ops)
		row++;
	uint64_t chunk = policies[row].choose(heap, wanted);
	emit(heap->bus, EVENT_LIBC_SEARCH, event_text(policies[row].where), wanted, chunk);
	return chunk;
}

/* ---- the ends of the heap ---- */

/* Joins a chunk that is not on the list with its free neighbours and puts the whole on the list; returns its start. */
static uint64_t release(struct heap *heap, uint64_t chunk, uint64_t size)
{
	uint64_t next = chunk + size, next_size = size_at(heap, next);
	/* Also where the header is about to vanish inside a larger chunk: a second free of this block finds it. */
	set_word(heap, next, word(heap, next) & ~(uint64_t)PREV_USED);
	if (next_size && !is_used(heap, next, next_size)) {
		unlink_free(heap, next);
		size += next_size;
		heap->stats.coalesces++;
		emit(heap->bus, EVENT_LIBC_COALESCE, chunk, next, size);
	}
	if (!(word(heap, chunk) & PREV_USED)) {
		uint64_t before = user_load64(heap->user, chunk), prev = chunk - before;
		if (size_at(heap, prev) != before)
			user_abort(heap->user, "corrupted size vs. prev_size");
		unlink_free(heap, prev);
		size += before;
		heap->stats.coalesces++;
		emit(heap->bus, EVENT_LIBC_COALESCE, chunk, prev, size);
		chunk = prev;
	}
	set_word(heap, chunk, size | PREV_USED);
	insert_free(heap, chunk, size);
	return chunk;
}

/* Extends the heap by at least one chunk of `wanted` bytes, which goes to the free list. */
static bool grow(struct heap *heap, uint64_t wanted)
{
	uint64_t bytes = page_ceil(wanted + 2 * HEADER > GROW_BYTES ? wanted + 2 * HEADER : GROW_BYTES);
	emit(heap->bus, EVENT_LIBC_GROW, event_text("brk"), bytes);
	uint64_t at = heap_sbrk(heap, (int64_t)bytes), end = var(heap, VAR_END);
	if (at == UINT64_MAX)
		return false;
	uint64_t chunk = end;
	if (end == 0 || at != end + HEADER) {
		/* The first time, or somebody else moved the break: a new stretch of heap, whose first chunk has a used
		 * neighbour by definition. */
		uint64_t skew = align_up(at, ALIGNMENT) - at;
		chunk = at + skew;
		bytes -= align_up(skew, ALIGNMENT) + HEADER;
		set_word(heap, chunk, PREV_USED);
		if (end == 0)
			set_var(heap, VAR_START, chunk);
	}
	uint64_t flags = word(heap, chunk) & PREV_USED;
	set_word(heap, chunk, bytes | flags);
	set_word(heap, chunk + bytes, PREV_USED);
	set_var(heap, VAR_END, chunk + bytes);
	(void)release(heap, chunk, bytes);
	return true;
}

/* Gives the free chunk at the end of the heap back but for `keep` bytes. */
static bool shrink(struct heap *heap, uint64_t keep)
{
	uint64_t end = var(heap, VAR_END);
	if (end == 0 || (word(heap, end) & PREV_USED) || heap_sbrk(heap, 0) != end + HEADER)
		return false;
	uint64_t size = user_load64(heap->user, end), chunk = end - size;
	uint64_t stay = keep > MIN_CHUNK ? keep : MIN_CHUNK;
	uint64_t bytes = size > stay ? page_floor(size - stay) : 0;
	if (bytes == 0)
		return false;
	emit(heap->bus, EVENT_LIBC_SHRINK, event_text("brk"), bytes);
	if (heap_sbrk(heap, -(int64_t)bytes) == UINT64_MAX)
		return false;
	size -= bytes;
	set_word(heap, chunk, size | PREV_USED);
	user_store64(heap->user, chunk + size, size);
	set_word(heap, chunk + size, 0);
	set_var(heap, VAR_END, chunk + size);
	return true;
}

/* ---- the program's calls ---- */

/* Takes `wanted` bytes off a chunk that has left the list; what remains goes back to it. */
static uint64_t place(struct heap *heap, uint64_t chunk, uint64_t size, uint64_t wanted)
{
	if (size - wanted >= MIN_CHUNK) {
		uint64_t rest = chunk + wanted;
		heap->stats.splits++;
		emit(heap->bus, EVENT_LIBC_SPLIT, chunk, wanted, rest, size - wanted);
		set_word(heap, chunk, wanted | (word(heap, chunk) & PREV_USED));
		set_word(heap, rest, (size - wanted) | PREV_USED);
		(void)release(heap, rest, size - wanted);
		size = wanted;
	} else {
		set_word(heap, chunk, size | (word(heap, chunk) & PREV_USED));
		set_word(heap, chunk + size, word(heap, chunk + size) | PREV_USED);
	}
	heap->last_usable = size - TAG;
	return chunk + HEADER;
}

static uint64_t allocate(struct heap *heap, uint64_t wanted)
{
	uint64_t chunk = choose(heap, wanted);
	if (!chunk) {
		if (!grow(heap, wanted))
			return refuse(heap, HEAP_ENOMEM);
		chunk = choose(heap, wanted);
	}
	uint64_t size = size_at(heap, chunk);
	unlink_free(heap, chunk);
	return place(heap, chunk, size, wanted);
}

static uint64_t fit_malloc(struct heap *heap, uint64_t bytes)
{
	uint64_t wanted;
	return chunk_size_for(bytes, &wanted) ? allocate(heap, wanted) : refuse(heap, HEAP_ENOMEM);
}

static uint64_t fit_calloc(struct heap *heap, uint64_t count, uint64_t bytes)
{
	uint64_t total;
	if (__builtin_mul_overflow(count, bytes, &total))
		return refuse(heap, HEAP_ENOMEM);
	uint64_t block = fit_malloc(heap, total);
	if (block)
		user_fill(heap->user, block, 0, total);
	return block;
}

/* The used chunk behind a pointer that the program hands in; ends the program when it cannot be one. */
static uint64_t checked_chunk(struct heap *heap, uint64_t block, uint64_t *size)
{
	uint64_t chunk = block - HEADER, start = var(heap, VAR_START), end = var(heap, VAR_END);
	if (block % ALIGNMENT != 0 || start == 0 || chunk < start || chunk >= end)
		user_abort(heap->user, "free(): invalid pointer");
	*size = size_at(heap, chunk);
	if (*size < MIN_CHUNK || *size > end - chunk)
		user_abort(heap->user, "free(): invalid size");
	if (!is_used(heap, chunk, *size))
		user_abort(heap->user, "double free or corruption (!prev)");
	return chunk;
}

static void fit_free(struct heap *heap, uint64_t block)
{
	uint64_t size;
	if (block == 0)
		return;
	uint64_t chunk = checked_chunk(heap, block, &size);
	heap->last_freed = size - TAG;
	chunk = release(heap, chunk, size);
	size = size_at(heap, chunk);
	if (chunk + size == var(heap, VAR_END) && size >= TRIM_BYTES)
		(void)shrink(heap, 0);
}

static uint64_t resize(struct heap *heap, uint64_t block, uint64_t chunk, uint64_t size, uint64_t wanted)
{
	uint64_t next = chunk + size, next_size = size_at(heap, next);
	if (size < wanted && next_size && !is_used(heap, next, next_size) && size + next_size >= wanted) {
		unlink_free(heap, next);
		size += next_size;
	}
	if (size >= wanted)
		return place(heap, chunk, size, wanted);
	uint64_t moved = allocate(heap, wanted);
	if (moved) {
		uint64_t usable = heap->last_usable;
		user_copy(heap->user, moved, block, size - TAG);
		(void)release(heap, chunk, size);
		heap->last_usable = usable;
	}
	return moved;
}

static uint64_t fit_realloc(struct heap *heap, uint64_t block, uint64_t bytes)
{
	uint64_t size, wanted;
	if (block == 0)
		return fit_malloc(heap, bytes);
	if (bytes == 0) {
		fit_free(heap, block);
		return 0;
	}
	uint64_t chunk = checked_chunk(heap, block, &size);
	heap->last_freed = size - TAG;
	return chunk_size_for(bytes, &wanted) ? resize(heap, block, chunk, size, wanted) : refuse(heap, HEAP_ENOMEM);
}

/* A block large enough to hold an aligned one; what stands before that goes back to the list. */
static uint64_t fit_aligned_alloc(struct heap *heap, uint64_t alignment, uint64_t bytes)
{
	uint64_t wanted, size;
	if (!is_power_of_two(alignment))
		return refuse(heap, HEAP_EINVAL);
	if (alignment <= ALIGNMENT)
		return fit_malloc(heap, bytes);
	if (alignment > LARGEST_REQUEST || !chunk_size_for(bytes, &wanted))
		return refuse(heap, HEAP_ENOMEM);
	uint64_t block = allocate(heap, wanted + alignment + MIN_CHUNK);
	if (!block)
		return 0;
	uint64_t chunk = block - HEADER, at = align_up(block, alignment);
	if (at != block && at - block < MIN_CHUNK)
		at += alignment;
	size = size_at(heap, chunk);
	if (at != block) {
		uint64_t front = at - block;
		set_word(heap, chunk, front | (word(heap, chunk) & PREV_USED));
		set_word(heap, chunk + front, (size - front) | PREV_USED);
		(void)release(heap, chunk, front);
		chunk += front;
		size -= front;
	}
	return place(heap, chunk, size, wanted);
}

static uint64_t fit_usable_size(struct heap *heap, uint64_t block)
{
	uint64_t size;
	if (block == 0)
		return 0;
	(void)checked_chunk(heap, block, &size);
	return size - TAG;
}

static int fit_trim(struct heap *heap, uint64_t pad)
{
	return shrink(heap, pad);
}

/* ---- the heap as it lies in memory ---- */

static bool peek(const struct heap *heap, uint64_t va, uint64_t *value, const char **why)
{
	*value = 0;
	if (!*why && !user_peek64(heap->user, va, value))
		*why = "a heap structure lies in memory without a frame";
	return *why == NULL;
}

/* The free list: linked both ways, ascending. Returns how many chunks it holds. */
static uint64_t walk_list(const struct heap *heap, const char **why)
{
	uint64_t chunk, previous = 0, count = 0, back;
	if (!peek(heap, heap->data_va + VAR_FIRST_FREE, &chunk, why))
		return 0;
	while (chunk && !*why) {
		if (peek(heap, chunk + HEADER + 8, &back, why) && (back != previous || chunk <= previous))
			*why = "the free list is not linked both ways in address order";
		previous = chunk;
		count++;
		(void)peek(heap, chunk + HEADER, &chunk, why);
	}
	return count;
}

static bool fit_walk(const struct heap *heap, heap_block_fn *visit, void *self, const char **why)
{
	uint64_t chunk, end, tag, next_tag, foot, free = 0;
	bool before_used = true;
	*why = NULL;
	uint64_t listed = walk_list(heap, why);
	(void)peek(heap, heap->data_va + VAR_START, &chunk, why);
	(void)peek(heap, heap->data_va + VAR_END, &end, why);
	/* Another's sbrk splits the heap; what lies between the stretches is not ours to read. */
	while (!*why && chunk && chunk < end && peek(heap, chunk + TAG, &tag, why)) {
		uint64_t size = size_of(tag);
		if (size == 0)
			return true;
		if (size < MIN_CHUNK || size > end - chunk) {
			*why = "a chunk's size is impossible";
			break;
		}
		(void)peek(heap, chunk + size + TAG, &next_tag, why);
		bool used = (next_tag & PREV_USED) != 0;
		if (!used && peek(heap, chunk + size, &foot, why) && foot != size)
			*why = "a free chunk's size at its end is not the size at its start";
		if (!used && !before_used)
			*why = "two free chunks stand side by side";
		if (((tag & PREV_USED) != 0) != before_used)
			*why = "a chunk's flag does not tell the truth about the chunk before it";
		struct heap_block block = {.chunk = chunk, .user = chunk + HEADER, .bytes = size, .where = ""};
		block.state = used ? HEAP_BLOCK_USED : HEAP_BLOCK_FREE;
		block.where = used ? "" : "free list";
		if (visit && !*why)
			visit(self, &block);
		free += !used;
		before_used = used;
		chunk += size;
	}
	if (!*why && free != listed)
		*why = "free chunks and chunks on the free list differ in number";
	return *why == NULL;
}

#define FIT(id, label, text)                                                                                           \
	const struct heap_ops heap_##id = {                                                                            \
	    .name = label,                                                                                             \
	    .summary = text,                                                                                           \
	    .source = "Knuth, The Art of Computer Programming 1, 2.5",                                                 \
	    .data_bytes = DATA_BYTES,                                                                                  \
	    .malloc = fit_malloc,                                                                                      \
	    .calloc = fit_calloc,                                                                                      \
	    .realloc = fit_realloc,                                                                                    \
	    .free = fit_free,                                                                                          \
	    .aligned_alloc = fit_aligned_alloc,                                                                        \
	    .usable_size = fit_usable_size,                                                                            \
	    .trim = fit_trim,                                                                                          \
	    .walk = fit_walk,                                                                                          \
	}

FIT(first_fit, "first-fit", "takes the free chunk with the lowest address that fits");
FIT(next_fit, "next-fit", "takes the next free chunk that fits behind the last one taken");
FIT(best_fit, "best-fit", "takes the smallest free chunk that fits");
FIT(worst_fit, "worst-fit", "takes the largest free chunk");
