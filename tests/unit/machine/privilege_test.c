/* System instructions in machine code, at each ring and in both modes: what is refused, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "privileged_rig.h"

enum { ANY_ERROR = 0xffff, OK = 0 };

/* What code comes to: its last instruction is an INT 80h, which is vector 80h, asked for. */
struct expectation {
	const char *what;
	const char *code;
	unsigned bytes;
	bool wide;
	uint8_t ring;
	unsigned iopl;
	uint64_t cr4;
	uint64_t rax, rcx;
	unsigned vector; /* 0: OK */
	uint32_t error;
	uint64_t result; /* of RAX, when OK and not 0 */
};

#define CODE(text) text, sizeof(text) - 1
#define WIDE true
#define NARROW false

static const struct expectation cases[] = {
    /* model-specific registers */
    {"rdmsr PAT", CODE("\x0f\x32"), WIDE, 0, 0, 0, 0, 0x277, OK, 0, 0x00070406},
    {"wrmsr PAT with a reserved type", CODE("\x31\xd2\x0f\x30"), WIDE, 0, 0, 0, 0x02, 0x277, VECTOR_PROTECTION, 0, 0},
    {"wrmsr PAT", CODE("\x31\xd2\x0f\x30\x0f\x32"), WIDE, 0, 0, 0, 0x0106, 0x277, OK, 0, 0x0106},
    {"wrmsr SYSENTER_EIP not canonical", CODE("\xba\x00\x80\x00\x00\x0f\x30"), WIDE, 0, 0, 0, 1, 0x176,
     VECTOR_PROTECTION, 0, 0},
    {"wrmsr TSC_AUX with upper bits", CODE("\xba\x01\x00\x00\x00\x0f\x30"), WIDE, 0, 0, 0, 1, 0xc0000103,
     VECTOR_PROTECTION, 0, 0},
    {"wrmsr TSC, rdtsc", CODE("\xba\x01\x00\x00\x00\x0f\x30\x0f\x31\x89\xd0"), WIDE, 0, 0, 0, 5, 0x10, OK, 0, 1},
    {"rdmsr APIC base", CODE("\x0f\x32"), NARROW, 0, 0, 0, 0, 0x1b, OK, 0, 0xfee00900},
    {"wrmsr EFER clears LME", CODE("\x31\xd2\x0f\x30"), WIDE, 0, 0, 0, 0, 0xc0000080, VECTOR_PROTECTION, 0, 0},
    /* performance counters */
    {"rdpmc in ring 3", CODE("\x0f\x33"), WIDE, 3, 0, 0, 0, 0x40000000, VECTOR_PROTECTION, 0, 0},
    {"rdpmc in ring 3 with PCE", CODE("\x0f\x33"), WIDE, 3, 0, CR4_PCE, 0, 0x40000001, OK, 0, 0},
    {"rdpmc of none", CODE("\x0f\x33"), WIDE, 0, 0, 0, 0, 77, VECTOR_PROTECTION, 0, 0},
    /* debug registers: 4 and 5 are 6 and 7 unless DE is set */
    {"mov dr6", CODE("\x0f\x23\xf0\x0f\x21\xf0"), WIDE, 0, 0, 0, 0x1, 0, OK, 0, 0xffff0ff1},
    {"mov dr4", CODE("\x0f\x23\xe0\x0f\x21\xf0"), WIDE, 0, 0, 0, 0x2, 0, OK, 0, 0xffff0ff2},
    {"mov dr4 with DE", CODE("\x0f\x23\xe0"), WIDE, 0, 0, CR4_DE, 0, 0, VECTOR_INVALID_OPCODE, 0, 0},
    {"mov dr7 with upper bits", CODE("\x48\xc1\xe0\x20\x0f\x23\xf8"), WIDE, 0, 0, 0, 1, 0, VECTOR_PROTECTION, 0, 0},
    {"mov dr0, once DR7.GD is set", CODE("\x0f\x23\xf8\x0f\x23\xc0"), WIDE, 0, 0, 0, 0x2400, 0, VECTOR_DEBUG, 0, 0},
    /* control registers */
    {"mov cr8 above 15", CODE("\x44\x0f\x22\xc0"), WIDE, 0, 0, 0, 16, 0, VECTOR_PROTECTION, 0, 0},
    {"mov cr0 NW without CD", CODE("\x0f\x22\xc0"), NARROW, 0, 0, 0, 0xa0000031, 0, VECTOR_PROTECTION, 0, 0},
    {"mov cr0 PG without PE", CODE("\x0f\x22\xc0"), NARROW, 0, 0, 0, 0x80000030, 0, VECTOR_PROTECTION, 0, 0},
    {"mov cr4 PCIDE outside long mode", CODE("\x0f\x22\xe0"), NARROW, 0, 0, 0, 0x20000, 0, VECTOR_PROTECTION, 0, 0},
    {"lmsw cannot clear PE", CODE("\x0f\x01\xf0\x0f\x01\xe0"), NARROW, 0, 0, 0, 0, 0, OK, 0, 0x80000031},
    /* ports in strings: the right comes before the access, also when there is nothing to do */
    {"rep insb with count 0", CODE("\x66\xba\x85\x00\xf3\x6c"), WIDE, 3, 0, 0, 0, 0, VECTOR_PROTECTION, 0, 0},
    {"rep outsb through an open port", CODE("\x66\xba\x84\x00\xb9\x03\x00\x00\x00\xf3\x6e\x89\xc8"), NARROW, 3, 0, 0, 0,
     0, OK, 0, 0},
    {"outsd over a closed port", CODE("\x66\xba\x89\x00\x6f"), NARROW, 3, 0, 0, 0, 0, VECTOR_PROTECTION, 0, 0},
    {"insb with IOPL 3", CODE("\x66\xba\x85\x00\x89\xf7\x6c\x0f\xb6\x06"), WIDE, 3, 3, 0, 0, 0, OK, 0, 0xff},
    /* virtual interrupts of protected mode */
    {"cli with PVI", CODE("\xfa"), NARROW, 3, 0, CR4_PVI, 0, 0, OK, 0, 0},
    {"cli in ring 2 with PVI", CODE("\xfa"), NARROW, 2, 0, CR4_PVI, 0, 0, VECTOR_PROTECTION, 0, 0},
    /* interrupts by instruction */
    {"into with overflow", CODE("\xb0\x7f\x04\x01\xce"), NARROW, 3, 0, 0, 0, 0, VECTOR_PROTECTION, 4 * 8 + 2, 0},
    {"bound", CODE("\xc7\x06\x05\x00\x00\x00\xc7\x46\x04\x09\x00\x00\x00\x62\x06"), NARROW, 3, 0, 0, 10, 0,
     VECTOR_BOUND, 0, 0},
    {"bound, inside", CODE("\xc7\x06\x05\x00\x00\x00\xc7\x46\x04\x09\x00\x00\x00\x62\x06"), NARROW, 3, 0, 0, 9, 0, OK,
     0, 9},
    {"div by zero", CODE("\x31\xc9\xf7\xf1"), WIDE, 3, 0, 0, 0, 0, VECTOR_DIVIDE, 0, 0},
    /* segments */
    {"mov fs", CODE("\x8e\xe0\x8c\xe0"), WIDE, 3, 0, 0, 0x23, 0, OK, 0, 0x23},
    {"mov es of code that can be read", CODE("\x8e\xc0"), NARROW, 3, 0, 0, 0x1b, 0, OK, 0, 0x1b},
    {"mov through a null segment", CODE("\x31\xc0\x8e\xd8\x8b\x06"), NARROW, 3, 0, 0, 0, 0, VECTOR_PROTECTION, 0, 0},
    {"store through a code segment", CODE("\x8e\xd8\x89\x06"), NARROW, 3, 0, 0, 0x1b, 0, VECTOR_PROTECTION, 0, 0},
    {"les", CODE("\xc7\x06\x78\x56\x34\x12\x66\xc7\x46\x04\x23\x00\xc4\x06"), NARROW, 3, 0, 0, 0, 0, OK, 0, 0x12345678},
    {"pop ds of ring 0", CODE("\x6a\x10\x1f"), NARROW, 3, 0, 0, 0, 0, VECTOR_PROTECTION, 0x10, 0},
    {"lldt of data", CODE("\x0f\x00\xd0"), WIDE, 0, 0, 0, 0x10, 0, VECTOR_PROTECTION, 0x10, 0},
    {"lldt of an LDT selector", CODE("\x0f\x00\xd0"), WIDE, 0, 0, 0, 0x14, 0, VECTOR_PROTECTION, 0x14, 0},
    /* far transfers */
    {"jmp far to ring 0", CODE("\xea\x00\x00\x00\x00\x50\x00"), NARROW, 3, 0, 0, 0, 0, VECTOR_PROTECTION, 0x50, 0},
    {"jmp far to data", CODE("\xea\x00\x00\x00\x00\x23\x00"), NARROW, 3, 0, 0, 0, 0, VECTOR_PROTECTION, 0x20, 0},
    {"jmp far to null", CODE("\xea\x00\x00\x00\x00\x00\x00"), NARROW, 0, 0, 0, 0, 0, VECTOR_PROTECTION, 0, 0},
    {"jmp far to the next instruction", CODE("\xea\x07\x00\x10\x00\x1b\x00"), NARROW, 3, 0, 0, 0, 0, OK, 0, 0},
    {"jmp far to a busy TSS in long mode", CODE("\xc7\x46\x04\x68\x00\x00\x00\xff\x2e"), WIDE, 0, 0, 0, 0, 0,
     VECTOR_PROTECTION, 0x68, 0},
    {"call far, ret far", CODE("\x9a\x0e\x00\x10\x00\x1b\x00\xb8\x07\x00\x00\x00\xeb\x01\xcb"), NARROW, 3, 0, 0, 0, 0,
     OK, 0, 7},
    /* compatibility mode: IRETQ to 32-bit code of ring 3; INC EAX is one byte there */
    {"iretq to compatibility mode", CODE("\x6a\x23\x56\x6a\x02\x6a\x1b\x68\x0e\x00\x10\x00\x48\xcf\x40"), WIDE, 3, 0, 0,
     5, 0, OK, 0, 6},
    /* SYSENTER and SYSEXIT */
    {"sysexit to 64-bit code",
     CODE("\xb9\x74\x01\x00\x00\xb8\x08\x00\x00\x00\x53\x31\xd2\x0f\x30\x5a\x89\xf1\x48\x0f\x35"), WIDE, 0, 0, 0, 0, 0,
     OK, 0, 8},
    {"sysexit not canonical",
     CODE("\xb9\x74\x01\x00\x00\xb8\x08\x00\x00\x00\x31\xd2\x0f\x30\x48\xba\x00\x00\x00\x00\x00\x80\x00\x00\x48\x0f"
	  "\x35"),
     WIDE, 0, 0, 0, 0, 0, VECTOR_PROTECTION, 0, 0},
    /* INVPCID: types and reserved bits */
    {"invpcid of type 4", CODE("\x66\x0f\x38\x82\x06"), WIDE, 0, 0, 0, 4, 0, VECTOR_PROTECTION, 0, 0},
    {"invpcid in ring 3", CODE("\x66\x0f\x38\x82\x06"), WIDE, 3, 0, 0, 2, 0, VECTOR_PROTECTION, 0, 0},
    {"cpuid", CODE("\x0f\xa2"), WIDE, 3, 0, 0, 0, 0, OK, 0, 7},
};

static void check(struct rig *rig, const struct expectation *e)
{
	uint8_t code[80];
	struct rig_record record;
	struct rig_case given = {.code = code,
				 .code_bytes = e->bytes,
				 .cpl = e->ring,
				 .iopl = e->iopl,
				 .cr4 = e->cr4,
				 .rax = e->rax,
				 .rcx = e->rcx};
	memcpy(code, e->code, e->bytes);
	rig_run(rig, &given, &record);
	uint64_t rax = machine_cpu_const(rig_machine(rig))->gpr[GPR_RAX];
	if (record.why_stopped)
		fail_msg("%s: the machine stopped: %s", e->what, record.why_stopped);
	bool good = e->vector == OK && strcmp(e->what, "div by zero") != 0
			? record.asked && record.vector == RIG_LAST_VECTOR && (e->result == 0 || rax == e->result)
			: !record.asked && record.vector == e->vector && record.error == e->error;
	if (!good)
		fail_msg("%s: vector %u%s, error 0x%x, RAX 0x%llx", e->what, record.vector,
			 record.asked ? " asked for" : "", record.error, (unsigned long long)rax);
}

static void system_instructions_are_refused_as_the_sdm_says(void **state)
{
	(void)state;
	struct rig *rigs[2] = {rig_new(false), rig_new(true)};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(rigs[cases[i].wide], &cases[i]);
	rig_free(rigs[0]);
	rig_free(rigs[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(system_instructions_are_refused_as_the_sdm_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
