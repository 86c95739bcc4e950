/* What the deliveries of long mode and of legacy protected mode share. */
#ifndef FAULTLINE_TRAP_PRIVATE_H
#define FAULTLINE_TRAP_PRIVATE_H

#include "inner.h"

/* Error code of a fault that concerns a gate or a selector during delivery: bit 0 EXT says that no instruction asked
 * for it, bit 1 IDT that the index is a vector, bit 2 TI that it is one of the LDT. SDM 3A 6.13 */
static inline uint32_t trap_external(const struct trap *trap)
{
	return trap->software ? 0 : 1;
}

static inline uint32_t trap_about_gate(const struct trap *trap)
{
	return trap->vector * 8 + 2 + trap_external(trap);
}

/* Something happened on the way to the handler. */
static inline bool trap_fail(struct trap *nested, unsigned vector, uint32_t error)
{
	*nested = (struct trap){.vector = vector, .has_error = true, .error = error};
	return false;
}

/* How the handler begins. */
struct trap_entry {
	uint16_t selector;
	uint8_t ring;
	bool clears_if;
	uint64_t offset;
	struct descriptor code;
	struct new_stack *stack; /* the frame is on it */
	unsigned words;          /* pushed */
};

/* Counts, tells, and changes the registers. Nothing can go wrong any more. */
void trap_enter_handler(struct machine *machine, const struct trap *trap, const struct trap_entry *entry);

/* The same as the delivery in long mode, through gates of 8 bytes. */
bool trap_deliver_legacy(struct machine *machine, const struct trap *trap, struct trap *nested);

/* Exceptions of the class fault: 0, 5 to 7, 10 to 14, 16, 17, 19 to 21. SDM 3A table 6-1. */
#define TRAP_FAULTS 0x3b7ce1u

/* RFLAGS as they are saved: RF is set by a fault, so that the instruction, when it restarts, is not stopped again by
 * the breakpoint at its address. SDM 3B 17.3.1.1. */
static inline uint64_t trap_saved_flags(const struct machine *machine, const struct trap *trap)
{
	bool fault = !trap->software && trap->vector < 32 && (TRAP_FAULTS >> trap->vector & 1);
	return machine->cpu.rflags | (fault ? RFLAGS_RF : 0);
}

#endif
