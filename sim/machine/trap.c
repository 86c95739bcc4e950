/* Exceptions and interrupts: from a vector through its gate to the handler, and double and triple faults. SDM 3A
 * chapter 6, above all 6.14 (64-bit mode) and 6.15 (#DF). */
#include "faultline/status.h"
#include "machine_private.h"

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

/* Where fields lie in a 64-bit TSS, SDM 3A figure 8-11. */
#define TSS_RSP(ring) (4u + 8u * (ring))
#define TSS_IST(index) (0x24u + 8u * ((index)-1u))

/* Error code of a fault that concerns a gate or a selector during delivery: bit 0 EXT says that no instruction asked
 * for it, bit 1 IDT that the index is a vector. */
static uint32_t external(const struct trap *trap)
{
	return trap->software ? 0 : 1;
}

/* Something happened on the way to the handler. */
static bool fail(struct trap *nested, unsigned vector, uint32_t error)
{
	*nested = (struct trap){.vector = vector, .has_error = true, .error = error};
	return false;
}

struct trap trap_of_fault(const struct fault *fault)
{
	return (struct trap){.vector = fault->vector, .has_error = true, .error = fault->error_code, .va = fault->va};
}

static bool read_gate(struct machine *machine, const struct trap *trap, struct gate *gate, struct trap *nested)
{
	uint32_t about_gate = trap->vector * 8 + 2 + external(trap);
	if (trap->vector * GATE_BYTES + GATE_BYTES - 1 > machine->cpu.idtr.limit)
		return fail(nested, VECTOR_PROTECTION, about_gate);
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
		return fail(nested, VECTOR_PROTECTION, about_gate);
	return gate->present || fail(nested, VECTOR_NOT_PRESENT, about_gate);
}

/* The code segment that the gate names decides the new ring. */
static bool read_target(struct machine *machine, const struct trap *trap, const struct gate *gate, uint8_t *ring,
			struct trap *nested)
{
	if ((gate->selector & ~3u) == 0)
		return fail(nested, VECTOR_PROTECTION, external(trap));
	struct descriptor code;
	if (!segment_read(machine, gate->selector, 1, &code, nested)) {
		if (nested->vector == VECTOR_PROTECTION)
			nested->error |= external(trap);
		return false;
	}
	uint32_t about_segment = (gate->selector & ~3u) | external(trap);
	unsigned type = DESCRIPTOR_TYPE(code.low);
	if (!DESCRIPTOR_IS_CODE_OR_DATA(code.low) || !(type & DESCRIPTOR_CODE) ||
	    DESCRIPTOR_DPL(code.low) > machine->cpu.cpl)
		return fail(nested, VECTOR_PROTECTION, about_segment);
	if (!DESCRIPTOR_IS_PRESENT(code.low))
		return fail(nested, VECTOR_NOT_PRESENT, about_segment);
	if (!DESCRIPTOR_IS_LONG(code.low) || DESCRIPTOR_IS_32BIT(code.low))
		return fail(nested, VECTOR_PROTECTION, about_segment);
	*ring = type & DESCRIPTOR_CONFORMING ? machine->cpu.cpl : DESCRIPTOR_DPL(code.low);
	return segment_mark_accessed(machine, gate->selector, code, nested);
}

/* RSP for the handler: from the TSS when the ring changes or the gate names an IST entry, else the current one. */
static bool pick_stack(struct machine *machine, const struct trap *trap, const struct gate *gate, uint8_t ring,
		       uint64_t *rsp, struct trap *nested)
{
	*rsp = machine->cpu.gpr[GPR_RSP];
	if (gate->stack || ring != machine->cpu.cpl) {
		uint32_t offset = gate->stack ? TSS_IST(gate->stack) : TSS_RSP(ring);
		if (offset + 7 > machine->tss_limit)
			return fail(nested, VECTOR_INVALID_TSS, (machine->cpu.tr & ~3u) | external(trap));
		struct fault fault;
		if (!machine_read_system(machine, vaddr_add(machine->cpu.tss_base, offset), rsp, 8, &fault)) {
			*nested = trap_of_fault(&fault);
			return false;
		}
	}
	*rsp &= ~(uint64_t)15; /* aligned before the frame is pushed: SDM 3A 6.14.2 */
	return true;
}

static bool push_frame(struct machine *machine, const struct trap *trap, uint64_t *rsp, unsigned *words,
		       struct trap *nested)
{
	const struct cpu *cpu = &machine->cpu;
	uint64_t frame[6] = {trap->error, cpu->rip, cpu->cs, cpu->rflags, cpu->gpr[GPR_RSP], cpu->ss};
	*words = trap->has_error ? 6 : 5;
	*rsp -= *words * sizeof(uint64_t);
	struct access push = {.va = vaddr(*rsp), .kind = ACCESS_WRITE, .mode = MODE_IMPLICIT, .through_stack = true};
	struct fault fault;
	if (machine_transfer(machine, &push, frame + (6 - *words), *words * sizeof(uint64_t), &fault))
		return true;
	*nested = trap_of_fault(&fault);
	if (fault.vector == VECTOR_STACK)
		nested->error = external(trap);
	return false;
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

static void count_delivery(struct machine *machine, const struct trap *trap)
{
	machine->stats.exceptions++;
	machine->stats.vectors[trap->vector]++;
	machine->stats.exceptions_from_ring3 += machine->cpu.cpl == 3;
	machine_spend(machine, COST_EXCEPTION);
	emit(machine->bus, EVENT_EXCEPTION, event_text(vector_name(trap->vector)), trap->error, trap->va.v,
	     machine->cpu.rip);
}

/* Everything up to the first instruction of the handler. False: *nested happened on the way. */
static bool deliver(struct machine *machine, const struct trap *trap, struct trap *nested)
{
	struct cpu *cpu = &machine->cpu;
	struct gate gate;
	uint8_t ring;
	uint64_t rsp;
	unsigned words;
	if (trap->vector == VECTOR_PAGE_FAULT && !trap->software)
		cpu->cr2 = trap->va.v;
	if (!read_gate(machine, trap, &gate, nested) || !read_target(machine, trap, &gate, &ring, nested) ||
	    !pick_stack(machine, trap, &gate, ring, &rsp, nested) || !push_frame(machine, trap, &rsp, &words, nested))
		return false;
	if (!vaddr_is_canonical(vaddr(gate.offset), machine->mmu->paging.levels))
		return fail(nested, VECTOR_PROTECTION, external(trap));
	count_delivery(machine, trap);
	if (ring != cpu->cpl)
		cpu->ss = ring; /* a null selector with the ring as its RPL */
	cpu->gpr[GPR_RSP] = rsp;
	cpu->cs = (uint16_t)((gate.selector & ~3u) | ring);
	cpu->rip = gate.offset;
	cpu->rflags &= ~(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF);
	if (gate.type == GATE_INTERRUPT)
		cpu->rflags &= ~RFLAGS_IF;
	trap_set_ring(machine, ring, vector_name(trap->vector));
	emit(machine->bus, EVENT_PUSH, rsp, words);
	return true;
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

/* Delivers the trap, or what its failing delivery makes of it. False: the machine stopped. */
static bool deliver_or_what_follows(struct machine *machine, const struct trap *trap)
{
	struct trap nested;
	if (deliver(machine, trap, &nested))
		return true;
	struct trap first = *trap;
	struct trap second;
	while (combine(&first, &nested, &second)) {
		if (deliver(machine, &second, &nested))
			return true;
		first = second;
	}
	machine_stop(machine, "triple fault: the double fault could not be delivered");
	return false;
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
	if (machine->depth == MAX_DEPTH)
		machine_stop(machine, "exceptions nest without end: each handler raises the next one");
	if (machine->why_stopped)
		return false;
	machine->depth++;
	if (deliver_or_what_follows(machine, trap))
		trap_run_handler(machine);
	machine->depth--;
	return trap_came_back(machine, &origin);
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

bool trap_software(struct machine *machine, unsigned vector)
{
	/* INT n pushes no error code, whatever the vector: SDM 2, INT. */
	struct trap trap = {.vector = vector, .software = true};
	return trap_raise(machine, &trap);
}

bool machine_exception(struct machine *machine, unsigned vector, const uint32_t *error, struct vaddr va)
{
	struct trap trap = {.vector = vector, .has_error = error != NULL, .error = error ? *error : 0, .va = va};
	return trap_raise(machine, &trap);
}
