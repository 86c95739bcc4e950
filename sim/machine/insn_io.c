/* Ports and interrupts: what RFLAGS.IOPL and the I/O permission bitmap of the TSS guard. SDM 1 19.5; SDM 2, IN, OUT,
 * CLI, STI. */
#include "insn_rows.h"

/* Where a TSS says where its bitmap begins. A 16-bit TSS has none. */
enum { TSS_IO_MAP = 0x66 };

/* A set bit, or a port behind the limit, refuses. */
static bool bitmap_allows(struct execution *x, uint64_t port, unsigned bytes, struct fault *fault, bool *faulted)
{
	struct machine *machine = x->machine;
	uint16_t base, bits;
	*faulted = false;
	if (machine->tss_limit < TSS_IO_MAP + 1 || machine->tss_is_short)
		return false;
	*faulted = !machine_read_system(machine, vaddr_add(x->cpu->tss_base, TSS_IO_MAP), &base, 2, fault);
	if (*faulted)
		return false;
	/* Always two bytes are read, so the second must be within the limit, too. */
	if (base + port / 8 + 1 > machine->tss_limit)
		return false;
	*faulted = !machine_read_system(machine, vaddr_add(x->cpu->tss_base, base + port / 8), &bits, 2, fault);
	return !*faulted && !((unsigned)bits >> (port % 8) & ((1u << bytes) - 1));
}

bool port_is_open(struct execution *x, uint64_t port, unsigned bytes)
{
	struct fault fault;
	bool faulted;
	if (x->cpu->cpl <= io_privilege(x->cpu) || bitmap_allows(x, port, bytes, &fault, &faulted))
		return true;
	if (faulted)
		x->trap = trap_of_fault(&fault);
	else
		(void)refuse_protection(x);
	return false;
}

enum outcome insn_IN(struct execution *x)
{
	uint64_t port;
	unsigned bytes = operand(x, 0)->bytes;
	(void)operand_read(x, 1, &port);
	if (!port_is_open(x, port & 0xffff, bytes))
		return OUTCOME_REFUSED;
	register_write(x->cpu, GPR_RAX, bytes, UINT64_MAX); /* a bus without devices floats high */
	return OUTCOME_DONE;
}

enum outcome insn_OUT(struct execution *x)
{
	uint64_t port;
	(void)operand_read(x, 0, &port);
	return port_is_open(x, port & 0xffff, operand(x, 1)->bytes) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

/* With CR4.PVI ring 3 switches a flag of its own instead of IF. SDM 3B 20.4 */
static bool has_virtual_interrupts(const struct cpu *cpu)
{
	return cpu->cpl == 3 && (cpu->cr4 & CR4_PVI);
}

enum outcome insn_CLI(struct execution *x)
{
	if (x->cpu->cpl <= io_privilege(x->cpu))
		x->cpu->rflags &= ~RFLAGS_IF;
	else if (has_virtual_interrupts(x->cpu))
		x->cpu->rflags &= ~RFLAGS_VIF;
	else
		return refuse_protection(x);
	return OUTCOME_DONE;
}

enum outcome insn_STI(struct execution *x)
{
	if (x->cpu->cpl <= io_privilege(x->cpu))
		x->cpu->rflags |= RFLAGS_IF;
	else if (has_virtual_interrupts(x->cpu) && !flag(x->cpu, RFLAGS_VIP))
		x->cpu->rflags |= RFLAGS_VIF;
	else
		return refuse_protection(x);
	return OUTCOME_DONE;
}

enum outcome insn_HLT(struct execution *x)
{
	/* With interrupts on the processor idles; with interrupts off nothing can ever wake it. */
	if (!flag(x->cpu, RFLAGS_IF))
		machine_stop(x->machine, "HLT in ring 0 with interrupts off");
	return OUTCOME_DONE;
}
