/* Operations that make processes and wait for them. */
#include <stdio.h>
#include <string.h>

#include "action.h"
#include "faultline/heap.h"

/* What it has inherited counts as allocated. */
static void inherit_blocks(struct heap_stats *child, const struct heap_stats *parent)
{
	*child = (struct heap_stats){.mallocs = parent->live_blocks,
				     .live_blocks = parent->live_blocks,
				     .live_bytes = parent->live_bytes,
				     .peak_live_bytes = parent->live_bytes};
}

void runner_adopt(struct runner *parent, uint32_t pid, uint64_t rip)
{
	struct world *world = parent->world;
	struct runner *child = &world->runners[world->runner_count];
	*child = *parent;
	child->index = world->runner_count++;
	child->process = kernel_process(world->kernel, pid - 1);
	child->user = user_new(world->arena, world->kernel, child->process);
	child->heap = arena_new_object(world->arena, struct heap);
	*child->heap = *parent->heap;
	child->heap->user = child->user;
	inherit_blocks(&child->heap->stats, &parent->heap->stats);
	child->process->program = child->heap;
	child->forked = true;
	child->forked_at = rip;
	child->operations = 0;
	child->op = NULL;
	child->waits = child->paused = false;
	child->result = 0;
	memset(&child->owned, 0, sizeof(child->owned));
	memset(&child->before_op, 0, sizeof(child->before_op));
	memset(&child->before_phase, 0, sizeof(child->before_phase));
	child->variables = arena_new_array(world->arena, struct variable, parent->variable_count);
	memcpy(child->variables, parent->variables, parent->variable_count * sizeof(*child->variables));
	child->call_frames = arena_new_array(world->arena, uint64_t, RUNNER_MAX_CALLS);
	memcpy(child->call_frames, parent->call_frames, parent->call_depth * sizeof(*child->call_frames));
	script_cursor_fork(&parent->cursor, &child->cursor);
}

uint64_t do_fork(struct runner *runner, const struct op *op)
{
	struct world *world = runner->world;
	uint64_t rip = machine_cpu_const(world->machine)->rip;
	(void)op;
	if (runner->heap->threads || world->runner_count == DOCUMENT_MAX_PROCESSES) {
		world_fail(world, STATUS_BAD_INPUT, "%s: fork: %s", runner_where(runner).text,
			   runner->heap->threads
			       ? "the process has had threads, which is not modelled: fork before them"
			       : "a world has at most 64 processes, the dead ones included");
		return UINT64_MAX;
	}
	uint64_t pid = runner_syscall(runner, SYS_NR_FORK, (const uint64_t[6]){0});
	if (pid == UINT64_MAX) {
		struct script_cursor nobody;
		script_cursor_fork(&runner->cursor, &nobody);
		return pid;
	}
	runner_adopt(runner, (uint32_t)pid, rip);
	return pid;
}

/* The blocks of the old program are gone with its memory, as if all had been freed. */
static void forget_blocks(struct heap_stats *stats, const struct heap_stats *before)
{
	*stats = *before;
	stats->frees += stats->live_blocks;
	stats->live_blocks = stats->live_bytes = 0;
}

uint64_t do_exec(struct runner *runner, const struct op *op)
{
	enum { ROOM = 300 };
	struct world *world = runner->world;
	struct process_spec image = {.name = op->name,
				     .text_bytes = op->text_bytes,
				     .rodata_bytes = op->rodata_bytes,
				     .data_bytes = op->data_bytes,
				     .bss_bytes = op->bss_bytes,
				     .aslr_seed = runner->spec->spec.aslr_seed};
	char path[ROOM];
	if (runner->heap->threads)
		return world_fail(world, STATUS_BAD_INPUT,
				  "%s: exec: the process has had threads, which is not modelled: exec before them",
				  runner_where(runner).text);
	runner_fill_image(runner, &image);
	if (!kernel_install(world->kernel, &image))
		return world_fail(world, STATUS_BAD_INPUT,
				  "%s: there is not enough memory for program %s: raise machine.memory",
				  runner_where(runner).text, op->name);
	(void)snprintf(path, sizeof(path), "/usr/bin/%s", op->name);
	const uint64_t args[6] = {runner_push_text(runner, path)};
	uint64_t result = runner_syscall(runner, SYS_NR_EXECVE, args);
	if (result != 0)
		return result;
	const struct heap_stats before = runner->heap->stats;
	user_reload(runner->user);
	runner_load_libc(runner);
	forget_blocks(&runner->heap->stats, &before);
	runner->call_depth = 0;
	runner_start_libc(runner);
	return 0;
}

uint64_t do_wait(struct runner *runner, const struct op *op)
{
	(void)op;
	uint64_t pid = runner_syscall(runner, SYS_NR_WAIT4, (const uint64_t[6]){UINT64_MAX});
	runner->waits = pid == UINT64_MAX && runner->heap->errno_value == LINUX_ERESTARTSYS;
	runner->deaths = runner->world->deaths;
	return pid;
}
