/* Huge pages of anonymous memory: 512 frames that are taken, reclaimed and freed together. Each frame has its own
 * record and its own reverse mapping, so that a part can be mapped by entries of its own when the entry that mapped the
 * whole has been split. What concerns the whole lies in `next` of the frames behind the first, as struct folio of
 * include/linux/mm_types.h has it.
 *
 * Invariants: FOLIO_MAPPED counts the frames of the folio that are mapped, FOLIO_ENTIRE the entries that map the whole;
 * a folio stands in the queue only while it is mapped in part and by no entry of level 2. */
#ifndef FAULTLINE_KERNEL_FOLIO_H
#define FAULTLINE_KERNEL_FOLIO_H

#include "faultline/frame.h"

struct kernel;

enum { FOLIO_ORDER = 9, FOLIO_FRAMES = 1 << FOLIO_ORDER };

enum folio_field { FOLIO_MAPPED = 1, FOLIO_ENTIRE, FOLIO_QUEUED, FOLIO_QUEUE_PREV, FOLIO_QUEUE_NEXT };

/* The frame is one of a huge page of anonymous memory. */
static inline bool frame_is_in_folio(const struct frame *record)
{
	return record->use == FRAME_ANON && record->order != 0;
}

/* The first frame of the folio that the frame is in; of any other frame: itself. */
static inline struct pfn folio_head(const struct frame *record, struct pfn frame)
{
	return frame_is_in_folio(record) ? pfn(align_down(frame.v, FOLIO_FRAMES)) : frame;
}

static inline struct frame *folio_record(struct frame_pool *frames, struct pfn frame)
{
	return frame_at(frames, folio_head(frame_at(frames, frame), frame));
}

/* Whether it has been written, whatever the entries say: one mark for all frames of a folio. */
static inline bool *frame_dirty_mark(struct frame_pool *frames, struct pfn frame)
{
	return &folio_record(frames, frame)->dirty;
}

static inline bool frame_is_dirty(const struct frame_pool *frames, struct pfn frame)
{
	return frame_peek(frames, folio_head(frame_peek(frames, frame), frame))->dirty;
}

static inline uint32_t *folio_field(struct frame_pool *frames, struct pfn head, enum folio_field field)
{
	return &frame_at(frames, pfn(head.v + field))->next;
}

uint32_t folio_peek(const struct frame_pool *frames, struct pfn head, enum folio_field field);

/* A block of FOLIO_ORDER becomes a folio that nobody maps. */
void folio_make(struct kernel *kernel, struct pfn head);
/* Nobody maps it: it leaves the queue. The caller frees the block. */
void folio_end(struct kernel *kernel, struct pfn head);
/* One more or one fewer of its frames is mapped. */
void folio_count_mapped(struct kernel *kernel, struct pfn frame, bool more);
/* An entry that maps the whole has come or gone. */
void folio_count_entire(struct kernel *kernel, struct pfn head, bool more);
/* Each of its frames is mapped once at most, and all by one process. */
bool folio_is_exclusive(const struct kernel *kernel, struct pfn head);
/* deferred_split_folio: of a folio that has lost mappings, a part may be waiting to be freed. */
void folio_queue(struct kernel *kernel, struct pfn head);
/* The frames become pages of their own; those that nobody maps are freed. Returns how many were. */
uint64_t folio_split(struct kernel *kernel, struct pfn head);
/* NULL, or which invariant of the folio is broken. *mappings gains those of its frames. */
const char *folio_check(const struct kernel *kernel, struct pfn head, uint64_t *mappings);

#endif
