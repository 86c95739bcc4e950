#include "faultline/check.h"

#include <inttypes.h>
#include <string.h>

#include "faultline/machine.h"

/* The structures are walked after each of the first operations, then once for so many events as there are objects to
 * visit divided by this: an event costs the simulator about as much as a few visits. */
enum { ALWAYS_OPERATIONS = 1000, VISITS_PER_EVENT = 8 };

/* ---- heaps ---- */

static void count_block(void *self, const struct heap_block *block)
{
	uint64_t *blocks = self;
	(void)block;
	(*blocks)++;
}

/* Writes of the program itself, or a wrong free, may break a heap: that is the program's fault, and the libc's to find.
 * We keep away from such a heap. */
static bool program_may_have_spoilt(const struct world *world, unsigned index)
{
	enum op_kind kind;
	struct world_process_state state = world_process_state(world, index);
	if (!op_find(state.op, &kind))
		return false;
	return op_info(kind)->group == OP_GROUP_ACCESS || op_info(kind)->group == OP_GROUP_STACK;
}

static bool check_heap(struct check *check, unsigned index, uint64_t *visited, struct error *why)
{
	const struct heap *heap = world_heap(check->world, index);
	const char *what = NULL;
	if (heap->ops->walk(heap, count_block, visited, &what))
		return true;
	if (program_may_have_spoilt(check->world, index)) {
		check->spoilt[index] = true;
		return true;
	}
	(void)error_set(why, STATUS_MACHINE_STOPPED, "the heap of process %s: %s",
			world_process(check->world, index)->name, what);
	return false;
}

bool check_heaps(struct check *check, uint64_t *visited, struct error *why)
{
	const struct process *process;
	for (unsigned i = 0; (process = world_process(check->world, i)); i++) {
		/* Before its first run a process has not even started its libc. */
		bool has_heap = process->mm && process->stats.switches > 0;
		if (has_heap && !check->spoilt[i] && !check_heap(check, i, visited, why))
			return false;
	}
	return true;
}

/* ---- frames by events ---- */

static bool check_frames(const struct check *check, struct error *why)
{
	const struct frame_pool *frames = kernel_frames(world_kernel(check->world));
	uint64_t used = frame_pool_total(frames) - frame_pool_free(frames);
	if (used == check->frames)
		return true;
	(void)error_set(why, STATUS_MACHINE_STOPPED,
			"frames: %" PRIu64 " are in use, by the events it should be %" PRIu64, used, check->frames);
	return false;
}

/* What checking the kernel visits: the entries of all tables, and the records of all frames ever used. */
static uint64_t kernel_objects(const struct world *world)
{
	const struct frame_pool *frames = kernel_frames(world_kernel(world));
	const struct process *process;
	uint64_t objects = frame_pool_total(frames) - frame_pool_low_water(frames);
	for (unsigned i = 0; (process = world_process(world, i)); i++)
		objects += 512 * process_table_pages(process);
	return objects;
}

static bool check_structures(struct check *check, struct error *why)
{
	uint64_t visited = kernel_objects(check->world);
	check->whole++;
	if (!kernel_check(world_kernel(check->world), why) || !check_tlbs(check->world, &visited, why) ||
	    !check_heaps(check, &visited, why))
		return false;
	check->next_event = world_bus_const(check->world)->number + visited / VISITS_PER_EVENT;
	return check->mode == CHECK_IDENTITIES || check_frames(check, why);
}

/* ---- when ---- */

static bool structures_are_due(const struct check *check)
{
	return check->mode == CHECK_FULL || check->operations <= ALWAYS_OPERATIONS ||
	       world_bus_const(check->world)->number >= check->next_event;
}

static bool after_operation(void *self, struct error *why)
{
	struct check *check = self;
	check->operations++;
	if (check->broken.status != STATUS_OK) {
		*why = check->broken;
		check->verdict = CHECK_BROKEN;
		return false;
	}
	if (!structures_are_due(check) || (check_identities(check, why) && check_structures(check, why)))
		return true;
	check->verdict = CHECK_BROKEN;
	return false;
}

/* Between two events inside the kernel or the libc something is half done; when the kernel has let go of all
 * processors, all that it holds must agree (a processor may come back from an interrupt that another one sent and waits
 * for). The first that does not is told after the operation. */
static void on_return_to_ring3(struct check *check)
{
	uint64_t visited = 0;
	if (check->broken.status != STATUS_OK)
		return;
	if (kernel_check(world_kernel(check->world), &check->broken) &&
	    check_tlbs(check->world, &visited, &check->broken))
		(void)check_frames(check, &check->broken);
}

static void on_event(void *self, const struct event *event)
{
	struct check *check = self;
	if (event->kind == EVENT_RING && event->arg[1] != 3) {
		check->entries++;
	} else if (event->kind == EVENT_RING) {
		check->entries -= check->entries != 0;
		if (check->entries == 0 && check->started)
			on_return_to_ring3(check);
	} else if (event->kind == EVENT_FRAME_ALLOC) {
		check->frames += (uint64_t)1 << event->arg[2];
	} else if (event->kind == EVENT_FRAME_FREE) {
		check->frames -= (uint64_t)1 << event->arg[1];
	} else if (!check->started) {
		check->started = true;
		world_machine_stats(check->world, &check->at_start);
	}
}

void check_attach(struct check *check, struct world *world, enum check_mode mode)
{
	/* The first context switch ends the time before the first process. */
	uint64_t mask = EVENT_BIT(EVENT_SWITCH);
	/* Frame 0 is in use and nobody takes it: a frame number of 0 means none. */
	*check = (struct check){.world = world, .mode = mode, .frames = 1};
	if (mode != CHECK_IDENTITIES) {
		mask |= EVENT_BIT(EVENT_FRAME_ALLOC) | EVENT_BIT(EVENT_FRAME_FREE);
		mask |= mode == CHECK_FULL ? EVENT_BIT(EVENT_RING) : 0;
		world_set_check(world, after_operation, check);
	}
	bus_subscribe(world_bus(world), mask, on_event, check);
}

static bool finish(struct check *check, struct error *why)
{
	if (!world_kernel(check->world) || !check->started)
		return true;
	if (!check_identities(check, why))
		return false;
	return check->mode == CHECK_IDENTITIES || check_structures(check, why);
}

bool check_finish(struct check *check, struct error *why)
{
	bool holds = finish(check, why);
	check->verdict = holds ? CHECK_HOLDS : CHECK_BROKEN;
	return holds;
}
