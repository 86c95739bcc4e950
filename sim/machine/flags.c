/* The arithmetic flags. SDM 1 3.4.3.1; conditions: SDM 1 appendix B. */
#include "exec.h"

uint64_t flags_of_result(uint64_t value, unsigned bytes)
{
	uint64_t flags = 0;
	if (low_bits(value, bytes) == 0)
		flags |= RFLAGS_ZF;
	if (value & sign_bit(bytes))
		flags |= RFLAGS_SF;
	if (!(__builtin_popcount((unsigned)value & 0xff) & 1))
		flags |= RFLAGS_PF;
	return flags;
}

/* `carries` has a bit set for each position that a carry (or borrow) came out of. */
static void put_sum(struct cpu *cpu, uint64_t result, uint64_t carries, bool overflow, unsigned bytes)
{
	uint64_t flags = flags_of_result(result, bytes);
	if (carries & sign_bit(bytes))
		flags |= RFLAGS_CF;
	if (carries & 8)
		flags |= RFLAGS_AF;
	if (overflow)
		flags |= RFLAGS_OF;
	flags_put(cpu, FLAGS_ARITHMETIC, flags);
}

uint64_t flags_add(struct cpu *cpu, uint64_t a, uint64_t b, bool carry, unsigned bytes)
{
	uint64_t result = low_bits(a + b + carry, bytes);
	uint64_t carries = (a & b) | ((a | b) & ~result);
	put_sum(cpu, result, carries, ((a ^ result) & (b ^ result) & sign_bit(bytes)) != 0, bytes);
	return result;
}

uint64_t flags_subtract(struct cpu *cpu, uint64_t a, uint64_t b, bool borrow, unsigned bytes)
{
	uint64_t result = low_bits(a - b - borrow, bytes);
	uint64_t borrows = (~a & b) | ((~a | b) & result);
	put_sum(cpu, result, borrows, ((a ^ b) & (a ^ result) & sign_bit(bytes)) != 0, bytes);
	return result;
}

/* AF is undefined after AND, OR, XOR and TEST; processors clear it. */
void flags_logic(struct cpu *cpu, uint64_t value, unsigned bytes)
{
	flags_put(cpu, FLAGS_ARITHMETIC, flags_of_result(value, bytes));
}

bool condition_holds(const struct cpu *cpu, unsigned condition)
{
	bool holds = false;
	bool less = flag(cpu, RFLAGS_SF) != flag(cpu, RFLAGS_OF);
	switch (condition >> 1) {
	case 0:
		holds = flag(cpu, RFLAGS_OF);
		break;
	case 1:
		holds = flag(cpu, RFLAGS_CF);
		break;
	case 2:
		holds = flag(cpu, RFLAGS_ZF);
		break;
	case 3:
		holds = flag(cpu, RFLAGS_CF | RFLAGS_ZF);
		break;
	case 4:
		holds = flag(cpu, RFLAGS_SF);
		break;
	case 5:
		holds = flag(cpu, RFLAGS_PF);
		break;
	case 6:
		holds = less;
		break;
	default:
		holds = less || flag(cpu, RFLAGS_ZF);
		break;
	}
	return holds != ((condition & 1) != 0);
}

uint64_t flags_popped(const struct cpu *cpu, uint64_t popped, unsigned bytes)
{
	uint64_t mask = FLAGS_ARITHMETIC | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT;
	if (bytes > 2)
		mask |= RFLAGS_RF | RFLAGS_AC | RFLAGS_ID;
	if (cpu->cpl <= io_privilege(cpu))
		mask |= RFLAGS_IF;
	if (cpu->cpl == 0)
		mask |= RFLAGS_IOPL;
	return (cpu->rflags & ~mask) | (popped & mask) | RFLAGS_FIXED;
}
