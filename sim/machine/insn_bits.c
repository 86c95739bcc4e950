/* Single bits, and counting them. SDM 2, BT and its kin, BSF, BSR, TZCNT, LZCNT, POPCNT. */
#include "insn_rows.h"

enum bit_change { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

/* With a bit offset in a register the memory operand is a bit string: the offset reaches beyond it, to both sides. */
static bool reach_string(struct execution *x, uint64_t offset, enum access_kind kind, uint64_t *value)
{
	const struct operand *o = operand(x, 0);
	unsigned bits = 8u * o->bytes;
	int64_t index = (int64_t)sign_extend(offset, operand(x, 1)->bytes);
	int64_t word = index >> (bits == 64 ? 6 : bits == 32 ? 5 : 4);
	uint64_t at = low_bits(effective_address(x, o) + (uint64_t)word * o->bytes, x->insn->address_bytes);
	*value = 0;
	if (!memory_reach(x, o->segment, at, o->bytes, kind, &x->span))
		return false;
	span_read(x->machine, &x->span, value);
	return true;
}

static enum outcome change_bit(struct execution *x, enum bit_change change)
{
	unsigned bits = 8u * operand(x, 0)->bytes;
	enum access_kind kind = change == BIT_TEST ? ACCESS_READ : ACCESS_WRITE;
	bool is_string = operand(x, 0)->kind == OPERAND_MEMORY && operand(x, 1)->kind == OPERAND_REGISTER;
	uint64_t offset, value;
	if (!operand_read(x, 1, &offset))
		return OUTCOME_REFUSED;
	bool reached = is_string             ? reach_string(x, offset, kind, &value)
		       : kind == ACCESS_READ ? operand_read(x, 0, &value)
					     : operand_modify(x, 0, &value);
	if (!reached)
		return OUTCOME_REFUSED;
	uint64_t mask = (uint64_t)1 << (offset & (bits - 1));
	flags_put(x->cpu, RFLAGS_CF, value & mask ? RFLAGS_CF : 0);
	switch (change) {
	case BIT_TEST:
		return OUTCOME_DONE;
	case BIT_SET:
		value |= mask;
		break;
	case BIT_RESET:
		value &= ~mask;
		break;
	case BIT_COMPLEMENT:
		value ^= mask;
		break;
	}
	return operand_write(x, 0, value) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

#define CHANGES_BIT(ID, change)                                                                                        \
	enum outcome insn_##ID(struct execution *x)                                                                    \
	{                                                                                                              \
		return change_bit(x, change);                                                                          \
	}

CHANGES_BIT(BT, BIT_TEST)
CHANGES_BIT(BTS, BIT_SET)
CHANGES_BIT(BTR, BIT_RESET)
CHANGES_BIT(BTC, BIT_COMPLEMENT)

/* ---- scans and counts ---- */

static unsigned lowest(uint64_t value)
{
	return (unsigned)__builtin_ctzll(value);
}

static unsigned highest(uint64_t value)
{
	return 63 - (unsigned)__builtin_clzll(value);
}

/* Of zero, only ZF is defined; processors leave the destination alone. */
static enum outcome scan(struct execution *x, unsigned (*find)(uint64_t))
{
	uint64_t value;
	if (!operand_read(x, 1, &value))
		return OUTCOME_REFUSED;
	flags_put(x->cpu, RFLAGS_ZF, value ? 0 : RFLAGS_ZF);
	if (value == 0)
		return OUTCOME_DONE;
	return operand_write(x, 0, find(value)) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_BSF(struct execution *x)
{
	return scan(x, lowest);
}

enum outcome insn_BSR(struct execution *x)
{
	return scan(x, highest);
}

/* CF: the source was zero; ZF: the count is. */
static enum outcome put_count(struct execution *x, uint64_t source, unsigned count)
{
	flags_put(x->cpu, RFLAGS_CF | RFLAGS_ZF, (source ? 0 : RFLAGS_CF) | (count ? 0 : RFLAGS_ZF));
	return operand_write(x, 0, count) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_TZCNT(struct execution *x)
{
	uint64_t value;
	if (!operand_read(x, 1, &value))
		return OUTCOME_REFUSED;
	return put_count(x, value, value ? lowest(value) : 8u * operand(x, 1)->bytes);
}

enum outcome insn_LZCNT(struct execution *x)
{
	uint64_t value;
	unsigned bits = 8u * operand(x, 1)->bytes;
	if (!operand_read(x, 1, &value))
		return OUTCOME_REFUSED;
	return put_count(x, value, value ? bits - 1 - highest(value) : bits);
}

enum outcome insn_POPCNT(struct execution *x)
{
	uint64_t value;
	if (!operand_read(x, 1, &value))
		return OUTCOME_REFUSED;
	flags_put(x->cpu, FLAGS_ARITHMETIC, value ? 0 : RFLAGS_ZF);
	return operand_write(x, 0, (uint64_t)__builtin_popcountll(value)) ? OUTCOME_DONE : OUTCOME_REFUSED;
}
