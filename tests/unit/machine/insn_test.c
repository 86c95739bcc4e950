#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bare_machine.h"

#define VA ((uint64_t)0x40000000)
#define USER_PAGE (PTE_PRESENT | PTE_WRITABLE | PTE_USER)

struct fixture {
	struct bare_machine bare;
	unsigned protection, invalid_opcode;
	uint64_t error;
};

static void on_protection(void *self)
{
	struct fixture *f = self;
	f->protection++;
	f->error = machine_pop(f->bare.machine);
	machine_iretq(f->bare.machine);
}

static void on_invalid_opcode(void *self)
{
	struct fixture *f = self;
	f->invalid_opcode++;
	machine_iretq(f->bare.machine);
}

static void boot(struct fixture *f, uint8_t ring)
{
	struct machine_config config = {.memory_bytes = 16 * MIB, .profile = cpu_profile_at(0)};
	f->protection = f->invalid_opcode = 0;
	bare_machine_init(&f->bare, &config);
	bare_gate(&f->bare, VECTOR_PROTECTION, 0, on_protection, f);
	bare_gate(&f->bare, VECTOR_INVALID_OPCODE, 0, on_invalid_opcode, f);
	f->bare.cpu->gpr[GPR_RSP] -= 0x200;
	(void)bare_map(&f->bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE);
	if (ring == 3)
		bare_enter_ring3(&f->bare, VA, VA + 0x800);
}

static bool run(struct fixture *f, enum insn insn, uint64_t operand)
{
	return machine_instruction(f->bare.machine, insn, operand);
}

/* All registers that programs see and those that control the machine. The struct as a whole has padding. */
static void assert_same_registers(const struct cpu *before, const struct cpu *after)
{
	assert_memory_equal(before->gpr, after->gpr, sizeof(before->gpr));
	assert_memory_equal(before->sreg, after->sreg, sizeof(before->sreg));
	assert_memory_equal(before->dr, after->dr, sizeof(before->dr));
	const uint64_t left[] = {before->rip, before->rflags, before->cpl,  before->cr0,  before->cr2,   before->cr3,
				 before->cr4, before->cr8,    before->efer, before->star, before->lstar, before->fmask};
	const uint64_t right[] = {after->rip, after->rflags, after->cpl,  after->cr0,  after->cr2,   after->cr3,
				  after->cr4, after->cr8,    after->efer, after->star, after->lstar, after->fmask};
	assert_memory_equal(left, right, sizeof(left));
}

static void privileged_instructions_raise_gp_in_ring_3(void **state)
{
	(void)state;
	for (unsigned i = 0; i < INSN_COUNT; i++) {
		if (insn_info((enum insn)i)->who != INSN_WHO_CPL0)
			continue;
		struct fixture f;
		boot(&f, 3);
		struct cpu before = *f.bare.cpu;
		assert_true(run(&f, (enum insn)i, 0));
		assert_int_equal(f.protection, 1);
		assert_int_equal(f.error, 0);
		assert_same_registers(&before, f.bare.cpu);
		bare_machine_release(&f.bare);
	}
}

static void interrupts_and_ports_obey_iopl(void **state)
{
	(void)state;
	struct fixture f;
	boot(&f, 3);
	assert_true(run(&f, INSN_CLI, 0));
	assert_true(run(&f, INSN_IN, 0x60));
	assert_int_equal(f.protection, 2);
	f.bare.cpu->rflags |= RFLAGS_IOPL;
	assert_true(run(&f, INSN_CLI, 0));
	assert_false(f.bare.cpu->rflags & RFLAGS_IF);
	assert_true(run(&f, INSN_STI, 0));
	assert_true(f.bare.cpu->rflags & RFLAGS_IF);
	assert_true(run(&f, INSN_IN, 0x60));
	assert_int_equal(f.bare.cpu->gpr[GPR_RAX] & 0xff, 0xff);
	assert_true(run(&f, INSN_OUT, 0x60));
	assert_int_equal(f.protection, 2);
	bare_machine_release(&f.bare);
}

static void ports_are_open_where_the_bitmap_of_the_tss_is_clear(void **state)
{
	(void)state;
	struct fixture f;
	boot(&f, 0);
	/* A TSS with a longer limit: the bitmap at 0x68 covers ports 0 to 31, of which 5 and 20 are closed. */
	struct paddr descriptor = paddr(BARE_GDT - BARE_KERNEL + BARE_TR);
	uint64_t word = physmem_load64(f.bare.mem, descriptor) & ~(uint64_t)0x20000000000; /* not busy */
	physmem_store64(f.bare.mem, descriptor, (word & ~(uint64_t)0xffff) | 0x6c);
	physmem_store32(f.bare.mem, paddr(BARE_TSS - BARE_KERNEL + 0x64), 0x00680000);
	physmem_store32(f.bare.mem, paddr(BARE_TSS - BARE_KERNEL + 0x68), 1u << 5 | 1u << 20);
	machine_load_tr(f.bare.machine, BARE_TR);
	bare_enter_ring3(&f.bare, VA, VA + 0x800);
	assert_true(run(&f, INSN_IN, 4));
	assert_int_equal(f.protection, 0);
	assert_true(run(&f, INSN_IN, 5));
	assert_true(run(&f, INSN_IN, 20));
	assert_true(run(&f, INSN_IN, 60));
	assert_int_equal(f.protection, 3);
	bare_machine_release(&f.bare);
}

static void umip_and_tsd_decide_about_ring_3(void **state)
{
	(void)state;
	struct fixture f;
	boot(&f, 3);
	assert_true(run(&f, INSN_SMSW, 0));
	assert_int_equal(f.bare.cpu->gpr[GPR_RAX], f.bare.cpu->cr0);
	assert_true(run(&f, INSN_STR, 0));
	assert_int_equal(f.bare.cpu->gpr[GPR_RAX], BARE_TR);
	assert_true(run(&f, INSN_SGDT, VA + 0x10));
	assert_int_equal(physmem_load64(f.bare.mem, paddr(BARE_PAGES + 0x10)) >> 16, BARE_GDT & 0xffffffffffff);
	assert_true(run(&f, INSN_SIDT, VA + 0x10));
	assert_true(run(&f, INSN_RDTSC, 0));
	assert_int_equal(f.protection, 0);
	machine_write_cr4(f.bare.machine, f.bare.cpu->cr4 | CR4_UMIP | 4);
	assert_true(run(&f, INSN_SMSW, 0));
	assert_true(run(&f, INSN_RDTSC, 0));
	assert_int_equal(f.protection, 2);
	bare_machine_release(&f.bare);
}

static void ring_0_reads_and_writes_control_registers(void **state)
{
	(void)state;
	struct fixture f;
	boot(&f, 0);
	struct cpu *cpu = f.bare.cpu;
	assert_true(run(&f, INSN_MOV_TO_CR2, 0x1234));
	assert_true(run(&f, INSN_MOV_FROM_CR2, 0));
	assert_int_equal(cpu->gpr[GPR_RAX], 0x1234);
	assert_true(run(&f, INSN_MOV_TO_CR3, f.bare.root.v));
	assert_true(run(&f, INSN_MOV_FROM_CR3, 0));
	assert_int_equal(cpu->gpr[GPR_RAX], f.bare.root.v);
	assert_true(run(&f, INSN_MOV_TO_CR0, cpu->cr0 | 8));
	assert_true(run(&f, INSN_CLTS, 0));
	assert_true(run(&f, INSN_MOV_FROM_CR0, 0));
	assert_int_equal(cpu->gpr[GPR_RAX] & 8, 0);
	assert_true(run(&f, INSN_LMSW, 0xa));
	assert_int_equal(cpu->cr0 & 15, 0xb);
	assert_true(run(&f, INSN_MOV_TO_CR4, cpu->cr4 | CR4_SMEP));
	assert_true(run(&f, INSN_MOV_FROM_CR4, 0));
	assert_int_equal(cpu->gpr[GPR_RAX], CR4_PAE | CR4_PGE | CR4_SMEP);
	assert_true(run(&f, INSN_INVLPG, VA));
	assert_true(run(&f, INSN_INVLPG, 0x800000000000));
	assert_true(run(&f, INSN_INVD, 0));
	assert_true(run(&f, INSN_WBINVD, 0));
	assert_int_equal(f.protection, 0);
	bare_machine_release(&f.bare);
}

static void control_registers_refuse_what_the_processor_refuses(void **state)
{
	(void)state;
	const struct {
		enum insn insn;
		uint64_t operand;
	} cases[] = {
	    {INSN_MOV_TO_CR0, (uint64_t)1 << 32},
	    {INSN_MOV_TO_CR0, CR0_PG},                              /* without PE */
	    {INSN_MOV_TO_CR0, CR0_PE},                              /* paging off in 64-bit mode */
	    {INSN_MOV_TO_CR0, CR0_PE | CR0_PG | (uint64_t)1 << 29}, /* NW without CD */
	    {INSN_MOV_TO_CR3, (uint64_t)1 << 46},
	    {INSN_MOV_TO_CR3, CR3_NOFLUSH}, /* without PCIDE */
	    {INSN_MOV_TO_CR4, 0},           /* PAE off */
	    {INSN_MOV_TO_CR4, CR4_PAE | CR4_LA57},
	    {INSN_MOV_TO_CR4, CR4_PAE | (uint64_t)1 << 40},
	    {INSN_MOV_TO_CR4, CR4_PAE | (uint64_t)1 << 15},
	    {INSN_RDMSR, 0x12345},
	    {INSN_WRMSR, 0x12345},
	    {INSN_WRMSR, 0xc0000080}, /* clears LME with paging on */
	    {INSN_LTR, 0},
	    {INSN_LTR, 0x30}, /* busy already */
	    {INSN_LTR, 0x08}, /* code */
	    {INSN_LTR, 0x78}, /* outside the GDT */
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		boot(&f, 0);
		assert_true(run(&f, cases[i].insn, cases[i].operand));
		if (f.protection != 1)
			fail_msg("case %u: %u protection faults", i, f.protection);
		bare_machine_release(&f.bare);
	}
}

static void msrs_keep_what_is_written(void **state)
{
	(void)state;
	static const uint32_t numbers[] = {0xc0000081, 0xc0000082, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102};
	struct fixture f;
	boot(&f, 0);
	struct cpu *cpu = f.bare.cpu;
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		cpu->gpr[GPR_RAX] = 0x11110000 + i;
		cpu->gpr[GPR_RDX] = 0x7ff0 + i;
		assert_true(run(&f, INSN_WRMSR, numbers[i]));
	}
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_true(run(&f, INSN_RDMSR, numbers[i]));
		assert_int_equal(cpu->gpr[GPR_RAX], 0x11110000 + i);
		assert_int_equal(cpu->gpr[GPR_RDX], 0x7ff0 + i);
	}
	assert_true(run(&f, INSN_SWAPGS, 0));
	assert_true(run(&f, INSN_RDMSR, 0xc0000101));
	assert_int_equal(cpu->gpr[GPR_RAX], 0x11110005);
	assert_true(run(&f, INSN_RDMSR, 0xc0000080));
	assert_int_equal(cpu->gpr[GPR_RAX], EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE);
	cpu->gpr[GPR_RAX] |= EFER_SCE;
	assert_true(run(&f, INSN_WRMSR, 0xc0000080));
	assert_int_equal(f.protection, 0);
	cpu->gpr[GPR_RDX] = 0x8000;
	assert_true(run(&f, INSN_WRMSR, 0xc0000082));
	assert_int_equal(f.protection, 1);
	bare_machine_release(&f.bare);
}

static void descriptor_tables_are_loaded_from_memory(void **state)
{
	(void)state;
	struct fixture f;
	boot(&f, 0);
	physmem_store64(f.bare.mem, paddr(BARE_PAGES), 0x800000003000ull << 16 | 0x7ff);
	physmem_store64(f.bare.mem, paddr(BARE_PAGES + 8), 0xffff);
	assert_true(run(&f, INSN_LIDT, VA));
	assert_int_equal(f.bare.cpu->idtr.base.v, BARE_IDT);
	assert_int_equal(f.bare.cpu->idtr.limit, 0x7ff);
	physmem_store64(f.bare.mem, paddr(BARE_PAGES), 0x800000002000ull << 16 | 0x3f);
	assert_true(run(&f, INSN_LGDT, VA));
	assert_int_equal(f.bare.cpu->gdtr.base.v, BARE_GDT);
	assert_int_equal(f.protection, 0);
	physmem_store64(f.bare.mem, paddr(BARE_PAGES + 8), 0);
	assert_true(run(&f, INSN_LGDT, VA));
	assert_int_equal(f.protection, 1);
	assert_true(run(&f, INSN_LGDT, 0x800000000000));
	assert_int_equal(f.protection, 2);
	bare_machine_release(&f.bare);
}

static void hlt_with_interrupts_off_stops_the_machine(void **state)
{
	(void)state;
	struct fixture f;
	boot(&f, 0);
	const char *why;
	f.bare.cpu->rflags |= RFLAGS_IF;
	assert_true(run(&f, INSN_HLT, 0));
	assert_false(machine_stopped(f.bare.machine, &why));
	assert_true(run(&f, INSN_CLI, 0));
	assert_false(run(&f, INSN_HLT, 0));
	assert_true(machine_stopped(f.bare.machine, &why));
	bare_machine_release(&f.bare);
}

static void undefined_instructions_raise_ud(void **state)
{
	(void)state;
	struct fixture f;
	boot(&f, 3);
	assert_true(run(&f, INSN_UD, 0));
	assert_true(run(&f, INSN_WRPKRU, 5));
	assert_int_equal(f.invalid_opcode, 2);
	machine_write_cr4(f.bare.machine, f.bare.cpu->cr4 | CR4_PKE);
	assert_true(run(&f, INSN_WRPKRU, 5));
	assert_int_equal(f.bare.cpu->pkru, 5);
	assert_int_equal(f.bare.bus.count[EVENT_INSTRUCTION], machine_stats(f.bare.machine)->instructions);
	bare_machine_release(&f.bare);
}

static void sysret_in_ring_0_leaves_it(void **state)
{
	(void)state;
	struct fixture f;
	boot(&f, 0);
	f.bare.cpu->gpr[GPR_RCX] = VA;
	f.bare.cpu->gpr[GPR_R11] = RFLAGS_FIXED;
	assert_false(run(&f, INSN_SYSRET, 0));
	assert_int_equal(f.bare.cpu->cpl, 3);
	bare_machine_release(&f.bare);
}

static void instructions_are_found_by_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < INSN_COUNT; i++) {
		enum insn found;
		assert_true(insn_find(insn_info((enum insn)i)->name, &found));
		assert_int_equal(found, i);
	}
	enum insn found;
	assert_false(insn_find("halt", &found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(privileged_instructions_raise_gp_in_ring_3),
	    cmocka_unit_test(interrupts_and_ports_obey_iopl),
	    cmocka_unit_test(ports_are_open_where_the_bitmap_of_the_tss_is_clear),
	    cmocka_unit_test(umip_and_tsd_decide_about_ring_3),
	    cmocka_unit_test(ring_0_reads_and_writes_control_registers),
	    cmocka_unit_test(control_registers_refuse_what_the_processor_refuses),
	    cmocka_unit_test(msrs_keep_what_is_written),
	    cmocka_unit_test(descriptor_tables_are_loaded_from_memory),
	    cmocka_unit_test(hlt_with_interrupts_off_stops_the_machine),
	    cmocka_unit_test(undefined_instructions_raise_ud),
	    cmocka_unit_test(sysret_in_ring_0_leaves_it),
	    cmocka_unit_test(instructions_are_found_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
