/* Ring 3 on the real machine: what a program's instructions do, and that a killed program never comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/user.h"
#include "rig.h"

struct program {
	struct rig rig;
	struct user *user;
	uint64_t area;
	unsigned steps;
};

static void start(struct program *program)
{
	rig_boot(&program->rig, 0, OVERCOMMIT_HEURISTIC);
	program->user = user_new(program->rig.arena, program->rig.kernel, program->rig.process);
	program->area = (uint64_t)rig_mmap(&program->rig, 0, 1 * MIB, LINUX_PROT_READ | LINUX_PROT_WRITE, 0);
	program->steps = 0;
}

static void store_and_load_all_widths(void *self)
{
	struct program *program = self;
	struct user *user = program->user;
	uint64_t at = program->area + 4096 - 4; /* the 8-byte word crosses into the next page */
	user_store64(user, at, 0x1122334455667788);
	assert_int_equal(user_load64(user, at), 0x1122334455667788);
	assert_int_equal(user_load32(user, at), 0x55667788);
	assert_int_equal(user_load16(user, at), 0x7788);
	assert_int_equal(user_load8(user, at + 7), 0x11);
	user_store8(user, at, 0xaa);
	user_store16(user, at + 2, 0xbbbb);
	user_store32(user, at + 4, 0xcccccccc);
	assert_int_equal(user_load64(user, at), 0xccccccccbbbb77aa);
	program->steps++;
}

static void loads_and_stores_have_widths_and_may_cross_pages(void **state)
{
	(void)state;
	struct program program;
	start(&program);
	assert_true(user_run(program.user, store_and_load_all_widths, &program));
	assert_int_equal(program.steps, 1);
	rig_release(&program.rig);
}

static void fill_copy_and_peek(void *self)
{
	struct program *program = self;
	struct user *user = program->user;
	uint64_t at = program->area, value;
	assert_false(user_peek64(user, at, &value));
	user_fill(user, at + 100, 0x5a, 10000);
	assert_true(user_peek64(user, at + 104, &value));
	assert_int_equal(value, 0x5a5a5a5a5a5a5a5a);
	assert_int_equal(user_load8(user, at + 99), 0);
	assert_int_equal(user_load8(user, at + 10099), 0x5a);
	assert_int_equal(user_load8(user, at + 10100), 0);
	user_store64(user, at + 200, 77);
	user_copy(user, at + 500000, at + 100, 10000);
	assert_int_equal(user_load64(user, at + 500100), 77);
	/* Overlapping, both ways. */
	for (uint64_t i = 0; i < 9000; i += 8)
		user_store64(user, at + 600000 + i, i);
	user_copy(user, at + 600008, at + 600000, 8992);
	assert_int_equal(user_load64(user, at + 600008 + 4800), 4800);
	user_copy(user, at + 600000, at + 600008, 8992);
	assert_int_equal(user_load64(user, at + 600000 + 4800), 4800);
	user_fill(user, at + 100, 0, 10000);
	assert_int_equal(user_load64(user, at + 200), 0);
}

static void fills_and_copies_move_contents_across_pages(void **state)
{
	(void)state;
	struct program program;
	start(&program);
	assert_true(user_run(program.user, fill_copy_and_peek, &program));
	rig_release(&program.rig);
}

static void recurse_and_return(void *self)
{
	struct program *program = self;
	const struct cpu *cpu = machine_cpu(program->rig.machine);
	uint64_t rsp = cpu->gpr[GPR_RSP], rip = cpu->rip;
	for (unsigned i = 0; i < 100; i++)
		user_call(program->user, 5000);
	assert_true(program->rig.process->stats.causes[FAULT_CAUSE_STACK_GROWTH] > 50);
	for (unsigned i = 0; i < 100; i++)
		user_return(program->user, 5000);
	assert_int_equal(cpu->gpr[GPR_RSP], rsp);
	assert_int_equal(cpu->rip, rip);
}

static void calls_grow_the_stack_and_returns_come_back(void **state)
{
	(void)state;
	struct program program;
	start(&program);
	assert_true(user_run(program.user, recurse_and_return, &program));
	rig_release(&program.rig);
}

static void crash(void *self)
{
	struct program *program = self;
	program->steps = 1;
	(void)user_load8(program->user, 8);
	program->steps = 2;
}

static void abort_with_words(void *self)
{
	struct program *program = self;
	user_abort(program->user, "free(): invalid pointer");
}

static void leave(void *self)
{
	struct program *program = self;
	(void)user_syscall(program->user, SYS_NR_EXIT, (const uint64_t[6]){7});
	program->steps = 2;
}

static void a_killed_program_never_comes_back(void **state)
{
	(void)state;
	struct program program;
	start(&program);
	assert_false(user_run(program.user, crash, &program));
	assert_int_equal(program.steps, 1);
	assert_string_equal(program.rig.process->death.signal_name, "SIGSEGV");
	assert_int_equal(program.rig.process->death.va.v, 8);
	rig_release(&program.rig);
}

static void abort_prints_its_message_and_dies_by_sigabrt(void **state)
{
	(void)state;
	struct program program;
	start(&program);
	assert_false(user_run(program.user, abort_with_words, &program));
	assert_string_equal(program.rig.process->message, "free(): invalid pointer");
	assert_string_equal(program.rig.process->death.signal_name, "SIGABRT");
	assert_int_equal(program.rig.bus.count[EVENT_LIBC_ABORT], 1);
	rig_release(&program.rig);
}

static void exit_ends_with_its_status(void **state)
{
	(void)state;
	struct program program;
	start(&program);
	assert_false(user_run(program.user, leave, &program));
	assert_int_equal(program.steps, 0);
	assert_int_equal(program.rig.process->death.status, 7);
	rig_release(&program.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(loads_and_stores_have_widths_and_may_cross_pages),
	    cmocka_unit_test(fills_and_copies_move_contents_across_pages),
	    cmocka_unit_test(calls_grow_the_stack_and_returns_come_back),
	    cmocka_unit_test(a_killed_program_never_comes_back),
	    cmocka_unit_test(abort_prints_its_message_and_dies_by_sigabrt),
	    cmocka_unit_test(exit_ends_with_its_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
