#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bare_machine.h"

#define VA ((uint64_t)0x40000000)
#define USER_PAGE (PTE_PRESENT | PTE_WRITABLE | PTE_USER)

/* Remembers what it saw when it was called, then returns to the interrupted program. */
struct recorder {
	struct bare_machine *bare;
	unsigned calls;
	struct cpu cpu;    /* at the first instruction */
	uint64_t frame[6]; /* read from RAM at RSP */
	uint8_t ring;
	bool has_error;
	bool stay;    /* does not return */
	uint64_t map; /* entry to write for CR2; 0: none */
};

static void record(void *self)
{
	struct recorder *r = self;
	struct machine *machine = r->bare->machine;
	r->calls++;
	r->cpu = *r->bare->cpu;
	r->ring = r->bare->bus.ring;
	for (unsigned i = 0; i < 6; i++) {
		struct paddr pa;
		assert_true(mmu_peek(machine_mmu(machine), vaddr(r->cpu.gpr[GPR_RSP] + i * 8), &pa));
		r->frame[i] = physmem_load64(r->bare->mem, pa);
	}
	if (r->map)
		(void)bare_map(r->bare, vaddr(r->cpu.cr2), 1, r->map);
	if (r->stay)
		return;
	if (r->has_error)
		(void)machine_pop(machine);
	machine_iretq(machine);
}

static void boot(struct bare_machine *bare)
{
	struct machine_config config = {.memory_bytes = 16 * MIB, .profile = cpu_profile_at(0)};
	bare_machine_init(bare, &config);
	bare_enter_ring3(bare, VA + 0x10, VA + 0xff8);
}

static void release(struct bare_machine *bare)
{
	const char *why = "";
	if (!mmu_check(machine_mmu(bare->machine), &why))
		fail_msg("broken: %s", why);
	assert_int_equal(bare->bus.count[EVENT_RING], machine_stats(bare->machine)->ring_changes);
	assert_int_equal(bare->bus.count[EVENT_EXCEPTION], machine_stats(bare->machine)->exceptions);
	bare_machine_release(bare);
}

static void trap_pushes_the_frame_of_a_page_fault_into_ram(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder r = {.bare = &bare, .has_error = true, .map = BARE_PAGES | USER_PAGE};
	bare_gate(&bare, VECTOR_PAGE_FAULT, 0, record, &r);
	uint64_t flags = bare.cpu->rflags;
	assert_true(machine_store(bare.machine, vaddr(VA + 0x40), 8, 77));
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.frame[0], FAULT_WRITE | FAULT_USER);
	assert_int_equal(r.frame[1], VA + 0x10);
	assert_int_equal(r.frame[2], BARE_USER_CS);
	assert_int_equal(r.frame[3], flags | RFLAGS_RF);
	assert_int_equal(r.frame[4], VA + 0xff8);
	assert_int_equal(r.frame[5], BARE_USER_SS);
	assert_int_equal(r.cpu.gpr[GPR_RSP], BARE_STACK_TOP - 48);
	assert_int_equal(r.cpu.cr2, VA + 0x40);
	assert_int_equal(r.cpu.cpl, 0);
	assert_int_equal(r.ring, 0);
	assert_int_equal(r.cpu.cs, BARE_KERNEL_CS);
	assert_int_equal(r.cpu.ss, 0);
	assert_int_equal(r.cpu.rip, BARE_HANDLERS + 14 * 16);
	assert_false(r.cpu.rflags & RFLAGS_IF);
	/* And back: the instruction was restarted. */
	assert_int_equal(bare.cpu->cpl, 3);
	assert_int_equal(bare.bus.ring, 3);
	assert_int_equal(bare.cpu->rip, VA + 0x10);
	assert_int_equal(bare.cpu->rflags, flags);
	assert_int_equal(physmem_load64(bare.mem, paddr(BARE_PAGES + 0x40)), 77);
	assert_int_equal(machine_stats(bare.machine)->ring_changes, 2);
	assert_int_equal(machine_stats(bare.machine)->vectors[VECTOR_PAGE_FAULT], 1);
	release(&bare);
}

static void trap_says_when_control_did_not_come_back(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder r = {.bare = &bare, .stay = true};
	bare_gate(&bare, VECTOR_PAGE_FAULT, 0, record, &r);
	uint64_t value;
	assert_false(machine_load(bare.machine, vaddr(VA), 8, &value));
	assert_false(machine_load(bare.machine, vaddr(VA + 0xffc), 8, &value));
	assert_int_equal(bare.cpu->cpl, 0);
	release(&bare);
}

static void trap_takes_the_stack_of_the_ist_when_the_gate_names_one(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder r = {.bare = &bare, .has_error = true};
	bare_gate(&bare, VECTOR_PROTECTION, 0, record, &r);
	struct paddr gate = paddr(BARE_IDT - BARE_KERNEL + 13 * 16);
	physmem_store64(bare.mem, gate, physmem_load64(bare.mem, gate) | (uint64_t)1 << 32);
	assert_true(machine_exception(bare.machine, VECTOR_PROTECTION, &(uint32_t){0x18}, vaddr(0)));
	assert_int_equal(r.cpu.gpr[GPR_RSP], BARE_IST1_TOP - 48);
	assert_int_equal(r.frame[0], 0x18);
	release(&bare);
}

static void trap_in_ring_0_stays_on_its_stack_aligned_to_16(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder r = {.bare = &bare};
	bare_gate(&bare, VECTOR_BREAKPOINT, 3, record, &r);
	bare.cpu->cpl = 0;
	bare.cpu->cs = BARE_KERNEL_CS;
	bare.cpu->ss = BARE_KERNEL_SS;
	bare.cpu->gpr[GPR_RSP] = BARE_STACK_TOP - 0x108;
	assert_true(machine_instruction(bare.machine, INSN_INT3, 0));
	assert_int_equal(r.cpu.gpr[GPR_RSP], BARE_STACK_TOP - 0x110 - 40);
	assert_int_equal(r.frame[3], BARE_STACK_TOP - 0x108);
	assert_int_equal(bare.cpu->gpr[GPR_RSP], BARE_STACK_TOP - 0x108);
	assert_int_equal(machine_stats(bare.machine)->ring_changes, 0);
	release(&bare);
}

static void trap_through_a_trap_gate_keeps_interrupts_on(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder r = {.bare = &bare};
	bare_gate(&bare, 0x80, 3, record, &r);
	struct paddr gate = paddr(BARE_IDT - BARE_KERNEL + 0x80 * 16);
	physmem_store64(bare.mem, gate, physmem_load64(bare.mem, gate) | (uint64_t)1 << 40);
	assert_true(machine_instruction(bare.machine, INSN_INT, 0x80));
	assert_true(r.cpu.rflags & RFLAGS_IF);
	assert_int_equal(r.calls, 1);
	release(&bare);
}

static void trap_refuses_int_n_below_the_dpl_of_its_gate(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder forbidden = {.bare = &bare};
	struct recorder protection = {.bare = &bare, .has_error = true};
	bare_gate(&bare, 0x81, 0, record, &forbidden);
	bare_gate(&bare, VECTOR_PROTECTION, 0, record, &protection);
	assert_true(machine_instruction(bare.machine, INSN_INT, 0x81));
	assert_int_equal(forbidden.calls, 0);
	assert_int_equal(protection.frame[0], 0x81 * 8 + 2);
	release(&bare);
}

static void trap_without_a_present_gate_is_not_present(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder missing = {.bare = &bare};
	struct recorder r = {.bare = &bare, .has_error = true};
	bare_gate(&bare, 0x82, 3, record, &missing);
	bare_gate(&bare, VECTOR_NOT_PRESENT, 0, record, &r);
	struct paddr gate = paddr(BARE_IDT - BARE_KERNEL + 0x82 * 16);
	physmem_store64(bare.mem, gate, physmem_load64(bare.mem, gate) & ~((uint64_t)1 << 47));
	(void)machine_instruction(bare.machine, INSN_INT, 0x82);
	assert_int_equal(r.frame[0], 0x82 * 8 + 2);
	release(&bare);
}

static void trap_makes_a_double_fault_of_a_page_fault_without_gate(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder r = {.bare = &bare, .stay = true};
	bare_gate(&bare, VECTOR_DOUBLE_FAULT, 0, record, &r);
	uint64_t value;
	assert_false(machine_load(bare.machine, vaddr(VA), 8, &value));
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.frame[0], 0);
	assert_int_equal(r.cpu.cr2, VA);
	release(&bare);
}

static void trap_makes_a_double_fault_when_the_stack_cannot_be_pushed_on(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder fault = {.bare = &bare};
	struct recorder r = {.bare = &bare, .stay = true};
	bare_gate(&bare, VECTOR_PAGE_FAULT, 0, record, &fault);
	bare_gate(&bare, VECTOR_DOUBLE_FAULT, 0, record, &r);
	struct paddr gate = paddr(BARE_IDT - BARE_KERNEL + 8 * 16);
	physmem_store64(bare.mem, gate, physmem_load64(bare.mem, gate) | (uint64_t)1 << 32);
	(void)bare_map(&bare, vaddr(BARE_STACK_TOP - 0x1000), 1, 0);
	machine_invlpg(bare.machine, vaddr(BARE_STACK_TOP - 0x1000));
	uint64_t value;
	assert_false(machine_load(bare.machine, vaddr(VA), 8, &value));
	assert_int_equal(fault.calls, 0);
	assert_int_equal(r.calls, 1);
	release(&bare);
}

static void trap_with_a_non_canonical_stack_is_a_stack_fault(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder never = {.bare = &bare};
	struct recorder r = {.bare = &bare, .has_error = true, .stay = true};
	bare_gate(&bare, 0x80, 3, record, &never);
	bare_gate(&bare, VECTOR_STACK, 0, record, &r);
	struct paddr gate = paddr(BARE_IDT - BARE_KERNEL + 12 * 16);
	physmem_store64(bare.mem, gate, physmem_load64(bare.mem, gate) | (uint64_t)1 << 32);
	physmem_store32(bare.mem, paddr(BARE_TSS - BARE_KERNEL + 8), 0x9000);
	(void)machine_instruction(bare.machine, INSN_INT, 0x80);
	assert_int_equal(never.calls, 0);
	assert_int_equal(r.calls, 1);
	release(&bare);
}

static void trap_stops_the_machine_at_a_triple_fault(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	uint64_t value;
	const char *why;
	static const char chain[] =
	    "triple fault at RIP 0x40000010 in ring 3: #PF (error code 0x4) at address 0x40000000, which could not be "
	    "delivered because of #GP (error code 0x73); that makes a #DF (error code 0x0), which could not be "
	    "delivered "
	    "because of #GP (error code 0x43)";
	assert_false(machine_stopped(bare.machine, &why));
	assert_false(machine_load(bare.machine, vaddr(VA), 8, &value));
	assert_true(machine_stopped(bare.machine, &why));
	assert_string_equal(why, chain);
	/* Nothing runs any more. */
	(void)bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE);
	assert_false(machine_load(bare.machine, vaddr(VA), 8, &value));
	assert_false(machine_syscall(bare.machine));
	assert_false(machine_instruction(bare.machine, INSN_RDTSC, 0));
	machine_stop(bare.machine, "later reasons do not count");
	assert_true(machine_stopped(bare.machine, &why));
	assert_string_equal(why, chain);
	release(&bare);
}

static void trap_ends_a_chain_of_handlers_that_cannot_be_fetched(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder r = {.bare = &bare};
	bare_gate(&bare, VECTOR_PAGE_FAULT, 0, record, &r);
	(void)bare_map(&bare, vaddr(BARE_HANDLERS), 1, 0x10000 | PTE_PRESENT | PTE_WRITABLE | PTE_NO_EXECUTE);
	machine_invlpg(bare.machine, vaddr(BARE_HANDLERS));
	uint64_t value;
	const char *why;
	assert_false(machine_load(bare.machine, vaddr(VA), 8, &value));
	assert_true(machine_stopped(bare.machine, &why));
	assert_int_equal(r.calls, 0);
	release(&bare);
}

static void trap_follows_gates_only_to_present_64_bit_code(void **state)
{
	(void)state;
	const struct {
		uint64_t descriptor;
		unsigned vector;
		uint32_t error;
	} cases[] = {
	    {0x0000930000000000, VECTOR_PROTECTION, 0x08}, /* data */
	    {0x00209b0000000000 & ~((uint64_t)1 << 47), VECTOR_NOT_PRESENT, 0x08},
	    {0x00409b0000000000, VECTOR_PROTECTION, 0x08}, /* 32-bit code */
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bare_machine bare;
		boot(&bare);
		struct recorder never = {.bare = &bare};
		struct recorder r = {.bare = &bare, .has_error = true, .stay = true};
		bare_gate(&bare, 0x80, 3, record, &never);
		bare_gate(&bare, cases[i].vector, 0, record, &r);
		/* The handlers of faults keep a good segment: a copy in the unused slot. */
		struct paddr gate = paddr(BARE_IDT - BARE_KERNEL + cases[i].vector * 16);
		uint64_t word = physmem_load64(bare.mem, gate);
		physmem_store64(bare.mem, gate, (word & ~(uint64_t)0xffff0000) | 0x18 << 16);
		physmem_store64(bare.mem, paddr(0x2018), 0x00209b0000000000);
		physmem_store64(bare.mem, paddr(0x2008), cases[i].descriptor);
		(void)machine_instruction(bare.machine, INSN_INT, 0x80);
		assert_int_equal(never.calls, 0);
		assert_int_equal(r.calls, 1);
		assert_int_equal(r.frame[0], cases[i].error);
		release(&bare);
	}
}

/* ---- SYSCALL, SYSRET, IRETQ ---- */

static void record_syscall(void *self)
{
	struct recorder *r = self;
	r->calls++;
	r->cpu = *r->bare->cpu;
	r->ring = r->bare->bus.ring;
	r->bare->cpu->gpr[GPR_RAX] = 42;
	machine_sysretq(r->bare->machine);
}

static void syscall_enters_ring_0_and_sysret_leaves_it(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder r = {.bare = &bare};
	bare_syscall(&bare, record_syscall, &r);
	uint64_t flags = bare.cpu->rflags;
	assert_true(machine_syscall(bare.machine));
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.ring, 0);
	assert_int_equal(r.cpu.cpl, 0);
	assert_int_equal(r.cpu.cs, BARE_KERNEL_CS);
	assert_int_equal(r.cpu.ss, BARE_KERNEL_SS);
	assert_int_equal(r.cpu.rip, BARE_SYSCALL);
	assert_int_equal(r.cpu.gpr[GPR_RCX], VA + 0x10);
	assert_int_equal(r.cpu.gpr[GPR_R11], flags);
	assert_int_equal(r.cpu.gpr[GPR_RSP], VA + 0xff8);
	assert_false(r.cpu.rflags & RFLAGS_IF);
	assert_int_equal(bare.cpu->cpl, 3);
	assert_int_equal(bare.cpu->cs, BARE_USER_CS);
	assert_int_equal(bare.cpu->ss, BARE_USER_SS);
	assert_int_equal(bare.cpu->rflags, flags);
	assert_int_equal(bare.cpu->gpr[GPR_RAX], 42);
	assert_int_equal(machine_stats(bare.machine)->syscalls, 1);
	assert_int_equal(bare.bus.count[EVENT_RING], 2);
	release(&bare);
}

static void syscall_without_sce_is_an_invalid_opcode(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder r = {.bare = &bare};
	bare_gate(&bare, VECTOR_INVALID_OPCODE, 0, record, &r);
	machine_write_efer(bare.machine, EFER_LME | EFER_NXE);
	assert_true(machine_syscall(bare.machine));
	assert_true(machine_instruction(bare.machine, INSN_SYSCALL, 0));
	assert_int_equal(r.calls, 2);
	bare.cpu->cpl = 0;
	bare.cpu->cs = BARE_KERNEL_CS;
	bare.cpu->ss = BARE_KERNEL_SS;
	bare.cpu->gpr[GPR_RSP] = BARE_STACK_TOP - 0x800;
	machine_sysretq(bare.machine);
	assert_int_equal(r.calls, 3);
	release(&bare);
}

static void sysret_to_a_non_canonical_address_faults_in_ring_0(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct recorder r = {.bare = &bare, .has_error = true, .stay = true};
	bare_gate(&bare, VECTOR_PROTECTION, 0, record, &r);
	bare.cpu->cpl = 0;
	bare.cpu->cs = BARE_KERNEL_CS;
	bare.cpu->gpr[GPR_RSP] = BARE_STACK_TOP - 0x800;
	bare.cpu->gpr[GPR_RCX] = 0x800000000000;
	machine_sysretq(bare.machine);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.frame[0], 0);
	assert_int_equal(r.frame[2], BARE_KERNEL_CS);
	release(&bare);
}

struct iret_case {
	uint64_t rip, cs, ss;
	uint32_t error;
};

static void iretq_refuses_frames_that_gain_rights_or_lead_nowhere(void **state)
{
	(void)state;
	const struct iret_case cases[] = {
	    {VA, 0, BARE_USER_SS, 0},                        /* null CS */
	    {VA, 0x2a, BARE_USER_SS, 0x28},                  /* RPL is not the DPL */
	    {VA, 0x103, BARE_USER_SS, 0x100},                /* outside the GDT */
	    {VA, 0x2f, BARE_USER_SS, 0x2c},                  /* LDT */
	    {VA, BARE_USER_SS, BARE_USER_SS, 0x20},          /* data as code */
	    {VA, BARE_USER_CS, 3, 0},                        /* null SS in ring 3 */
	    {VA, BARE_USER_CS, 0x10, 0x10},                  /* SS of ring 0 */
	    {VA, BARE_USER_CS, BARE_USER_CS, 0x28},          /* code as stack */
	    {0x800000000000, BARE_USER_CS, BARE_USER_SS, 0}, /* not canonical */
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bare_machine bare;
		boot(&bare);
		struct recorder r = {.bare = &bare, .has_error = true, .stay = true};
		bare_gate(&bare, VECTOR_PROTECTION, 0, record, &r);
		bare.cpu->cpl = 0;
		bare.cpu->cs = BARE_KERNEL_CS;
		bare.cpu->gpr[GPR_RSP] = BARE_STACK_TOP - 0x100;
		const uint64_t frame[5] = {cases[i].rip, cases[i].cs, RFLAGS_FIXED, VA, cases[i].ss};
		physmem_write(bare.mem, paddr(0x8000 - 0x100), frame, sizeof(frame));
		machine_iretq(bare.machine);
		assert_int_equal(r.calls, 1);
		assert_int_equal(r.frame[0], cases[i].error);
		assert_int_equal(bare.cpu->cpl, 0);
		release(&bare);
	}
}

static void iretq_restores_flags_as_far_as_the_ring_may(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	const uint64_t frame[5] = {VA, BARE_USER_CS, RFLAGS_FIXED | RFLAGS_IOPL | 1, VA, BARE_USER_SS};
	(void)bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE);
	physmem_write(bare.mem, paddr(BARE_PAGES + 0x100), frame, sizeof(frame));
	bare.cpu->gpr[GPR_RSP] = VA + 0x100;
	(void)machine_instruction(bare.machine, INSN_IRET, 0);
	/* Ring 3 may change neither IF nor IOPL. */
	assert_int_equal(bare.cpu->rflags, RFLAGS_FIXED | RFLAGS_IF | 1);
	struct recorder r = {.bare = &bare, .has_error = true};
	bare_gate(&bare, VECTOR_PROTECTION, 0, record, &r);
	bare.cpu->rflags |= RFLAGS_NT;
	(void)machine_instruction(bare.machine, INSN_IRET, 0);
	assert_int_equal(r.calls, 1);
	release(&bare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(trap_pushes_the_frame_of_a_page_fault_into_ram),
	    cmocka_unit_test(trap_says_when_control_did_not_come_back),
	    cmocka_unit_test(trap_takes_the_stack_of_the_ist_when_the_gate_names_one),
	    cmocka_unit_test(trap_in_ring_0_stays_on_its_stack_aligned_to_16),
	    cmocka_unit_test(trap_through_a_trap_gate_keeps_interrupts_on),
	    cmocka_unit_test(trap_refuses_int_n_below_the_dpl_of_its_gate),
	    cmocka_unit_test(trap_without_a_present_gate_is_not_present),
	    cmocka_unit_test(trap_makes_a_double_fault_of_a_page_fault_without_gate),
	    cmocka_unit_test(trap_makes_a_double_fault_when_the_stack_cannot_be_pushed_on),
	    cmocka_unit_test(trap_with_a_non_canonical_stack_is_a_stack_fault),
	    cmocka_unit_test(trap_stops_the_machine_at_a_triple_fault),
	    cmocka_unit_test(trap_ends_a_chain_of_handlers_that_cannot_be_fetched),
	    cmocka_unit_test(trap_follows_gates_only_to_present_64_bit_code),
	    cmocka_unit_test(syscall_enters_ring_0_and_sysret_leaves_it),
	    cmocka_unit_test(syscall_without_sce_is_an_invalid_opcode),
	    cmocka_unit_test(sysret_to_a_non_canonical_address_faults_in_ring_0),
	    cmocka_unit_test(iretq_refuses_frames_that_gain_rights_or_lead_nowhere),
	    cmocka_unit_test(iretq_restores_flags_as_far_as_the_ring_may),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
