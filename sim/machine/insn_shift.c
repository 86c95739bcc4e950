/* Shifts and rotations. The count is taken modulo 32, or 64 for 64-bit operands; with count 0 no flag changes. OF is
 * defined for a count of 1 only; here it is what processors compute for the last bit step. SDM 2, SAL/SAR/SHL/SHR,
 * RCL/RCR/ROL/ROR, SHLD, SHRD. */
#include "insn_rows.h"

struct shift {
	uint64_t value, result;
	unsigned bits; /* of the operand */
	unsigned count;
	bool carry; /* before, then after */
	bool overflow;
};

typedef void shift_fn(struct shift *s);

static bool bit(uint64_t value, unsigned index)
{
	return value >> index & 1;
}

static bool top(const struct shift *s, uint64_t value)
{
	return bit(value, s->bits - 1);
}

static void shl(struct shift *s)
{
	s->carry = s->count <= s->bits && bit(s->value, s->bits - s->count);
	s->result = low_bits(s->count < 64 ? s->value << s->count : 0, s->bits / 8);
	s->overflow = top(s, s->result) != s->carry;
}

static void shr(struct shift *s)
{
	s->carry = s->count <= s->bits && bit(s->value, s->count - 1);
	s->result = s->count < 64 ? s->value >> s->count : 0;
	/* The bit below the top of the last step's operand. */
	s->overflow = s->count == 1 && top(s, s->value);
}

static void sar(struct shift *s)
{
	bool sign = top(s, s->value);
	int64_t wide = (int64_t)sign_extend(s->value, s->bits / 8);
	s->carry = s->count < s->bits ? bit(s->value, s->count - 1) : sign;
	s->result = low_bits((uint64_t)(s->count < 64 ? wide >> s->count : wide >> 63), s->bits / 8);
	s->overflow = false;
}

static void rol(struct shift *s)
{
	unsigned by = s->count % s->bits;
	s->result = by ? low_bits(s->value << by | s->value >> (s->bits - by), s->bits / 8) : s->value;
	s->carry = bit(s->result, 0);
	s->overflow = top(s, s->result) != s->carry;
}

static void ror(struct shift *s)
{
	unsigned by = s->count % s->bits;
	s->result = by ? low_bits(s->value >> by | s->value << (s->bits - by), s->bits / 8) : s->value;
	s->carry = top(s, s->result);
	s->overflow = top(s, s->result) != bit(s->result, s->bits - 2);
}

/* Through the carry, bit by bit: the operand and CF turn as one number. */
static void rcl(struct shift *s)
{
	s->result = s->value;
	for (unsigned i = 0; i < s->count % (s->bits + 1); i++) {
		bool out = top(s, s->result);
		s->result = low_bits(s->result << 1 | s->carry, s->bits / 8);
		s->carry = out;
	}
	s->overflow = top(s, s->result) != s->carry;
}

static void rcr(struct shift *s)
{
	s->result = s->value;
	for (unsigned i = 0; i < s->count % (s->bits + 1); i++) {
		bool out = bit(s->result, 0);
		s->result = s->result >> 1 | (uint64_t)s->carry << (s->bits - 1);
		s->carry = out;
	}
	s->overflow = top(s, s->result) != bit(s->result, s->bits - 2);
}

static unsigned masked_count(uint64_t count, unsigned bytes)
{
	return (unsigned)count & (bytes == 8 ? 63 : 31);
}

static enum outcome shift(struct execution *x, shift_fn *fn, bool sets_result_flags)
{
	struct cpu *cpu = x->cpu;
	unsigned bytes = operand(x, 0)->bytes;
	uint64_t count;
	struct shift s = {.bits = 8 * bytes, .carry = flag(cpu, RFLAGS_CF)};
	if (!operand_read(x, 1, &count) || !operand_modify(x, 0, &s.value))
		return OUTCOME_REFUSED;
	s.count = masked_count(count, bytes);
	if (s.count == 0)
		return operand_write(x, 0, s.value) ? OUTCOME_DONE : OUTCOME_REFUSED;
	fn(&s);
	uint64_t flags = (s.carry ? RFLAGS_CF : 0) | (s.overflow ? RFLAGS_OF : 0);
	if (sets_result_flags)
		flags_put(cpu, FLAGS_ARITHMETIC, flags | flags_of_result(s.result, bytes));
	else
		flags_put(cpu, RFLAGS_CF | RFLAGS_OF, flags);
	return operand_write(x, 0, s.result) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

#define SHIFTS(ID, fn, sets_result_flags)                                                                              \
	enum outcome insn_##ID(struct execution *x)                                                                    \
	{                                                                                                              \
		return shift(x, fn, sets_result_flags);                                                                \
	}

SHIFTS(SHL, shl, true)
SHIFTS(SHR, shr, true)
SHIFTS(SAR, sar, true)
SHIFTS(ROL, rol, false)
SHIFTS(ROR, ror, false)
SHIFTS(RCL, rcl, false)
SHIFTS(RCR, rcr, false)

/* ---- double shifts ---- */

static enum outcome shift_double(struct execution *x, bool left)
{
	struct cpu *cpu = x->cpu;
	unsigned bytes = operand(x, 0)->bytes, bits = 8 * bytes;
	uint64_t value, filler, amount;
	if (!operand_read(x, 1, &filler) || !operand_read(x, 2, &amount) || !operand_modify(x, 0, &value))
		return OUTCOME_REFUSED;
	unsigned count = masked_count(amount, bytes);
	if (count == 0)
		return operand_write(x, 0, value) ? OUTCOME_DONE : OUTCOME_REFUSED;
	/* 16-bit operands with more than 16: undefined; processors go on with the destination's bits. */
	if (count > bits) {
		count -= bits;
		uint64_t swap = value;
		value = filler;
		filler = swap;
	}
	uint64_t result, carry;
	if (left) {
		result = count == bits ? filler : value << count | filler >> (bits - count);
		carry = value >> (bits - count);
	} else {
		result = count == bits ? filler : value >> count | filler << (bits - count);
		carry = value >> (count - 1);
	}
	result = low_bits(result, bytes);
	uint64_t flags = (carry & 1 ? RFLAGS_CF : 0) | flags_of_result(result, bytes);
	if ((result ^ value) & sign_bit(bytes))
		flags |= RFLAGS_OF;
	flags_put(cpu, FLAGS_ARITHMETIC, flags);
	return operand_write(x, 0, result) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_SHLD(struct execution *x)
{
	return shift_double(x, true);
}

enum outcome insn_SHRD(struct execution *x)
{
	return shift_double(x, false);
}
