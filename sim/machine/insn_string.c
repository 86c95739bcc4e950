/* String instructions. Each iteration is complete before the next one begins, so a fault in the middle of a REP finds
 * RCX, RSI and RDI where they must be to go on, and an interrupt could be taken there as well: SDM 2, REP. */
#include "insn_rows.h"

/* A step of the machine does at most so many iterations. */
enum { ITERATIONS = 4096 };

/* One iteration; *stop when it ends a REPE or REPNE early. False: x->trap. */
typedef bool iterate_fn(struct execution *x, bool *stop);

static uint64_t pointer(const struct execution *x, enum gpr reg)
{
	return register_read(x->cpu, reg, x->insn->address_bytes);
}

static void advance(struct execution *x, enum gpr reg)
{
	uint64_t step = x->insn->operand_bytes;
	uint64_t to = flag(x->cpu, RFLAGS_DF) ? pointer(x, reg) - step : pointer(x, reg) + step;
	register_write(x->cpu, reg, x->insn->address_bytes, to);
}

static bool read_source(struct execution *x, uint64_t *value)
{
	*value = 0;
	return memory_read(x, x->insn->segment, pointer(x, GPR_RSI), x->insn->operand_bytes, value);
}

static bool read_target(struct execution *x, uint64_t *value)
{
	*value = 0;
	return memory_read(x, SREG_ES, pointer(x, GPR_RDI), x->insn->operand_bytes, value);
}

static bool write_target(struct execution *x, uint64_t value)
{
	if (!memory_write(x, SREG_ES, pointer(x, GPR_RDI), x->insn->operand_bytes, &value))
		return false;
	advance(x, GPR_RDI);
	return true;
}

static enum outcome repeat(struct execution *x, iterate_fn *iterate)
{
	bool stop = false;
	unsigned width = x->insn->address_bytes;
	if (x->insn->repeat == REPEAT_NONE)
		return iterate(x, &stop) ? OUTCOME_DONE : OUTCOME_REFUSED;
	for (unsigned i = 0; i < ITERATIONS; i++) {
		uint64_t left = register_read(x->cpu, GPR_RCX, width);
		if (left == 0 || stop)
			return OUTCOME_DONE;
		if (!iterate(x, &stop))
			return OUTCOME_REFUSED;
		register_write(x->cpu, GPR_RCX, width, left - 1);
		x->before = *x->cpu; /* from here on this iteration stays */
		x->machine->bus->cycle += x->machine->costs.cycles[COST_COMPUTE];
	}
	return stop || register_read(x->cpu, GPR_RCX, width) == 0 ? OUTCOME_DONE : OUTCOME_AGAIN;
}

static bool movs(struct execution *x, bool *stop)
{
	uint64_t value;
	(void)stop;
	if (!read_source(x, &value) || !write_target(x, value))
		return false;
	advance(x, GPR_RSI);
	return true;
}

static bool stos(struct execution *x, bool *stop)
{
	(void)stop;
	return write_target(x, x->cpu->gpr[GPR_RAX]);
}

static bool lods(struct execution *x, bool *stop)
{
	uint64_t value;
	(void)stop;
	if (!read_source(x, &value))
		return false;
	register_write(x->cpu, GPR_RAX, x->insn->operand_bytes, value);
	advance(x, GPR_RSI);
	return true;
}

static bool compare(struct execution *x, uint64_t a, uint64_t b)
{
	(void)flags_subtract(x->cpu, a, b, false, x->insn->operand_bytes);
	return flag(x->cpu, RFLAGS_ZF) != (x->insn->repeat == REPEAT_EQUAL);
}

static bool scas(struct execution *x, bool *stop)
{
	uint64_t value;
	if (!read_target(x, &value))
		return false;
	*stop = compare(x, register_read(x->cpu, GPR_RAX, x->insn->operand_bytes), value);
	advance(x, GPR_RDI);
	return true;
}

static bool cmps(struct execution *x, bool *stop)
{
	uint64_t source, target;
	if (!read_source(x, &source) || !read_target(x, &target))
		return false;
	*stop = compare(x, source, target);
	advance(x, GPR_RSI);
	advance(x, GPR_RDI);
	return true;
}

/* A bus without devices floats high. */
static bool ins(struct execution *x, bool *stop)
{
	(void)stop;
	return write_target(x, UINT64_MAX);
}

static bool outs(struct execution *x, bool *stop)
{
	uint64_t value;
	(void)stop;
	if (!read_source(x, &value))
		return false;
	advance(x, GPR_RSI);
	return true;
}

#define REPEATS(ID, fn)                                                                                                \
	enum outcome insn_##ID(struct execution *x)                                                                    \
	{                                                                                                              \
		return repeat(x, fn);                                                                                  \
	}

REPEATS(MOVS, movs)
REPEATS(STOS, stos)
REPEATS(LODS, lods)
REPEATS(SCAS, scas)
REPEATS(CMPS, cmps)

/* The right to the port comes before everything else, also before a REP with nothing to do. */
#define REPEATS_WITH_PORT(ID, fn)                                                                                      \
	enum outcome insn_##ID(struct execution *x)                                                                    \
	{                                                                                                              \
		if (!port_is_open(x, x->cpu->gpr[GPR_RDX] & 0xffff, x->insn->operand_bytes))                           \
			return OUTCOME_REFUSED;                                                                        \
		return repeat(x, fn);                                                                                  \
	}

REPEATS_WITH_PORT(INS, ins)
REPEATS_WITH_PORT(OUTS, outs)
