/* Arithmetic and logic on two operands or one. SDM 2; flags: SDM 1 appendix A. */
#include "insn_rows.h"

typedef uint64_t combine_fn(struct cpu *cpu, uint64_t a, uint64_t b, unsigned bytes);

/* destination = combine(destination, source) */
static enum outcome combine(struct execution *x, combine_fn *fn)
{
	unsigned bytes = operand(x, 0)->bytes;
	uint64_t a, b;
	if (!operand_read(x, 1, &b) || !operand_modify(x, 0, &a))
		return OUTCOME_REFUSED;
	uint64_t result = fn(x->cpu, a, low_bits(b, bytes), bytes);
	return operand_write(x, 0, result) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

/* The same without the result. */
static enum outcome compare(struct execution *x, combine_fn *fn)
{
	unsigned bytes = operand(x, 0)->bytes;
	uint64_t a, b;
	if (!operand_read(x, 0, &a) || !operand_read(x, 1, &b))
		return OUTCOME_REFUSED;
	(void)fn(x->cpu, a, low_bits(b, bytes), bytes);
	return OUTCOME_DONE;
}

static uint64_t add(struct cpu *cpu, uint64_t a, uint64_t b, unsigned bytes)
{
	return flags_add(cpu, a, b, false, bytes);
}

static uint64_t adc(struct cpu *cpu, uint64_t a, uint64_t b, unsigned bytes)
{
	return flags_add(cpu, a, b, flag(cpu, RFLAGS_CF), bytes);
}

static uint64_t subtract(struct cpu *cpu, uint64_t a, uint64_t b, unsigned bytes)
{
	return flags_subtract(cpu, a, b, false, bytes);
}

static uint64_t sbb(struct cpu *cpu, uint64_t a, uint64_t b, unsigned bytes)
{
	return flags_subtract(cpu, a, b, flag(cpu, RFLAGS_CF), bytes);
}

static uint64_t and (struct cpu * cpu, uint64_t a, uint64_t b, unsigned bytes)
{
	flags_logic(cpu, a & b, bytes);
	return a & b;
}

static uint64_t or (struct cpu * cpu, uint64_t a, uint64_t b, unsigned bytes)
{
	flags_logic(cpu, a | b, bytes);
	return a | b;
}

static uint64_t xor
    (struct cpu * cpu, uint64_t a, uint64_t b, unsigned bytes) {
	    flags_logic(cpu, a ^ b, bytes);
	    return a ^ b;
    }

#define COMBINES(ID, how, fn)                                                                                          \
	enum outcome insn_##ID(struct execution *x)                                                                    \
	{                                                                                                              \
		return how(x, fn);                                                                                     \
	}

    COMBINES(ADD, combine, add) COMBINES(ADC, combine, adc) COMBINES(SUB, combine, subtract) COMBINES(SBB, combine, sbb)
	COMBINES(AND, combine, and) COMBINES(OR, combine, or) COMBINES(XOR, combine, xor)
	    COMBINES(CMP, compare, subtract) COMBINES(TEST, compare, and)

    /* ---- one operand ---- */

    /* destination = fn(destination) */
    typedef uint64_t change_fn(struct cpu *cpu, uint64_t a, unsigned bytes);

static enum outcome change(struct execution *x, change_fn *fn)
{
	uint64_t a;
	if (!operand_modify(x, 0, &a))
		return OUTCOME_REFUSED;
	uint64_t result = fn(x->cpu, a, operand(x, 0)->bytes);
	return operand_write(x, 0, result) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

static uint64_t not(struct cpu * cpu, uint64_t a, unsigned bytes)
{
	(void)cpu;
	return low_bits(~a, bytes);
}

static uint64_t negate(struct cpu *cpu, uint64_t a, unsigned bytes)
{
	return flags_subtract(cpu, 0, a, false, bytes);
}

/* INC and DEC keep CF. */
static uint64_t keep_carry(struct cpu *cpu, uint64_t before, uint64_t result)
{
	flags_put(cpu, RFLAGS_CF, before);
	return result;
}

static uint64_t increment(struct cpu *cpu, uint64_t a, unsigned bytes)
{
	uint64_t flags = cpu->rflags;
	return keep_carry(cpu, flags, flags_add(cpu, a, 1, false, bytes));
}

static uint64_t decrement(struct cpu *cpu, uint64_t a, unsigned bytes)
{
	uint64_t flags = cpu->rflags;
	return keep_carry(cpu, flags, flags_subtract(cpu, a, 1, false, bytes));
}

COMBINES(NOT, change, not )
COMBINES(NEG, change, negate)
COMBINES(INC, change, increment)
COMBINES(DEC, change, decrement)

/* ---- exchange ---- */

enum outcome insn_XADD(struct execution *x)
{
	unsigned bytes = operand(x, 0)->bytes;
	uint64_t a, b;
	if (!operand_modify(x, 0, &a) || !operand_read(x, 1, &b))
		return OUTCOME_REFUSED;
	uint64_t sum = flags_add(x->cpu, a, b, false, bytes);
	/* The source first: with both the same register the sum stays. */
	return operand_write(x, 1, a) && operand_write(x, 0, sum) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_CMPXCHG(struct execution *x)
{
	unsigned bytes = operand(x, 0)->bytes;
	uint64_t accumulator = register_read(x->cpu, GPR_RAX, bytes);
	uint64_t a, b;
	if (!operand_modify(x, 0, &a) || !operand_read(x, 1, &b))
		return OUTCOME_REFUSED;
	(void)flags_subtract(x->cpu, accumulator, a, false, bytes);
	if (accumulator == a)
		return operand_write(x, 0, b) ? OUTCOME_DONE : OUTCOME_REFUSED;
	/* It writes in any case: what it read. A register destination of 32 bits keeps its upper half. */
	if (operand(x, 0)->kind == OPERAND_MEMORY && !operand_write(x, 0, a))
		return OUTCOME_REFUSED;
	register_write(x->cpu, GPR_RAX, bytes, a);
	return OUTCOME_DONE;
}

/* Of the pairs EDX:EAX, ECX:EBX, or twice as wide. */
enum outcome insn_CMPXCHG8B(struct execution *x)
{
	struct cpu *cpu = x->cpu;
	const struct operand *o = operand(x, 0);
	unsigned half = o->bytes / 2;
	uint64_t offset = effective_address(x, o);
	uint64_t value[2] = {0, 0};
	uint8_t raw[16];
	struct span span;
	if (half == 8 && (offset & 15))
		return refuse_protection(x);
	if (!memory_reach(x, o->segment, offset, o->bytes, ACCESS_WRITE, &span))
		return OUTCOME_REFUSED;
	span_read(x->machine, &span, raw);
	memcpy(&value[0], raw, half);
	memcpy(&value[1], raw + half, half);
	bool equal = value[0] == register_read(cpu, GPR_RAX, half) && value[1] == register_read(cpu, GPR_RDX, half);
	flags_put(cpu, RFLAGS_ZF, equal ? RFLAGS_ZF : 0);
	if (equal) {
		memcpy(raw, &cpu->gpr[GPR_RBX], half);
		memcpy(raw + half, &cpu->gpr[GPR_RCX], half);
	} else {
		register_write(cpu, GPR_RAX, half, value[0]);
		register_write(cpu, GPR_RDX, half, value[1]);
	}
	span_write(x->machine, &span, raw);
	return OUTCOME_DONE;
}

/* ---- flags by themselves ---- */

#define PUTS_FLAG(ID, bit, value)                                                                                      \
	enum outcome insn_##ID(struct execution *x)                                                                    \
	{                                                                                                              \
		flags_put(x->cpu, bit, value);                                                                         \
		return OUTCOME_DONE;                                                                                   \
	}

PUTS_FLAG(CLC, RFLAGS_CF, 0)
PUTS_FLAG(STC, RFLAGS_CF, RFLAGS_CF)
PUTS_FLAG(CMC, RFLAGS_CF, ~x->cpu->rflags)
PUTS_FLAG(CLD, RFLAGS_DF, 0)
PUTS_FLAG(STD, RFLAGS_DF, RFLAGS_DF)

enum outcome insn_LAHF(struct execution *x)
{
	uint64_t *rax = &x->cpu->gpr[GPR_RAX];
	const uint64_t shown = RFLAGS_SF | RFLAGS_ZF | RFLAGS_AF | RFLAGS_PF | RFLAGS_CF;
	*rax = (*rax & ~(uint64_t)0xff00) | ((x->cpu->rflags & shown) | RFLAGS_FIXED) << 8;
	return OUTCOME_DONE;
}

enum outcome insn_SAHF(struct execution *x)
{
	flags_put(x->cpu, RFLAGS_SF | RFLAGS_ZF | RFLAGS_AF | RFLAGS_PF | RFLAGS_CF, x->cpu->gpr[GPR_RAX] >> 8);
	return OUTCOME_DONE;
}
