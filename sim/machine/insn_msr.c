/* Model-specific registers, the time-stamp counter, CPUID. SDM 4; SDM 3B 18.17; SDM 2, CPUID. */
#include "insn_rows.h"

/* EDX:EAX */
static uint64_t pair(const struct cpu *cpu)
{
	return cpu->gpr[GPR_RDX] << 32 | (cpu->gpr[GPR_RAX] & UINT32_MAX);
}

static enum outcome return_pair(struct execution *x, uint64_t value)
{
	x->cpu->gpr[GPR_RAX] = value & UINT32_MAX;
	x->cpu->gpr[GPR_RDX] = value >> 32;
	return OUTCOME_DONE;
}

/* What a register takes. */
enum msr_kind { MSR_ANY, MSR_CANONICAL, MSR_32_BITS, MSR_MEMORY_TYPES };

/* X(number, where it lives, kind) */
#define MSR_LIST(X)                                                                                                    \
	X(0x1b, apic_base, MSR_ANY)                                                                                    \
	X(0x174, sysenter_cs, MSR_ANY)                                                                                 \
	X(0x175, sysenter_rsp, MSR_CANONICAL)                                                                          \
	X(0x176, sysenter_rip, MSR_CANONICAL)                                                                          \
	X(0x277, pat, MSR_MEMORY_TYPES)                                                                                \
	X(0xc0000081, star, MSR_ANY)                                                                                   \
	X(0xc0000082, lstar, MSR_CANONICAL)                                                                            \
	X(0xc0000083, cstar, MSR_CANONICAL)                                                                            \
	X(0xc0000084, fmask, MSR_ANY)                                                                                  \
	X(0xc0000100, shadow[SREG_FS].base, MSR_CANONICAL)                                                             \
	X(0xc0000101, shadow[SREG_GS].base, MSR_CANONICAL)                                                             \
	X(0xc0000102, kernel_gs_base, MSR_CANONICAL)                                                                   \
	X(0xc0000103, tsc_aux, MSR_32_BITS)

#define MSR_TSC 0x10u
#define MSR_PKRS 0x6e1u
#define MSR_EFER 0xc0000080u

/* Each byte of IA32_PAT is one of these: SDM 3A table 11-10. */
static bool are_memory_types(uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		unsigned type = value >> (8 * i) & 0xff;
		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

static bool takes(const struct machine *machine, enum msr_kind kind, uint64_t value)
{
	switch (kind) {
	case MSR_CANONICAL:
		return vaddr_is_canonical(vaddr(value), machine->mmu->paging.levels);
	case MSR_32_BITS:
		return value >> 32 == 0;
	case MSR_MEMORY_TYPES:
		return are_memory_types(value);
	case MSR_ANY:
		break;
	}
	return true;
}

static uint64_t time_stamp(const struct execution *x)
{
	return x->machine->bus->cycle + x->cpu->tsc_offset;
}

enum outcome insn_RDMSR(struct execution *x)
{
	switch ((uint32_t)x->cpu->gpr[GPR_RCX]) {
	case MSR_TSC:
		return return_pair(x, time_stamp(x));
	case MSR_EFER:
		return return_pair(x, x->cpu->efer);
	case MSR_PKRS:
		return return_pair(x, x->cpu->pkrs);
#define X(number, field, kind)                                                                                         \
	case (number):                                                                                                 \
		return return_pair(x, x->cpu->field);
		MSR_LIST(X)
#undef X
	default:
		return refuse_protection(x);
	}
}

enum outcome insn_WRMSR(struct execution *x)
{
	uint64_t value = pair(x->cpu);
	switch ((uint32_t)x->cpu->gpr[GPR_RCX]) {
	case MSR_TSC:
		x->cpu->tsc_offset = value - x->machine->bus->cycle;
		return OUTCOME_DONE;
	case MSR_EFER:
		return control_load_efer(x->machine, value) ? OUTCOME_DONE : refuse_protection(x);
	case MSR_PKRS:
		if (!takes(x->machine, MSR_32_BITS, value))
			return refuse_protection(x);
		machine_write_pkrs(x->machine, (uint32_t)value);
		return OUTCOME_DONE;
#define X(number, field, kind)                                                                                         \
	case (number):                                                                                                 \
		if (!takes(x->machine, kind, value))                                                                   \
			return refuse_protection(x);                                                                   \
		x->cpu->field = value;                                                                                 \
		return OUTCOME_DONE;
		MSR_LIST(X)
#undef X
	default:
		return refuse_protection(x);
	}
}

enum outcome insn_SWAPGS(struct execution *x)
{
	uint64_t base = x->cpu->shadow[SREG_GS].base;
	x->cpu->shadow[SREG_GS].base = x->cpu->kernel_gs_base;
	x->cpu->kernel_gs_base = base;
	return OUTCOME_DONE;
}

enum outcome insn_RDTSC(struct execution *x)
{
	return return_pair(x, time_stamp(x));
}

enum outcome insn_RDTSCP(struct execution *x)
{
	x->cpu->gpr[GPR_RCX] = x->cpu->tsc_aux;
	return return_pair(x, time_stamp(x));
}

/* The three fixed-function counters: instructions, cycles, cycles (SDM 3B 19.2.2); and four general-purpose ones, which
 * nothing programs. */
enum outcome insn_RDPMC(struct execution *x)
{
	const uint32_t fixed = (uint32_t)1 << 30;
	uint32_t counter = (uint32_t)x->cpu->gpr[GPR_RCX];
	if (counter < 4)
		return return_pair(x, 0);
	if (counter == fixed)
		return return_pair(x, x->machine->stats.instructions);
	if (counter == fixed + 1 || counter == fixed + 2)
		return return_pair(x, x->machine->bus->cycle);
	return refuse_protection(x);
}

/* ---- CPUID: what this model can do, and nothing else ---- */

struct cpuid {
	uint32_t leaf, eax, ebx, ecx, edx;
};

/* Bits as in SDM 2A, CPUID: those of leaf 1 EDX are DE PSE TSC MSR PAE CX8 SEP PGE CMOV PAT PSE36; ECX: CMPXCHG16B PCID
 * MOVBE POPCNT. Leaf 7 EBX: SMEP INVPCID SMAP; ECX: UMIP PKU LA57 PKS. */
static const struct cpuid leaves[] = {
    {0, 7, 0x6c756146, 0x55504365, 0x6e696c74}, /* "Faul" "tlin" "eCPU" */
    {1, 0x000306c0, 0, 1u << 13 | 1u << 17 | 1u << 22 | 1u << 23,
     1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 8 | 1u << 11 | 1u << 13 | 1u << 15 | 1u << 16 | 1u << 17},
    {7, 0, 1u << 7 | 1u << 10 | 1u << 20, 1u << 2 | 1u << 3 | 1u << 16 | 1u << 31, 0},
    {0x80000000, 0x80000008, 0, 0, 0},
    /* LAHF LZCNT; SYSCALL NX 1G-pages RDTSCP LM */
    {0x80000001, 0, 0, 1u << 0 | 1u << 5, 1u << 11 | 1u << 20 | 1u << 26 | 1u << 27 | 1u << 29},
    {0x80000008, 0, 0, 0, 0},
};

enum outcome insn_CPUID(struct execution *x)
{
	struct cpu *cpu = x->cpu;
	struct cpuid found = {0};
	for (unsigned i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		if (leaves[i].leaf == (uint32_t)cpu->gpr[GPR_RAX])
			found = leaves[i];
	}
	if (found.leaf == 7 && (uint32_t)cpu->gpr[GPR_RCX] != 0)
		found = (struct cpuid){0};
	if (found.leaf == 7 && (cpu->cr4 & CR4_PKE))
		found.ecx |= 1u << 4; /* OSPKE */
	if (found.leaf == 0x80000008)
		found.eax = x->machine->mmu->maxphyaddr | (uint32_t)57 << 8;
	cpu->gpr[GPR_RAX] = found.eax;
	cpu->gpr[GPR_RBX] = found.ebx;
	cpu->gpr[GPR_RCX] = found.ecx;
	cpu->gpr[GPR_RDX] = found.edx;
	return OUTCOME_DONE;
}
