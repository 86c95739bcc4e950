/* Operations that make processes and wait for them. */
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

uint64_t do_wait(struct runner *runner, const struct op *op)
{
	(void)op;
	uint64_t pid = runner_syscall(runner, SYS_NR_WAIT4, (const uint64_t[6]){UINT64_MAX});
	runner->waits = pid == UINT64_MAX && runner->heap->errno_value == LINUX_ERESTARTSYS;
	runner->deaths = runner->world->deaths;
	return pid;
}
