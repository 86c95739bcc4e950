/* Runs a script: one operation after the other, as the program of a slice. */
#include "action.h"
#include "faultline/heap.h"

bool runner_next(struct runner *runner)
{
	struct why why;
	struct world *world = runner->world;
	if (runner->op_list) {
		enum status status = op_list_next(runner->op_list, &runner->op, &world->error);
		if (status != STATUS_OK) {
			world->status = status;
			return false;
		}
	} else if (!script_cursor_next(&runner->cursor, &runner->op, &why)) {
		runner->line = runner->op->line;
		runner->column = runner->op->column;
		runner->pointer = runner->op->pointer;
		return world_fail(world, STATUS_BAD_INPUT, "%s: %s", runner_where(runner).text, why.text);
	}
	if (!runner->op)
		return false;
	runner->line = runner->op->line;
	runner->column = runner->op->column;
	runner->pointer = runner->op->pointer;
	return true;
}

static void announce(struct runner *runner, const struct op *op)
{
	struct bus *bus = &runner->world->bus;
	const char *detail = "";
	if (bus_wants(bus, EVENT_OP_START)) {
		char *text = world_text(runner->world);
		op_detail(op, text, WORLD_TEXT_BYTES);
		detail = text;
	}
	emit(bus, EVENT_OP_START, event_text(op_info(op->kind)->name), event_text(detail), op->line);
	if (op->note)
		emit(bus, EVENT_NOTE, event_text(op->note));
}

/* Apart from finish: room for a message is not cleared where nobody checks. */
static void check_invariants(struct runner *runner, const struct op *op)
{
	struct world *world = runner->world;
	struct error why = {0};
	if (!world->check(world->check_self, &why))
		world_fail(world, STATUS_MACHINE_STOPPED, "%s: after %s: an invariant is broken: %s",
			   runner_where(runner).text, op_info(op->kind)->name, why.text);
}

static void finish(struct runner *runner, const struct op *op, uint64_t result)
{
	struct world *world = runner->world;
	runner->result = result;
	runner->operations++;
	world->progress.operations++;
	emit(&world->bus, EVENT_OP_END, event_text(op_info(op->kind)->name), result);
	if (world->hook) {
		const struct world_operation operation = {op, runner->index, result, runner->heap->errno_value};
		world->hook(world->hook_self, &operation);
	}
	if (runner->op_list)
		op_list_returned(runner->op_list, result);
	if (world->check)
		check_invariants(runner, op);
}

static void call_between(const struct world *world)
{
	if (world->between)
		world->between(world->between_self);
}

bool runner_pauses(struct runner *runner, uint64_t done)
{
	struct world *world = runner->world;
	runner->done = done;
	runner->paused = true;
	if (runner_must_pause(runner))
		return true;
	call_between(world); /* in what is kept of the world there it is paused, too */
	runner->paused = false;
	return false;
}

static void begin(struct runner *runner, const struct op *op)
{
	if (op->watched)
		world_process_stats(runner->world, runner->index, &runner->before_op);
	announce(runner, op);
	runner->heap->errno_value = 0;
	runner->done = 0;
}

static void execute(struct runner *runner, const struct op *op)
{
	if (!runner->paused)
		begin(runner, op);
	runner->paused = false;
	if (op->thread != runner->heap->thread && !runner_switch_thread(runner, op->thread))
		return;
	uint64_t result = runner_perform(runner, op);
	if (!runner->waits && !runner->paused)
		finish(runner, op, result);
}

/* The operation that could not end goes on; else the next one begins. False: there is none. */
static bool runner_go_on(struct runner *runner)
{
	bool goes_on = runner->waits || runner->paused;
	runner->waits = false;
	return goes_on || runner_next(runner);
}

static bool failed_for_good(const struct world *world)
{
	return world->status != STATUS_OK && world->status != STATUS_EXPECT_FAILED;
}

void runner_slice(void *self)
{
	struct runner *runner = self;
	if (!runner->started)
		runner_start_libc(runner);
	while (!failed_for_good(runner->world)) {
		call_between(runner->world);
		if (!runner_go_on(runner)) {
			if (runner->forked && !failed_for_good(runner->world))
				(void)runner_syscall(runner, SYS_NR_EXIT, (const uint64_t[6]){0});
			runner->state = WORLD_FINISHED;
			return;
		}
		if (runner->op->kind == OP_EXPECT) {
			runner_expect(runner, runner->op);
		} else if (runner->op->kind == OP_YIELD) {
			announce(runner, runner->op);
			runner->operations++;
			runner->world->progress.operations++;
			return;
		} else {
			execute(runner, runner->op);
			if (runner->waits || runner->paused || runner_must_pause(runner))
				return;
		}
	}
}
