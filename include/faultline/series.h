/* A time series of a run: how much of everything there is, again and again. An observer: subscribe series_event for
 * series_mask. As CSV (RFC 4180) it is the format of docs/series-1.md.
 *
 * A sample is taken at the first event at or after every so many operations, events or cycles, one more at the first
 * operation and one at the end. It is one row for the machine (pid 0) and, when the document has several processes, one
 * for each that has started. */
#ifndef FAULTLINE_SERIES_H
#define FAULTLINE_SERIES_H

#include <stdint.h>
#include <stdio.h>

#include "faultline/status.h"
#include "faultline/world.h"

/* X(ID, "name", "short name") */
#define SERIES_UNIT_LIST(X)                                                                                            \
	X(OPERATIONS, "operations", "ops")                                                                             \
	X(EVENTS, "events", "event")                                                                                   \
	X(CYCLES, "cycles", "cycle")

enum series_unit {
#define X(id, name, brief) SERIES_##id,
	SERIES_UNIT_LIST(X)
#undef X
	    SERIES_UNIT_COUNT
};

/* The statistics that a row shows, under their names. */
#define SERIES_STAT_LIST(X)                                                                                            \
	X(MEMORY_RSS)                                                                                                  \
	X(MEMORY_VIRTUAL)                                                                                              \
	X(MEMORY_SWAP)                                                                                                 \
	X(MEMORY_TABLES)                                                                                               \
	X(HEAP_BYTES)                                                                                                  \
	X(HEAP_LIVE_BYTES)                                                                                             \
	X(HEAP_LIVE_BLOCKS)                                                                                            \
	X(HEAP_MALLOCS)                                                                                                \
	X(HEAP_FREES)                                                                                                  \
	X(FAULTS_MINOR)                                                                                                \
	X(FAULTS_MAJOR)                                                                                                \
	X(SYSCALLS_TOTAL)                                                                                              \
	X(ACCESSES_TOTAL)                                                                                              \
	X(TLB_MISSES)                                                                                                  \
	X(CYCLES_APP)                                                                                                  \
	X(CYCLES_LIBC)                                                                                                 \
	X(CYCLES_KERNEL)                                                                                               \
	X(CYCLES_WAIT)                                                                                                 \
	X(CYCLES_WALK)                                                                                                 \
	X(FRAMES_FREE)                                                                                                 \
	X(SWAP_USED)                                                                                                   \
	X(SWAP_IN)                                                                                                     \
	X(SWAP_OUT)

/* What a row shows besides: X(ID, "name", "unit", "text"). A heap that is at work, or that its program has spoilt, is
 * shown as it was at the last sample at which it could be walked. */
#define SERIES_SHAPE_LIST(X)                                                                                           \
	X(HEAP_FREE, "heap.free_bytes", "bytes", "in free chunks of the heap, cached ones and the top included")       \
	X(HEAP_LARGEST, "heap.largest_free", "bytes", "the largest of these chunks")                                   \
	X(HEAP_FRAGMENTATION, "heap.fragmentation", "permille", "of heap.free_bytes outside the largest chunk")        \
	X(FRAMES_FRAGMENTATION, "frames.fragmentation", "permille",                                                    \
	  "of frames.free unusable for a page of 2 MiB: Linux's unusable free space index of order 9")

struct series_every {
	uint64_t count; /* not 0 */
	enum series_unit unit;
};

/* "1000ops", "500events", "2Mcycles": a number, K, M or G for thousands, a unit. BAD_INPUT: error says what is. */
enum status series_every_parse(const char *text, struct series_every *out, struct error *error);

enum {
	SERIES_VALUES = 0
#define X(id) +1
	SERIES_STAT_LIST(X)
#undef X
#define X(id, name, unit, text) +1
	    SERIES_SHAPE_LIST(X)
#undef X
};

/* One row. The values are those of both lists, in their order. */
struct series_sample {
	uint64_t number, operations, events, cycles;
	uint32_t pid;        /* 0: the machine */
	const char *process; /* its name; as long as the world */
	uint64_t value[SERIES_VALUES];
};
typedef void series_fn(void *self, const struct series_sample *sample);

const char *series_value_name(unsigned value);
const char *series_value_unit(unsigned value);

struct series;

/* Every sample goes to `take`. The world is looked at. */
struct series *series_new(const struct world *world, struct series_every every, series_fn *take, void *self);
uint64_t series_mask(const struct series *series);
void series_event(void *series, const struct event *event); /* an event_fn */
/* From now on half as many samples; allowed inside a series_fn. */
void series_stretch(struct series *series);
/* Takes the last sample. Before the world goes. */
void series_free(struct series *series); /* NULL is allowed */

/* Writes rows of docs/series-1.md; self of a series_fn. `out` stays the caller's, as do its errors: ask ferror. */
struct series_csv {
	FILE *out;
	const struct world *world;
};
void series_csv_head(const struct series_csv *csv);
void series_csv_row(void *series_csv, const struct series_sample *sample); /* a series_fn */

#endif
