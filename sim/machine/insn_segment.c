/* Segment registers and descriptors, as any ring may use them. SDM 3A 5.10; SDM 2. */
#include "insn_rows.h"

static enum outcome load(struct execution *x, unsigned which, uint16_t selector)
{
	return segment_load(x->machine, (enum segment_register)which, selector, &x->trap) ? OUTCOME_DONE
											  : OUTCOME_REFUSED;
}

enum outcome insn_MOV_TO_SREG(struct execution *x)
{
	uint64_t selector;
	return operand_read(x, 1, &selector) ? load(x, operand(x, 0)->reg, (uint16_t)selector) : OUTCOME_REFUSED;
}

enum outcome insn_MOV_FROM_SREG(struct execution *x)
{
	return operand_write(x, 0, x->cpu->sreg[operand(x, 1)->reg]) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

/* LDS, LES, LFS, LGS, LSS: the mnemonic's second letter names the register. */
enum outcome insn_LOAD_FAR(struct execution *x)
{
	static const char letters[SREG_COUNT] = {'e', 'c', 's', 'd', 'f', 'g'};
	const struct operand *o = operand(x, 1);
	unsigned bytes = operand(x, 0)->bytes, which = SREG_ES;
	uint64_t offset = 0, from = effective_address(x, o);
	uint16_t selector;
	while (letters[which] != x->insn->text[1])
		which++;
	if (!memory_read(x, o->segment, from, bytes, &offset) ||
	    !memory_read(x, o->segment, low_bits(from + bytes, x->insn->address_bytes), 2, &selector))
		return OUTCOME_REFUSED;
	enum outcome outcome = load(x, which, selector);
	if (outcome == OUTCOME_DONE)
		(void)operand_write(x, 0, offset);
	return outcome;
}

/* Raises the RPL of the destination to that of the source. */
enum outcome insn_ARPL(struct execution *x)
{
	uint64_t a, b;
	if (!operand_modify(x, 0, &a) || !operand_read(x, 1, &b))
		return OUTCOME_REFUSED;
	bool lower = (a & 3) < (b & 3);
	flags_put(x->cpu, RFLAGS_ZF, lower ? RFLAGS_ZF : 0);
	if (lower && !operand_write(x, 0, (a & ~(uint64_t)3) | (b & 3)))
		return OUTCOME_REFUSED;
	return OUTCOME_DONE;
}

/* ---- questions about a selector: the answer is ZF, not a fault ---- */

enum question { ASK_READ, ASK_WRITE, ASK_RIGHTS, ASK_LIMIT };

/* System types that LAR and LSL answer for; in long mode fewer. SDM 2A, LAR table 3-54, LSL table 3-56 */
static bool system_type_answers(const struct cpu *cpu, unsigned type, enum question question)
{
	const uint16_t legacy_limits = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 9 | 1u << 11;
	const uint16_t legacy_rights = legacy_limits | 1u << 4 | 1u << 5 | 1u << 12;
	const uint16_t long_limits = 1u << 2 | 1u << 9 | 1u << 11;
	const uint16_t long_rights = long_limits | 1u << 12;
	if (question == ASK_READ || question == ASK_WRITE)
		return false;
	bool limit = question == ASK_LIMIT;
	uint16_t known = in_long_mode(cpu) ? limit ? long_limits : long_rights : limit ? legacy_limits : legacy_rights;
	return known >> type & 1;
}

static bool is_visible(const struct cpu *cpu, uint16_t selector, uint64_t word, enum question question)
{
	unsigned type = DESCRIPTOR_TYPE(word);
	uint8_t dpl = DESCRIPTOR_DPL(word);
	bool plain = DESCRIPTOR_IS_CODE_OR_DATA(word);
	bool code = plain && (type & DESCRIPTOR_CODE);
	if (!plain && !system_type_answers(cpu, type, question))
		return false;
	if (!(code && (type & DESCRIPTOR_CONFORMING)) && (cpu->cpl > dpl || (selector & 3) > dpl))
		return false;
	if (question == ASK_READ)
		return !code || (type & DESCRIPTOR_READABLE);
	return question != ASK_WRITE || (!code && (type & DESCRIPTOR_WRITABLE));
}

/* False: x->trap, of reading the table. */
static bool ask(struct execution *x, uint16_t selector, enum question question, struct descriptor *out, bool *answer)
{
	*answer = false;
	if ((selector & ~3u) == 0)
		return true;
	if (!segment_read(x->machine, selector, 1, out, &x->trap))
		return x->trap.vector == VECTOR_PROTECTION && x->trap.error == (selector & ~3u);
	*answer = is_visible(x->cpu, selector, out->low, question);
	return true;
}

static enum outcome verify(struct execution *x, enum question question)
{
	uint64_t selector;
	struct descriptor descriptor;
	bool answer;
	if (!operand_read(x, 0, &selector) || !ask(x, (uint16_t)selector, question, &descriptor, &answer))
		return OUTCOME_REFUSED;
	flags_put(x->cpu, RFLAGS_ZF, answer ? RFLAGS_ZF : 0);
	return OUTCOME_DONE;
}

enum outcome insn_VERR(struct execution *x)
{
	return verify(x, ASK_READ);
}

enum outcome insn_VERW(struct execution *x)
{
	return verify(x, ASK_WRITE);
}

/* The selector is 16 bits wide, also in memory. */
static bool read_selector(struct execution *x, uint16_t *selector)
{
	const struct operand *o = operand(x, 1);
	uint64_t value;
	if (o->kind == OPERAND_MEMORY)
		return memory_read(x, o->segment, effective_address(x, o), 2, selector);
	(void)operand_read(x, 1, &value);
	*selector = (uint16_t)value;
	return true;
}

static enum outcome load_answer(struct execution *x, enum question question)
{
	uint16_t selector;
	struct descriptor descriptor;
	bool answer;
	if (!read_selector(x, &selector) || !ask(x, selector, question, &descriptor, &answer))
		return OUTCOME_REFUSED;
	flags_put(x->cpu, RFLAGS_ZF, answer ? RFLAGS_ZF : 0);
	if (!answer)
		return OUTCOME_DONE;
	uint64_t rights = descriptor.low >> 32 & 0x00ffff00;
	uint64_t value = question == ASK_RIGHTS ? rights : segment_shadow_of(descriptor).limit;
	return operand_write(x, 0, value) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_LAR(struct execution *x)
{
	return load_answer(x, ASK_RIGHTS);
}

enum outcome insn_LSL(struct execution *x)
{
	return load_answer(x, ASK_LIMIT);
}
