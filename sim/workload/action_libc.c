/* Operations that are calls of the C library. */
#include <inttypes.h>

#include "action.h"
#include "faultline/heap.h"

uint64_t do_malloc(struct runner *runner, const struct op *op)
{
	uint64_t block = heap_malloc(runner->heap, op->size);
	runner_assign(runner, op->id.slot, block);
	return block;
}

uint64_t do_calloc(struct runner *runner, const struct op *op)
{
	uint64_t block = heap_calloc(runner->heap, op->count, op->size);
	runner_assign(runner, op->id.slot, block);
	return block;
}

/* p = realloc(p, n) in a careful program: a failure leaves p alone. */
static void assign_resized(struct runner *runner, const struct op *op, uint64_t block, bool ended)
{
	bool same = op->new_id.slot == OP_SAME_SLOT;
	if (!same)
		runner_assign(runner, op->new_id.slot, block);
	else if (block != 0 || ended)
		runner_assign(runner, op->id.slot, block);
}

uint64_t do_realloc(struct runner *runner, const struct op *op)
{
	uint64_t old = 0;
	if (!runner_variable(runner, op->id.slot, &old))
		return 0;
	uint64_t block = heap_realloc(runner->heap, old, op->size);
	assign_resized(runner, op, block, op->size == 0);
	return block;
}

uint64_t do_free(struct runner *runner, const struct op *op)
{
	uint64_t block = 0;
	if (runner_variable(runner, op->id.slot, &block))
		heap_free(runner->heap, block);
	return 0;
}

uint64_t do_aligned_alloc(struct runner *runner, const struct op *op)
{
	uint64_t block = heap_aligned_alloc(runner->heap, op->alignment, op->size);
	runner_assign(runner, op->id.slot, block);
	return block;
}

uint64_t do_reallocarray(struct runner *runner, const struct op *op)
{
	uint64_t old = 0;
	if (!runner_variable(runner, op->id.slot, &old))
		return 0;
	uint64_t block = heap_reallocarray(runner->heap, old, op->count, op->size);
	assign_resized(runner, op, block, op->count == 0 || op->size == 0);
	return block;
}

uint64_t do_posix_memalign(struct runner *runner, const struct op *op)
{
	uint64_t block = 0;
	int failed = heap_posix_memalign(runner->heap, &block, op->alignment, op->size);
	if (!failed)
		runner_assign(runner, op->id.slot, block);
	return (uint64_t)failed;
}

uint64_t do_valloc(struct runner *runner, const struct op *op)
{
	uint64_t block = heap_valloc(runner->heap, op->size);
	runner_assign(runner, op->id.slot, block);
	return block;
}

uint64_t do_pvalloc(struct runner *runner, const struct op *op)
{
	uint64_t block = heap_pvalloc(runner->heap, op->size);
	runner_assign(runner, op->id.slot, block);
	return block;
}

/* Threads are spread over the CPUs, from the home of the process on. */
static unsigned cpu_of(const struct runner *runner, uint64_t thread)
{
	return (unsigned)((runner->process->home + thread) % machine_cpu_count(runner->world->machine));
}

static bool move_to_cpu(struct runner *runner, unsigned cpu)
{
	if (user_move(runner->user, cpu))
		return true;
	return world_fail(runner->world, STATUS_BAD_INPUT,
			  "%s: there is no frame for the kernel stack of a thread: raise machine.memory",
			  runner_where(runner).text);
}

/* The CPU of a thread that has ended idles, if no other thread of the process is on it. */
static void release_cpu(struct runner *runner, uint64_t ended)
{
	unsigned cpu = cpu_of(runner, ended);
	for (uint64_t thread = 0; thread < HEAP_MAX_THREADS; thread++) {
		if (heap_thread_is_alive(runner->heap, thread) && cpu_of(runner, thread) == cpu)
			return;
	}
	kernel_end_thread(runner->world->kernel, runner->process, cpu);
}

bool runner_switch_thread(struct runner *runner, uint64_t thread)
{
	if (!heap_thread_is_alive(runner->heap, thread))
		return world_fail(runner->world, STATUS_BAD_INPUT,
				  "%s: there is no thread %" PRIu64 ": make it with pthread_create before",
				  runner_where(runner).text, thread);
	if (!move_to_cpu(runner, cpu_of(runner, thread)))
		return false;
	heap_thread_switch(runner->heap, thread);
	return true;
}

uint64_t do_pthread_create(struct runner *runner, const struct op *op)
{
	if (op->child == 0 || op->child >= HEAP_MAX_THREADS || heap_thread_is_alive(runner->heap, op->child)) {
		world_fail(runner->world, STATUS_BAD_INPUT,
			   "%s: there is a thread %" PRIu64 " already; allowed is a number from 1 to %d that no living "
			   "thread has",
			   runner_where(runner).text, op->child, HEAP_MAX_THREADS - 1);
		return 0;
	}
	uint64_t result = (uint64_t)heap_thread_create(runner->heap, op->child);
	/* It begins to run at once, on its CPU. */
	if (heap_thread_is_alive(runner->heap, op->child) && move_to_cpu(runner, cpu_of(runner, op->child)))
		(void)move_to_cpu(runner, cpu_of(runner, op->thread));
	return result;
}

uint64_t do_pthread_join(struct runner *runner, const struct op *op)
{
	if (op->child == 0 || op->child == op->thread || !heap_thread_is_alive(runner->heap, op->child)) {
		world_fail(runner->world, STATUS_BAD_INPUT,
			   "%s: thread %" PRIu64 " cannot be joined by thread %" PRIu64
			   "; allowed is another one that pthread_create has made and nobody has joined",
			   runner_where(runner).text, op->child, op->thread);
		return 0;
	}
	heap_thread_join(runner->heap, op->child);
	release_cpu(runner, op->child);
	return 0;
}

uint64_t do_malloc_trim(struct runner *runner, const struct op *op)
{
	return (uint64_t)heap_trim(runner->heap, op->pad);
}

uint64_t do_mallopt(struct runner *runner, const struct op *op)
{
	return (uint64_t)heap_mallopt(runner->heap, (int)op->param, (int)op->increment);
}

uint64_t do_usable_size(struct runner *runner, const struct op *op)
{
	uint64_t block = 0;
	return runner_variable(runner, op->id.slot, &block) ? heap_usable_size(runner->heap, block) : 0;
}

uint64_t do_sbrk(struct runner *runner, const struct op *op)
{
	return heap_sbrk(runner->heap, op->increment);
}
