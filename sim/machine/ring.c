/* The fast doors between the rings, which read no descriptors: SYSCALL and SYSRET, SYSENTER and SYSEXIT. SDM 2, the
 * pages of these instructions; SDM 3A 5.8.7. */
#include "faultline/status.h"
#include "machine_private.h"

/* RFLAGS bits that SYSRET takes from R11. */
#define SYSRET_FLAGS (uint64_t)0x3c7fd7

static bool refuse(struct trap *trap, unsigned vector, uint32_t error)
{
	*trap = (struct trap){.vector = vector, .has_error = vector != VECTOR_INVALID_OPCODE, .error = error};
	return false;
}

static bool is_canonical(const struct machine *machine, uint64_t address)
{
	return vaddr_is_canonical(vaddr(address), machine->mmu->paging.levels);
}

/* The segments that these instructions load without looking: flat, code execute-read, data read-write, accessed. */
enum { FLAT_CODE = 0x809b, FLAT_DATA = 0xc093, FLAT_LONG = 1 << 13, FLAT_32BIT = 1 << 14 };

static void load_flat(struct cpu *cpu, uint16_t cs, uint16_t ss, uint8_t ring, bool to_64bit)
{
	uint16_t dpl = (uint16_t)(ring << 5);
	uint16_t width = to_64bit ? FLAT_LONG : FLAT_32BIT;
	cpu->cs = cs;
	cpu->ss = ss;
	cpu->shadow[SREG_CS] = (struct segment_shadow){.limit = UINT32_MAX, .flags = FLAT_CODE | dpl | width};
	cpu->shadow[SREG_SS] = (struct segment_shadow){.limit = UINT32_MAX, .flags = FLAT_DATA | dpl};
}

static bool in_64bit_mode(const struct cpu *cpu)
{
	return (cpu->efer & EFER_LMA) && SHADOW_IS_LONG(cpu->shadow[SREG_CS].flags);
}

/* ---- SYSCALL and SYSRET ---- */

bool trap_enter_syscall(struct machine *machine)
{
	struct cpu *cpu = &machine->cpu;
	if (!(cpu->efer & EFER_SCE) || !in_64bit_mode(cpu))
		return false;
	uint16_t selector = (uint16_t)(cpu->star >> 32) & 0xfffc;
	cpu->gpr[GPR_RCX] = cpu->rip;
	cpu->gpr[GPR_R11] = cpu->rflags & ~RFLAGS_RF;
	cpu->rip = cpu->lstar;
	cpu->rflags = (cpu->rflags & ~cpu->fmask & ~RFLAGS_RF) | RFLAGS_FIXED;
	load_flat(cpu, selector, (uint16_t)(selector + 8), 0, true);
	machine->stats.syscalls++;
	machine_spend(machine, COST_SYSCALL);
	trap_set_ring(machine, 0, "SYSCALL");
	return true;
}

bool machine_syscall(struct machine *machine)
{
	struct trap_origin origin = trap_origin(machine);
	if (machine->why_stopped)
		return false;
	if (!trap_enter_syscall(machine))
		return trap_raise_vector(machine, VECTOR_INVALID_OPCODE, 0);
	trap_run_handler(machine, &origin);
	return trap_came_back(machine, &origin);
}

bool trap_sysret(struct machine *machine, bool to_64bit, struct trap *trap)
{
	struct cpu *cpu = &machine->cpu;
	if (!(cpu->efer & EFER_SCE) || !in_64bit_mode(cpu))
		return refuse(trap, VECTOR_INVALID_OPCODE, 0);
	if (cpu->cpl != 0 || (to_64bit && !is_canonical(machine, cpu->gpr[GPR_RCX])))
		return refuse(trap, VECTOR_PROTECTION, 0);
	uint16_t selector = (uint16_t)(cpu->star >> 48);
	cpu->rip = to_64bit ? cpu->gpr[GPR_RCX] : (uint32_t)cpu->gpr[GPR_RCX];
	cpu->rflags = (cpu->gpr[GPR_R11] & SYSRET_FLAGS) | RFLAGS_FIXED;
	load_flat(cpu, (uint16_t)((selector + (to_64bit ? 16 : 0)) | 3), (uint16_t)((selector + 8) | 3), 3, to_64bit);
	machine_spend(machine, COST_SYSRET);
	trap_set_ring(machine, 3, "SYSRET");
	return true;
}

void machine_sysretq(struct machine *machine)
{
	struct trap trap;
	if (!trap_sysret(machine, true, &trap))
		(void)trap_raise(machine, &trap);
}

/* ---- SYSENTER and SYSEXIT ---- */

bool trap_sysenter(struct machine *machine, struct trap *trap)
{
	struct cpu *cpu = &machine->cpu;
	uint16_t selector = (uint16_t)cpu->sysenter_cs & 0xfffc;
	bool to_64bit = (cpu->efer & EFER_LMA) != 0;
	if (!(cpu->cr0 & CR0_PE) || selector == 0)
		return refuse(trap, VECTOR_PROTECTION, 0);
	cpu->rflags &= ~(RFLAGS_VM | RFLAGS_IF);
	cpu->rip = to_64bit ? cpu->sysenter_rip : (uint32_t)cpu->sysenter_rip;
	cpu->gpr[GPR_RSP] = to_64bit ? cpu->sysenter_rsp : (uint32_t)cpu->sysenter_rsp;
	load_flat(cpu, selector, (uint16_t)(selector + 8), 0, to_64bit);
	trap_set_ring(machine, 0, "SYSENTER");
	return true;
}

bool trap_sysexit(struct machine *machine, bool to_64bit, struct trap *trap)
{
	struct cpu *cpu = &machine->cpu;
	uint16_t selector = (uint16_t)cpu->sysenter_cs & 0xfffc;
	uint64_t rip = cpu->gpr[GPR_RDX], rsp = cpu->gpr[GPR_RCX];
	if (!(cpu->cr0 & CR0_PE) || selector == 0 || cpu->cpl != 0)
		return refuse(trap, VECTOR_PROTECTION, 0);
	if (to_64bit && (!is_canonical(machine, rip) || !is_canonical(machine, rsp)))
		return refuse(trap, VECTOR_PROTECTION, 0);
	selector = (uint16_t)((selector + (to_64bit ? 32 : 16)) | 3);
	cpu->rip = to_64bit ? rip : (uint32_t)rip;
	cpu->gpr[GPR_RSP] = to_64bit ? rsp : (uint32_t)rsp;
	load_flat(cpu, selector, (uint16_t)(selector + 8), 3, to_64bit);
	trap_set_ring(machine, 3, "SYSEXIT");
	return true;
}
