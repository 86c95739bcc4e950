/* The other doors between the rings: SYSCALL and SYSRET, and IRETQ. SDM 2, the pages of these instructions. */
#include "faultline/status.h"
#include "machine_private.h"

/* RFLAGS bits that SYSRET takes from R11, and those that IRETQ takes from the stack whatever the ring. */
#define SYSRET_FLAGS (uint64_t)0x3c7fd7
#define IRET_FLAGS (uint64_t)0x254dd5 /* CF PF AF ZF SF TF DF OF NT RF AC ID */

static bool refuse(struct trap *trap, unsigned vector, uint32_t error)
{
	*trap = (struct trap){.vector = vector, .has_error = true, .error = error};
	return false;
}

static bool is_canonical(const struct machine *machine, uint64_t address)
{
	return vaddr_is_canonical(vaddr(address), machine->mmu->paging.levels);
}

bool trap_enter_syscall(struct machine *machine)
{
	struct cpu *cpu = &machine->cpu;
	if (!(cpu->efer & EFER_SCE))
		return false;
	uint16_t selector = (uint16_t)(cpu->star >> 32);
	cpu->gpr[GPR_RCX] = cpu->rip;
	cpu->gpr[GPR_R11] = cpu->rflags & ~RFLAGS_RF;
	cpu->rip = cpu->lstar;
	cpu->rflags = (cpu->rflags & ~cpu->fmask & ~RFLAGS_RF) | RFLAGS_FIXED;
	cpu->cs = selector & 0xfffc;
	cpu->ss = (uint16_t)((selector & 0xfffc) + 8);
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
	trap_run_handler(machine);
	return trap_came_back(machine, &origin);
}

bool trap_sysret(struct machine *machine, struct trap *trap)
{
	struct cpu *cpu = &machine->cpu;
	if (!(cpu->efer & EFER_SCE)) {
		*trap = (struct trap){.vector = VECTOR_INVALID_OPCODE};
		return false;
	}
	if (cpu->cpl != 0 || !is_canonical(machine, cpu->gpr[GPR_RCX]))
		return refuse(trap, VECTOR_PROTECTION, 0);
	uint16_t selector = (uint16_t)(cpu->star >> 48);
	cpu->rip = cpu->gpr[GPR_RCX];
	cpu->rflags = (cpu->gpr[GPR_R11] & SYSRET_FLAGS) | RFLAGS_FIXED;
	cpu->cs = (uint16_t)((selector + 16) | 3);
	cpu->ss = (uint16_t)((selector + 8) | 3);
	machine_spend(machine, COST_SYSRET);
	trap_set_ring(machine, 3, "SYSRET");
	return true;
}

void machine_sysretq(struct machine *machine)
{
	struct trap trap;
	if (!trap_sysret(machine, &trap))
		(void)trap_raise(machine, &trap);
}

static bool read_stack(struct machine *machine, void *out, uint64_t bytes, struct trap *trap)
{
	struct access pop = {
	    .va = vaddr(machine->cpu.gpr[GPR_RSP]),
	    .kind = ACCESS_READ,
	    .mode = mmu_mode(&machine->cpu),
	    .through_stack = true,
	};
	struct fault fault;
	if (machine_transfer(machine, &pop, out, bytes, &fault))
		return true;
	*trap = trap_of_fault(&fault);
	return false;
}

uint64_t machine_pop(struct machine *machine)
{
	uint64_t word = 0;
	struct trap trap;
	while (!machine->why_stopped && !read_stack(machine, &word, sizeof(word), &trap)) {
		if (!trap_raise(machine, &trap))
			return 0;
	}
	machine->cpu.gpr[GPR_RSP] += sizeof(word);
	return word;
}

struct iret_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

static bool load_return_code(struct machine *machine, const struct iret_frame *frame, struct trap *trap)
{
	uint16_t selector = (uint16_t)frame->cs;
	uint8_t ring = selector & 3;
	uint32_t about = selector & ~3u;
	if (about == 0)
		return refuse(trap, VECTOR_PROTECTION, 0);
	struct descriptor code;
	if (!segment_read(machine, selector, 1, &code, trap))
		return false;
	unsigned type = DESCRIPTOR_TYPE(code.low);
	bool conforming = (type & DESCRIPTOR_CONFORMING) != 0;
	uint8_t dpl = DESCRIPTOR_DPL(code.low);
	if (!DESCRIPTOR_IS_CODE_OR_DATA(code.low) || !(type & DESCRIPTOR_CODE) || ring < machine->cpu.cpl ||
	    (conforming ? dpl > ring : dpl != ring))
		return refuse(trap, VECTOR_PROTECTION, about);
	if (!DESCRIPTOR_IS_PRESENT(code.low))
		return refuse(trap, VECTOR_NOT_PRESENT, about);
	/* There is no compatibility mode here: only 64-bit code can be returned to. */
	if (!DESCRIPTOR_IS_LONG(code.low) || DESCRIPTOR_IS_32BIT(code.low))
		return refuse(trap, VECTOR_PROTECTION, about);
	return segment_mark_accessed(machine, selector, code, trap);
}

static bool load_return_stack(struct machine *machine, const struct iret_frame *frame, struct trap *trap)
{
	uint16_t selector = (uint16_t)frame->ss;
	uint8_t ring = frame->cs & 3;
	uint32_t about = selector & ~3u;
	if (about == 0) {
		/* 64-bit code of rings 0 to 2 needs no stack segment. */
		if (ring == 3 || (selector & 3) != ring)
			return refuse(trap, VECTOR_PROTECTION, 0);
		return true;
	}
	struct descriptor data;
	if ((selector & 3) != ring)
		return refuse(trap, VECTOR_PROTECTION, about);
	if (!segment_read(machine, selector, 1, &data, trap))
		return false;
	unsigned type = DESCRIPTOR_TYPE(data.low);
	if (!DESCRIPTOR_IS_CODE_OR_DATA(data.low) || (type & DESCRIPTOR_CODE) || !(type & DESCRIPTOR_WRITABLE) ||
	    DESCRIPTOR_DPL(data.low) != ring)
		return refuse(trap, VECTOR_PROTECTION, about);
	if (!DESCRIPTOR_IS_PRESENT(data.low))
		return refuse(trap, VECTOR_STACK, about);
	return segment_mark_accessed(machine, selector, data, trap);
}

/* IF changes only with CPL <= IOPL, IOPL only in ring 0. */
static uint64_t return_flags(const struct cpu *cpu, uint64_t popped)
{
	uint64_t mask = IRET_FLAGS;
	if (cpu->cpl <= (cpu->rflags & RFLAGS_IOPL) >> 12)
		mask |= RFLAGS_IF;
	if (cpu->cpl == 0)
		mask |= RFLAGS_IOPL;
	return (cpu->rflags & ~mask) | (popped & mask) | RFLAGS_FIXED;
}

bool trap_iretq(struct machine *machine, struct trap *trap)
{
	struct cpu *cpu = &machine->cpu;
	struct iret_frame frame;
	if (cpu->rflags & RFLAGS_NT)
		return refuse(trap, VECTOR_PROTECTION, 0);
	if (!read_stack(machine, &frame, sizeof(frame), trap))
		return false;
	if (!load_return_code(machine, &frame, trap) || !load_return_stack(machine, &frame, trap))
		return false;
	if (!is_canonical(machine, frame.rip))
		return refuse(trap, VECTOR_PROTECTION, 0);
	cpu->rip = frame.rip;
	cpu->rflags = return_flags(cpu, frame.rflags);
	cpu->cs = (uint16_t)frame.cs;
	cpu->ss = (uint16_t)frame.ss;
	cpu->gpr[GPR_RSP] = frame.rsp;
	machine_spend(machine, COST_IRET);
	trap_set_ring(machine, frame.cs & 3, "IRETQ");
	return true;
}

void machine_iretq(struct machine *machine)
{
	struct trap trap;
	if (!trap_iretq(machine, &trap))
		(void)trap_raise(machine, &trap);
}
