/* SDM 3A 5.8.5 (stack switching), 6.12.1, 6.14.4; the TSS: 8.2.1, 8.7. */
#include "inner.h"

/* Where the stack of a ring lies in the TSS: SDM 3A figures 8-2, 8-10, 8-11. */
#define TSS_64_RSP(ring) (4u + 8u * (ring))
#define TSS_32_ESP(ring) (4u + 8u * (ring))
#define TSS_16_SP(ring) (2u + 4u * (ring))

static bool fail(struct trap *trap, unsigned vector, uint32_t error)
{
	*trap = (struct trap){.vector = vector, .has_error = true, .error = error};
	return false;
}

bool tss_read(struct machine *machine, uint32_t offset, unsigned bytes, uint32_t external, uint64_t *out,
	      struct trap *trap)
{
	struct fault fault;
	*out = 0;
	if (offset + bytes - 1 > machine->tss_limit)
		return fail(trap, VECTOR_INVALID_TSS, (machine->cpu.tr & ~3u) | external);
	if (machine_read_system(machine, vaddr_add(machine->cpu.tss_base, offset), out, bytes, &fault))
		return true;
	*trap = trap_of_fault(&fault);
	return false;
}

void stack_keep(const struct cpu *cpu, uint32_t external, struct new_stack *out)
{
	*out = (struct new_stack){
	    .selector = cpu->ss,
	    .shadow = cpu->shadow[SREG_SS],
	    .pointer = cpu->gpr[GPR_RSP],
	    .width = in_long_mode(cpu) ? 8 : stack_width(cpu),
	    .mode = cpu->cpl == 3 ? MODE_USER : MODE_IMPLICIT,
	    .about = external,
	};
}

static bool long_stack(struct machine *machine, uint8_t ring, uint32_t external, struct new_stack *out,
		       struct trap *trap)
{
	/* SS becomes null, with the ring as its RPL. */
	out->selector = ring;
	out->shadow = (struct segment_shadow){.flags = 0};
	out->width = 8;
	return tss_read(machine, TSS_64_RSP(ring), 8, external, &out->pointer, trap);
}

static bool legacy_stack(struct machine *machine, uint8_t ring, uint32_t external, struct new_stack *out,
			 struct trap *trap)
{
	unsigned bytes = machine->tss_is_short ? 2 : 4;
	uint32_t offset = machine->tss_is_short ? TSS_16_SP(ring) : TSS_32_ESP(ring);
	uint64_t selector;
	struct descriptor data;
	/* Both must be inside the limit before either is read. */
	if (!tss_read(machine, offset + bytes, 2, external, &selector, trap) ||
	    !tss_read(machine, offset, bytes, external, &out->pointer, trap))
		return false;
	out->selector = (uint16_t)selector;
	if ((out->selector & ~3u) == 0)
		return fail(trap, VECTOR_INVALID_TSS, external);
	if (!segment_check_stack(machine, out->selector, ring, VECTOR_INVALID_TSS, &data, trap)) {
		if (trap->vector != VECTOR_PAGE_FAULT)
			trap->error |= external;
		return false;
	}
	out->shadow = segment_shadow_of(data);
	out->width = SHADOW_IS_32BIT(out->shadow.flags) ? 4 : 2;
	out->about = (out->selector & ~3u) | external;
	return segment_mark_accessed(machine, out->selector, data, trap);
}

bool stack_of_ring(struct machine *machine, uint8_t ring, uint32_t external, struct new_stack *out, struct trap *trap)
{
	*out = (struct new_stack){.mode = MODE_IMPLICIT, .about = external};
	return in_long_mode(&machine->cpu) ? long_stack(machine, ring, external, out, trap)
					   : legacy_stack(machine, ring, external, out, trap);
}

/* Where the words go: in long mode anywhere, else inside the new segment. */
static bool place(const struct machine *machine, const struct new_stack *stack, uint64_t to, uint64_t bytes,
		  struct vaddr *out)
{
	struct cpu probe;
	if (in_long_mode(&machine->cpu)) {
		*out = vaddr(to);
		return true;
	}
	probe.efer = 0;
	probe.shadow[SREG_SS] = stack->shadow;
	probe.shadow[SREG_CS] = (struct segment_shadow){.flags = 0};
	return segment_reach(&probe, SREG_SS, to, bytes, ACCESS_WRITE, out);
}

bool stack_push_words(struct machine *machine, struct new_stack *stack, unsigned bytes, const uint64_t *words,
		      unsigned count, struct trap *trap)
{
	uint8_t raw[8 * sizeof(uint64_t)];
	uint64_t total = (uint64_t)bytes * count;
	uint64_t to = low_bits(stack->pointer - total, stack->width);
	struct access push = {.kind = ACCESS_WRITE, .mode = stack->mode, .through_stack = true};
	struct fault fault;
	for (unsigned i = 0; bytes < 8 && i < count; i++)
		memcpy(raw + (size_t)i * bytes, &words[i], bytes);
	if (bytes == 8)
		memcpy(raw, words, count * sizeof(*words));
	if (!place(machine, stack, to, total, &push.va))
		return fail(trap, VECTOR_STACK, stack->about);
	if (!machine_transfer(machine, &push, raw, total, &fault)) {
		*trap = trap_of_fault(&fault);
		if (fault.vector == VECTOR_STACK)
			trap->error = stack->about;
		return false;
	}
	stack->pointer = to;
	return true;
}

void stack_take(struct cpu *cpu, const struct new_stack *stack)
{
	cpu->ss = stack->selector;
	cpu->shadow[SREG_SS] = stack->shadow;
	register_write(cpu, GPR_RSP, stack->width, stack->pointer);
}
