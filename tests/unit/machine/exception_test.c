/* Exceptions by name: error codes, IST, what a fault during a delivery becomes, in both modes; and gates that lead from
 * ring to ring. SDM 3A 6.13 to 6.15, 5.8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "privileged_rig.h"

enum { FREE_SELECTOR = 0x68 };

struct fixture {
	struct rig *rig;
	struct physmem *mem;
	bool wide;
};

static void open_rig(struct fixture *f, bool wide)
{
	f->rig = rig_new(wide);
	assert_non_null(f->rig);
	f->mem = machine_memory(rig_machine(f->rig));
	f->wide = wide;
}

static void write_gate(const struct fixture *f, unsigned vector, uint64_t low)
{
	physmem_write(f->mem, paddr(RIG_IDT + vector * (f->wide ? 16 : 8)), &low, 8);
}

static uint64_t read_gate(const struct fixture *f, unsigned vector)
{
	uint64_t low;
	physmem_read(f->mem, paddr(RIG_IDT + vector * (f->wide ? 16 : 8)), &low, 8);
	return low;
}

/* Runs code at a ring; returns what the first gate saw. */
static struct rig_record run(struct fixture *f, uint8_t ring, const char *code, unsigned bytes)
{
	uint8_t buffer[64];
	struct rig_record record;
	struct rig_case given = {.code = buffer, .code_bytes = bytes, .cpl = ring};
	memcpy(buffer, code, bytes);
	rig_run(f->rig, &given, &record);
	return record;
}

#define RUN(f, ring, code) run(f, ring, code, sizeof(code) - 1)

static void assert_fault(const struct rig_record *record, unsigned vector, uint32_t error)
{
	assert_null(record->why_stopped);
	assert_false(record->asked);
	assert_int_equal(record->vector, vector);
	assert_int_equal(record->error, error);
}

/* ---- the layout of error codes ---- */

static void error_code_of_an_int_without_rights_names_the_gate(void **state)
{
	(void)state;
	for (unsigned wide = 0; wide < 2; wide++) {
		struct fixture f;
		open_rig(&f, wide);
		struct rig_record record = RUN(&f, 3, "\xcd\x91");
		assert_fault(&record, VECTOR_PROTECTION, 0x91 * 8 + 2); /* IDT set, EXT clear: an instruction asked */
		rig_free(f.rig);
	}
}

static void error_code_of_a_missing_gate_for_a_fault_has_ext(void **state)
{
	(void)state;
	for (unsigned wide = 0; wide < 2; wide++) {
		struct fixture f;
		open_rig(&f, wide);
		write_gate(&f, VECTOR_INVALID_OPCODE, read_gate(&f, VECTOR_INVALID_OPCODE) & ~((uint64_t)1 << 47));
		struct rig_record record = RUN(&f, 3, "\x0f\x0b");
		assert_fault(&record, VECTOR_NOT_PRESENT, VECTOR_INVALID_OPCODE * 8 + 2 + 1);
		rig_free(f.rig);
	}
}

static void error_code_of_a_selector_in_the_ldt_has_ti(void **state)
{
	(void)state;
	struct fixture f;
	open_rig(&f, true);
	/* mov eax, 0x17; mov ds, eax: RPL 3, TI, index 2, and there is no LDT */
	struct rig_record record = RUN(&f, 3, "\xb8\x17\x00\x00\x00\x8e\xd8");
	assert_fault(&record, VECTOR_PROTECTION, 0x14);
	rig_free(f.rig);
}

static void error_code_of_a_gate_to_a_bad_segment_names_the_segment(void **state)
{
	(void)state;
	for (unsigned wide = 0; wide < 2; wide++) {
		struct fixture f;
		open_rig(&f, wide);
		uint64_t to_data = (read_gate(&f, 0x93) & ~(uint64_t)0xffff0000) | 0x10u << 16;
		write_gate(&f, 0x93, to_data);
		struct rig_record record = RUN(&f, 3, "\xcd\x93");
		assert_fault(&record, VECTOR_PROTECTION, 0x10);
		/* The same for a fault: EXT. */
		write_gate(&f, VECTOR_INVALID_OPCODE, to_data);
		record = RUN(&f, 3, "\x0f\x0b");
		assert_fault(&record, VECTOR_PROTECTION, 0x11);
		rig_free(f.rig);
	}
}

/* ---- stacks ---- */

static uint64_t handler_rsp(const struct fixture *f)
{
	return machine_cpu_const(rig_machine(f->rig))->gpr[GPR_RSP];
}

static void ist_is_taken_also_when_the_ring_stays(void **state)
{
	(void)state;
	struct fixture f;
	open_rig(&f, true);
	const uint64_t ist7 = 0x150008; /* aligned down to 16 before the frame */
	physmem_write(f.mem, paddr(RIG_TSS64 + 0x24 + 8 * 6), &ist7, 8);
	write_gate(&f, VECTOR_INVALID_OPCODE, read_gate(&f, VECTOR_INVALID_OPCODE) | (uint64_t)7 << 32);
	for (uint8_t ring = 0; ring < 4; ring++) {
		struct rig_record record = RUN(&f, ring, "\x0f\x0b");
		assert_int_equal(record.vector, VECTOR_INVALID_OPCODE);
		assert_int_equal(handler_rsp(&f), 0x150000 - 5 * 8);
	}
	rig_free(f.rig);
}

static void ist_beyond_the_tss_is_an_invalid_tss(void **state)
{
	(void)state;
	struct fixture f;
	open_rig(&f, true);
	struct machine *machine = rig_machine(f.rig);
	/* A TSS that ends behind RSP2. The busy bit is cleared for LTR. */
	uint64_t tss = 0x0000890000000000 | (uint64_t)(RIG_TSS64 & 0xffffff) << 16 | 0x1f;
	physmem_store64(f.mem, paddr(RIG_GDT + 0x68), tss);
	machine_load_tr(machine, 0x68);
	write_gate(&f, VECTOR_INVALID_OPCODE, read_gate(&f, VECTOR_INVALID_OPCODE) | (uint64_t)1 << 32);
	struct rig_record record = RUN(&f, 3, "\x0f\x0b");
	assert_fault(&record, VECTOR_INVALID_TSS, 0x68 + 1);
	rig_free(f.rig);
}

static void stack_of_an_inner_ring_is_checked_in_legacy_mode(void **state)
{
	(void)state;
	const struct {
		uint32_t ss0;
		unsigned vector;
		uint32_t error;
	} cases[] = {
	    {0x00, VECTOR_INVALID_TSS, 0},     /* null */
	    {0x20, VECTOR_INVALID_TSS, 0x20},  /* DPL 3 */
	    {0x50, VECTOR_INVALID_TSS, 0x50},  /* code */
	    {0x108, VECTOR_INVALID_TSS, 0x108} /* outside the GDT */
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		open_rig(&f, false);
		/* #TS needs a handler on a stack that works: one that stays in ring 1. */
		const uint64_t conforming = 0x00cf9f000000ffff;
		physmem_write(f.mem, paddr(RIG_GDT + 0x58), &conforming, 8);
		physmem_write(f.mem, paddr(RIG_TSS32 + 8), &cases[i].ss0, 4);
		uint64_t gate = (read_gate(&f, VECTOR_INVALID_TSS) & ~(uint64_t)0xffff0000) | 0x58u << 16;
		write_gate(&f, VECTOR_INVALID_TSS, gate);
		struct rig_case given = {.code = (uint8_t[8]){0xcd, 0x93}, .code_bytes = 2, .cpl = 3};
		struct rig_record record;
		rig_keep_gdt(f.rig);
		rig_run(f.rig, &given, &record);
		assert_fault(&record, cases[i].vector, cases[i].error);
		rig_free(f.rig);
	}
}

/* ---- what follows ---- */

static void double_fault_of_two_contributory_faults_has_error_code_zero(void **state)
{
	(void)state;
	for (unsigned wide = 0; wide < 2; wide++) {
		struct fixture f;
		open_rig(&f, wide);
		write_gate(&f, VECTOR_PROTECTION, 0);
		struct rig_record record = RUN(&f, 3, "\xf4");
		assert_fault(&record, VECTOR_DOUBLE_FAULT, 0);
		rig_free(f.rig);
	}
}

static void benign_exceptions_do_not_double(void **state)
{
	(void)state;
	struct fixture f;
	open_rig(&f, true);
	/* #UD has no gate: the #GP of that is served, not doubled. */
	write_gate(&f, VECTOR_INVALID_OPCODE, 0);
	struct rig_record record = RUN(&f, 0, "\x0f\x0b");
	assert_fault(&record, VECTOR_PROTECTION, VECTOR_INVALID_OPCODE * 8 + 3);
	rig_free(f.rig);
}

static void triple_fault_tells_its_chain(void **state)
{
	(void)state;
	for (unsigned wide = 0; wide < 2; wide++) {
		struct fixture f;
		open_rig(&f, wide);
		write_gate(&f, VECTOR_PROTECTION, 0);
		write_gate(&f, VECTOR_DOUBLE_FAULT, read_gate(&f, VECTOR_DOUBLE_FAULT) & ~((uint64_t)1 << 47));
		struct rig_record record = RUN(&f, 3, "\xf4");
		assert_string_equal(record.why_stopped,
				    "triple fault at RIP 0x100000 in ring 3: #GP (error code 0x0), which could not be "
				    "delivered because of #GP (error code 0x6b); that makes a #DF (error code 0x0), "
				    "which could not be delivered because of #NP (error code 0x43)");
		rig_free(f.rig);
	}
}

static void task_gates_do_not_exist_in_long_mode(void **state)
{
	(void)state;
	struct fixture f;
	open_rig(&f, true);
	write_gate(&f, 0x93, (read_gate(&f, 0x93) & ~((uint64_t)0xf << 40)) | (uint64_t)5 << 40);
	struct rig_record record = RUN(&f, 3, "\xcd\x93");
	assert_fault(&record, VECTOR_PROTECTION, 0x93 * 8 + 2);
	rig_free(f.rig);
}

/* ---- implicit supervisor accesses ---- */

static void descriptor_tables_in_user_pages_obey_smap_whatever_ac_says(void **state)
{
	(void)state;
	for (unsigned ac = 0; ac < 2; ac++) {
		/* pushfq; or dword [rsp], AC; popfq; int 80h: reading the gate is an access of the processor itself. */
		uint8_t code[64] = {0x9c, 0x81, 0x0c, 0x24, 0, 0, (uint8_t)(ac ? 4 : 0), 0, 0x9d};
		struct rig_case given = {.code = code, .code_bytes = 9, .cpl = 3, .cr4 = CR4_SMAP};
		struct rig_record record;
		struct fixture f;
		open_rig(&f, true);
		rig_run(f.rig, &given, &record);
		assert_non_null(record.why_stopped);
		assert_non_null(strstr(record.why_stopped, "#PF (error code 0x1) at address 0x11800"));
		rig_free(f.rig);
	}
}

/* ---- call gates ---- */

/* A gate at selector 68: to `selector`, offset RIG_DATA + 0x800, where an INT 80h stands. */
static void write_call_gate(const struct fixture *f, uint16_t selector, uint8_t dpl, unsigned arguments)
{
	static const uint8_t leave[2] = {0xcd, RIG_LAST_VECTOR};
	const uint64_t offset = RIG_DATA + 0x800;
	const uint64_t gate[2] = {(offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)arguments << 32 |
				      (uint64_t)(0x8c | dpl << 5) << 40 | (offset >> 16) << 48,
				  0};
	physmem_write(f->mem, paddr(RIG_GDT + FREE_SELECTOR), gate, f->wide ? 16 : 8);
	physmem_write(f->mem, paddr(offset), leave, sizeof(leave));
	rig_keep_gdt(f->rig);
}

/* call far [rsi]: the offset does not matter, the selector does. */
static void point_at_gate(const struct fixture *f, uint16_t selector)
{
	const uint8_t target[6] = {0xff, 0xff, 0xff, 0xff, (uint8_t)selector, (uint8_t)(selector >> 8)};
	physmem_write(f->mem, paddr(RIG_DATA), target, sizeof(target));
}

static void call_gate_leads_to_the_ring_of_its_segment_and_its_stack(void **state)
{
	(void)state;
	static const uint16_t wide_code[] = {0x08, 0x30, 0x40}, narrow_code[] = {0x50, 0x58, 0x60};
	for (unsigned wide = 0; wide < 2; wide++) {
		for (unsigned ring = 0; ring < 3; ring++) {
			struct fixture f;
			open_rig(&f, wide);
			write_call_gate(&f, (wide ? wide_code : narrow_code)[ring], 3, 0);
			point_at_gate(&f, FREE_SELECTOR | 3);
			struct rig_record record = RUN(&f, 3, "\xff\x1e");
			assert_null(record.why_stopped);
			assert_int_equal(record.vector, RIG_LAST_VECTOR);
			assert_int_equal(record.cs & 3, ring);
			/* Old SS, RSP, CS, RIP on the stack of that ring. */
			unsigned bytes = wide ? 8 : 4;
			uint64_t frame[4] = {0};
			for (unsigned i = 0; i < 4; i++)
				physmem_read(f.mem, paddr(0x40000 + (ring + 1) * 0x10000u - (4 - i) * bytes), &frame[i],
					     bytes);
			assert_int_equal(frame[0], RIG_CODE + 2);
			assert_int_equal(frame[1], wide ? 0x2b : 0x1b);
			assert_int_equal(frame[2], RIG_STACK);
			assert_int_equal(frame[3], 0x23);
			rig_free(f.rig);
		}
	}
}

static void call_gate_copies_arguments_in_legacy_mode(void **state)
{
	(void)state;
	struct fixture f;
	open_rig(&f, false);
	write_call_gate(&f, 0x50, 3, 2);
	point_at_gate(&f, FREE_SELECTOR | 3);
	struct rig_record record = RUN(&f, 3, "\x6a\x22\x6a\x11\xff\x1e"); /* push 22h; push 11h */
	assert_int_equal(record.cs & 3, 0);
	uint32_t words[6];
	physmem_read(f.mem, paddr(0x50000 - sizeof(words)), words, sizeof(words));
	const uint32_t expected[6] = {RIG_CODE + 6, 0x1b, 0x11, 0x22, RIG_STACK - 8, 0x23};
	assert_memory_equal(words, expected, sizeof(words));
	rig_free(f.rig);
}

static void call_gate_above_its_dpl_is_refused(void **state)
{
	(void)state;
	for (unsigned wide = 0; wide < 2; wide++) {
		struct fixture f;
		open_rig(&f, wide);
		write_call_gate(&f, wide ? 0x08 : 0x50, 2, 0);
		point_at_gate(&f, FREE_SELECTOR);
		struct rig_record record = RUN(&f, 3, "\xff\x1e");
		assert_fault(&record, VECTOR_PROTECTION, FREE_SELECTOR);
		record = RUN(&f, 2, "\xff\x1e");
		assert_int_equal(record.cs & 3, 0);
		/* A JMP does not change rings. */
		record = RUN(&f, 2, "\xff\x2e");
		assert_fault(&record, VECTOR_PROTECTION, wide ? 0x08 : 0x50);
		rig_free(f.rig);
	}
}

static void conforming_code_is_called_without_a_change_of_ring(void **state)
{
	(void)state;
	struct fixture f;
	open_rig(&f, true);
	const uint64_t conforming = 0x00af9f000000ffff;
	physmem_write(f.mem, paddr(RIG_GDT + 0x30), &conforming, 8);
	rig_keep_gdt(f.rig);
	static const uint8_t leave[2] = {0xcd, RIG_LAST_VECTOR};
	physmem_write(f.mem, paddr(RIG_DATA + 0x100), leave, sizeof(leave));
	const uint8_t target[6] = {0x00, 0x01, 0x19, 0x00, 0x30, 0x00};
	physmem_write(f.mem, paddr(RIG_DATA), target, sizeof(target));
	struct rig_record record = RUN(&f, 3, "\xff\x1e");
	assert_int_equal(record.vector, RIG_LAST_VECTOR);
	assert_int_equal(record.cs, 0x33);
	rig_free(f.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(error_code_of_an_int_without_rights_names_the_gate),
	    cmocka_unit_test(error_code_of_a_missing_gate_for_a_fault_has_ext),
	    cmocka_unit_test(error_code_of_a_selector_in_the_ldt_has_ti),
	    cmocka_unit_test(error_code_of_a_gate_to_a_bad_segment_names_the_segment),
	    cmocka_unit_test(ist_is_taken_also_when_the_ring_stays),
	    cmocka_unit_test(ist_beyond_the_tss_is_an_invalid_tss),
	    cmocka_unit_test(stack_of_an_inner_ring_is_checked_in_legacy_mode),
	    cmocka_unit_test(double_fault_of_two_contributory_faults_has_error_code_zero),
	    cmocka_unit_test(benign_exceptions_do_not_double),
	    cmocka_unit_test(triple_fault_tells_its_chain),
	    cmocka_unit_test(task_gates_do_not_exist_in_long_mode),
	    cmocka_unit_test(descriptor_tables_in_user_pages_obey_smap_whatever_ac_says),
	    cmocka_unit_test(call_gate_leads_to_the_ring_of_its_segment_and_its_stack),
	    cmocka_unit_test(call_gate_copies_arguments_in_legacy_mode),
	    cmocka_unit_test(call_gate_above_its_dpl_is_refused),
	    cmocka_unit_test(conforming_code_is_called_without_a_change_of_ring),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
