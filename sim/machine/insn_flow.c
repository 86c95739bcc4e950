/* Jumps, calls, returns and interrupts. SDM 2; far transfers are in far.c. */
#include "insn_rows.h"

/* A relative operand counts from the next instruction, an absolute one is read. */
static bool near_target(struct execution *x, uint64_t *rip)
{
	const struct operand *o = operand(x, 0);
	unsigned bytes = x->insn->operand_bytes;
	if (!operand_read(x, 0, rip))
		return false;
	if (o->kind == OPERAND_IMMEDIATE)
		*rip += x->next_rip;
	*rip = low_bits(*rip, bytes);
	return true;
}

static enum outcome jump_near(struct execution *x)
{
	uint64_t rip;
	return near_target(x, &rip) ? jump_to(x, rip) : OUTCOME_REFUSED;
}

enum outcome insn_JMP(struct execution *x)
{
	return jump_near(x);
}

enum outcome insn_JCC(struct execution *x)
{
	return condition_holds(x->cpu, x->insn->condition) ? jump_near(x) : OUTCOME_DONE;
}

enum outcome insn_JCXZ(struct execution *x)
{
	return register_read(x->cpu, GPR_RCX, x->insn->address_bytes) == 0 ? jump_near(x) : OUTCOME_DONE;
}

enum outcome insn_LOOP(struct execution *x)
{
	unsigned width = x->insn->address_bytes;
	uint64_t left = low_bits(register_read(x->cpu, GPR_RCX, width) - 1, width);
	register_write(x->cpu, GPR_RCX, width, left);
	bool plain = x->insn->condition == 0;
	return left && (plain || condition_holds(x->cpu, x->insn->condition)) ? jump_near(x) : OUTCOME_DONE;
}

enum outcome insn_CALL(struct execution *x)
{
	uint64_t rip;
	if (!near_target(x, &rip))
		return OUTCOME_REFUSED;
	/* Whether the target is one is seen before the return address is written. */
	if (!code_reaches(x->machine, &x->cpu->shadow[SREG_CS], rip))
		return refuse_protection(x);
	return stack_push(x, x->insn->operand_bytes, x->next_rip) ? jump_to(x, rip) : OUTCOME_REFUSED;
}

enum outcome insn_RET(struct execution *x)
{
	uint64_t rip;
	if (!stack_pop(x, x->insn->operand_bytes, &rip))
		return OUTCOME_REFUSED;
	if (x->insn->count)
		stack_move(x, operand(x, 0)->value & 0xffff);
	return jump_to(x, rip);
}

/* ---- interrupts by instruction ---- */

/* Pushes no error code, whatever the vector: SDM 2, INT n. */
static enum outcome software_interrupt(struct execution *x, unsigned vector)
{
	x->trap = (struct trap){.vector = vector, .software = true, .length = x->insn->length};
	return OUTCOME_TRAP;
}

enum outcome insn_INT(struct execution *x)
{
	return software_interrupt(x, (unsigned)operand(x, 0)->value & 0xff);
}

enum outcome insn_INT3(struct execution *x)
{
	return software_interrupt(x, VECTOR_BREAKPOINT);
}

enum outcome insn_INTO(struct execution *x)
{
	return flag(x->cpu, RFLAGS_OF) ? software_interrupt(x, VECTOR_OVERFLOW) : OUTCOME_DONE;
}

/* As a hardware debug event: the DPL of the gate does not count. */
enum outcome insn_INT1(struct execution *x)
{
	x->trap = (struct trap){.vector = VECTOR_DEBUG, .length = x->insn->length};
	return OUTCOME_TRAP;
}

enum outcome insn_UD(struct execution *x)
{
	return refuse(x, VECTOR_INVALID_OPCODE, 0);
}

/* The index must lie between two bounds in memory, both included. */
enum outcome insn_BOUND(struct execution *x)
{
	const struct operand *o = operand(x, 1);
	unsigned bytes = operand(x, 0)->bytes;
	uint64_t index, from = effective_address(x, o), low = 0, high = 0;
	(void)operand_read(x, 0, &index);
	if (!memory_read(x, o->segment, from, bytes, &low) ||
	    !memory_read(x, o->segment, low_bits(from + bytes, x->insn->address_bytes), bytes, &high))
		return OUTCOME_REFUSED;
	int64_t at = (int64_t)sign_extend(index, bytes);
	bool inside = at >= (int64_t)sign_extend(low, bytes) && at <= (int64_t)sign_extend(high, bytes);
	return inside ? OUTCOME_DONE : refuse(x, VECTOR_BOUND, 0);
}

/* ---- system calls ---- */

enum outcome insn_SYSCALL(struct execution *x)
{
	if (!(x->cpu->efer & EFER_SCE) || !in_64bit_mode(x->cpu))
		return refuse(x, VECTOR_INVALID_OPCODE, 0);
	execution_tell(x);
	x->cpu->rip = x->next_rip;
	(void)trap_enter_syscall(x->machine);
	return OUTCOME_JUMPED;
}

enum outcome insn_SYSRET(struct execution *x)
{
	return trap_sysret(x->machine, x->insn->operand_bytes == 8, &x->trap) ? OUTCOME_JUMPED : OUTCOME_REFUSED;
}

enum outcome insn_SYSENTER(struct execution *x)
{
	return trap_sysenter(x->machine, &x->trap) ? OUTCOME_JUMPED : OUTCOME_REFUSED;
}

enum outcome insn_SYSEXIT(struct execution *x)
{
	return trap_sysexit(x->machine, x->insn->operand_bytes == 8, &x->trap) ? OUTCOME_JUMPED : OUTCOME_REFUSED;
}
