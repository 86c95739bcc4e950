/* Decimal adjustment: outside 64-bit mode only. SDM 2, DAA, DAS, AAA, AAS, AAM, AAD. */
#include "insn_rows.h"

static uint8_t al(const struct cpu *cpu)
{
	return (uint8_t)cpu->gpr[GPR_RAX];
}

static uint8_t ah(const struct cpu *cpu)
{
	return (uint8_t)(cpu->gpr[GPR_RAX] >> 8);
}

static void put_ax(struct cpu *cpu, unsigned high, unsigned low)
{
	register_write(cpu, GPR_RAX, 2, (high & 0xff) << 8 | (low & 0xff));
}

static void put_flags(struct cpu *cpu, bool adjust, bool carry)
{
	flags_put(cpu, FLAGS_ARITHMETIC,
		  flags_of_result(al(cpu), 1) | (adjust ? RFLAGS_AF : 0) | (carry ? RFLAGS_CF : 0));
}

/* +6 or -6 a digit */
static enum outcome adjust_packed(struct execution *x, int direction)
{
	struct cpu *cpu = x->cpu;
	int value = al(cpu);
	bool low = (value & 15) > 9 || flag(cpu, RFLAGS_AF);
	bool high = value > 0x99 || flag(cpu, RFLAGS_CF);
	bool borrow = low && direction < 0 && value < 6;
	int result = value + direction * ((low ? 6 : 0) + (high ? 0x60 : 0));
	put_ax(cpu, ah(cpu), (unsigned)result);
	put_flags(cpu, low, high || borrow);
	return OUTCOME_DONE;
}

enum outcome insn_DAA(struct execution *x)
{
	return adjust_packed(x, 1);
}

enum outcome insn_DAS(struct execution *x)
{
	return adjust_packed(x, -1);
}

static enum outcome adjust_unpacked(struct execution *x, int direction)
{
	struct cpu *cpu = x->cpu;
	bool adjust = (al(cpu) & 15) > 9 || flag(cpu, RFLAGS_AF);
	if (adjust)
		register_write(cpu, GPR_RAX, 2, (uint64_t)((int64_t)cpu->gpr[GPR_RAX] + direction * 0x106));
	put_ax(cpu, ah(cpu), al(cpu) & 15);
	put_flags(cpu, adjust, adjust);
	return OUTCOME_DONE;
}

enum outcome insn_AAA(struct execution *x)
{
	return adjust_unpacked(x, 1);
}

enum outcome insn_AAS(struct execution *x)
{
	return adjust_unpacked(x, -1);
}

enum outcome insn_AAM(struct execution *x)
{
	uint8_t base = (uint8_t)operand(x, 0)->value;
	if (base == 0)
		return refuse(x, VECTOR_DIVIDE, 0);
	put_ax(x->cpu, al(x->cpu) / base, al(x->cpu) % base);
	put_flags(x->cpu, false, false);
	return OUTCOME_DONE;
}

enum outcome insn_AAD(struct execution *x)
{
	put_ax(x->cpu, 0, al(x->cpu) + ah(x->cpu) * (unsigned)operand(x, 0)->value);
	put_flags(x->cpu, false, false);
	return OUTCOME_DONE;
}
