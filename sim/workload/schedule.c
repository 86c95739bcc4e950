/* Whose turn it is, and what a turn is. Processes are switched where their scripts yield, or by round robin: then a
 * process pauses behind an access or an operation, when it has to sleep or its time slice is over. */
#include <inttypes.h>

#include "faultline/heap.h"
#include "world_private.h"

static bool stops_the_run(const struct world *world)
{
	return world->status != STATUS_OK && world->status != STATUS_EXPECT_FAILED;
}

static void report_killing(struct runner *runner)
{
	const struct process_death *death = &runner->process->death;
	world_fail(runner->world, STATUS_EXPECT_FAILED,
		   "%s: process %s was killed by %s in \"%s\" (address 0x%" PRIx64
		   ", %s) and nothing expected it; if it should be, add {\"op\": \"expect\", \"that\": \"signal\", "
		   "\"equals\": "
		   "\"%s\"} behind it",
		   runner_where(runner).text, runner->process->name, death->signal_name,
		   runner->op ? op_info(runner->op->kind)->name : "start", death->va.v, death->why, death->signal_name);
	runner->world->progress.expectations_failed++;
}

/* The expects that stand directly behind the operation which ended the process are still checked; if it stands in the
 * body of a repeat and none does, those behind the repeat. */
static void check_last_expects(struct runner *runner)
{
	bool any = false;
	if (runner->op_list)
		return;
	do {
		while (script_cursor_at_expect(&runner->cursor) && runner_next(runner)) {
			any = true;
			runner_expect(runner, runner->op);
		}
	} while (!any && script_cursor_leave(&runner->cursor));
}

/* What was being done stays on record. */
static void check_after_death(struct runner *runner)
{
	struct op *last = arena_new_object(runner->world->arena, struct op);
	if (runner->op)
		*last = *runner->op;
	const struct op *op = runner->op ? last : NULL;
	uint32_t line = runner->line;
	uint32_t column = runner->column;
	const char *pointer = runner->pointer;
	check_last_expects(runner);
	runner->op = op;
	runner->line = line;
	runner->column = column;
	runner->pointer = pointer;
	if (runner->state == WORLD_KILLED && !runner->killing_expected)
		report_killing(runner);
}

static void end_of_life(struct runner *runner)
{
	runner->world->deaths++;
	runner->state = runner->process->death.signal ? WORLD_KILLED : WORLD_EXITED;
	runner_leave_lender(runner);
	check_after_death(runner);
}

/* Also the rest of a slice that a checkpoint was taken in. */
static void finish_slice(struct world *world, struct runner *runner)
{
	const char *why = NULL;
	bool returned = user_run(runner->user, runner_slice, runner);
	if (!returned && runner->in_libc) {
		runner->in_libc = false;
		add_elapsed(&world->libc_time, world_user_time(world), runner->libc_since);
	}
	world->current = NULL;
	world_end_slice(world, runner);
	if (machine_stopped(world->machine, &why)) {
		world_fail(world, STATUS_MACHINE_STOPPED, "%s: the machine stopped: %s", runner_where(runner).text,
			   why);
		return;
	}
	if (!returned && !runner->process->death.dead)
		world_fail(
		    world, STATUS_BAD_INPUT,
		    "%s: the code made a call that does not return to it (vfork, execve), which is not modelled: "
		    "use the operation of that name",
		    runner_where(runner).text);
	else if (!returned)
		end_of_life(runner);
}

static void run_slice(struct world *world, struct runner *runner)
{
	world_counts(world, &world->slice_start);
	world->current = runner;
	kernel_idle(world->kernel, runner->process);
	world->slice_since = world->bus.cycle;
	finish_slice(world, runner);
}

/* Its child runs in its memory. */
static bool is_held(const struct runner *runner)
{
	return kernel_waits_in_vfork(runner->world->kernel, runner->process);
}

static void take_turn(struct world *world, struct runner *runner)
{
	/* Another one may have been chosen when memory ran out. */
	if (runner->process->death.dead)
		end_of_life(runner);
	else
		run_slice(world, runner);
}

/* ---- round robin: kernel.quantum ---- */

static bool is_ready(const struct runner *runner)
{
	const struct world *world = runner->world;
	if (runner->state != WORLD_RUNNING || is_held(runner))
		return false;
	return runner->process->death.dead ||
	       (runner->process->wakes_at <= world->bus.cycle && !(runner->waits && runner->deaths == world->deaths));
}

/* The next one that is ready, in turn; else the one that wakes first; else one that waits for a child, and will hear
 * that there is none. NULL: all have ended. */
static struct runner *next_runner(struct world *world)
{
	struct runner *sleeper = NULL, *waiter = NULL;
	for (unsigned i = 0; i < world->runner_count; i++) {
		struct runner *runner = &world->runners[(world->turn + i) % world->runner_count];
		if (runner->state != WORLD_RUNNING || is_held(runner))
			continue;
		if (is_ready(runner))
			return runner;
		if (runner->process->wakes_at <= world->bus.cycle)
			waiter = waiter ? waiter : runner;
		else if (!sleeper || runner->process->wakes_at < sleeper->process->wakes_at)
			sleeper = runner;
	}
	return sleeper ? sleeper : waiter;
}

static void run_round_robin(struct world *world)
{
	struct runner *runner;
	while (!stops_the_run(world) && (runner = next_runner(world))) {
		world->turn = (runner->index + 1) % world->runner_count;
		take_turn(world, runner);
	}
}

bool runner_must_pause(struct runner *runner)
{
	struct world *world = runner->world;
	uint64_t quantum = world->document->kernel.quantum_cycles, now = world->bus.cycle;
	if (quantum == 0)
		return false;
	if (runner->process->wakes_at > now)
		return true;
	if (now - world->slice_since < quantum)
		return false;
	for (unsigned i = 0; i < world->runner_count; i++) {
		if (&world->runners[i] != runner && is_ready(&world->runners[i]))
			return true;
	}
	world->slice_since = now; /* nobody else wants it: another slice */
	return false;
}

/* ---- where scripts yield ---- */

static void run_in_turn(struct world *world)
{
	while (world->idle < world->runner_count && !stops_the_run(world)) {
		struct runner *runner = &world->runners[world->turn];
		world->turn = (world->turn + 1) % world->runner_count;
		if (runner->state != WORLD_RUNNING) {
			world->idle++;
			continue;
		}
		world->idle = 0;
		if (is_held(runner))
			continue;
		take_turn(world, runner);
	}
}

enum status world_go_on(struct world *world, struct error *error)
{
	if (world->current)
		finish_slice(world, world->current);
	if (world->document->kernel.quantum_cycles != 0)
		run_round_robin(world);
	else
		run_in_turn(world);
	*error = world->error;
	error->status = world->status;
	return world->status;
}
