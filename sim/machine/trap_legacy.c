/* Delivery outside long mode: gates of 8 bytes, frames of words as wide as the gate. SDM 3A 6.11, 6.12; the order of
 * checks: SDM 2, INT n. */
#include "trap_private.h"

enum { GATE_BYTES = 8, GATE_TASK = 5, GATE_INTERRUPT_16 = 6, GATE_TRAP_16 = 7, GATE_INTERRUPT = 14, GATE_TRAP = 15 };

struct gate {
	uint16_t selector;
	uint32_t offset;
	unsigned type;
};

static bool is_known(unsigned type)
{
	return type == GATE_TASK || type == GATE_INTERRUPT_16 || type == GATE_TRAP_16 || type == GATE_INTERRUPT ||
	       type == GATE_TRAP;
}

static bool read_gate(struct machine *machine, const struct trap *trap, struct gate *gate, struct trap *nested)
{
	const struct descriptor_table *idt = &machine->cpu.idtr;
	uint64_t word;
	struct fault fault;
	if (trap->vector * GATE_BYTES + GATE_BYTES - 1 > idt->limit)
		return trap_fail(nested, VECTOR_PROTECTION, trap_about_gate(trap));
	struct vaddr where = vaddr_add(idt->base, (uint64_t)trap->vector * GATE_BYTES);
	if (!machine_read_system(machine, where, &word, sizeof(word), &fault)) {
		*nested = trap_of_fault(&fault);
		return false;
	}
	unsigned type = DESCRIPTOR_TYPE(word);
	bool closed = trap->software && DESCRIPTOR_DPL(word) < machine->cpu.cpl;
	if (DESCRIPTOR_IS_CODE_OR_DATA(word) || !is_known(type) || closed)
		return trap_fail(nested, VECTOR_PROTECTION, trap_about_gate(trap));
	if (!DESCRIPTOR_IS_PRESENT(word))
		return trap_fail(nested, VECTOR_NOT_PRESENT, trap_about_gate(trap));
	bool wide = type >= GATE_INTERRUPT;
	*gate = (struct gate){(uint16_t)(word >> 16), (uint32_t)((word & 0xffff) | (wide ? word >> 48 << 16 : 0)),
			      type};
	return true;
}

static bool read_target(struct machine *machine, const struct trap *trap, struct trap_entry *entry, struct trap *nested)
{
	uint32_t about = (entry->selector & ~3u) | trap_external(trap);
	if ((entry->selector & ~3u) == 0)
		return trap_fail(nested, VECTOR_PROTECTION, trap_external(trap));
	if (!segment_read(machine, entry->selector, 1, &entry->code, nested)) {
		if (nested->vector == VECTOR_PROTECTION)
			nested->error |= trap_external(trap);
		return false;
	}
	uint64_t code = entry->code.low;
	unsigned type = DESCRIPTOR_TYPE(code);
	if (!DESCRIPTOR_IS_CODE_OR_DATA(code) || !(type & DESCRIPTOR_CODE) || DESCRIPTOR_DPL(code) > machine->cpu.cpl)
		return trap_fail(nested, VECTOR_PROTECTION, about);
	if (!DESCRIPTOR_IS_PRESENT(code))
		return trap_fail(nested, VECTOR_NOT_PRESENT, about);
	entry->ring = type & DESCRIPTOR_CONFORMING ? machine->cpu.cpl : DESCRIPTOR_DPL(code);
	return segment_mark_accessed(machine, entry->selector, entry->code, nested);
}

/* SS and ESP only when the ring changes, the error code only where there is one. */
static bool push_frame(struct machine *machine, const struct trap *trap, unsigned bytes, struct trap_entry *entry,
		       struct trap *nested)
{
	const struct cpu *cpu = &machine->cpu;
	const uint64_t frame[6] = {
	    trap->error, cpu->rip + trap->length, cpu->cs, trap_saved_flags(machine, trap), cpu->gpr[GPR_RSP], cpu->ss};
	unsigned first = trap->has_error ? 0 : 1;
	unsigned end = entry->ring != cpu->cpl ? 6 : 4;
	entry->words = end - first;
	return stack_push_words(machine, entry->stack, bytes, frame + first, entry->words, nested);
}

bool trap_deliver_legacy(struct machine *machine, const struct trap *trap, struct trap *nested)
{
	struct gate gate;
	struct new_stack stack;
	struct trap_entry entry = {.stack = &stack};
	uint32_t external = trap_external(trap);
	if (!read_gate(machine, trap, &gate, nested))
		return false;
	if (gate.type == GATE_TASK) {
		machine_stop(machine, "a task gate in the IDT: task switches are not modelled");
		return false;
	}
	entry.selector = gate.selector;
	entry.offset = gate.offset;
	entry.clears_if = gate.type == GATE_INTERRUPT || gate.type == GATE_INTERRUPT_16;
	if (!read_target(machine, trap, &entry, nested))
		return false;
	stack_keep(&machine->cpu, external, &stack);
	if (entry.ring != machine->cpu.cpl && !stack_of_ring(machine, entry.ring, external, &stack, nested))
		return false;
	if (!push_frame(machine, trap, gate.type >= GATE_INTERRUPT ? 4 : 2, &entry, nested))
		return false;
	struct segment_shadow code = segment_shadow_of(entry.code);
	if (!code_reaches(machine, &code, entry.offset))
		return trap_fail(nested, VECTOR_PROTECTION, external);
	trap_enter_handler(machine, trap, &entry);
	return true;
}
