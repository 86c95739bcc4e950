/* Operands: registers, effective addresses, memory through segments, the stack. SDM 1 3.7; segment checks: SDM 3A
 * 5.3 to 5.5, and 3.4.2.1 for 64-bit mode, where only FS and GS have a base and nothing has a limit. */
#include "exec.h"

uint64_t register_read(const struct cpu *cpu, unsigned reg, unsigned bytes)
{
	return low_bits(cpu->gpr[reg], bytes);
}

void register_write(struct cpu *cpu, unsigned reg, unsigned bytes, uint64_t value)
{
	uint64_t kept = bytes < 4 ? cpu->gpr[reg] & ~low_bits(UINT64_MAX, bytes) : 0;
	cpu->gpr[reg] = kept | low_bits(value, bytes);
}

uint64_t effective_address(const struct execution *x, const struct operand *memory)
{
	uint64_t address = memory->value;
	if (memory->base == REGISTER_RIP)
		address += x->next_rip;
	else if (memory->base != REGISTER_NONE)
		address += x->cpu->gpr[memory->base];
	if (memory->index != REGISTER_NONE)
		address += x->cpu->gpr[memory->index] * memory->scale;
	return low_bits(address, x->insn->address_bytes);
}

/* ---- memory ---- */

static bool translate(struct execution *x, struct access *access, struct paddr *pa)
{
	struct fault fault;
	struct machine *machine = x->machine;
	if (mmu_recall(machine->mmu, access->va, access->kind, access->mode, access->words, pa) ||
	    mmu_translate(machine->mmu, access, pa, &fault))
		return true;
	x->trap = trap_of_fault(&fault);
	return false;
}

/* SDM 3A 6.15, vector 17: only in ring 3, and only with AM and AC. */
static bool is_misaligned(const struct cpu *cpu, struct vaddr va, unsigned bytes)
{
	unsigned alignment = bytes > 8 ? 8 : bytes;
	return cpu->cpl == 3 && (cpu->cr0 & CR0_AM) && flag(cpu, RFLAGS_AC) && (alignment & (alignment - 1)) == 0 &&
	       (va.v & (alignment - 1)) != 0;
}

bool memory_reach(struct execution *x, unsigned segment, uint64_t offset, unsigned bytes, enum access_kind kind,
		  struct span *span)
{
	struct access access = {.kind = kind, .mode = mmu_mode(x->cpu), .through_stack = segment == SREG_SS};
	if (!segment_reach(x->cpu, (enum segment_register)segment, offset, bytes, kind, &access.va)) {
		(void)refuse(x, segment == SREG_SS ? VECTOR_STACK : VECTOR_PROTECTION, 0);
		return false;
	}
	if (is_misaligned(x->cpu, access.va, bytes)) {
		(void)refuse(x, VECTOR_ALIGNMENT, 0);
		return false;
	}
	uint64_t room = PAGE_BYTES - page_offset(access.va.v);
	*span = (struct span){.first = bytes < room ? bytes : room, .bytes = bytes};
	access.words = (span->first + 7) / 8;
	if (!translate(x, &access, &span->part[0]))
		return false;
	if (span->first == bytes)
		return true;
	access.va = vaddr_add(access.va, span->first);
	if (!in_64bit_mode(x->cpu))
		access.va = vaddr((uint32_t)access.va.v);
	access.words = (bytes - span->first + 7) / 8;
	return translate(x, &access, &span->part[1]);
}

void span_read(const struct machine *machine, const struct span *span, void *out)
{
	physmem_read(machine->mem, span->part[0], out, span->first);
	if (span->first < span->bytes)
		physmem_read(machine->mem, span->part[1], (uint8_t *)out + span->first, span->bytes - span->first);
}

void span_write(struct machine *machine, const struct span *span, const void *data)
{
	physmem_write(machine->mem, span->part[0], data, span->first);
	if (span->first < span->bytes)
		physmem_write(machine->mem, span->part[1], (const uint8_t *)data + span->first,
			      span->bytes - span->first);
}

bool memory_read(struct execution *x, unsigned segment, uint64_t offset, unsigned bytes, void *out)
{
	struct span span;
	if (!memory_reach(x, segment, offset, bytes, ACCESS_READ, &span))
		return false;
	span_read(x->machine, &span, out);
	return true;
}

bool memory_write(struct execution *x, unsigned segment, uint64_t offset, unsigned bytes, const void *data)
{
	struct span span;
	if (!memory_reach(x, segment, offset, bytes, ACCESS_WRITE, &span))
		return false;
	span_write(x->machine, &span, data);
	return true;
}

/* ---- operands ---- */

static bool read_as(struct execution *x, unsigned index, enum access_kind kind, uint64_t *value)
{
	const struct operand *o = operand(x, index);
	*value = 0;
	switch (o->kind) {
	case OPERAND_REGISTER:
		*value = register_read(x->cpu, o->reg, o->bytes);
		return true;
	case OPERAND_HIGH_BYTE:
		*value = x->cpu->gpr[o->reg] >> 8 & 0xff;
		return true;
	case OPERAND_SEGMENT:
		*value = x->cpu->sreg[o->reg];
		return true;
	case OPERAND_MEMORY: {
		struct span span;
		if (!memory_reach(x, o->segment, effective_address(x, o), o->bytes, kind, &span))
			return false;
		span_read(x->machine, &span, value);
		if (kind == ACCESS_WRITE)
			x->span = span;
		return true;
	}
	default:
		*value = o->value;
		return true;
	}
}

bool operand_read(struct execution *x, unsigned index, uint64_t *value)
{
	return read_as(x, index, ACCESS_READ, value);
}

bool operand_modify(struct execution *x, unsigned index, uint64_t *value)
{
	return read_as(x, index, ACCESS_WRITE, value);
}

bool operand_write(struct execution *x, unsigned index, uint64_t value)
{
	const struct operand *o = operand(x, index);
	if (o->kind == OPERAND_REGISTER) {
		register_write(x->cpu, o->reg, o->bytes, value);
		return true;
	}
	if (o->kind == OPERAND_HIGH_BYTE) {
		x->cpu->gpr[o->reg] = (x->cpu->gpr[o->reg] & ~(uint64_t)0xff00) | (value & 0xff) << 8;
		return true;
	}
	if (x->span.bytes == 0 &&
	    !memory_reach(x, o->segment, effective_address(x, o), o->bytes, ACCESS_WRITE, &x->span))
		return false;
	span_write(x->machine, &x->span, &value);
	return true;
}

/* ---- the stack ---- */

void stack_move(struct execution *x, uint64_t distance)
{
	unsigned bytes = stack_width(x->cpu);
	register_write(x->cpu, GPR_RSP, bytes, x->cpu->gpr[GPR_RSP] + distance);
}

bool stack_push(struct execution *x, unsigned bytes, uint64_t value)
{
	unsigned width = stack_width(x->cpu);
	uint64_t to = low_bits(x->cpu->gpr[GPR_RSP] - bytes, width);
	if (!memory_write(x, SREG_SS, to, bytes, &value))
		return false;
	register_write(x->cpu, GPR_RSP, width, to);
	return true;
}

bool stack_peek(struct execution *x, uint64_t above, unsigned bytes, uint64_t *value)
{
	*value = 0;
	uint64_t from = low_bits(x->cpu->gpr[GPR_RSP] + above, stack_width(x->cpu));
	return memory_read(x, SREG_SS, from, bytes, value);
}

bool stack_pop(struct execution *x, unsigned bytes, uint64_t *value)
{
	if (!stack_peek(x, 0, bytes, value))
		return false;
	stack_move(x, bytes);
	return true;
}

/* ---- where code goes on ---- */

enum outcome jump_to(struct execution *x, uint64_t rip)
{
	if (!code_reaches(x->machine, &x->cpu->shadow[SREG_CS], rip))
		return refuse_protection(x);
	x->cpu->rip = rip;
	return OUTCOME_JUMPED;
}
