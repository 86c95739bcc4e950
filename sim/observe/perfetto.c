#include "faultline/perfetto.h"

#include <inttypes.h>
#include <stdlib.h>

#include "faultline/event_fields.h"
#include "faultline/provenance.h"
#include "faultline/status.h"
#include "faultline/version.h"
#include "json_line.h"

enum { MAX_PIDS = DOCUMENT_MAX_PROCESSES + 1 };

/* X(ID, "track", "unit", value): of a process. */
#define COUNTER_LIST(X)                                                                                                \
	X(RESIDENT, "resident memory", "KiB", process_resident_pages(process) * (PAGE_BYTES / KIB))                    \
	X(VIRTUAL, "virtual memory", "KiB", process_virtual_bytes(process) / KIB)                                      \
	X(HEAP, "heap", "KiB", process_heap_bytes(process) / KIB)                                                      \
	X(SWAPPED, "memory in swap", "KiB", process_swap_pages(process) * (PAGE_BYTES / KIB))                          \
	X(MINOR, "minor faults", "faults", process->stats.minor_faults)                                                \
	X(MAJOR, "major faults", "faults", process->stats.major_faults)

/* And of the machine, in the tracks of pid 0. */
#define MACHINE_COUNTER_LIST(X)                                                                                        \
	X(FREE, "free memory", "KiB", frame_pool_free(kernel_frames(kernel)) * (PAGE_BYTES / KIB))                     \
	X(SWAP_USED, "swap in use", "KiB", kernel_swap_use(kernel).used *(PAGE_BYTES / KIB))

enum counter {
#define X(id, name, unit, value) COUNTER_##id,
	COUNTER_LIST(X) MACHINE_COUNTER_LIST(X)
#undef X
	    COUNTERS
};

struct perfetto {
	const struct world *world;
	struct event_fields fields;
	struct json_line line;
	unsigned open[MAX_PIDS][LAYER_COUNT]; /* slices begun and not yet ended */
	uint64_t counted[MAX_PIDS][COUNTERS]; /* as the counters said last */
	uint64_t cycle;                       /* of the event before */
	uint64_t walk_since;                  /* cycle at which the TLB miss happened */
	bool first;
};

/* ---- entries of the document ---- */

static void begin_entry(struct perfetto *perfetto, const char *phase, uint32_t pid, unsigned track)
{
	struct json_line *line = &perfetto->line;
	json_line_text(line, perfetto->first ? "\n{\"ph\":\"" : ",\n{\"ph\":\"");
	perfetto->first = false;
	json_line_text(line, phase);
	json_line_text(line, "\",\"pid\":");
	json_line_number(line, pid);
	json_line_text(line, ",\"tid\":");
	/* Tracks of different processes have different numbers, as threads do. */
	json_line_number(line, (uint64_t)pid * LAYER_COUNT + track + 1);
}

/* Microseconds with three decimals. */
static void add_time(struct json_line *line, const char *key, uint64_t cycles)
{
	char text[40];
	(void)snprintf(text, sizeof(text), "%s%" PRIu64 ".%03u", key, cycles / 1000, (unsigned)(cycles % 1000));
	json_line_text(line, text);
}

static void add_name(struct json_line *line, const char *name)
{
	json_line_text(line, ",\"name\":");
	json_line_string(line, name);
}

static void end_entry(struct perfetto *perfetto)
{
	json_line_text(&perfetto->line, "}");
	json_line_flush(&perfetto->line);
}

/* The fields of the event, under their names. */
static void add_arguments(struct perfetto *perfetto, const struct event *event)
{
	struct json_line *line = &perfetto->line;
	json_line_text(line, ",\"args\":{\"event\":");
	json_line_number(line, event->number);
	for (unsigned i = 0; i < perfetto->fields.count[event->kind]; i++) {
		const struct event_field *field = &perfetto->fields.field[event->kind][i];
		json_line_text(line, ",\"");
		json_line_text(line, field->name);
		json_line_text(line, "\":");
		if (field->type == FIELD_TEXT)
			json_line_string(line, event_arg_text(event, i));
		else if (field->type == FIELD_DEC || field->type == FIELD_BYTES)
			json_line_number(line, event->arg[i]);
		else
			json_line_hex(line, event->arg[i]);
	}
	json_line_text(line, "}");
}

static void metadata(struct perfetto *perfetto, const char *what, uint32_t pid, unsigned track, const char *name)
{
	begin_entry(perfetto, "M", pid, track);
	add_name(&perfetto->line, what);
	json_line_text(&perfetto->line, ",\"args\":{\"name\":");
	json_line_string(&perfetto->line, name);
	json_line_text(&perfetto->line, "}");
	end_entry(perfetto);
}

static void sort_index(struct perfetto *perfetto, uint32_t pid, unsigned track)
{
	begin_entry(perfetto, "M", pid, track);
	add_name(&perfetto->line, "thread_sort_index");
	json_line_text(&perfetto->line, ",\"args\":{\"sort_index\":");
	json_line_number(&perfetto->line, track);
	json_line_text(&perfetto->line, "}");
	end_entry(perfetto);
}

static void announce_process(struct perfetto *perfetto, uint32_t pid, const char *name)
{
	metadata(perfetto, "process_name", pid, 0, name);
	for (unsigned layer = 0; layer < LAYER_COUNT; layer++) {
		metadata(perfetto, "thread_name", pid, layer, layer_name((enum layer)layer));
		sort_index(perfetto, pid, layer);
	}
}

/* ---- slices ---- */

static bool is_known(const struct event *event)
{
	return event->pid < MAX_PIDS;
}

static void begin_slice(struct perfetto *perfetto, const struct event *event, enum layer layer, const char *name)
{
	begin_entry(perfetto, "B", event->pid, layer);
	add_time(&perfetto->line, ",\"ts\":", event->cycle);
	add_name(&perfetto->line, name);
	add_arguments(perfetto, event);
	end_entry(perfetto);
	perfetto->open[event->pid][layer]++;
}

/* Its arguments join those of the beginning. NULL: it ends without a word. */
static void end_slice(struct perfetto *perfetto, uint32_t pid, enum layer layer, uint64_t cycle,
		      const struct event *event)
{
	if (perfetto->open[pid][layer] == 0)
		return;
	begin_entry(perfetto, "E", pid, layer);
	add_time(&perfetto->line, ",\"ts\":", cycle);
	if (event)
		add_arguments(perfetto, event);
	end_entry(perfetto);
	perfetto->open[pid][layer]--;
}

static void whole_slice(struct perfetto *perfetto, const struct event *event, enum layer layer, const char *name,
			uint64_t since)
{
	begin_entry(perfetto, "X", event->pid, layer);
	add_time(&perfetto->line, ",\"ts\":", since);
	add_time(&perfetto->line, ",\"dur\":", event->cycle - since);
	add_name(&perfetto->line, name);
	add_arguments(perfetto, event);
	end_entry(perfetto);
}

static void instant(struct perfetto *perfetto, const struct event *event, enum layer layer)
{
	begin_entry(perfetto, "i", event->pid, layer);
	add_time(&perfetto->line, ",\"ts\":", event->cycle);
	json_line_text(&perfetto->line, ",\"s\":\"t\"");
	add_name(&perfetto->line, event_info((enum event_kind)event->kind)->name);
	add_arguments(perfetto, event);
	end_entry(perfetto);
}

static void close_all(struct perfetto *perfetto, uint32_t pid, uint64_t cycle)
{
	for (unsigned layer = 0; layer < LAYER_COUNT; layer++) {
		while (perfetto->open[pid][layer])
			end_slice(perfetto, pid, (enum layer)layer, cycle, NULL);
	}
}

/* ---- counters ---- */

static const struct process *process_of(const struct perfetto *perfetto, uint32_t pid)
{
	const struct process *process;
	for (unsigned i = 0; (process = world_process(perfetto->world, i)); i++) {
		if (process->pid == pid)
			return process;
	}
	return NULL;
}

/* A counter that has not moved is not told again. */
static void count(struct perfetto *perfetto, uint32_t pid, enum counter counter, const char *name, const char *unit,
		  uint64_t value)
{
	if (value == perfetto->counted[pid][counter])
		return;
	perfetto->counted[pid][counter] = value;
	begin_entry(perfetto, "C", pid, 0);
	add_time(&perfetto->line, ",\"ts\":", world_bus_const(perfetto->world)->cycle);
	add_name(&perfetto->line, name);
	json_line_text(&perfetto->line, ",\"args\":{\"");
	json_line_text(&perfetto->line, unit);
	json_line_text(&perfetto->line, "\":");
	json_line_number(&perfetto->line, value);
	json_line_text(&perfetto->line, "}");
	end_entry(perfetto);
}

static void count_process(struct perfetto *perfetto, const struct event *event)
{
	const struct process *process = process_of(perfetto, event->pid);
	const struct kernel *kernel = world_kernel(perfetto->world);
#define X(id, name, unit, value) count(perfetto, event->pid, COUNTER_##id, name, unit, process ? (value) : 0);
	COUNTER_LIST(X)
#undef X
#define X(id, name, unit, value) count(perfetto, 0, COUNTER_##id, name, unit, value);
	MACHINE_COUNTER_LIST(X)
#undef X
}

/* ---- what each event is ---- */

typedef void show_fn(struct perfetto *perfetto, const struct event *event);

static void show_start(struct perfetto *perfetto, const struct event *event)
{
	begin_slice(perfetto, event, event_info((enum event_kind)event->kind)->layer, event_arg_text(event, 0));
}

static void show_end(struct perfetto *perfetto, const struct event *event)
{
	end_slice(perfetto, event->pid, event_info((enum event_kind)event->kind)->layer, event->cycle, event);
}

static void show_instant(struct perfetto *perfetto, const struct event *event)
{
	instant(perfetto, event, event_info((enum event_kind)event->kind)->layer);
}

static void show_process(struct perfetto *perfetto, const struct event *event)
{
	announce_process(perfetto, (uint32_t)event->arg[0], event_arg_text(event, 1));
}

/* Ring 0 is a slice of the hardware; one that begins by an exception has a slice of the kernel's in it. */
static void show_ring(struct perfetto *perfetto, const struct event *event)
{
	const char *how = event_arg_text(event, 2);
	if (event->arg[1] == 0) {
		char name[64];
		(void)snprintf(name, sizeof(name), "ring 0 by %.40s", how);
		begin_slice(perfetto, event, LAYER_HARDWARE, name);
		if (how[0] == '#')
			begin_slice(perfetto, event, LAYER_KERNEL, how);
		return;
	}
	while (perfetto->open[event->pid][LAYER_KERNEL])
		end_slice(perfetto, event->pid, LAYER_KERNEL, event->cycle, NULL);
	end_slice(perfetto, event->pid, LAYER_HARDWARE, event->cycle, NULL);
	count_process(perfetto, event);
}

static void show_miss(struct perfetto *perfetto, const struct event *event)
{
	perfetto->walk_since = event->cycle;
}

static void show_walk(struct perfetto *perfetto, const struct event *event)
{
	whole_slice(perfetto, event, LAYER_HARDWARE, "walk", perfetto->walk_since);
}

static void show_exit(struct perfetto *perfetto, const struct event *event)
{
	close_all(perfetto, event->pid, event->cycle);
	show_instant(perfetto, event);
	count_process(perfetto, event);
}

static show_fn *const shows[EVENT_COUNT] = {
    [EVENT_OP_START] = show_start,     [EVENT_OP_END] = show_end,
    [EVENT_PHASE] = show_instant,      [EVENT_EXPECT] = show_instant,
    [EVENT_LIBC_CALL] = show_start,    [EVENT_LIBC_RETURN] = show_end,
    [EVENT_LIBC_GROW] = show_instant,  [EVENT_LIBC_ABORT] = show_instant,
    [EVENT_SYSCALL] = show_start,      [EVENT_SYSCALL_RETURN] = show_end,
    [EVENT_VMA_ADD] = show_instant,    [EVENT_VMA_CHANGE] = show_instant,
    [EVENT_VMA_REMOVE] = show_instant, [EVENT_FAULT] = show_instant,
    [EVENT_SWAP_OUT] = show_instant,   [EVENT_SWAP_IN] = show_instant,
    [EVENT_FILE_IN] = show_instant,    [EVENT_FILE_OUT] = show_instant,
    [EVENT_EVICT] = show_instant,      [EVENT_SWITCH] = show_instant,
    [EVENT_SIGNAL] = show_instant,     [EVENT_PROCESS_START] = show_process,
    [EVENT_PROCESS_EXIT] = show_exit,  [EVENT_OOM] = show_instant,
    [EVENT_BOOT] = show_instant,       [EVENT_RING] = show_ring,
    [EVENT_TLB_MISS] = show_miss,      [EVENT_WALK] = show_walk,
};

uint64_t perfetto_mask(void)
{
	uint64_t mask = 0;
	for (unsigned kind = 0; kind < EVENT_COUNT; kind++)
		mask |= shows[kind] ? EVENT_BIT(kind) : 0;
	return mask;
}

void perfetto_event(void *self, const struct event *event)
{
	struct perfetto *perfetto = self;
	if (!is_known(event) || !shows[event->kind])
		return;
	shows[event->kind](perfetto, event);
	perfetto->cycle = event->cycle;
}

struct perfetto *perfetto_new(FILE *out, const struct world *world)
{
	struct perfetto *perfetto = calloc(1, sizeof(*perfetto));
	BUG_ON(!perfetto);
	perfetto->world = world;
	perfetto->line.out = out;
	perfetto->first = true;
	event_fields_parse(&perfetto->fields);
	const struct document *document = world_document(world);
	json_line_text(&perfetto->line, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"version\":\"" FAULTLINE_VERSION
					"\",\"clock\":\"1 ns is 1 simulated cycle\",\"workload\":");
	json_line_string(&perfetto->line, document->name);
	json_line_text(&perfetto->line, ",\"digest\":");
	json_line_hex(&perfetto->line, document->digest);
	json_line_text(&perfetto->line, "},\"traceEvents\":[");
	announce_process(perfetto, 0, "machine");
	return perfetto;
}

void perfetto_free(struct perfetto *perfetto)
{
	if (!perfetto)
		return;
	for (uint32_t pid = 0; pid < MAX_PIDS; pid++)
		close_all(perfetto, pid, perfetto->cycle);
	json_line_text(&perfetto->line, "\n]}\n");
	json_line_flush(&perfetto->line);
	free(perfetto);
}
