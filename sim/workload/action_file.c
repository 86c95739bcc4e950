/* The file calls of a script: made directly from ring 3, past the C library. */
#include <string.h>

#include "action.h"

uint64_t runner_push_text(struct runner *runner, const char *text)
{
	enum { ROOM = 512 };
	const uint64_t place = align_down(process_segment(runner->process, SEGMENT_STACK).v - ROOM, 16);
	size_t length = strlen(text) + 1;
	for (size_t i = 0; i < length; i++)
		user_store8(runner->user, place + i, (uint8_t)text[i]);
	return place;
}

uint64_t do_open(struct runner *runner, const struct op *op)
{
	enum { AT_FDCWD = -100, MODE = 0644 };
	const uint64_t args[6] = {(uint64_t)AT_FDCWD, runner_push_text(runner, op->name), op->flags, MODE};
	uint64_t result = runner_syscall(runner, SYS_NR_OPENAT, args);
	runner_assign(runner, op->id.slot, result);
	return result;
}

/* A call about a descriptor, which is the first argument. */
static uint64_t call(struct runner *runner, const struct op *op, uint64_t number, const uint64_t rest[3])
{
	uint64_t descriptor;
	if (!runner_variable(runner, op->fd.slot, &descriptor))
		return 0;
	return runner_syscall(runner, number, (const uint64_t[6]){descriptor, rest[0], rest[1], rest[2]});
}

uint64_t do_close(struct runner *runner, const struct op *op)
{
	return call(runner, op, SYS_NR_CLOSE, (const uint64_t[3]){0});
}

static uint64_t transfer(struct runner *runner, const struct op *op, uint64_t number)
{
	uint64_t at = 0;
	if (!runner_place(runner, &op->at, op->offset, &at))
		return 0;
	return call(runner, op, number, (const uint64_t[3]){at, op->length, op->file_offset});
}

uint64_t do_read_fd(struct runner *runner, const struct op *op)
{
	return transfer(runner, op, SYS_NR_READ);
}

uint64_t do_write_fd(struct runner *runner, const struct op *op)
{
	return transfer(runner, op, SYS_NR_WRITE);
}

uint64_t do_pread(struct runner *runner, const struct op *op)
{
	return transfer(runner, op, SYS_NR_PREAD64);
}

uint64_t do_pwrite(struct runner *runner, const struct op *op)
{
	return transfer(runner, op, SYS_NR_PWRITE64);
}

uint64_t do_lseek(struct runner *runner, const struct op *op)
{
	return call(runner, op, SYS_NR_LSEEK, (const uint64_t[3]){(uint64_t)op->increment, op->whence});
}

uint64_t do_ftruncate(struct runner *runner, const struct op *op)
{
	return call(runner, op, SYS_NR_FTRUNCATE, (const uint64_t[3]){op->length});
}

uint64_t do_fsync(struct runner *runner, const struct op *op)
{
	return call(runner, op, SYS_NR_FSYNC, (const uint64_t[3]){0});
}
