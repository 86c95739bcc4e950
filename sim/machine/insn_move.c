/* Moves, and conversions of width. SDM 2. */
#include "insn_rows.h"

enum outcome insn_MOV(struct execution *x)
{
	uint64_t value;
	return operand_read(x, 1, &value) && operand_write(x, 0, value) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_MOVZX(struct execution *x)
{
	return insn_MOV(x);
}

enum outcome insn_MOVSX(struct execution *x)
{
	uint64_t value;
	if (!operand_read(x, 1, &value))
		return OUTCOME_REFUSED;
	return operand_write(x, 0, sign_extend(value, operand(x, 1)->bytes)) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

static uint64_t reversed(uint64_t value, unsigned bytes)
{
	return __builtin_bswap64(value) >> (64 - 8 * bytes);
}

enum outcome insn_MOVBE(struct execution *x)
{
	uint64_t value;
	if (!operand_read(x, 1, &value))
		return OUTCOME_REFUSED;
	return operand_write(x, 0, reversed(value, operand(x, 0)->bytes)) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_BSWAP(struct execution *x)
{
	const struct operand *o = operand(x, 0);
	uint64_t value = register_read(x->cpu, o->reg, o->bytes);
	/* Of 16 bits it is undefined; processors clear them. */
	register_write(x->cpu, o->reg, o->bytes, o->bytes == 2 ? 0 : reversed(value, o->bytes));
	return OUTCOME_DONE;
}

enum outcome insn_LEA(struct execution *x)
{
	return operand_write(x, 0, effective_address(x, operand(x, 1))) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_XCHG(struct execution *x)
{
	uint64_t a, b;
	if (!operand_modify(x, 0, &a) || !operand_read(x, 1, &b))
		return OUTCOME_REFUSED;
	return operand_write(x, 1, a) && operand_write(x, 0, b) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

/* The source is read whether or not it is moved, and a 32-bit destination loses its upper half in any case. */
enum outcome insn_CMOV(struct execution *x)
{
	uint64_t value;
	if (!operand_read(x, 1, &value))
		return OUTCOME_REFUSED;
	if (!condition_holds(x->cpu, x->insn->condition))
		(void)operand_read(x, 0, &value);
	return operand_write(x, 0, value) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_SET(struct execution *x)
{
	return operand_write(x, 0, condition_holds(x->cpu, x->insn->condition)) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_XLAT(struct execution *x)
{
	uint64_t from = x->cpu->gpr[GPR_RBX] + (x->cpu->gpr[GPR_RAX] & 0xff);
	uint8_t byte;
	if (!memory_read(x, x->insn->segment, low_bits(from, x->insn->address_bytes), 1, &byte))
		return OUTCOME_REFUSED;
	register_write(x->cpu, GPR_RAX, 1, byte);
	return OUTCOME_DONE;
}

/* AL to AX, AX to EAX, EAX to RAX */
enum outcome insn_CBW(struct execution *x)
{
	unsigned bytes = x->insn->operand_bytes;
	register_write(x->cpu, GPR_RAX, bytes, sign_extend(x->cpu->gpr[GPR_RAX], bytes / 2));
	return OUTCOME_DONE;
}

/* The sign of the accumulator fills the data register. */
enum outcome insn_CWD(struct execution *x)
{
	unsigned bytes = x->insn->operand_bytes;
	bool negative = (x->cpu->gpr[GPR_RAX] & sign_bit(bytes)) != 0;
	register_write(x->cpu, GPR_RDX, bytes, negative ? UINT64_MAX : 0);
	return OUTCOME_DONE;
}

enum outcome insn_NOP(struct execution *x)
{
	(void)x;
	return OUTCOME_DONE;
}
