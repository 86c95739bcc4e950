/* Far JMP and CALL: to another code segment, or through a call gate, which may lead into an inner ring. SDM 3A 5.8.1 to
 * 5.8.5; the order of checks: SDM 2, JMP and CALL. */
#include "inner.h"
#include "insn_rows.h"

struct target {
	uint16_t selector;
	uint64_t rip;
	struct segment_shadow code;
	uint8_t ring;       /* after the transfer */
	unsigned bytes;     /* of what a call pushes */
	unsigned arguments; /* words that a legacy gate copies */
};

static enum outcome refuse_selector(struct execution *x, unsigned vector, uint16_t selector)
{
	return refuse(x, vector, selector & ~3u);
}

/* The code segment is loaded with the new ring as its RPL. */
static bool take_code(struct execution *x, const struct descriptor *code, struct target *target)
{
	target->code = segment_shadow_of(*code);
	target->selector = (uint16_t)((target->selector & ~3u) | target->ring);
	return segment_mark_accessed(x->machine, target->selector, *code, &x->trap);
}

/* Directly to a code segment: the ring stays. */
static enum outcome aim_at_code(struct execution *x, const struct descriptor *code, struct target *target)
{
	unsigned type = DESCRIPTOR_TYPE(code->low);
	uint8_t dpl = DESCRIPTOR_DPL(code->low), cpl = x->cpu->cpl;
	bool wrong = type & DESCRIPTOR_CONFORMING ? dpl > cpl : (target->selector & 3) > cpl || dpl != cpl;
	bool both_widths = in_long_mode(x->cpu) && DESCRIPTOR_IS_LONG(code->low) && DESCRIPTOR_IS_32BIT(code->low);
	if (wrong || both_widths)
		return refuse_selector(x, VECTOR_PROTECTION, target->selector);
	if (!DESCRIPTOR_IS_PRESENT(code->low))
		return refuse_selector(x, VECTOR_NOT_PRESENT, target->selector);
	target->ring = cpl;
	return take_code(x, code, target) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

static enum outcome enter_gate(struct execution *x, bool is_call, const struct descriptor *gate, struct target *target)
{
	struct descriptor code;
	bool long_mode = in_long_mode(x->cpu);
	bool short_gate = DESCRIPTOR_TYPE(gate->low) == SYSTEM_CALL_GATE_16;
	target->selector = (uint16_t)(gate->low >> 16);
	target->rip = (gate->low & 0xffff) | (short_gate ? 0 : gate->low >> 48 << 16) |
		      (long_mode ? gate->high << 32 : 0);
	target->bytes = long_mode ? 8 : short_gate ? 2 : 4;
	target->arguments = long_mode ? 0 : (unsigned)(gate->low >> 32 & 31);
	if ((target->selector & ~3u) == 0)
		return refuse_protection(x);
	if (!segment_read(x->machine, target->selector, 1, &code, &x->trap))
		return OUTCOME_REFUSED;
	unsigned type = DESCRIPTOR_TYPE(code.low);
	bool conforming = (type & DESCRIPTOR_CONFORMING) != 0;
	uint8_t dpl = DESCRIPTOR_DPL(code.low), cpl = x->cpu->cpl;
	bool not_64bit = long_mode && (!DESCRIPTOR_IS_LONG(code.low) || DESCRIPTOR_IS_32BIT(code.low));
	/* Only a CALL goes inwards. */
	if (!DESCRIPTOR_IS_CODE_OR_DATA(code.low) || !(type & DESCRIPTOR_CODE) || dpl > cpl ||
	    (!conforming && !is_call && dpl != cpl) || not_64bit)
		return refuse_selector(x, VECTOR_PROTECTION, target->selector);
	if (!DESCRIPTOR_IS_PRESENT(code.low))
		return refuse_selector(x, VECTOR_NOT_PRESENT, target->selector);
	target->ring = conforming ? cpl : dpl;
	return take_code(x, &code, target) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

static enum outcome aim_at_gate(struct execution *x, bool is_call, struct descriptor gate, struct target *target)
{
	uint16_t selector = target->selector;
	uint8_t dpl = DESCRIPTOR_DPL(gate.low);
	if (dpl < x->cpu->cpl || dpl < (selector & 3))
		return refuse_selector(x, VECTOR_PROTECTION, selector);
	if (!DESCRIPTOR_IS_PRESENT(gate.low))
		return refuse_selector(x, VECTOR_NOT_PRESENT, selector);
	if (in_long_mode(x->cpu)) {
		/* Twice as long, and the type field of the second half must be clear. SDM 3A figure 5-9 */
		if (!segment_read(x->machine, selector, 2, &gate, &x->trap))
			return OUTCOME_REFUSED;
		if (gate.high >> 40 & 31)
			return refuse_selector(x, VECTOR_PROTECTION, selector);
	}
	return enter_gate(x, is_call, &gate, target);
}

static enum outcome no_task_switch(struct execution *x)
{
	machine_stop(x->machine, "a far transfer to a task: task switches are not modelled");
	return OUTCOME_STOPPED;
}

/* TSSs and task gates. */
static enum outcome aim_at_task(struct execution *x, const struct descriptor *task, uint16_t selector)
{
	uint8_t dpl = DESCRIPTOR_DPL(task->low);
	if (dpl < x->cpu->cpl || dpl < (selector & 3))
		return refuse_selector(x, VECTOR_PROTECTION, selector);
	if (!DESCRIPTOR_IS_PRESENT(task->low))
		return refuse_selector(x, VECTOR_NOT_PRESENT, selector);
	return no_task_switch(x);
}

static enum outcome aim(struct execution *x, bool is_call, struct target *target)
{
	struct descriptor found;
	uint16_t selector = target->selector;
	bool long_mode = in_long_mode(x->cpu);
	if ((selector & ~3u) == 0)
		return refuse_protection(x);
	if (!segment_read(x->machine, selector, 1, &found, &x->trap))
		return OUTCOME_REFUSED;
	unsigned type = DESCRIPTOR_TYPE(found.low);
	if (DESCRIPTOR_IS_CODE_OR_DATA(found.low)) {
		return type & DESCRIPTOR_CODE ? aim_at_code(x, &found, target)
					      : refuse_selector(x, VECTOR_PROTECTION, selector);
	}
	if (type == SYSTEM_CALL_GATE || (type == SYSTEM_CALL_GATE_16 && !long_mode))
		return aim_at_gate(x, is_call, found, target);
	if (!long_mode && (type == SYSTEM_TASK_GATE || type == SYSTEM_TSS || type == SYSTEM_TSS_16))
		return aim_at_task(x, &found, selector);
	return refuse_selector(x, VECTOR_PROTECTION, selector);
}

static enum outcome arrive(struct execution *x, const struct target *target, const char *how)
{
	struct cpu *cpu = x->cpu;
	cpu->cs = target->selector;
	cpu->shadow[SREG_CS] = target->code;
	cpu->rip = target->rip;
	execution_tell(x);
	trap_set_ring(x->machine, target->ring, how);
	return OUTCOME_JUMPED;
}

/* The old SS:RSP, the arguments that the gate says, and the return address. */
static enum outcome call_inwards(struct execution *x, const struct target *target)
{
	struct cpu *cpu = x->cpu;
	struct new_stack stack;
	enum { MAX_ARGUMENTS = 31 };
	uint64_t arguments[MAX_ARGUMENTS];
	const uint64_t old_stack[2] = {cpu->gpr[GPR_RSP], cpu->ss};
	const uint64_t back[2] = {x->next_rip, cpu->cs};
	if (!stack_of_ring(x->machine, target->ring, 0, &stack, &x->trap))
		return OUTCOME_REFUSED;
	for (unsigned i = 0; i < target->arguments; i++) {
		if (!stack_peek(x, (uint64_t)i * target->bytes, target->bytes, &arguments[i]))
			return OUTCOME_REFUSED;
	}
	if (!stack_push_words(x->machine, &stack, target->bytes, old_stack, 2, &x->trap))
		return OUTCOME_REFUSED;
	for (unsigned i = target->arguments; i > 0; i--) {
		if (!stack_push_words(x->machine, &stack, target->bytes, &arguments[i - 1], 1, &x->trap))
			return OUTCOME_REFUSED;
	}
	if (!stack_push_words(x->machine, &stack, target->bytes, back, 2, &x->trap))
		return OUTCOME_REFUSED;
	if (!code_reaches(x->machine, &target->code, target->rip))
		return refuse_protection(x);
	stack_take(cpu, &stack);
	return arrive(x, target, "far CALL");
}

static bool push_return_address(struct execution *x, const struct target *target)
{
	const uint64_t back[2] = {x->next_rip, x->cpu->cs};
	struct new_stack stack;
	stack_keep(x->cpu, 0, &stack);
	stack.mode = mmu_mode(x->cpu);
	stack.width = stack_width(x->cpu);
	if (!stack_push_words(x->machine, &stack, target->bytes, back, 2, &x->trap))
		return false;
	register_write(x->cpu, GPR_RSP, stack.width, stack.pointer);
	return true;
}

static enum outcome transfer(struct execution *x, bool is_call, uint16_t selector, uint64_t offset)
{
	struct target target = {.selector = selector, .rip = offset, .bytes = x->insn->operand_bytes};
	enum outcome aimed = aim(x, is_call, &target);
	if (aimed != OUTCOME_DONE)
		return aimed;
	if (target.ring != x->cpu->cpl)
		return call_inwards(x, &target);
	if (is_call && !push_return_address(x, &target))
		return OUTCOME_REFUSED;
	if (!code_reaches(x->machine, &target.code, target.rip))
		return refuse_protection(x);
	return arrive(x, &target, "far CALL");
}

/* The operand is selector:offset, in the instruction or in memory. */
static enum outcome far_transfer(struct execution *x, bool is_call)
{
	const struct operand *o = operand(x, 0);
	unsigned bytes = x->insn->operand_bytes;
	uint64_t offset = 0;
	uint16_t selector;
	if (o->kind == OPERAND_POINTER)
		return transfer(x, is_call, o->selector, low_bits(o->value, bytes));
	uint64_t from = effective_address(x, o);
	if (!memory_read(x, o->segment, from, bytes, &offset) ||
	    !memory_read(x, o->segment, low_bits(from + bytes, x->insn->address_bytes), 2, &selector))
		return OUTCOME_REFUSED;
	return transfer(x, is_call, selector, offset);
}

enum outcome insn_JMP_FAR(struct execution *x)
{
	return far_transfer(x, false);
}

enum outcome insn_CALL_FAR(struct execution *x)
{
	return far_transfer(x, true);
}

enum outcome insn_RET_FAR(struct execution *x)
{
	uint16_t released = x->insn->count ? (uint16_t)operand(x, 0)->value : 0;
	return return_far(x->machine, x->insn->operand_bytes, released, &x->trap) ? OUTCOME_JUMPED : OUTCOME_REFUSED;
}

enum outcome insn_IRET(struct execution *x)
{
	return return_interrupt(x->machine, x->insn->operand_bytes, &x->trap) ? OUTCOME_JUMPED : OUTCOME_REFUSED;
}
