#include "faultline/series.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The order of a page of 2 MiB: pageblock_order of x86-64. */
enum { HUGE_ORDER = 9 };

struct heap_shape {
	uint64_t free_bytes, largest;
};

struct series {
	const struct world *world;
	series_fn *take;
	void *self;
	struct series_every every;
	uint64_t next;    /* value of the unit at which a sample is due */
	uint64_t samples; /* taken so far */
	uint64_t sampled; /* number of the event of the last one */
	bool in_libc;     /* the current process is between call and return: its heap is in no order */
	struct heap_shape heaps[DOCUMENT_MAX_PROCESSES];
};

static const enum stat stats_shown[] = {
#define X(id) STAT_##id,
    SERIES_STAT_LIST(X)
#undef X
};

enum shape {
#define X(id, name, unit, text) SHAPE_##id,
	SERIES_SHAPE_LIST(X)
#undef X
};

static const struct {
	const char *name, *unit;
} shapes[] = {
#define X(id, name, unit, text) {name, unit},
    SERIES_SHAPE_LIST(X)
#undef X
};

const char *series_value_name(unsigned value)
{
	BUG_ON(value >= SERIES_VALUES);
	return value < COUNT_OF(stats_shown) ? stat_info(stats_shown[value])->name
					     : shapes[value - COUNT_OF(stats_shown)].name;
}

const char *series_value_unit(unsigned value)
{
	BUG_ON(value >= SERIES_VALUES);
	return value < COUNT_OF(stats_shown) ? stat_info(stats_shown[value])->unit
					     : shapes[value - COUNT_OF(stats_shown)].unit;
}

/* ---- the interval ---- */

static const struct {
	const char *name, *brief;
} units[SERIES_UNIT_COUNT] = {
#define X(id, name, brief) [SERIES_##id] = {name, brief},
    SERIES_UNIT_LIST(X)
#undef X
};

static uint64_t multiplier(char letter)
{
	return letter == 'K' || letter == 'k' ? 1000 : letter == 'M' ? 1000000 : letter == 'G' ? 1000000000 : 1;
}

enum status series_every_parse(const char *text, struct series_every *out, struct error *error)
{
	char *end;
	uint64_t count = strtoull(text, &end, 10);
	uint64_t times = multiplier(*end);
	end += times > 1;
	for (unsigned i = 0; i < SERIES_UNIT_COUNT; i++) {
		if (strcmp(end, units[i].name) != 0 && strcmp(end, units[i].brief) != 0)
			continue;
		*out = (struct series_every){count * times, (enum series_unit)i};
		if (isdigit((unsigned char)text[0]) && count > 0 && count <= UINT64_MAX / 2 / times)
			return STATUS_OK;
	}
	return error_set(error, STATUS_BAD_INPUT,
			 "\"%s\" is no interval: write a number from 1 (K, M and G are thousands) and its unit, as in "
			 "1000ops, 5Kevents or 2Mcycles",
			 text);
}

/* ---- shapes: what no counter knows ---- */

static void add_block(void *self, const struct heap_block *block)
{
	struct heap_shape *shape = self;
	if (block->state == HEAP_BLOCK_USED)
		return;
	shape->free_bytes += block->bytes;
	shape->largest = block->bytes > shape->largest ? block->bytes : shape->largest;
}

static void look_at_heap(struct series *series, unsigned index)
{
	const struct process *process = world_process(series->world, index);
	const struct heap *heap = world_heap(series->world, index);
	const char *why;
	struct heap_shape shape = {0};
	/* Before its first run a process has not even started its libc. */
	if (!process->mm || process->stats.switches == 0)
		series->heaps[index] = shape;
	else if (heap->ops->walk(heap, add_block, &shape, &why))
		series->heaps[index] = shape;
}

static uint64_t permille_outside(uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((double)(whole - part) * 1000.0 / (double)whole) : 0;
}

/* unusable_free_index() of Linux's mm/vmstat.c: without a free frame, all of them are unusable. */
static uint64_t unusable_permille(const struct frame_pool *frames)
{
	if (frame_pool_free(frames) == 0)
		return 1000;
	const struct free_blocks free = frame_pool_blocks(frames);
	uint64_t usable = 0;
	for (unsigned order = HUGE_ORDER; order <= FRAME_MAX_ORDER; order++)
		usable += free.of[order] << order;
	return permille_outside(usable, frame_pool_free(frames));
}

/* ---- rows ---- */

static void put_row(const struct series *series, uint32_t pid, const char *name, const struct stats *stats,
		    struct heap_shape heap)
{
	const struct world *world = series->world;
	const struct frame_pool *frames = kernel_frames(world_kernel(world));
	struct series_sample sample = {.number = series->samples,
				       .operations = world_progress(world).operations,
				       .events = stats->value[STAT_EVENTS],
				       .cycles = world_bus_const(world)->cycle,
				       .pid = pid,
				       .process = name};
	for (unsigned i = 0; i < COUNT_OF(stats_shown); i++)
		sample.value[i] = stats->value[stats_shown[i]];
	uint64_t *shape = sample.value + COUNT_OF(stats_shown);
	shape[SHAPE_HEAP_FREE] = heap.free_bytes;
	shape[SHAPE_HEAP_LARGEST] = heap.largest;
	shape[SHAPE_HEAP_FRAGMENTATION] = permille_outside(heap.largest, heap.free_bytes);
	shape[SHAPE_FRAMES_FRAGMENTATION] = unusable_permille(frames);
	series->take(series->self, &sample);
}

static void put_machine(struct series *series)
{
	struct stats stats;
	struct heap_shape all = {0};
	for (unsigned i = 0; world_process(series->world, i); i++) {
		if (!series->in_libc)
			look_at_heap(series, i);
		all.free_bytes += series->heaps[i].free_bytes;
		if (series->heaps[i].largest > all.largest)
			all.largest = series->heaps[i].largest;
	}
	world_machine_stats(series->world, &stats);
	put_row(series, 0, "machine", &stats, all);
}

static void take_sample(struct series *series)
{
	const struct world *world = series->world;
	const struct process *process;
	put_machine(series);
	for (unsigned i = 0; world_document(world)->process_count > 1 && (process = world_process(world, i)); i++) {
		struct stats stats;
		world_process_stats(world, i, &stats);
		put_row(series, process->pid, process->name, &stats, series->heaps[i]);
	}
	series->samples++;
	series->sampled = world_bus_const(world)->number;
}

/* ---- the observer ---- */

static uint64_t value_of_unit(const struct series *series, const struct event *event)
{
	switch (series->every.unit) {
	case SERIES_OPERATIONS:
		return world_progress(series->world).operations;
	case SERIES_EVENTS:
		return event->number;
	case SERIES_CYCLES:
		return event->cycle;
	case SERIES_UNIT_COUNT:
		break;
	}
	BUG();
}

/* Between operations the program is in no call, whatever broke off the last one. */
static void follow_libc(struct series *series, const struct event *event)
{
	if (event->kind == EVENT_LIBC_CALL)
		series->in_libc = true;
	else if (event->kind == EVENT_LIBC_RETURN || event->kind == EVENT_OP_START || event->kind == EVENT_OP_END)
		series->in_libc = false;
}

void series_event(void *self, const struct event *event)
{
	struct series *series = self;
	bool begins = series->samples == 0 && event->kind == EVENT_OP_START;
	follow_libc(series, event);
	if (!begins && series->samples == 0)
		return;
	uint64_t value = value_of_unit(series, event);
	if (!begins && value < series->next)
		return;
	take_sample(series);
	series->next = (value / series->every.count + 1) * series->every.count;
}

uint64_t series_mask(const struct series *series)
{
	return series->every.unit == SERIES_OPERATIONS ? EVENT_BIT(EVENT_OP_START) | EVENT_BIT(EVENT_OP_END)
						       : EVENT_MASK_ALL;
}

void series_stretch(struct series *series)
{
	series->every.count *= 2;
}

struct series *series_new(const struct world *world, struct series_every every, series_fn *take, void *self)
{
	struct series *series = calloc(1, sizeof(*series));
	BUG_ON(!series);
	*series = (struct series){.world = world, .every = every, .take = take, .self = self};
	return series;
}

void series_free(struct series *series)
{
	if (!series)
		return;
	if (world_kernel(series->world) && series->sampled != world_bus_const(series->world)->number)
		take_sample(series);
	free(series);
}
