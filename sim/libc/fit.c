/* The engine that the textbook allocators share: the free list, splitting and joining, the ends of the heap, and the
 * program's calls. See fit.h. */
#include "fit.h"

#define LARGEST_REQUEST ((uint64_t)1 << 46)
#define GROW_BYTES (64 * KIB)
#define TRIM_BYTES (128 * KIB)

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

/* ---- the ends of the heap ---- */

static void tell_split(struct heap *heap, uint64_t chunk, uint64_t bytes, uint64_t rest_bytes)
{
	heap->stats.splits++;
	emit(heap->bus, EVENT_LIBC_SPLIT, chunk, bytes, chunk + bytes, rest_bytes);
}

static void tell_join(struct heap *heap, uint64_t chunk, uint64_t neighbour, uint64_t bytes)
{
	heap->stats.coalesces++;
	emit(heap->bus, EVENT_LIBC_COALESCE, chunk, neighbour, bytes);
}

/* Joins a chunk that is not on the list with its free neighbours and puts the whole on the list; returns its start. */
static uint64_t release(struct heap *heap, uint64_t chunk, uint64_t size)
{
	uint64_t next = chunk + size, next_size = size_at(heap, next);
	/* Also where the header is about to vanish inside a larger chunk: a second free of this block finds it. */
	set_word(heap, next, word(heap, next) & ~(uint64_t)PREV_USED);
	if (next_size && !is_used(heap, next, next_size)) {
		unlink_free(heap, next);
		size += next_size;
		tell_join(heap, chunk, next, size);
	}
	if (!(word(heap, chunk) & PREV_USED)) {
		uint64_t before = user_load64(heap->user, chunk), prev = chunk - before;
		if (size_at(heap, prev) != before)
			user_abort(heap->user, "corrupted size vs. prev_size");
		unlink_free(heap, prev);
		size += before;
		tell_join(heap, chunk, prev, size);
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
	emit(heap->bus, EVENT_LIBC_GROW, event_text("brk"), bytes, event_text("no free chunk fits"));
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
	emit(heap->bus, EVENT_LIBC_SHRINK, event_text("brk"), bytes, event_text("the heap ends in a free chunk"));
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
		tell_split(heap, chunk, wanted, size - wanted);
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
	uint64_t chunk = fit_choose(heap, wanted);
	if (!chunk) {
		if (!grow(heap, wanted))
			return refuse(heap, HEAP_ENOMEM);
		chunk = fit_choose(heap, wanted);
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
		tell_join(heap, chunk, next, size);
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
		tell_split(heap, chunk, front, size - front);
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
