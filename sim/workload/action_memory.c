/* The memory calls of a script: made directly from ring 3, past the C library. */
#include "action.h"
#include "faultline/heap.h"

uint64_t runner_syscall(struct runner *runner, uint64_t number, const uint64_t args[6])
{
	int64_t result = user_syscall(runner->user, number, args);
	if (result >= 0 || result < -4095)
		return (uint64_t)result;
	runner->heap->errno_value = (int)-result;
	return UINT64_MAX;
}

uint64_t do_brk(struct runner *runner, const struct op *op)
{
	uint64_t at = 0;
	if (!runner_place(runner, &op->at, 0, &at))
		return 0;
	return runner_syscall(runner, SYS_NR_BRK, (const uint64_t[6]){at});
}

uint64_t do_mmap(struct runner *runner, const struct op *op)
{
	uint64_t at = 0;
	uint64_t descriptor = UINT64_MAX;
	if (!runner_place(runner, &op->at, 0, &at) ||
	    (op->fd.slot != OP_NO_SLOT && !runner_variable(runner, op->fd.slot, &descriptor)))
		return 0;
	const uint64_t args[6] = {at, op->length, op->prot, op->flags, descriptor, op->file_offset};
	uint64_t result = runner_syscall(runner, SYS_NR_MMAP, args);
	runner_assign(runner, op->id.slot, result);
	return result;
}

uint64_t do_munmap(struct runner *runner, const struct op *op)
{
	uint64_t at = 0;
	if (!runner_place(runner, &op->at, op->offset, &at))
		return 0;
	return runner_syscall(runner, SYS_NR_MUNMAP, (const uint64_t[6]){at, op->length});
}

uint64_t do_mremap(struct runner *runner, const struct op *op)
{
	uint64_t at = 0;
	uint64_t to = 0;
	if (!runner_place(runner, &op->at, op->offset, &at) || !runner_place(runner, &op->to, 0, &to))
		return 0;
	const uint64_t args[6] = {at, op->length, op->new_length, op->flags, to};
	uint64_t result = runner_syscall(runner, SYS_NR_MREMAP, args);
	uint32_t slot = op->new_id.slot;
	if (slot == OP_SAME_SLOT)
		slot = op->at.kind == PLACE_SLOT && result != UINT64_MAX ? op->at.slot : OP_NO_SLOT;
	runner_assign(runner, slot, result);
	return result;
}

/* The range of a call. False: there is nothing to do. */
static bool page_range(struct runner *runner, const struct op *op, uint64_t *start, uint64_t *length)
{
	if (!runner_place(runner, &op->at, op->offset, start))
		return false;
	*length = op->length;
	if (!op->whole_pages)
		return true;
	uint64_t end = page_floor(*start + op->length);
	*start = page_ceil(*start);
	*length = end - *start;
	return end > *start;
}

uint64_t do_mprotect(struct runner *runner, const struct op *op)
{
	uint64_t start = 0;
	uint64_t length = 0;
	if (!page_range(runner, op, &start, &length))
		return 0;
	return runner_syscall(runner, SYS_NR_MPROTECT, (const uint64_t[6]){start, length, op->prot});
}

uint64_t do_madvise(struct runner *runner, const struct op *op)
{
	uint64_t start = 0;
	uint64_t length = 0;
	if (!page_range(runner, op, &start, &length))
		return 0;
	return runner_syscall(runner, SYS_NR_MADVISE, (const uint64_t[6]){start, length, op->advice});
}

uint64_t do_mlock(struct runner *runner, const struct op *op)
{
	uint64_t start = 0;
	if (!runner_place(runner, &op->at, op->offset, &start))
		return 0;
	uint64_t number = op->flags ? SYS_NR_MLOCK2 : SYS_NR_MLOCK;
	return runner_syscall(runner, number, (const uint64_t[6]){start, op->length, op->flags});
}

uint64_t do_munlock(struct runner *runner, const struct op *op)
{
	uint64_t start = 0;
	if (!runner_place(runner, &op->at, op->offset, &start))
		return 0;
	return runner_syscall(runner, SYS_NR_MUNLOCK, (const uint64_t[6]){start, op->length});
}

uint64_t do_mlockall(struct runner *runner, const struct op *op)
{
	return runner_syscall(runner, SYS_NR_MLOCKALL, (const uint64_t[6]){op->flags});
}

uint64_t do_munlockall(struct runner *runner, const struct op *op)
{
	(void)op;
	return runner_syscall(runner, SYS_NR_MUNLOCKALL, (const uint64_t[6]){0});
}

uint64_t do_mincore(struct runner *runner, const struct op *op)
{
	uint64_t start = 0, vec = 0;
	if (!runner_place(runner, &op->at, op->offset, &start) || !runner_place(runner, &op->to, 0, &vec))
		return 0;
	return runner_syscall(runner, SYS_NR_MINCORE, (const uint64_t[6]){start, op->length, vec});
}

uint64_t do_msync(struct runner *runner, const struct op *op)
{
	uint64_t start = 0;
	if (!runner_place(runner, &op->at, op->offset, &start))
		return 0;
	return runner_syscall(runner, SYS_NR_MSYNC, (const uint64_t[6]){start, op->length, op->flags});
}

/* The program's struct linux_rlimit is a local variable, some way below its stack pointer. A hard limit that stays is
 * asked for first, as programs do with getrlimit. */
uint64_t do_setrlimit(struct runner *runner, const struct op *op)
{
	const uint64_t place = align_down(process_segment(runner->process, SEGMENT_STACK).v - 256, 16);
	uint64_t hard = op->hard;
	if (hard == OP_KEEP_LIMIT) {
		if (runner_syscall(runner, SYS_NR_PRLIMIT64, (const uint64_t[6]){0, op->resource, 0, place}) != 0)
			return UINT64_MAX;
		hard = user_load64(runner->user, place + 8);
	}
	user_store64(runner->user, place, op->soft);
	user_store64(runner->user, place + 8, hard);
	return runner_syscall(runner, SYS_NR_PRLIMIT64, (const uint64_t[6]){0, op->resource, place, 0});
}
