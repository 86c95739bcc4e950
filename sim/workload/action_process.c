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

/* A copy of what lies in memory, the heap and the variables, is the runner's from now on. */
static void own_memory(struct runner *runner, const struct runner *from)
{
	struct arena *arena = runner->world->arena;
	struct variable *variables = arena_new_array(arena, struct variable, from->variable_count);
	struct heap *heap = arena_new_object(arena, struct heap);
	if (from->variable_count > 0)
		memcpy(variables, from->variables, from->variable_count * sizeof(*variables));
	*heap = *from->heap;
	heap->user = runner->user;
	runner->variables = variables;
	runner->heap = heap;
	runner->process->program = heap;
}

/* It has the lender's heap and variables themselves, and runs the program on them. */
static void lend_memory(struct runner *lender, struct runner *child)
{
	child->lender = lender;
	user_borrow(child->user, lender->process);
	child->heap->user = child->user;
	child->process->program = child->heap;
}

void runner_leave_lender(struct runner *runner)
{
	if (!runner->lender)
		return;
	runner->lender->heap->user = runner->lender->user;
	user_borrow(runner->user, runner->process);
	own_memory(runner, runner->lender);
	runner->heap->stats = (struct heap_stats){0};
	runner->lender = NULL;
}

/* A process that the kernel has just made gets a runner, which has all that its parent's has. It goes on at rip. */
static struct runner *adopt(struct runner *parent, uint32_t pid, uint64_t rip)
{
	struct world *world = parent->world;
	struct runner *child = &world->runners[world->runner_count];
	*child = *parent;
	child->index = world->runner_count++;
	child->process = kernel_process(world->kernel, pid - 1);
	child->user = user_new(world->arena, world->kernel, child->process);
	user_resume_at(child->user, rip);
	child->forked = true;
	child->lender = NULL;
	child->operations = 0;
	child->op = NULL;
	child->waits = child->paused = false;
	child->result = 0;
	memset(&child->owned, 0, sizeof(child->owned));
	memset(&child->before_op, 0, sizeof(child->before_op));
	memset(&child->before_phase, 0, sizeof(child->before_phase));
	child->call_frames = arena_new_array(world->arena, uint64_t, RUNNER_MAX_CALLS);
	memcpy(child->call_frames, parent->call_frames, parent->call_depth * sizeof(*child->call_frames));
	script_cursor_fork(&parent->cursor, &child->cursor);
	return child;
}

/* The child of fork or vfork; NULL: there is none, and nobody does its part of the script. */
static struct runner *make_child(struct runner *runner, const struct op *op, uint64_t number, uint64_t *result)
{
	struct world *world = runner->world;
	uint64_t rip = machine_cpu_const(world->machine)->rip;
	*result = UINT64_MAX;
	if (runner->heap->threads || world->runner_count == DOCUMENT_MAX_PROCESSES) {
		world_fail(world, STATUS_BAD_INPUT, "%s: %s: %s", runner_where(runner).text, op_info(op->kind)->name,
			   runner->heap->threads
			       ? "the process has had threads, which is not modelled: make the child before them"
			       : "a world has at most 64 processes, the dead ones included");
		return NULL;
	}
	*result = runner_syscall(runner, number, (const uint64_t[6]){0});
	if (*result == UINT64_MAX) {
		struct script_cursor nobody;
		script_cursor_fork(&runner->cursor, &nobody);
		return NULL;
	}
	return adopt(runner, (uint32_t)*result, rip);
}

uint64_t do_fork(struct runner *runner, const struct op *op)
{
	uint64_t pid;
	struct runner *child = make_child(runner, op, SYS_NR_FORK, &pid);
	if (!child)
		return pid;
	own_memory(child, runner);
	inherit_blocks(&child->heap->stats, &runner->heap->stats);
	return pid;
}

/* Begins the call, and when the child is through with the memory, ends it. */
uint64_t do_vfork(struct runner *runner, const struct op *op)
{
	if (runner->done != 0) {
		runner->heap->errno_value = 0; /* the child's calls have used it */
		return runner->done;
	}
	uint64_t pid;
	struct runner *child = make_child(runner, op, SYS_NR_VFORK, &pid);
	if (!child)
		return pid;
	lend_memory(runner, child);
	runner->paused = true;
	runner->done = pid;
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
				  "%s: there is no room on the disk for program %s: it or the files must be smaller",
				  runner_where(runner).text, op->name);
	(void)snprintf(path, sizeof(path), "/usr/bin/%s", op->name);
	const uint64_t args[6] = {runner_push_text(runner, path)};
	uint64_t result = runner_syscall(runner, SYS_NR_EXECVE, args);
	if (result != 0)
		return result;
	runner_leave_lender(runner);
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
