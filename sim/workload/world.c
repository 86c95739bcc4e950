#include "faultline/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "faultline/heap.h"
#include "faultline/libc_text.h"
#include "faultline/profile.h"
#include "world_private.h"

/* Host address space for everything that is not the machine: kernel objects, names, variables. Reserving costs nothing.
 */
#define SLACK_BYTES (8 * GIB)

/* The longest message of abort(), written at the end of the libc's data. */
#define ABORT_BYTES 256u

static const uint64_t least_memory = 4 * MIB;
static const uint64_t most_memory = 4 * TIB;

/* ---- birth ---- */

static enum status check_settings(const struct document *document, struct error *error)
{
	uint64_t memory = document->machine.memory_bytes;
	if (memory < least_memory || memory > most_memory || page_offset(memory) != 0)
		return error_set(error, STATUS_BAD_INPUT,
				 "%s: machine.memory is %" PRIu64
				 " bytes; allowed are multiples of 4KiB from 4MiB to 4TiB: set another one",
				 document->path, memory);
	uint64_t around = document->kernel.fault_around_bytes;
	if (around < PAGE_BYTES || around > 2 * MIB || (around & (around - 1)) != 0)
		return error_set(error, STATUS_BAD_INPUT,
				 "%s: kernel.fault_around is %" PRIu64
				 " bytes; allowed are powers of two from 4KiB to 2MiB: set another one",
				 document->path, around);
	if (document->kernel.dirty_ratio > 100 || document->kernel.dirty_background_ratio > 100)
		return error_set(error, STATUS_BAD_INPUT,
				 "%s: kernel.dirty_ratio and kernel.dirty_background_ratio are percent: at most 100",
				 document->path);
	if (document->machine.cpus == 0 || document->machine.cpus > MACHINE_MAX_CPUS)
		return error_set(error, STATUS_BAD_INPUT,
				 "%s: machine.cpus is %" PRIu64 "; allowed are 1 to %d: set another number",
				 document->path, document->machine.cpus, MACHINE_MAX_CPUS);
	return STATUS_OK;
}

/* Knows when the machine is in ring 0, for the division of time between the layers. */
static void on_ring(void *self, const struct event *event)
{
	struct world *world = self;
	bool enters = event->arg[1] == 0;
	if (event->cpu != world->cpu)
		return; /* it serves an interrupt: that is the kernel's time anyway */
	if (enters && !world->in_kernel)
		world->kernel_since = world_time(world);
	else if (!enters && world->in_kernel)
		add_elapsed(&world->kernel_time, world_time(world), world->kernel_since);
	world->in_kernel = enters;
}

/* The execution goes on on another CPU, which may stand in either ring. */
static void on_cpu(void *self, const struct event *event)
{
	struct world *world = self;
	if (world->in_kernel)
		add_elapsed(&world->kernel_time, world_time(world), world->kernel_since);
	world->kernel_since = world_time(world);
	world->cpu = event->cpu;
	world->in_kernel = event->arg[2] == 0;
}

static void on_event(void *self, const struct event *event)
{
	if (event->kind == EVENT_CPU)
		on_cpu(self, event);
	else
		on_ring(self, event);
}

enum status world_new(const struct document *document, struct world **out, struct error *error)
{
	*out = NULL;
	*error = (struct error){0};
	if (check_settings(document, error) != STATUS_OK)
		return error->status;
	struct machine_config config = {.cpus = (unsigned)document->machine.cpus,
					.memory_bytes = document->machine.memory_bytes,
					.profile = document->machine.profile,
					.tlb_replacement = document->machine.tlb_replacement,
					.no_prediction = document->machine.no_prediction};
	struct arena *arena = arena_new(
	    machine_reserve_bytes(&config) +
	    kernel_reserve_bytes(&document->kernel, config.memory_bytes, document->process_count) + SLACK_BYTES);
	if (!arena)
		return error_set(error, STATUS_HOST, "%s: the host has no address space for this machine",
				 document->path);
	struct world *world = arena_new_object(arena, struct world);
	world->arena = arena;
	world->album = arena_album_new(arena);
	if (!world->album) {
		arena_free(arena);
		return error_set(error, STATUS_HOST, "%s: the host has no memory for a world", document->path);
	}
	world->document = document;
	bus_init(&world->bus);
	world->in_kernel = true; /* a processor starts in ring 0 */
	bus_subscribe(&world->bus, EVENT_BIT(EVENT_RING) | EVENT_BIT(EVENT_CPU), on_event, world);
	world->machine = machine_new(arena, &world->bus, &config);
	world->runner_count = document->process_count;
	world->runners = arena_new_array(arena, struct runner, DOCUMENT_MAX_PROCESSES);
	world->phases = arena_new_array(arena, struct phase, WORLD_MAX_PHASES);
	world->phases[world->phase_count++].name = "";
	world->texts = arena_alloc(arena, (size_t)WORLD_TEXTS * WORLD_TEXT_BYTES, 1);
	*out = world;
	return STATUS_OK;
}

void world_watch(struct world *world, mmu_watch_fn *fn, void *self)
{
	machine_watch(world->machine, fn, self);
}

void world_free(struct world *world)
{
	if (!world)
		return;
	for (unsigned i = 0; i < world->runner_count; i++)
		op_list_close(world->runners[i].op_list);
	arena_album_free(world->album);
	arena_free(world->arena);
}

/* ---- failures and texts ---- */

bool world_fail(struct world *world, enum status status, const char *format, ...)
{
	/* A failed expectation does not end the run, so something worse may follow it. */
	bool worse = world->status == STATUS_OK || (world->status == STATUS_EXPECT_FAILED && status > world->status);
	if (worse) {
		va_list args;
		va_start(args, format);
		world->status = status;
		world->error.status = status;
		(void)vsnprintf(world->error.text, sizeof(world->error.text), format, args);
		va_end(args);
	}
	return false;
}

struct world_where runner_where(const struct runner *runner)
{
	struct world_where where;
	const char *path = runner->world->document->path;
	if (runner->op_list)
		(void)snprintf(where.text, sizeof(where.text), "%s:%u", path, runner->line);
	else
		(void)snprintf(where.text, sizeof(where.text), "%s:%u:%u: %s", path, runner->line, runner->column,
			       runner->pointer);
	return where;
}

char *world_text(struct world *world)
{
	char *text = world->texts[world->next_text];
	world->next_text = (world->next_text + 1) % WORLD_TEXTS;
	return text;
}

/* ---- boot ---- */

void runner_fill_image(struct runner *runner, struct process_spec *image)
{
	const struct world *world = runner->world;
	bool wide = paging_mode_info(world->document->machine.paging)->linear_bits > 32;
	image->libc_data_bytes = page_ceil(runner->spec->libc->data_bytes + ABORT_BYTES);
	image->libc_text_used = libc_text_build(world->arena, wide, &image->libc_text);
	image->text_used = runner_build_text(world->arena, &runner->spec->script, &image->text);
}

void runner_load_libc(struct runner *runner)
{
	struct arena *arena = runner->world->arena;
	const struct document_process *spec = runner->spec;
	runner->heap = heap_new(arena, spec->libc, runner->user, runner->process->segment_start[SEGMENT_LIBC_DATA].v);
	user_serve_calls(arena, runner->world->kernel, runner->process, runner->heap);
	if (spec->cores != 0)
		runner->heap->cores = spec->cores;
}

static bool start_runner(struct world *world, struct runner *runner, unsigned index)
{
	const struct document_process *spec = &world->document->processes[index];
	struct process_spec image = spec->spec;
	*runner = (struct runner){.world = world, .index = index, .spec = spec, .pointer = ""};
	runner_fill_image(runner, &image);
	runner->process = kernel_spawn(world->kernel, &image);
	if (!runner->process)
		return world_fail(world, STATUS_BAD_INPUT,
				  "%s: there is not enough memory for process %s: raise machine.memory",
				  world->document->path, spec->name);
	runner->user = user_new(world->arena, world->kernel, runner->process);
	runner_load_libc(runner);
	runner->call_frames = arena_new_array(world->arena, uint64_t, RUNNER_MAX_CALLS);
	script_cursor_init(&runner->cursor, world->arena, &spec->script);
	if (spec->op_list && op_list_open(spec->op_list, &runner->op_list, &world->error) != STATUS_OK) {
		world->status = world->error.status;
		return false;
	}
	return true;
}

static bool boot(struct world *world)
{
	struct kernel_config config = world->document->kernel;
	config.paging = world->document->machine.paging;
	struct error why;
	enum status status = kernel_boot(world->arena, world->machine, &config, &world->kernel, &why);
	if (status != STATUS_OK)
		return world_fail(world, status, "%s: %s", world->document->path, why.text);
	for (unsigned i = 0; i < world->document->file_count; i++) {
		if (!kernel_add_file(world->kernel, &world->document->files[i]))
			return world_fail(world, STATUS_BAD_INPUT,
					  "%s: the files are larger than the disk, which has 16GiB: make some smaller",
					  world->document->path);
	}
	for (unsigned i = 0; i < world->runner_count; i++) {
		if (!start_runner(world, &world->runners[i], i))
			return false;
	}
	return true;
}

enum status world_run(struct world *world, struct error *error)
{
	BUG_ON(world->kernel != NULL);
	if (boot(world))
		return world_go_on(world, error);
	*error = world->error;
	error->status = world->status;
	return world->status;
}

/* ---- looking ---- */

struct bus *world_bus(struct world *world)
{
	return &world->bus;
}

const struct bus *world_bus_const(const struct world *world)
{
	return &world->bus;
}

const struct document *world_document(const struct world *world)
{
	return world->document;
}

const struct kernel *world_kernel(const struct world *world)
{
	return world->kernel;
}

const struct machine *world_machine(const struct world *world)
{
	return world->machine;
}

const struct process *world_process(const struct world *world, unsigned index)
{
	return index < world->runner_count ? world->runners[index].process : NULL;
}

const struct heap *world_heap(const struct world *world, unsigned index)
{
	return index < world->runner_count ? world->runners[index].heap : NULL;
}

struct world_progress world_progress(const struct world *world)
{
	return world->progress;
}

struct world_process_state world_process_state(const struct world *world, unsigned index)
{
	BUG_ON(index >= world->runner_count);
	const struct runner *runner = &world->runners[index];
	return (struct world_process_state){
	    .state = runner->state,
	    .killing_expected = runner->killing_expected,
	    .operations = runner->operations,
	    .line = runner->line,
	    .column = runner->column,
	    .pointer = runner->pointer ? runner->pointer : "",
	    .op = runner->op ? op_info(runner->op->kind)->name : "",
	};
}

void world_set_check(struct world *world, world_check_fn *fn, void *self)
{
	world->check = fn;
	world->check_self = self;
}

void world_set_between_hook(struct world *world, world_between_fn *fn, void *self)
{
	world->between = fn;
	world->between_self = self;
}

void world_set_operation_hook(struct world *world, world_operation_fn *fn, void *self)
{
	world->hook = fn;
	world->hook_self = self;
}
