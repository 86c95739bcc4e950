#include "folio.h"

#include "kernel_private.h"

uint32_t folio_peek(const struct frame_pool *frames, struct pfn head, enum folio_field field)
{
	return frame_peek(frames, pfn(head.v + field))->next;
}

void folio_make(struct kernel *kernel, struct pfn head)
{
	frame_share(kernel->frames, head);
	for (enum folio_field field = FOLIO_MAPPED; field <= FOLIO_QUEUE_NEXT; field++)
		*folio_field(kernel->frames, head, field) = 0;
	kernel->thp.folios++;
}

void folio_count_mapped(struct kernel *kernel, struct pfn frame, bool more)
{
	struct pfn head = pfn(align_down(frame.v, FOLIO_FRAMES));
	*folio_field(kernel->frames, head, FOLIO_MAPPED) += more ? 1 : UINT32_MAX;
}

void folio_count_entire(struct kernel *kernel, struct pfn head, bool more)
{
	uint32_t *entire = folio_field(kernel->frames, head, FOLIO_ENTIRE);
	kernel->thp.mapped_entirely += more && *entire == 0;
	*entire += more ? 1 : UINT32_MAX;
	kernel->thp.mapped_entirely -= !more && *entire == 0;
}

bool folio_is_exclusive(const struct kernel *kernel, struct pfn head)
{
	uint32_t space = 0;
	for (uint64_t i = 0; i < FOLIO_FRAMES; i++) {
		const struct frame *record = frame_peek(kernel->frames, pfn(head.v + i));
		if (record->mappings == 0)
			continue;
		if (record->mappings > 1 || (space != 0 && record->space != space))
			return false;
		space = record->space;
	}
	return true;
}

/* ---- the queue of those that may be split to free a part ---- */

static void unqueue(struct kernel *kernel, struct pfn head)
{
	struct frame_pool *frames = kernel->frames;
	uint32_t prev = *folio_field(frames, head, FOLIO_QUEUE_PREV);
	uint32_t next = *folio_field(frames, head, FOLIO_QUEUE_NEXT);
	if (!*folio_field(frames, head, FOLIO_QUEUED))
		return;
	*(prev ? folio_field(frames, pfn(prev), FOLIO_QUEUE_NEXT) : &kernel->thp.queue_first) = next;
	*(next ? folio_field(frames, pfn(next), FOLIO_QUEUE_PREV) : &kernel->thp.queue_last) = prev;
	*folio_field(frames, head, FOLIO_QUEUED) = 0;
}

void folio_queue(struct kernel *kernel, struct pfn head)
{
	struct frame_pool *frames = kernel->frames;
	uint32_t mapped = *folio_field(frames, head, FOLIO_MAPPED);
	bool is_torn = *folio_field(frames, head, FOLIO_ENTIRE) == 0 && mapped > 0 && mapped < FOLIO_FRAMES;
	if (!is_torn || *folio_field(frames, head, FOLIO_QUEUED))
		return;
	uint32_t last = kernel->thp.queue_last;
	*folio_field(frames, head, FOLIO_QUEUED) = 1;
	*folio_field(frames, head, FOLIO_QUEUE_PREV) = last;
	*folio_field(frames, head, FOLIO_QUEUE_NEXT) = 0;
	*(last ? folio_field(frames, pfn(last), FOLIO_QUEUE_NEXT) : &kernel->thp.queue_first) = (uint32_t)head.v;
	kernel->thp.queue_last = (uint32_t)head.v;
	kernel->vm.thp_deferred_split_page++;
}

/* ---- the end of a folio ---- */

void folio_end(struct kernel *kernel, struct pfn head)
{
	BUG_ON(*folio_field(kernel->frames, head, FOLIO_MAPPED) != 0);
	unqueue(kernel, head);
	kernel->thp.folios--;
}

uint64_t folio_split(struct kernel *kernel, struct pfn head)
{
	uint64_t freed = 0;
	BUG_ON(*folio_field(kernel->frames, head, FOLIO_ENTIRE) != 0);
	unqueue(kernel, head);
	kernel->thp.folios--;
	reclaim_split(kernel, head);
	frame_split(kernel->frames, head);
	const struct frame whole = *frame_at(kernel->frames, head);
	for (uint64_t i = 0; i < FOLIO_FRAMES; i++) {
		struct pfn frame = pfn(head.v + i);
		struct frame *record = frame_at(kernel->frames, frame);
		record->dirty = whole.dirty;
		record->lazy = whole.lazy;
		if (record->mappings != 0)
			continue;
		page_free(kernel, frame);
		freed++;
	}
	return freed;
}

const char *folio_check(const struct kernel *kernel, struct pfn head, uint64_t *mappings)
{
	const struct frame_pool *frames = kernel->frames;
	uint32_t mapped = 0;
	for (uint64_t i = 0; i < FOLIO_FRAMES; i++) {
		const struct frame *record = frame_peek(frames, pfn(head.v + i));
		if (!frame_is_in_folio(record) || record->block_start != (i == 0) || record->swap != 0)
			return "frames: a huge page has a frame that is not one of it";
		mapped += record->mappings > 0;
		*mappings += record->mappings;
	}
	uint32_t entire = folio_peek(frames, head, FOLIO_ENTIRE);
	if (mapped == 0)
		return "frames: a huge page is mapped by nobody";
	if (mapped != folio_peek(frames, head, FOLIO_MAPPED))
		return "frames: the mapped frames of a huge page are miscounted";
	if (entire != 0 && mapped != FOLIO_FRAMES)
		return "frames: a huge page is mapped as a whole, but not every frame of it is mapped";
	if (folio_peek(frames, head, FOLIO_QUEUED) && (entire != 0 || mapped == FOLIO_FRAMES))
		return "frames: a huge page that is mapped as a whole waits to be split";
	return NULL;
}
