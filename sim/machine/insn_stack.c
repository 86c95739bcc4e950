/* The stack. Every push writes before RSP moves, so that a fault leaves RSP alone. SDM 1 6.2; SDM 2. */
#include "insn_rows.h"

enum outcome insn_PUSH(struct execution *x)
{
	uint64_t value;
	unsigned bytes = x->insn->operand_bytes;
	if (!operand_read(x, 0, &value))
		return OUTCOME_REFUSED;
	return stack_push(x, bytes, value) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

/* The address of a memory operand is computed with the RSP of after the pop. */
enum outcome insn_POP(struct execution *x)
{
	const struct operand *o = operand(x, 0);
	uint64_t value;
	if (!stack_pop(x, x->insn->operand_bytes, &value))
		return OUTCOME_REFUSED;
	if (o->kind == OPERAND_SEGMENT)
		return segment_load(x->machine, (enum segment_register)o->reg, (uint16_t)value, &x->trap)
			   ? OUTCOME_DONE
			   : OUTCOME_REFUSED;
	return operand_write(x, 0, value) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_PUSHF(struct execution *x)
{
	uint64_t shown = x->cpu->rflags & ~(RFLAGS_VM | RFLAGS_RF);
	return stack_push(x, x->insn->operand_bytes, shown) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

/* What the ring may not change stays, without a fault; RF is cleared. */
enum outcome insn_POPF(struct execution *x)
{
	uint64_t value;
	unsigned bytes = x->insn->operand_bytes;
	if (!stack_pop(x, bytes, &value))
		return OUTCOME_REFUSED;
	x->cpu->rflags = flags_popped(x->cpu, value & ~RFLAGS_RF, bytes);
	return OUTCOME_DONE;
}

enum outcome insn_PUSHA(struct execution *x)
{
	uint64_t rsp = x->cpu->gpr[GPR_RSP];
	for (unsigned i = GPR_RAX; i <= GPR_RDI; i++) {
		if (!stack_push(x, x->insn->operand_bytes, i == GPR_RSP ? rsp : x->cpu->gpr[i]))
			return OUTCOME_REFUSED;
	}
	return OUTCOME_DONE;
}

enum outcome insn_POPA(struct execution *x)
{
	unsigned bytes = x->insn->operand_bytes;
	uint64_t value;
	for (unsigned i = GPR_RDI + 1; i-- > GPR_RAX;) {
		if (!stack_pop(x, bytes, &value))
			return OUTCOME_REFUSED;
		if (i != GPR_RSP)
			register_write(x->cpu, i, bytes, value);
	}
	return OUTCOME_DONE;
}

/* Pushes RBP, the frames of `level` enclosing procedures, and makes room. */
enum outcome insn_ENTER(struct execution *x)
{
	struct cpu *cpu = x->cpu;
	unsigned bytes = x->insn->operand_bytes;
	unsigned width = stack_width(cpu);
	unsigned level = (unsigned)operand(x, 1)->value & 31;
	uint64_t room = operand(x, 0)->value & 0xffff;
	uint64_t outer = cpu->gpr[GPR_RBP], word;
	if (!stack_push(x, bytes, outer))
		return OUTCOME_REFUSED;
	uint64_t frame = cpu->gpr[GPR_RSP];
	for (unsigned i = 1; i < level; i++) {
		outer = low_bits(outer - bytes, width);
		word = 0;
		if (!memory_read(x, SREG_SS, outer, bytes, &word) || !stack_push(x, bytes, word))
			return OUTCOME_REFUSED;
	}
	if (level > 0 && !stack_push(x, bytes, frame))
		return OUTCOME_REFUSED;
	register_write(cpu, GPR_RBP, bytes, frame);
	stack_move(x, 0 - room);
	/* The new top must be writable: SDM 2A ENTER. */
	struct span top;
	uint64_t rsp = low_bits(cpu->gpr[GPR_RSP], width);
	return memory_reach(x, SREG_SS, rsp, bytes, ACCESS_WRITE, &top) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_LEAVE(struct execution *x)
{
	uint64_t rbp;
	unsigned bytes = x->insn->operand_bytes;
	register_write(x->cpu, GPR_RSP, stack_width(x->cpu), x->cpu->gpr[GPR_RBP]);
	if (!stack_pop(x, bytes, &rbp))
		return OUTCOME_REFUSED;
	register_write(x->cpu, GPR_RBP, bytes, rbp);
	return OUTCOME_DONE;
}
