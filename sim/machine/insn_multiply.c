/* Multiplication and division; they work on RDX:RAX, or AX for bytes. SDM 2, MUL, IMUL, DIV, IDIV. */
#include "insn_rows.h"

__extension__ typedef unsigned __int128 wide;
__extension__ typedef __int128 signed_wide;

static wide accumulator(const struct cpu *cpu, unsigned bytes)
{
	if (bytes == 1)
		return register_read(cpu, GPR_RAX, 2);
	return (wide)register_read(cpu, GPR_RDX, bytes) << (8 * bytes) | register_read(cpu, GPR_RAX, bytes);
}

static void put_pair(struct cpu *cpu, unsigned bytes, uint64_t low, uint64_t high)
{
	if (bytes == 1) {
		register_write(cpu, GPR_RAX, 2, (low & 0xff) | (high & 0xff) << 8);
		return;
	}
	register_write(cpu, GPR_RAX, bytes, low);
	register_write(cpu, GPR_RDX, bytes, high);
}

/* CF and OF say that the upper half matters. SF ZF AF PF are undefined; processors of Intel show those of the lower
 * half, with AF clear. */
static void put_flags(struct cpu *cpu, bool overflow, uint64_t low, unsigned bytes)
{
	uint64_t flags = flags_of_result(low, bytes) & ~RFLAGS_ZF;
	flags_put(cpu, FLAGS_ARITHMETIC, flags | (overflow ? RFLAGS_CF | RFLAGS_OF : 0));
}

enum outcome insn_MUL(struct execution *x)
{
	unsigned bytes = operand(x, 0)->bytes;
	uint64_t factor;
	if (!operand_read(x, 0, &factor))
		return OUTCOME_REFUSED;
	wide product = (wide)register_read(x->cpu, GPR_RAX, bytes) * factor;
	uint64_t low = low_bits((uint64_t)product, bytes);
	uint64_t high = (uint64_t)(product >> (8 * bytes));
	put_pair(x->cpu, bytes, low, high);
	put_flags(x->cpu, high != 0, low, bytes);
	return OUTCOME_DONE;
}

static signed_wide as_signed(uint64_t value, unsigned bytes)
{
	return (int64_t)sign_extend(value, bytes);
}

/* One operand: RDX:RAX; two or three: a product that is cut off. */
enum outcome insn_IMUL(struct execution *x)
{
	unsigned bytes = operand(x, 0)->bytes;
	unsigned count = x->insn->count;
	uint64_t a, b;
	if (count == 1)
		a = register_read(x->cpu, GPR_RAX, bytes);
	else if (!operand_read(x, count == 3 ? 2 : 0, &a))
		return OUTCOME_REFUSED;
	if (!operand_read(x, count == 1 ? 0 : 1, &b))
		return OUTCOME_REFUSED;
	signed_wide product = as_signed(a, bytes) * as_signed(b, bytes);
	uint64_t low = low_bits((uint64_t)product, bytes);
	bool overflow = as_signed(low, bytes) != product;
	put_flags(x->cpu, overflow, low, bytes);
	if (count == 1)
		put_pair(x->cpu, bytes, low, (uint64_t)((wide)product >> (8 * bytes)));
	else
		return operand_write(x, 0, low) ? OUTCOME_DONE : OUTCOME_REFUSED;
	return OUTCOME_DONE;
}

enum outcome insn_DIV(struct execution *x)
{
	unsigned bytes = operand(x, 0)->bytes;
	uint64_t divisor;
	if (!operand_read(x, 0, &divisor))
		return OUTCOME_REFUSED;
	if (divisor == 0)
		return refuse(x, VECTOR_DIVIDE, 0);
	wide dividend = accumulator(x->cpu, bytes);
	wide quotient = dividend / divisor;
	if (quotient != low_bits((uint64_t)quotient, bytes))
		return refuse(x, VECTOR_DIVIDE, 0);
	put_pair(x->cpu, bytes, (uint64_t)quotient, (uint64_t)(dividend % divisor));
	return OUTCOME_DONE;
}

static signed_wide signed_accumulator(const struct cpu *cpu, unsigned bytes)
{
	if (bytes == 8)
		return (signed_wide)accumulator(cpu, bytes);
	return (int64_t)sign_extend((uint64_t)accumulator(cpu, bytes), 2 * bytes);
}

enum outcome insn_IDIV(struct execution *x)
{
	unsigned bytes = operand(x, 0)->bytes;
	uint64_t raw;
	if (!operand_read(x, 0, &raw))
		return OUTCOME_REFUSED;
	signed_wide divisor = as_signed(raw, bytes);
	signed_wide dividend = signed_accumulator(x->cpu, bytes);
	const signed_wide lowest = (signed_wide)((wide)1 << 127);
	if (divisor == 0 || (divisor == -1 && dividend == lowest))
		return refuse(x, VECTOR_DIVIDE, 0);
	signed_wide quotient = dividend / divisor;
	if (as_signed((uint64_t)quotient, bytes) != quotient)
		return refuse(x, VECTOR_DIVIDE, 0);
	put_pair(x->cpu, bytes, (uint64_t)quotient, (uint64_t)(dividend % divisor));
	return OUTCOME_DONE;
}
