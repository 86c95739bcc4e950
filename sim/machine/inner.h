/* The stacks that gates lead to: the one of an inner ring out of the TSS, and pushing on it before anything has
 * changed. */
#ifndef FAULTLINE_INNER_H
#define FAULTLINE_INNER_H

#include "exec.h"

/* A stack that will be the current one if all goes well. */
struct new_stack {
	uint16_t selector;
	struct segment_shadow shadow;
	uint64_t pointer;
	unsigned width; /* bytes of the pointer that count */
	unsigned mode;  /* of the pushes */
	uint32_t about; /* error code of a #SS: the selector for an inner stack, 0 for the present one; and EXT */
};

void stack_keep(const struct cpu *cpu, uint32_t external, struct new_stack *out);
/* Stack of `ring` in the TSS: RSPn in long mode (SS becomes null), else SSn:ESPn. `external` is bit 0 of error codes.
 */
bool stack_of_ring(struct machine *machine, uint8_t ring, uint32_t external, struct new_stack *out, struct trap *trap);
/* One entry of the TSS, checked against its limit: #TS(TR). */
bool tss_read(struct machine *machine, uint32_t offset, unsigned bytes, uint32_t external, uint64_t *out,
	      struct trap *trap);
/* Pushes words, the first at the lowest address, as one piece. */
bool stack_push_words(struct machine *machine, struct new_stack *stack, unsigned bytes, const uint64_t *words,
		      unsigned count, struct trap *trap);
/* Makes it the current stack. */
void stack_take(struct cpu *cpu, const struct new_stack *stack);

#endif
