/* The heap as it lies in memory, read without touching it: every chunk, and the free list. */
#include "fit.h"

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

bool fit_walk(const struct heap *heap, heap_block_fn *visit, void *self, const char **why)
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
