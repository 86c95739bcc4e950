/* Returns through the stack: IRET and the far RET. Both may go outwards, never inwards. SDM 2, IRET and RET; SDM 3A
 * 5.8.6, 6.14.3. */
#include "exec.h"

/* What is popped, in the order of its addresses. A far RET has no flags; RSP and SS follow when the ring changes, and
 * always in 64-bit mode after IRET. */
struct frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

static bool fail(struct trap *trap, unsigned vector, uint32_t error)
{
	*trap = (struct trap){.vector = vector, .has_error = true, .error = error};
	return false;
}

/* Reads `count` words that lie `above` RSP. */
static bool read_words(struct machine *machine, uint64_t above, unsigned bytes, unsigned count, uint64_t *words,
		       struct trap *trap)
{
	struct cpu *cpu = &machine->cpu;
	uint64_t from = low_bits(cpu->gpr[GPR_RSP] + above, stack_width(cpu));
	struct access pop = {.kind = ACCESS_READ, .mode = mmu_mode(cpu), .through_stack = true};
	struct fault fault;
	uint8_t raw[5 * sizeof(uint64_t)];
	if (!segment_reach(cpu, SREG_SS, from, (uint64_t)bytes * count, ACCESS_READ, &pop.va))
		return fail(trap, VECTOR_STACK, 0);
	if (!machine_transfer(machine, &pop, bytes == 8 ? (void *)words : raw, (uint64_t)bytes * count, &fault)) {
		*trap = trap_of_fault(&fault);
		return false;
	}
	for (unsigned i = 0; bytes < 8 && i < count; i++) {
		words[i] = 0;
		memcpy(&words[i], raw + (size_t)i * bytes, bytes);
	}
	return true;
}

uint64_t machine_pop(struct machine *machine)
{
	uint64_t word = 0;
	struct trap trap;
	unsigned bytes = stack_width(&machine->cpu) == 8 ? 8 : 4;
	while (!machine->why_stopped && !read_words(machine, 0, bytes, 1, &word, &trap)) {
		if (!trap_raise(machine, &trap))
			return 0;
	}
	machine->cpu.gpr[GPR_RSP] += bytes;
	return word;
}

/* The code segment that is returned to: its ring is the RPL of the popped selector. */
static bool check_code(struct machine *machine, uint16_t selector, struct descriptor *code, struct trap *trap)
{
	uint8_t ring = selector & 3;
	uint32_t about = selector & ~3u;
	if (about == 0)
		return fail(trap, VECTOR_PROTECTION, 0);
	if (!segment_read(machine, selector, 1, code, trap))
		return false;
	unsigned type = DESCRIPTOR_TYPE(code->low);
	uint8_t dpl = DESCRIPTOR_DPL(code->low);
	bool wrong_ring = type & DESCRIPTOR_CONFORMING ? dpl > ring : dpl != ring;
	bool both_widths = in_long_mode(&machine->cpu) && DESCRIPTOR_IS_LONG(code->low) &&
			   DESCRIPTOR_IS_32BIT(code->low);
	if (!DESCRIPTOR_IS_CODE_OR_DATA(code->low) || !(type & DESCRIPTOR_CODE) || ring < machine->cpu.cpl ||
	    wrong_ring || both_widths)
		return fail(trap, VECTOR_PROTECTION, about);
	if (!DESCRIPTOR_IS_PRESENT(code->low))
		return fail(trap, VECTOR_NOT_PRESENT, about);
	return segment_mark_accessed(machine, selector, *code, trap);
}

static bool check_stack(struct machine *machine, uint16_t selector, uint8_t ring, bool to_64bit,
			struct segment_shadow *shadow, struct trap *trap)
{
	struct descriptor data;
	if ((selector & ~3u) == 0) {
		/* 64-bit code of rings 0 to 2 needs no stack segment. */
		*shadow = (struct segment_shadow){.flags = 0};
		return (to_64bit && ring != 3 && (selector & 3) == ring) || fail(trap, VECTOR_PROTECTION, 0);
	}
	if (!segment_check_stack(machine, selector, ring, VECTOR_PROTECTION, &data, trap))
		return false;
	*shadow = segment_shadow_of(data);
	return segment_mark_accessed(machine, selector, data, trap);
}

/* The second half of both: `frame` is read as far as RSP and SS, which `has_stack` says are there. */
struct landing {
	struct segment_shadow code, stack;
	bool has_stack;
	uint64_t stack_pointer;
};

static void land(struct machine *machine, const struct frame *frame, const struct landing *landing, const char *how)
{
	struct cpu *cpu = &machine->cpu;
	uint8_t ring = frame->cs & 3;
	bool outwards = ring != cpu->cpl;
	cpu->rip = frame->rip;
	cpu->cs = (uint16_t)frame->cs;
	cpu->shadow[SREG_CS] = landing->code;
	if (landing->has_stack) {
		cpu->ss = (uint16_t)frame->ss;
		cpu->shadow[SREG_SS] = landing->stack;
	}
	register_write(cpu, GPR_RSP, stack_width(cpu), landing->stack_pointer);
	trap_set_ring(machine, ring, how);
	if (outwards)
		segments_drop_inner(cpu);
}

static bool prepare(struct machine *machine, const struct frame *frame, struct landing *landing, struct trap *trap)
{
	struct descriptor code;
	if (!check_code(machine, (uint16_t)frame->cs, &code, trap))
		return false;
	landing->code = segment_shadow_of(code);
	return true;
}

static bool finish(struct machine *machine, const struct frame *frame, struct landing *landing, struct trap *trap)
{
	bool to_64bit = in_long_mode(&machine->cpu) && SHADOW_IS_LONG(landing->code.flags);
	if (landing->has_stack &&
	    !check_stack(machine, (uint16_t)frame->ss, frame->cs & 3, to_64bit, &landing->stack, trap))
		return false;
	return code_reaches(machine, &landing->code, frame->rip) || fail(trap, VECTOR_PROTECTION, 0);
}

/* NT asks for a task switch, VM for virtual-8086 mode. The latter and the former outside long mode are no part of this
 * processor. */
static bool has_no_model(struct machine *machine, const char *what, struct trap *trap)
{
	machine_stop(machine, what);
	return fail(trap, VECTOR_PROTECTION, 0);
}

bool return_interrupt(struct machine *machine, unsigned bytes, struct trap *trap)
{
	struct cpu *cpu = &machine->cpu;
	struct frame frame = {0};
	struct landing landing = {.has_stack = in_64bit_mode(cpu)};
	if (cpu->rflags & RFLAGS_NT)
		return in_long_mode(cpu)
			   ? fail(trap, VECTOR_PROTECTION, 0)
			   : has_no_model(machine, "IRET with NT set: task switches are not modelled", trap);
	if (!read_words(machine, 0, bytes, landing.has_stack ? 5 : 3, &frame.rip, trap))
		return false;
	if ((frame.rflags & RFLAGS_VM) && cpu->cpl == 0 && !in_long_mode(cpu))
		return has_no_model(machine, "IRET to virtual-8086 mode, which is not modelled", trap);
	if (!prepare(machine, &frame, &landing, trap))
		return false;
	landing.stack_pointer = cpu->gpr[GPR_RSP] + 3 * bytes;
	if (!landing.has_stack && (frame.cs & 3) != cpu->cpl) {
		landing.has_stack = true;
		if (!read_words(machine, 3 * bytes, bytes, 2, &frame.rsp, trap))
			return false;
	}
	if (!finish(machine, &frame, &landing, trap))
		return false;
	if (landing.has_stack)
		landing.stack_pointer = frame.rsp;
	cpu->rflags = flags_popped(cpu, frame.rflags, bytes);
	machine_spend(machine, COST_IRET);
	land(machine, &frame, &landing, bytes == 8 ? "IRETQ" : "IRET");
	return true;
}

bool return_far(struct machine *machine, unsigned bytes, uint16_t released, struct trap *trap)
{
	struct cpu *cpu = &machine->cpu;
	struct frame frame = {0};
	struct landing landing = {.has_stack = false};
	uint64_t above = 2 * bytes + released;
	if (!read_words(machine, 0, bytes, 2, &frame.rip, trap) || !prepare(machine, &frame, &landing, trap))
		return false;
	landing.stack_pointer = cpu->gpr[GPR_RSP] + above;
	if ((frame.cs & 3) != cpu->cpl) {
		landing.has_stack = true;
		if (!read_words(machine, above, bytes, 2, &frame.rsp, trap))
			return false;
		landing.stack_pointer = frame.rsp + released;
	}
	if (!finish(machine, &frame, &landing, trap))
		return false;
	land(machine, &frame, &landing, "far RET");
	return true;
}

bool trap_iretq(struct machine *machine, struct trap *trap)
{
	return return_interrupt(machine, 8, trap);
}

void machine_iretq(struct machine *machine)
{
	struct trap trap;
	/* What the handler of 32-bit code executes is IRETD. */
	if (!return_interrupt(machine, in_64bit_mode(&machine->cpu) ? 8 : 4, &trap))
		(void)trap_raise(machine, &trap);
}
