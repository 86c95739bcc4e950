/* Exceptions and interrupts: from a vector through its gate to the handler, and double and triple faults. SDM 3A
 * chapter 6, above all 6.14 (64-bit mode) and 6.15 (#DF). */
#include "faultline/status.h"
#include "inner.h"
#include "trap_private.h"

#include <stdio.h>

static const struct {
	const char *name;
	bool has_error;
} vectors[VECTOR_COUNT] = {
#define X(id, number, name, error, text) [number] = {name, (error)},
    VECTOR_LIST(X)
#undef X
};

const char *vector_name(unsigned vector)
{
	BUG_ON(vector >= VECTOR_COUNT);
	return vectors[vector].name ? vectors[vector].name : "INT";
}

/* A 64-bit gate, SDM 3A figure 6-8. */
#define GATE_BYTES 16u
#define GATE_INTERRUPT 0xeu /* clears IF on the way in */
#define GATE_TRAP 0xfu

struct gate {
	uint64_t offset;
	uint16_t selector;
	uint8_t stack; /* IST index, 0: none */
	unsigned type;
	uint8_t dpl;
	bool present;
};

#define TSS_IST(index) (0x24u + 8u * ((index)-1u)) /* in a 64-bit TSS, SDM 3A figure 8-11 */

struct trap trap_of_fault(const struct fault *fault)
{
	return (struct trap){.vector = fault->vector, .has_error = true, .error = fault->error_code, .va = fault->va};
}

static bool read_gate(struct machine *machine, const struct trap *trap, struct gate *gate, struct trap *nested)
{
	uint32_t about_gate = trap_about_gate(trap);
	if (trap->vector * GATE_BYTES + GATE_BYTES - 1 > machine->cpu.idtr.limit)
		return trap_fail(nested, VECTOR_PROTECTION, about_gate);
	uint64_t raw[2];
	struct fault fault;
	struct vaddr where = vaddr_add(machine->cpu.idtr.base, (uint64_t)trap->vector * GATE_BYTES);
	if (!machine_read_system(machine, where, raw, sizeof(raw), &fault)) {
		*nested = trap_of_fault(&fault);
		return false;
	}
	*gate = (struct gate){
	    .offset = (raw[0] & 0xffff) | (raw[0] >> 48) << 16 | raw[1] << 32,
	    .selector = (uint16_t)(raw[0] >> 16),
	    .stack = (uint8_t)(raw[0] >> 32 & 7),
	    .type = DESCRIPTOR_TYPE(raw[0]),
	    .dpl = DESCRIPTOR_DPL(raw[0]),
	    .present = DESCRIPTOR_IS_PRESENT(raw[0]),
	};
	bool known = gate->type == GATE_INTERRUPT || gate->type == GATE_TRAP;
	bool closed = trap->software && gate->dpl < machine->cpu.cpl;
	if (DESCRIPTOR_IS_CODE_OR_DATA(raw[0]) || !known || closed)
		return trap_fail(nested, VECTOR_PROTECTION, about_gate);
	return gate->present || trap_fail(nested, VECTOR_NOT_PRESENT, about_gate);
}

/* The code segment that the gate names decides the new ring. */
static bool read_target(struct machine *machine, const struct trap *trap, const struct gate *gate,
			struct trap_entry *entry, struct trap *nested)
{
	if ((gate->selector & ~3u) == 0)
		return trap_fail(nested, VECTOR_PROTECTION, trap_external(trap));
	struct descriptor code;
	if (!segment_read(machine, gate->selector, 1, &code, nested)) {
		if (nested->vector == VECTOR_PROTECTION)
			nested->error |= trap_external(trap);
		return false;
	}
	uint32_t about_segment = (gate->selector & ~3u) | trap_external(trap);
	unsigned type = DESCRIPTOR_TYPE(code.low);
	if (!DESCRIPTOR_IS_CODE_OR_DATA(code.low) || !(type & DESCRIPTOR_CODE) ||
	    DESCRIPTOR_DPL(code.low) > machine->cpu.cpl)
		return trap_fail(nested, VECTOR_PROTECTION, about_segment);
	if (!DESCRIPTOR_IS_PRESENT(code.low))
		return trap_fail(nested, VECTOR_NOT_PRESENT, about_segment);
	if (!DESCRIPTOR_IS_LONG(code.low) || DESCRIPTOR_IS_32BIT(code.low))
		return trap_fail(nested, VECTOR_PROTECTION, about_segment);
	entry->ring = type & DESCRIPTOR_CONFORMING ? machine->cpu.cpl : DESCRIPTOR_DPL(code.low);
	entry->code = code;
	return segment_mark_accessed(machine, gate->selector, code, nested);
}

/* For the handler: from the TSS when the ring changes or the gate names an IST entry, else the current one. */
static bool pick_stack(struct machine *machine, const struct trap *trap, const struct gate *gate, uint8_t ring,
		       struct new_stack *stack, struct trap *nested)
{
	uint32_t external = trap_external(trap);
	bool changes = ring != machine->cpu.cpl;
	stack_keep(&machine->cpu, external, stack);
	if (changes && !gate->stack && !stack_of_ring(machine, ring, external, stack, nested))
		return false;
	if (gate->stack) {
		if (!tss_read(machine, TSS_IST(gate->stack), 8, external, &stack->pointer, nested))
			return false;
		if (changes) {
			stack->selector = ring;
			stack->shadow = (struct segment_shadow){.flags = 0};
		}
	}
	if (ring < 3)
		stack->mode = MODE_IMPLICIT;
	stack->pointer &= ~(uint64_t)15; /* aligned before the frame is pushed: SDM 3A 6.14.2 */
	return true;
}

static bool push_frame(struct machine *machine, const struct trap *trap, struct new_stack *stack, unsigned *words,
		       struct trap *nested)
{
	const struct cpu *cpu = &machine->cpu;
	uint64_t frame[6] = {
	    trap->error, cpu->rip + trap->length, cpu->cs, trap_saved_flags(machine, trap), cpu->gpr[GPR_RSP], cpu->ss};
	*words = trap->has_error ? 6 : 5;
	return stack_push_words(machine, stack, sizeof(uint64_t), frame + (6 - *words), *words, nested);
}

void trap_set_ring(struct machine *machine, uint8_t cpl, const char *how)
{
	uint8_t from = machine->cpu.cpl;
	machine->cpu.cpl = cpl;
	machine->bus->ring = cpl;
	if (from == cpl)
		return;
	machine->stats.ring_changes++;
	emit(machine->bus, EVENT_RING, from, cpl, event_text(how), machine->cpu.rip);
}

static void count(struct machine *machine, const struct trap *trap)
{
	machine->stats.exceptions++;
	machine->stats.vectors[trap->vector]++;
	machine->stats.exceptions_from_ring3 += machine->cpu.cpl == 3;
	machine_spend(machine, COST_EXCEPTION);
	emit(machine->bus, EVENT_EXCEPTION, event_text(vector_name(trap->vector)), trap->error, trap->va.v,
	     machine->cpu.rip);
}

void trap_enter_handler(struct machine *machine, const struct trap *trap, const struct trap_entry *entry)
{
	struct cpu *cpu = &machine->cpu;
	count(machine, trap);
	stack_take(cpu, entry->stack);
	cpu->cs = (uint16_t)((entry->selector & ~3u) | entry->ring);
	cpu->shadow[SREG_CS] = segment_shadow_of(entry->code);
	cpu->rip = entry->offset;
	cpu->rflags &= ~(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM);
	if (entry->clears_if)
		cpu->rflags &= ~RFLAGS_IF;
	trap_set_ring(machine, entry->ring, vector_name(trap->vector));
	emit(machine->bus, EVENT_PUSH, entry->stack->pointer, entry->words);
}

/* Everything up to the first instruction of the handler. False: *nested happened on the way. */
static bool deliver_long(struct machine *machine, const struct trap *trap, struct trap *nested)
{
	struct gate gate;
	struct new_stack stack;
	struct trap_entry entry = {.stack = &stack};
	if (!read_gate(machine, trap, &gate, nested) || !read_target(machine, trap, &gate, &entry, nested) ||
	    !pick_stack(machine, trap, &gate, entry.ring, &stack, nested) ||
	    !push_frame(machine, trap, &stack, &entry.words, nested))
		return false;
	if (!vaddr_is_canonical(vaddr(gate.offset), machine->mmu->paging.levels))
		return trap_fail(nested, VECTOR_PROTECTION, trap_external(trap));
	entry.selector = gate.selector;
	entry.offset = gate.offset;
	entry.clears_if = gate.type == GATE_INTERRUPT;
	trap_enter_handler(machine, trap, &entry);
	return true;
}

static bool deliver(struct machine *machine, const struct trap *trap, struct trap *nested)
{
	struct cpu *cpu = &machine->cpu;
	if (trap->vector == VECTOR_PAGE_FAULT && !trap->software)
		cpu->cr2 = trap->va.v;
	return in_long_mode(cpu) ? deliver_long(machine, trap, nested) : trap_deliver_legacy(machine, trap, nested);
}

/* SDM 3A table 6-4. */
enum trap_class { TRAP_BENIGN, TRAP_CONTRIBUTORY, TRAP_PAGE_FAULT, TRAP_DOUBLE_FAULT };

static enum trap_class classify(const struct trap *trap)
{
	if (trap->software)
		return TRAP_BENIGN;
	switch (trap->vector) {
	case VECTOR_DIVIDE:
	case VECTOR_INVALID_TSS:
	case VECTOR_NOT_PRESENT:
	case VECTOR_STACK:
	case VECTOR_PROTECTION:
		return TRAP_CONTRIBUTORY;
	case VECTOR_PAGE_FAULT:
		return TRAP_PAGE_FAULT;
	case VECTOR_DOUBLE_FAULT:
		return TRAP_DOUBLE_FAULT;
	default:
		return TRAP_BENIGN;
	}
}

/* SDM 3A table 6-5: what is delivered when `second` happened while `first` was. False: triple fault. */
static bool combine(const struct trap *first, const struct trap *second, struct trap *out)
{
	static const bool makes_double[3][3] = {
	    [TRAP_CONTRIBUTORY] = {[TRAP_CONTRIBUTORY] = true},
	    [TRAP_PAGE_FAULT] = {[TRAP_CONTRIBUTORY] = true, [TRAP_PAGE_FAULT] = true},
	};
	enum trap_class before = classify(first);
	if (before == TRAP_DOUBLE_FAULT)
		return false;
	*out = *second;
	if (makes_double[before][classify(second)])
		*out = (struct trap){.vector = VECTOR_DOUBLE_FAULT, .has_error = true};
	return true;
}

/* One link of the chain that ended in a triple fault. */
static void describe(struct machine *machine, const struct trap *trap, const char *before)
{
	size_t used = strlen(machine->why);
	int more = snprintf(machine->why + used, sizeof(machine->why) - used, "%s%s", before,
			    vector_name(trap->vector));
	if (trap->has_error && more > 0) {
		used = strlen(machine->why);
		more = snprintf(machine->why + used, sizeof(machine->why) - used, " (error code 0x%x)", trap->error);
	}
	if (trap->vector == VECTOR_PAGE_FAULT && more > 0) {
		used = strlen(machine->why);
		(void)snprintf(machine->why + used, sizeof(machine->why) - used, " at address 0x%llx",
			       (unsigned long long)trap->va.v);
	}
}

static void begin_chain(struct machine *machine, const struct trap *trap)
{
	(void)snprintf(machine->why, sizeof(machine->why),
		       "triple fault at RIP 0x%llx in ring %u: ", (unsigned long long)machine->cpu.rip,
		       machine->cpu.cpl);
	describe(machine, trap, "");
}

/* The first delivery has failed. Each that follows does so in the state of the first: nothing was changed. */
static bool deliver_what_follows(struct machine *machine, const struct trap *trap, struct trap nested)
{
	struct trap first = *trap;
	struct trap second;
	begin_chain(machine, trap);
	while (combine(&first, &nested, &second)) {
		describe(machine, &nested, ", which could not be delivered because of ");
		if (nested.vector == VECTOR_PAGE_FAULT)
			machine->cpu.cr2 = nested.va.v;
		if (second.vector == VECTOR_DOUBLE_FAULT)
			describe(machine, &second, "; that makes a ");
		if (deliver(machine, &second, &nested))
			return true;
		if (machine->why_stopped)
			return false;
		first = second;
	}
	describe(machine, &nested, ", which could not be delivered because of ");
	machine_stop(machine, machine->why);
	return false;
}

bool trap_deliver(struct machine *machine, const struct trap *trap)
{
	struct trap nested;
	if (deliver(machine, trap, &nested))
		return true;
	return !machine->why_stopped && deliver_what_follows(machine, trap, nested);
}

struct trap_origin trap_origin(const struct machine *machine)
{
	const struct cpu *cpu = &machine->cpu;
	return (struct trap_origin){cpu->rip, cpu->gpr[GPR_RSP], cpu->cr3, cpu->cpl};
}

bool trap_came_back(const struct machine *machine, const struct trap_origin *origin)
{
	struct trap_origin now = trap_origin(machine);
	return !machine->why_stopped && now.rip == origin->rip && now.rsp == origin->rsp && now.cr3 == origin->cr3 &&
	       now.cpl == origin->cpl;
}

/* Handlers that fault on their own way in would nest until the stack ran over everything else in RAM. */
enum { MAX_DEPTH = 64 };

bool trap_raise(struct machine *machine, const struct trap *trap)
{
	struct trap_origin origin = trap_origin(machine);
	origin.rip += trap->length;
	if (machine->depth == MAX_DEPTH)
		machine_stop(machine, "exceptions nest without end: each handler raises the next one");
	if (machine->why_stopped)
		return false;
	machine->depth++;
	if (trap_deliver(machine, trap))
		trap_run_handler(machine, &origin);
	machine->depth--;
	if (!trap_came_back(machine, &origin))
		return false;
	machine->cpu.rflags &= ~RFLAGS_RF; /* the instruction that restarts ends it */
	return true;
}

bool trap_raise_fault(struct machine *machine, const struct fault *fault)
{
	struct trap trap = trap_of_fault(fault);
	return trap_raise(machine, &trap);
}

bool trap_raise_vector(struct machine *machine, unsigned vector, uint32_t error)
{
	struct trap trap = {.vector = vector, .has_error = vectors[vector].has_error, .error = error};
	return trap_raise(machine, &trap);
}

bool machine_interrupt(struct machine *machine, unsigned vector)
{
	struct trap trap = {.vector = vector, .software = true};
	return trap_raise(machine, &trap);
}

bool machine_exception(struct machine *machine, unsigned vector, const uint32_t *error, struct vaddr va)
{
	struct trap trap = {.vector = vector, .has_error = error != NULL, .error = error ? *error : 0, .va = va};
	return trap_raise(machine, &trap);
}
