/* Machine code: fetching, decoding, restarting, and what the comparison with the host's processor (tests/diff) cannot
 * reach: 32-bit code, system instructions, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bare_machine.h"
#include "privileged_rig.h"

#define CODE ((uint64_t)0x40000000)
#define DATA ((uint64_t)0x50000000)
#define STACK ((uint64_t)0x60000000)
#define USER (PTE_PRESENT | PTE_WRITABLE | PTE_USER)

struct fixture {
	struct bare_machine bare;
	unsigned vector, faults;
	uint64_t error, rip, cr2;
	struct cpu seen;
	uint64_t map; /* entry to write for CR2, then return; 0: stay */
};

struct gate {
	struct fixture *fixture;
	unsigned vector;
};

static void on_exception(void *self)
{
	const struct gate *gate = self;
	struct fixture *f = gate->fixture;
	struct machine *machine = f->bare.machine;
	bool has_error = (gate->vector >= VECTOR_INVALID_TSS && gate->vector <= VECTOR_PAGE_FAULT) ||
			 gate->vector == VECTOR_ALIGNMENT;
	f->vector = gate->vector;
	f->faults++;
	f->error = has_error ? machine_pop(machine) : 0;
	f->rip = physmem_load64(f->bare.mem, paddr(f->bare.cpu->gpr[GPR_RSP] - BARE_KERNEL));
	f->cr2 = f->bare.cpu->cr2;
	f->seen = *f->bare.cpu;
	if (!f->map)
		return;
	(void)bare_map(&f->bare, vaddr(f->cr2), 1, f->map);
	machine_iretq(machine);
}

static void boot(struct fixture *f, struct gate *gates)
{
	struct machine_config config = {.memory_bytes = 16 * MIB, .profile = cpu_profile_at(0)};
	*f = (struct fixture){.vector = 0};
	bare_machine_init(&f->bare, &config);
	for (unsigned vector = 0; vector < 32; vector++) {
		gates[vector] = (struct gate){f, vector};
		bare_gate(&f->bare, vector, 3, on_exception, &gates[vector]);
	}
	(void)bare_map(&f->bare, vaddr(CODE), 1, BARE_PAGES | PTE_PRESENT | PTE_USER);
	(void)bare_map(&f->bare, vaddr(DATA), 1, (BARE_PAGES + 0x1000) | USER | PTE_NO_EXECUTE);
	(void)bare_map(&f->bare, vaddr(STACK), 1, (BARE_PAGES + 0x2000) | USER | PTE_NO_EXECUTE);
	bare_enter_ring3(&f->bare, CODE, STACK + 0x800);
}

static void put_code(struct fixture *f, uint64_t offset, const void *code, uint64_t bytes)
{
	physmem_write(f->bare.mem, paddr(BARE_PAGES + offset), code, bytes);
	f->bare.cpu->rip = CODE + offset;
}

#define PUT_CODE(f, offset, text) put_code(f, offset, text, sizeof(text) - 1)

static enum run_end run(struct fixture *f, uint64_t until)
{
	uint64_t steps;
	struct run_until end = {.rip = until, .rsp = f->bare.cpu->gpr[GPR_RSP], .steps = 10000};
	return machine_run(f->bare.machine, &end, &steps);
}

/* ---- programs ---- */

static void a_loop_adds_the_numbers_to_a_hundred(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	/* xor eax,eax; mov ecx,100; 1: add eax,ecx; loop 1b */
	PUT_CODE(&f, 0, "\x31\xc0\xb9\x64\x00\x00\x00\x01\xc8\xe2\xfc");
	assert_int_equal(run(&f, CODE + 11), RUN_RETURNED);
	assert_int_equal(f.bare.cpu->gpr[GPR_RAX], 5050);
	assert_int_equal(f.faults, 0);
	/* Each instruction was fetched. */
	assert_int_equal(mmu_stats(machine_mmu(f.bare.machine))->accesses[ACCESS_FETCH], 2 + 2 * 100);
	assert_int_equal(machine_stats(f.bare.machine)->instructions, 202);
	bare_machine_release(&f.bare);
}

static void a_run_stops_at_its_limit(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	PUT_CODE(&f, 0, "\xeb\xfe"); /* jmp . */
	assert_int_equal(run(&f, 0), RUN_LIMIT);
	bare_machine_release(&f.bare);
}

/* ---- fetching ---- */

static void fetch_over_a_page_end_faults_at_the_next_page(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	PUT_CODE(&f, 0xffd, "\xb8\x01\x02"); /* mov eax, imm32: two bytes lie in the next page */
	f.bare.cpu->gpr[GPR_RAX] = 7;
	assert_int_equal(run(&f, 0), RUN_LOST);
	assert_int_equal(f.vector, VECTOR_PAGE_FAULT);
	assert_int_equal(f.cr2, CODE + 0x1000);
	assert_int_equal(f.rip, CODE + 0xffd);
	assert_int_equal(f.error, FAULT_USER | FAULT_FETCH);
	assert_int_equal(f.seen.gpr[GPR_RAX], 7);
	bare_machine_release(&f.bare);
}

static void fetch_over_a_page_end_goes_on_once_the_page_is_there(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	PUT_CODE(&f, 0xffd, "\xb8\x01\x02");
	physmem_write(f.bare.mem, paddr(BARE_PAGES + 0x3000), "\x03\x04", 2);
	f.map = (BARE_PAGES + 0x3000) | PTE_PRESENT | PTE_USER;
	assert_int_equal(run(&f, CODE + 0x1002), RUN_RETURNED);
	assert_int_equal(f.bare.cpu->gpr[GPR_RAX], 0x04030201);
	assert_int_equal(f.faults, 1);
	bare_machine_release(&f.bare);
}

static void fetch_from_a_page_without_the_right_is_a_page_fault(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	f.bare.cpu->rip = DATA;
	assert_int_equal(run(&f, 0), RUN_LOST);
	assert_int_equal(f.vector, VECTOR_PAGE_FAULT);
	assert_int_equal(f.error, FAULT_PRESENT | FAULT_USER | FAULT_FETCH);
	assert_int_equal(f.cr2, DATA);
	bare_machine_release(&f.bare);
}

static void changed_code_is_decoded_anew(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	PUT_CODE(&f, 0, "\xff\xc0"); /* inc eax */
	f.bare.cpu->gpr[GPR_RAX] = 10;
	assert_int_equal(machine_step(f.bare.machine), STEP_DONE);
	PUT_CODE(&f, 0, "\xff\xc8"); /* dec eax */
	assert_int_equal(machine_step(f.bare.machine), STEP_DONE);
	assert_int_equal(f.bare.cpu->gpr[GPR_RAX], 10);
	bare_machine_release(&f.bare);
}

/* ---- what is no instruction ---- */

static void refuses(const char *code, unsigned bytes, unsigned vector)
{
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	put_code(&f, 0, code, bytes);
	assert_int_equal(run(&f, 0), RUN_LOST);
	if (f.vector != vector)
		fail_msg("%02x %02x: vector %u", (uint8_t)code[0], (uint8_t)code[1], f.vector);
	assert_int_equal(f.rip, CODE);
	bare_machine_release(&f.bare);
}

#define REFUSES(code, vector) refuses(code, sizeof(code) - 1, vector)

static void encodings_that_are_none_are_invalid_opcodes(void **state)
{
	(void)state;
	REFUSES("\x06", VECTOR_INVALID_OPCODE);         /* push es */
	REFUSES("\xce", VECTOR_INVALID_OPCODE);         /* into */
	REFUSES("\xf0\x01\xc0", VECTOR_INVALID_OPCODE); /* lock add eax, eax */
	REFUSES("\xf0\x8b\x00", VECTOR_INVALID_OPCODE); /* lock mov */
	REFUSES("\x0f\x20\xc8", VECTOR_INVALID_OPCODE); /* mov rax, cr1 */
	REFUSES("\x8e\xc8", VECTOR_INVALID_OPCODE);     /* mov cs, eax */
	REFUSES("\x0f\xff\xc0", VECTOR_INVALID_OPCODE); /* ud0 */
	REFUSES("\x8d\xc0", VECTOR_INVALID_OPCODE);     /* lea of a register */
}

static void more_than_15_bytes_are_a_protection_fault(void **state)
{
	(void)state;
	REFUSES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", VECTOR_PROTECTION);
	REFUSES("\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\xb8\x01\x02\x03\x04", VECTOR_PROTECTION);
}

static void valid_code_without_a_row_stops_the_machine_and_says_so(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	const char *why;
	boot(&f, gates);
	PUT_CODE(&f, 0, "\x0f\x58\xc1"); /* addps xmm0, xmm1 */
	assert_int_equal(run(&f, 0), RUN_STOPPED);
	assert_int_equal(f.faults, 0);
	assert_true(machine_stopped(f.bare.machine, &why));
	assert_string_equal(why,
			    "the instruction addps at 0x40000000 is valid, but not part of this processor's model");
	bare_machine_release(&f.bare);
}

/* ---- restarting ---- */

static void rep_goes_on_where_it_faulted(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	struct cpu *cpu = f.bare.cpu;
	PUT_CODE(&f, 0, "\xf3\xaa"); /* rep stosb over the end of the page */
	cpu->gpr[GPR_RAX] = 0x5a;
	cpu->gpr[GPR_RDI] = DATA + 0xff0;
	cpu->gpr[GPR_RCX] = 32;
	f.map = (BARE_PAGES + 0x3000) | USER;
	assert_int_equal(run(&f, CODE + 2), RUN_RETURNED);
	assert_int_equal(f.faults, 1);
	assert_int_equal(f.seen.gpr[GPR_RCX], 16);
	assert_int_equal(f.seen.gpr[GPR_RDI], DATA + 0x1000);
	assert_int_equal(f.rip, CODE);
	assert_int_equal(cpu->gpr[GPR_RCX], 0);
	uint8_t last;
	physmem_read(f.bare.mem, paddr(BARE_PAGES + 0x300f), &last, 1);
	assert_int_equal(last, 0x5a);
	bare_machine_release(&f.bare);
}

static void rep_of_many_iterations_takes_many_steps(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	struct cpu *cpu = f.bare.cpu;
	PUT_CODE(&f, 0, "\xf3\x48\xab"); /* rep stosq over five pages, which all turn out to be one frame */
	cpu->gpr[GPR_RAX] = 0x1122334455667788;
	cpu->gpr[GPR_RDI] = DATA;
	cpu->gpr[GPR_RCX] = 5 * 512;
	f.map = (BARE_PAGES + 0x3000) | USER;
	assert_int_equal(run(&f, CODE + 3), RUN_RETURNED);
	assert_int_equal(f.faults, 4);
	assert_int_equal(cpu->gpr[GPR_RDI], DATA + 5 * 0x1000);
	assert_int_equal(physmem_load64(f.bare.mem, paddr(BARE_PAGES + 0x3ff8)), cpu->gpr[GPR_RAX]);
	/* More iterations than a step does. */
	PUT_CODE(&f, 0x10, "\xf3\x67\xac"); /* rep lodsb with ECX and ESI */
	cpu->gpr[GPR_RCX] = 5000;
	cpu->gpr[GPR_RSI] = DATA;
	assert_int_equal(machine_step(f.bare.machine), STEP_DONE);
	assert_int_equal(cpu->gpr[GPR_RCX], 5000 - 4096);
	assert_int_equal(cpu->rip, CODE + 0x10);
	assert_int_equal(run(&f, CODE + 0x13), RUN_RETURNED);
	assert_int_equal(cpu->gpr[GPR_RCX], 0);
	bare_machine_release(&f.bare);
}

static void misaligned_accesses_of_ring_3_are_checked_when_asked_for(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	PUT_CODE(&f, 0, "\x8b\x07"); /* mov eax, [rdi] */
	f.bare.cpu->gpr[GPR_RDI] = DATA + 2;
	f.bare.cpu->rflags |= RFLAGS_AC;
	assert_int_equal(machine_step(f.bare.machine), STEP_DONE); /* CR0.AM is clear */
	f.bare.cpu->rip = CODE;
	machine_write_cr0(f.bare.machine, f.bare.cpu->cr0 | CR0_AM);
	assert_int_equal(run(&f, 0), RUN_LOST);
	assert_int_equal(f.vector, VECTOR_ALIGNMENT);
	assert_int_equal(f.error, 0);
	bare_machine_release(&f.bare);
}

static void a_push_that_faults_leaves_rsp_alone(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	PUT_CODE(&f, 0, "\xff\x34\x25\x00\x00\x00\x50"); /* push qword [DATA] */
	f.bare.cpu->gpr[GPR_RSP] = STACK;
	assert_int_equal(run(&f, 0), RUN_LOST);
	assert_int_equal(f.vector, VECTOR_PAGE_FAULT);
	assert_int_equal(f.cr2, STACK - 8);
	bare_machine_release(&f.bare);
}

static void single_steps_are_debug_exceptions(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	PUT_CODE(&f, 0, "\x90\x90");
	f.bare.cpu->rflags |= RFLAGS_TF;
	assert_int_equal(run(&f, 0), RUN_LOST);
	assert_int_equal(f.vector, VECTOR_DEBUG);
	assert_int_equal(f.rip, CODE + 1);
	assert_int_equal(f.seen.dr[6] & 0x4000, 0x4000);
	bare_machine_release(&f.bare);
}

/* ---- flags that a ring may not change ---- */

static void popf_in_ring_3_changes_neither_if_nor_iopl(void **state)
{
	(void)state;
	struct fixture f;
	struct gate gates[32];
	boot(&f, gates);
	PUT_CODE(&f, 0, "\x68\x01\x30\x00\x00\x9d"); /* push IOPL 3, CF; popf */
	assert_int_equal(run(&f, CODE + 6), RUN_RETURNED);
	assert_int_equal(f.bare.cpu->rflags, RFLAGS_FIXED | RFLAGS_IF | RFLAGS_CF);
	bare_machine_release(&f.bare);
}

/* ---- 32-bit code ---- */

struct short_case {
	const char *what;
	const char *code;
	unsigned bytes;
	uint32_t eax, flags;
};

#define SHORT(what, code, eax, flags)                                                                                  \
	{                                                                                                              \
		what, code, sizeof(code) - 1, eax, flags                                                               \
	}

static void code_of_32_bits_computes(void **state)
{
	(void)state;
	static const struct short_case cases[] = {
	    SHORT("daa", "\xb0\x79\x04\x35\x27", 0x14, RFLAGS_CF | RFLAGS_AF | RFLAGS_PF),
	    SHORT("das", "\xb0\x35\x2c\x47\x2f", 0x88, RFLAGS_CF | RFLAGS_AF | RFLAGS_SF | RFLAGS_PF),
	    SHORT("aam", "\xb8\x3f\x00\x00\x00\xd4\x0a", 0x0603, RFLAGS_PF),
	    SHORT("aad", "\xb8\x03\x06\x00\x00\xd5\x0a", 0x3f, RFLAGS_PF),
	    SHORT("aaa", "\xb8\x0c\x00\x00\x00\xf8\x37", 0x0102, RFLAGS_CF | RFLAGS_AF),
	    SHORT("aas", "\xb8\x0c\x03\x00\x00\xf8\x3f", 0x0206, RFLAGS_CF | RFLAGS_AF | RFLAGS_PF),
	    SHORT("inc by one byte", "\x31\xc0\x40\x40", 2, 0),
	    SHORT("pusha, popa", "\xb8\x44\x33\x22\x11\x60\x31\xc0\x61\xf8\x85\xc0", 0x11223344, RFLAGS_PF),
	    SHORT("16-bit addresses", "\x31\xdb\x31\xc0\x67\x8d\x47\x05", 0x5, RFLAGS_ZF | RFLAGS_PF),
	    SHORT("arpl", "\xb8\x08\x00\x00\x00\xb9\x03\x00\x00\x00\x63\xc8", 0xb, RFLAGS_ZF),
	    SHORT("into without overflow", "\x31\xc0\xce", 0, RFLAGS_ZF | RFLAGS_PF),
	};
	struct rig *rig = rig_new(false);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t code[64];
		struct rig_record record;
		struct rig_case given = {.code = code, .code_bytes = cases[i].bytes, .cpl = 3};
		memcpy(code, cases[i].code, cases[i].bytes);
		rig_run(rig, &given, &record);
		const struct cpu *cpu = machine_cpu_const(rig_machine(rig));
		uint64_t shown = RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF;
		if (!record.asked || (cpu->gpr[GPR_RAX] & 0xffff) != (cases[i].eax & 0xffff) ||
		    (cpu->rflags & shown) != cases[i].flags)
			fail_msg("%s: vector %u, EAX %llx, flags %llx", cases[i].what, record.vector,
				 (unsigned long long)cpu->gpr[GPR_RAX], (unsigned long long)(cpu->rflags & shown));
	}
	rig_free(rig);
}

/* ---- segments ---- */

static void selectors_are_asked_about(void **state)
{
	(void)state;
	static const struct short_case cases[] = {
	    SHORT("lsl", "\xb9\x20\x00\x00\x00\x0f\x03\xc1", 0xffffffff, RFLAGS_ZF),
	    SHORT("lar", "\xb9\x20\x00\x00\x00\x0f\x02\xc1", 0x00cff300, RFLAGS_ZF),
	    SHORT("lar of ring 0", "\xb8\x05\x00\x00\x00\xb9\x10\x00\x00\x00\x0f\x02\xc1", 5, 0),
	    SHORT("verr", "\xb8\x20\x00\x00\x00\x0f\x00\xe0", 0x20, RFLAGS_ZF),
	    SHORT("verw of code", "\xb8\x18\x00\x00\x00\x0f\x00\xe8", 0x18, 0),
	    SHORT("verr outside", "\xb8\x00\x08\x00\x00\x0f\x00\xe0", 0x800, 0),
	};
	for (unsigned wide = 0; wide < 2; wide++) {
		struct rig *rig = rig_new(wide);
		for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			uint8_t code[64];
			struct rig_record record;
			struct rig_case given = {.code = code, .code_bytes = cases[i].bytes, .cpl = 3};
			memcpy(code, cases[i].code, cases[i].bytes);
			rig_run(rig, &given, &record);
			const struct cpu *cpu = machine_cpu_const(rig_machine(rig));
			if (!record.asked || cpu->gpr[GPR_RAX] != cases[i].eax ||
			    (cpu->rflags & RFLAGS_ZF) != cases[i].flags)
				fail_msg("%s: vector %u, EAX %llx", cases[i].what, record.vector,
					 (unsigned long long)cpu->gpr[GPR_RAX]);
		}
		rig_free(rig);
	}
}

/* ---- the table ---- */

static void every_named_instruction_is_the_row_that_its_encoding_decodes_to(void **state)
{
	(void)state;
	for (unsigned i = 0; i < INSN_COUNT; i++) {
		struct fixture f;
		struct gate gates[32];
		boot(&f, gates);
		/* It asserts that itself. */
		(void)machine_instruction(f.bare.machine, (enum insn)i, i == INSN_SYSCALL ? 0 : DATA);
		assert_int_equal(machine_stats(f.bare.machine)->instructions, 1);
		assert_int_equal(f.bare.bus.count[EVENT_INSTRUCTION], 1);
		assert_true(insn_info((enum insn)i)->page[0] == '2');
		bare_machine_release(&f.bare);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_loop_adds_the_numbers_to_a_hundred),
	    cmocka_unit_test(a_run_stops_at_its_limit),
	    cmocka_unit_test(fetch_over_a_page_end_faults_at_the_next_page),
	    cmocka_unit_test(fetch_over_a_page_end_goes_on_once_the_page_is_there),
	    cmocka_unit_test(fetch_from_a_page_without_the_right_is_a_page_fault),
	    cmocka_unit_test(changed_code_is_decoded_anew),
	    cmocka_unit_test(encodings_that_are_none_are_invalid_opcodes),
	    cmocka_unit_test(more_than_15_bytes_are_a_protection_fault),
	    cmocka_unit_test(valid_code_without_a_row_stops_the_machine_and_says_so),
	    cmocka_unit_test(rep_goes_on_where_it_faulted),
	    cmocka_unit_test(rep_of_many_iterations_takes_many_steps),
	    cmocka_unit_test(misaligned_accesses_of_ring_3_are_checked_when_asked_for),
	    cmocka_unit_test(a_push_that_faults_leaves_rsp_alone),
	    cmocka_unit_test(single_steps_are_debug_exceptions),
	    cmocka_unit_test(popf_in_ring_3_changes_neither_if_nor_iopl),
	    cmocka_unit_test(code_of_32_bits_computes),
	    cmocka_unit_test(selectors_are_asked_about),
	    cmocka_unit_test(every_named_instruction_is_the_row_that_its_encoding_decodes_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
