/* What can be seen of a heap, whichever allocator it has. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/heap.h"

static const struct heap_view_info infos[HEAP_VIEW_COUNT] = {
#define X(id, name, text) {name, text},
    HEAP_VIEW_LIST(X)
#undef X
};

const struct heap_view_info *heap_view_info(enum heap_view view)
{
	return &infos[view];
}

bool heap_view_find(const char *name, enum heap_view *out)
{
	for (unsigned i = 0; i < HEAP_VIEW_COUNT; i++) {
		if (strcmp(infos[i].name, name) == 0) {
			*out = (enum heap_view)i;
			return true;
		}
	}
	return false;
}

struct printer {
	heap_write_fn *write;
	void *self;
};

static void print_mallinfo(const struct heap *heap, const struct printer *printer)
{
	struct heap_mallinfo info;
	char line[128];
	heap->ops->mallinfo(heap, &info);
#define X(field, text)                                                                                                 \
	printer->write(printer->self, line,                                                                            \
		       (size_t)snprintf(line, sizeof(line), "%-8s %12" PRIu64 "  %s\n", #field, info.field, text));
	HEAP_MALLINFO_LIST(X)
#undef X
}

static void print_chunk(void *self, const struct heap_block *block)
{
	static const char *const states[] = {[HEAP_BLOCK_USED] = "used",
					     [HEAP_BLOCK_FREE] = "free",
					     [HEAP_BLOCK_CACHED] = "cached",
					     [HEAP_BLOCK_TOP] = "top"};
	const struct printer *printer = self;
	char line[128];
	int length = snprintf(line, sizeof(line), "0x%012" PRIx64 " %12" PRIu64 "  %-6s  %s\n", block->chunk,
			      block->bytes, states[block->state], block->where);
	printer->write(printer->self, line, (size_t)length);
}

static void print_chunks(const struct heap *heap, struct printer *printer)
{
	const char *why = NULL;
	static const char head[] = "chunk                 bytes  state   list\n";
	printer->write(printer->self, head, sizeof(head) - 1);
	if (heap->ops->walk(heap, print_chunk, printer, &why))
		return;
	printer->write(printer->self, why, strlen(why));
	printer->write(printer->self, "\n", 1);
}

bool heap_view_print(const struct heap *heap, enum heap_view view, heap_write_fn *write, void *self)
{
	struct printer printer = {write, self};
	switch (view) {
	case HEAP_VIEW_CHUNKS:
		print_chunks(heap, &printer);
		return true;
	case HEAP_VIEW_MALLINFO2:
		if (heap->ops->mallinfo)
			print_mallinfo(heap, &printer);
		return heap->ops->mallinfo != NULL;
	case HEAP_VIEW_MALLOC_STATS:
		if (heap->ops->print_stats)
			heap->ops->print_stats(heap, write, self);
		return heap->ops->print_stats != NULL;
	case HEAP_VIEW_MALLOC_INFO:
		if (heap->ops->print_info)
			heap->ops->print_info(heap, write, self);
		return heap->ops->print_info != NULL;
	case HEAP_VIEW_COUNT:
		break;
	}
	return false;
}
