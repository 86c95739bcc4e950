/* Segment registers and the descriptors behind them. SDM 3A 3.4, 5.5 to 5.9; the order of checks: SDM 2, MOV, LTR,
 * LLDT, RET. */
#include "machine_private.h"

enum { SHADOW_PRESENT = 1 << 7, SHADOW_S = 1 << 4, SHADOW_LONG = 1 << 13, SHADOW_BIG = 1 << 14 };

/* As firmware leaves them: all of memory, whatever the mode. */
void segments_reset(struct cpu *cpu)
{
	for (unsigned i = 0; i < SREG_COUNT; i++)
		cpu->shadow[i] = (struct segment_shadow){
		    .limit = UINT32_MAX,
		    .flags = SHADOW_PRESENT | SHADOW_S | SHADOW_BIG | DESCRIPTOR_WRITABLE | DESCRIPTOR_ACCESSED,
		};
	cpu->shadow[SREG_CS].flags |= SHADOW_LONG | DESCRIPTOR_CODE;
}

static bool fail(struct trap *trap, unsigned vector, uint16_t selector)
{
	*trap = (struct trap){.vector = vector, .has_error = true, .error = selector & ~3u};
	return false;
}

static bool find(const struct cpu *cpu, uint16_t selector, uint64_t bytes, struct vaddr *out)
{
	uint64_t offset = selector & ~7u;
	if (selector & 4) {
		*out = vaddr_add(vaddr(cpu->ldt.base), offset);
		return SHADOW_IS_PRESENT(cpu->ldt.flags) && offset + bytes - 1 <= cpu->ldt.limit;
	}
	*out = vaddr_add(cpu->gdtr.base, offset);
	return offset + bytes - 1 <= cpu->gdtr.limit;
}

bool segment_read(struct machine *machine, uint16_t selector, unsigned words, struct descriptor *out, struct trap *trap)
{
	uint64_t bytes = words * sizeof(uint64_t);
	struct vaddr where;
	struct fault fault;
	if (!find(&machine->cpu, selector, bytes, &where))
		return fail(trap, VECTOR_PROTECTION, selector);
	out->high = 0;
	if (!machine_read_system(machine, where, out, bytes, &fault)) {
		*trap = trap_of_fault(&fault);
		return false;
	}
	return true;
}

/* Writes the byte of a descriptor that holds its type. */
static bool write_type(struct machine *machine, uint16_t selector, uint8_t byte, struct trap *trap)
{
	struct vaddr where;
	struct fault fault;
	(void)find(&machine->cpu, selector, sizeof(uint64_t), &where);
	if (machine_write_system(machine, vaddr_add(where, 5), &byte, 1, &fault))
		return true;
	*trap = trap_of_fault(&fault);
	return false;
}

bool segment_mark_accessed(struct machine *machine, uint16_t selector, struct descriptor descriptor, struct trap *trap)
{
	if (DESCRIPTOR_TYPE(descriptor.low) & DESCRIPTOR_ACCESSED)
		return true;
	return write_type(machine, selector, (uint8_t)(descriptor.low >> 40) | DESCRIPTOR_ACCESSED, trap);
}

struct segment_shadow segment_shadow_of(struct descriptor descriptor)
{
	uint64_t word = descriptor.low;
	bool in_pages = (word >> 55 & 1) != 0;
	uint32_t limit = (uint32_t)((word & 0xffff) | (word >> 32 & 0xf0000));
	return (struct segment_shadow){
	    .base = (word >> 16 & 0xffffff) | (word >> 56 & 0xff) << 24 | descriptor.high << 32,
	    .limit = in_pages ? limit << 12 | 0xfff : limit,
	    .flags = (uint16_t)(word >> 40 & 0xf0ff),
	};
}

/* ---- what a segment allows ---- */

/* Expand-down data segments hold what is above the limit: SDM 3A 5.3. */
static bool is_inside(const struct segment_shadow *shadow, uint64_t offset, uint64_t bytes)
{
	uint64_t last = offset + bytes - 1;
	unsigned type = SHADOW_TYPE(shadow->flags);
	if ((type & DESCRIPTOR_CODE) || !(type & DESCRIPTOR_EXPAND_DOWN))
		return last <= shadow->limit;
	return offset > shadow->limit && last <= (SHADOW_IS_32BIT(shadow->flags) ? UINT32_MAX : UINT16_MAX);
}

static bool allows(const struct segment_shadow *shadow, enum access_kind kind)
{
	unsigned type = SHADOW_TYPE(shadow->flags);
	if (!SHADOW_IS_PRESENT(shadow->flags))
		return false;
	if (type & DESCRIPTOR_CODE)
		return kind == ACCESS_FETCH || (kind == ACCESS_READ && (type & DESCRIPTOR_READABLE));
	return kind != ACCESS_WRITE || (type & DESCRIPTOR_WRITABLE);
}

static bool is_64bit(const struct cpu *cpu, const struct segment_shadow *code)
{
	return (cpu->efer & EFER_LMA) && SHADOW_IS_LONG(code->flags);
}

bool segment_reach(const struct cpu *cpu, enum segment_register which, uint64_t offset, uint64_t bytes,
		   enum access_kind kind, struct vaddr *out)
{
	const struct segment_shadow *shadow = &cpu->shadow[which];
	if (is_64bit(cpu, &cpu->shadow[SREG_CS])) {
		*out = vaddr(offset + (which >= SREG_FS ? shadow->base : 0));
		return true;
	}
	*out = vaddr((uint32_t)(shadow->base + offset));
	return allows(shadow, kind) && is_inside(shadow, offset, bytes);
}

unsigned stack_width(const struct cpu *cpu)
{
	if (is_64bit(cpu, &cpu->shadow[SREG_CS]))
		return 8;
	return SHADOW_IS_32BIT(cpu->shadow[SREG_SS].flags) ? 4 : 2;
}

bool code_reaches(const struct machine *machine, const struct segment_shadow *code, uint64_t rip)
{
	if (is_64bit(&machine->cpu, code))
		return vaddr_is_canonical(vaddr(rip), machine->mmu->paging.levels);
	return rip <= code->limit;
}

/* ---- data segments and SS ---- */

bool segment_check_stack(struct machine *machine, uint16_t selector, uint8_t ring, unsigned vector,
			 struct descriptor *data, struct trap *trap)
{
	if (!segment_read(machine, selector, 1, data, trap)) {
		if (trap->vector == VECTOR_PROTECTION && trap->error == (selector & ~3u))
			trap->vector = vector;
		return false;
	}
	unsigned type = DESCRIPTOR_TYPE(data->low);
	if ((selector & 3) != ring || !DESCRIPTOR_IS_CODE_OR_DATA(data->low) || (type & DESCRIPTOR_CODE) ||
	    !(type & DESCRIPTOR_WRITABLE) || DESCRIPTOR_DPL(data->low) != ring)
		return fail(trap, vector, selector);
	return DESCRIPTOR_IS_PRESENT(data->low) || fail(trap, VECTOR_STACK, selector);
}

static bool check_data(struct machine *machine, uint16_t selector, struct descriptor *data, struct trap *trap)
{
	if (!segment_read(machine, selector, 1, data, trap))
		return false;
	unsigned type = DESCRIPTOR_TYPE(data->low);
	bool code = (type & DESCRIPTOR_CODE) != 0;
	bool conforming = code && (type & DESCRIPTOR_CONFORMING);
	uint8_t dpl = DESCRIPTOR_DPL(data->low);
	if (!DESCRIPTOR_IS_CODE_OR_DATA(data->low) || (code && !(type & DESCRIPTOR_READABLE)))
		return fail(trap, VECTOR_PROTECTION, selector);
	if (!conforming && ((selector & 3) > dpl || machine->cpu.cpl > dpl))
		return fail(trap, VECTOR_PROTECTION, selector);
	return DESCRIPTOR_IS_PRESENT(data->low) || fail(trap, VECTOR_NOT_PRESENT, selector);
}

/* A null selector loads; using it is what faults. Only SS must not be null, but in 64-bit code of rings 0 to 2. */
static bool load_null(struct cpu *cpu, enum segment_register which, uint16_t selector, struct trap *trap)
{
	if (which == SREG_SS) {
		if (!is_64bit(cpu, &cpu->shadow[SREG_CS]) || cpu->cpl == 3 || (selector & 3) != cpu->cpl)
			return fail(trap, VECTOR_PROTECTION, 0);
	}
	cpu->sreg[which] = selector;
	cpu->shadow[which] = (struct segment_shadow){.flags = which == SREG_SS ? SHADOW_BIG : 0};
	return true;
}

bool segment_load(struct machine *machine, enum segment_register which, uint16_t selector, struct trap *trap)
{
	struct cpu *cpu = &machine->cpu;
	struct descriptor data;
	if ((selector & ~3u) == 0)
		return load_null(cpu, which, selector, trap);
	bool good = which == SREG_SS ? segment_check_stack(machine, selector, cpu->cpl, VECTOR_PROTECTION, &data, trap)
				     : check_data(machine, selector, &data, trap);
	if (!good || !segment_mark_accessed(machine, selector, data, trap))
		return false;
	cpu->sreg[which] = selector;
	cpu->shadow[which] = segment_shadow_of(data);
	return true;
}

void segments_drop_inner(struct cpu *cpu)
{
	static const enum segment_register data[] = {SREG_ES, SREG_DS, SREG_FS, SREG_GS};
	for (unsigned i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		uint16_t flags = cpu->shadow[data[i]].flags;
		unsigned type = SHADOW_TYPE(flags);
		bool conforming = (type & DESCRIPTOR_CODE) && (type & DESCRIPTOR_CONFORMING);
		if ((cpu->sreg[data[i]] & ~3u) == 0 || conforming || SHADOW_DPL(flags) >= cpu->cpl)
			continue;
		cpu->sreg[data[i]] = 0;
		cpu->shadow[data[i]].flags &= (uint16_t)~SHADOW_PRESENT;
	}
}

/* ---- LDTR and TR ---- */

static unsigned system_words(const struct cpu *cpu)
{
	return cpu->efer & EFER_LMA ? 2 : 1;
}

bool control_load_ldt(struct machine *machine, uint16_t selector, struct trap *trap)
{
	struct cpu *cpu = &machine->cpu;
	struct descriptor ldt = {0, 0};
	if (selector & ~3u) {
		if (selector & 4)
			return fail(trap, VECTOR_PROTECTION, selector);
		if (!segment_read(machine, selector, system_words(cpu), &ldt, trap))
			return false;
		if (DESCRIPTOR_IS_CODE_OR_DATA(ldt.low) || DESCRIPTOR_TYPE(ldt.low) != SYSTEM_LDT)
			return fail(trap, VECTOR_PROTECTION, selector);
		if (!DESCRIPTOR_IS_PRESENT(ldt.low))
			return fail(trap, VECTOR_NOT_PRESENT, selector);
	}
	cpu->ldtr = selector;
	cpu->ldt = segment_shadow_of(ldt);
	return true;
}

bool control_load_tr(struct machine *machine, uint16_t selector, struct trap *trap)
{
	struct cpu *cpu = &machine->cpu;
	bool long_mode = (cpu->efer & EFER_LMA) != 0;
	struct descriptor tss;
	if ((selector & ~3u) == 0)
		return fail(trap, VECTOR_PROTECTION, 0);
	if (selector & 4)
		return fail(trap, VECTOR_PROTECTION, selector);
	if (!segment_read(machine, selector, system_words(cpu), &tss, trap))
		return false;
	unsigned type = DESCRIPTOR_TYPE(tss.low);
	bool available = type == SYSTEM_TSS || (type == SYSTEM_TSS_16 && !long_mode);
	if (DESCRIPTOR_IS_CODE_OR_DATA(tss.low) || !available)
		return fail(trap, VECTOR_PROTECTION, selector);
	if (!DESCRIPTOR_IS_PRESENT(tss.low))
		return fail(trap, VECTOR_NOT_PRESENT, selector);
	if (!write_type(machine, selector, (uint8_t)(tss.low >> 40) | SYSTEM_TSS_BUSY, trap))
		return false;
	struct segment_shadow shadow = segment_shadow_of(tss);
	cpu->tr = selector;
	cpu->tss_base = vaddr(shadow.base);
	machine->tss_limit = shadow.limit;
	machine->tss_is_short = type == SYSTEM_TSS_16;
	return true;
}
