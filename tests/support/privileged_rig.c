#include "privileged_rig.h"

#include <string.h>

enum {
	ROOT = 0x1000,
	TABLES = 0x2000, /* those below the root, one after the other */
	HANDLERS = 0x20000,
	RING_STACKS = 0x40000, /* the top of ring 0's, then 1's, 2's, 64 KiB apart */
	RING_STACK_BYTES = 0x10000,
	INNER_EXIT = 0x1a0000, /* INT 80h */
	OUTER_EXIT = 0x1b0000,
	IO_MAP = 0x68,
	TSS_LIMIT = IO_MAP + 65536 / 8,
	MAPPED = 8 * 1024 * 1024,
	STEPS = 1000,
};

struct rig {
	struct arena *arena;
	struct bus bus;
	struct machine *machine;
	struct physmem *mem;
	bool wide;
	struct cpu booted;
	struct gate {
		struct rig *rig;
		unsigned vector;
	} gates[256];
	struct rig_record record;
	uint64_t code_end;
	bool done, keep_gdt;
};

struct machine *rig_machine(struct rig *rig)
{
	return rig->machine;
}

void rig_keep_gdt(struct rig *rig)
{
	rig->keep_gdt = true;
}

/* ---- what lies in RAM ---- */

static void write_tables(struct rig *rig)
{
	enum { RIGHTS = PTE_PRESENT | PTE_WRITABLE | PTE_USER };
	if (rig->wide) {
		physmem_store64(rig->mem, paddr(ROOT), TABLES | RIGHTS);
		physmem_store64(rig->mem, paddr(TABLES), (TABLES + 0x1000) | RIGHTS);
		for (uint64_t i = 0; i < MAPPED >> 21; i++)
			physmem_store64(rig->mem, paddr(TABLES + 0x1000 + 8 * i), i << 21 | RIGHTS | PTE_PAGE_SIZE);
		return;
	}
	for (uint32_t i = 0; i < MAPPED >> 22; i++)
		physmem_store32(rig->mem, paddr(ROOT + 4 * i), (TABLES + (i << 12)) | RIGHTS);
	for (uint32_t i = 0; i < MAPPED >> 12; i++)
		physmem_store32(rig->mem, paddr(TABLES + 4 * i), i << 12 | RIGHTS);
}

#define CODE64(ring) (0x00af9b000000ffff | (uint64_t)(ring) << 45)
#define CODE32(ring) (0x00cf9b000000ffff | (uint64_t)(ring) << 45)
#define DATA(ring) (0x00cf93000000ffff | (uint64_t)(ring) << 45)
#define TSS_DESCRIPTOR(base, type)                                                                                     \
	((uint64_t)TSS_LIMIT | (uint64_t)((base)&0xffffff) << 16 | (uint64_t)(type) << 40 |                            \
	 (uint64_t)((base) >> 24) << 56)

static void write_gdt(const struct rig *rig)
{
	const uint64_t slots[RIG_GDT_SLOTS] = {0,         CODE64(0),
					       DATA(0),   CODE32(3),
					       DATA(3),   CODE64(3),
					       CODE64(1), DATA(1),
					       CODE64(2), DATA(2),
					       CODE32(0), CODE32(1),
					       CODE32(2), TSS_DESCRIPTOR(RIG_TSS64, rig->wide ? 0x8b : 0x89),
					       0,         TSS_DESCRIPTOR(RIG_TSS32, rig->wide ? 0x89 : 0x8b)};
	physmem_write(rig->mem, paddr(RIG_GDT), slots, sizeof(slots));
}

static uint64_t stack_top(unsigned ring)
{
	return RING_STACKS + (ring + 1) * (uint64_t)RING_STACK_BYTES;
}

static void write_tss(struct rig *rig, uint32_t at, bool wide)
{
	const uint16_t map = IO_MAP;
	for (unsigned ring = 0; ring < 3; ring++) {
		const uint64_t top = stack_top(ring);
		static const uint32_t data[] = {0x10, 0x39, 0x4a};
		physmem_write(rig->mem, paddr(at + 4 + 8 * ring), &top, 8);
		if (!wide)
			physmem_write(rig->mem, paddr(at + 8 + 8 * ring), &data[ring], 4);
	}
	physmem_write(rig->mem, paddr(at + 0x66), &map, sizeof(map));
	for (unsigned i = 0; i <= 65536 / 8; i++) {
		uint8_t byte = i == 0x84 / 8 ? 0xef : i == 0x88 / 8 ? 0xf0 : 0xff;
		physmem_write(rig->mem, paddr(at + IO_MAP + i), &byte, 1);
	}
}

static unsigned gate_dpl(unsigned vector)
{
	if (vector >= 0x90 && vector <= 0x93)
		return vector - 0x90;
	return vector == 0x80 || vector == 0x81 ? 3 : 0;
}

/* ---- the recorder ---- */

static uint64_t word_at(const struct rig *rig, unsigned index)
{
	uint64_t rsp = machine_cpu_const(rig->machine)->gpr[GPR_RSP];
	unsigned bytes = rig->wide ? 8 : 4;
	uint64_t word = 0;
	physmem_read(rig->mem, paddr(rsp + (uint64_t)index * bytes), &word, bytes);
	return word;
}

/* Whether the top of the stack is the address behind an INT: then nothing faulted. */
static bool is_behind_int(const struct rig *rig, unsigned vector, uint64_t rip)
{
	if (vector == RIG_LAST_VECTOR)
		return true;
	return vector >= 32 || rip == rig->code_end;
}

static void record(void *self)
{
	const struct gate *gate = self;
	struct rig *rig = gate->rig;
	static const bool has_error[32] = {
	    [8] = true, [10] = true, [11] = true, [12] = true, [13] = true, [14] = true, [17] = true};
	bool asked = is_behind_int(rig, gate->vector, word_at(rig, 0));
	bool error = !asked && has_error[gate->vector & 31];
	rig->record = (struct rig_record){
	    .vector = gate->vector,
	    .asked = asked,
	    .has_error = error,
	    .error = error ? (uint32_t)word_at(rig, 0) : 0,
	    .cs = (uint16_t)word_at(rig, error ? 2 : 1),
	};
	rig->done = true;
}

static void write_idt(struct rig *rig)
{
	for (unsigned vector = 0; vector < 256; vector++) {
		uint64_t entry = HANDLERS + vector * 16u;
		uint64_t type = 0x8e | gate_dpl(vector) << 5;
		uint64_t selector = rig->wide ? 0x08 : 0x50;
		const uint64_t gate[2] = {(entry & 0xffff) | selector << 16 | type << 40 | (entry >> 16 & 0xffff) << 48,
					  0};
		unsigned bytes = rig->wide ? 16 : 8;
		physmem_write(rig->mem, paddr(RIG_IDT + vector * bytes), gate, bytes);
		rig->gates[vector] = (struct gate){rig, vector};
		machine_bind(rig->machine, vaddr(entry), record, &rig->gates[vector]);
	}
}

/* ---- boot ---- */

static void boot(struct rig *rig)
{
	struct machine *machine = rig->machine;
	struct cpu *cpu = machine_cpu(machine);
	static const uint8_t leave[2] = {0xcd, RIG_LAST_VECTOR};
	write_tables(rig);
	write_gdt(rig);
	write_tss(rig, RIG_TSS64, true);
	write_tss(rig, RIG_TSS32, false);
	write_idt(rig);
	physmem_write(rig->mem, paddr(INNER_EXIT), leave, sizeof(leave));
	physmem_write(rig->mem, paddr(OUTER_EXIT), leave, sizeof(leave));
	machine_write_efer(machine, rig->wide ? EFER_LME : 0);
	machine_write_cr4(machine, rig->wide ? CR4_PAE : 0);
	machine_write_cr3(machine, ROOT);
	machine_write_cr0(machine, CR0_PG | CR0_NE | CR0_ET | CR0_PE);
	machine_load_gdt(machine, (struct descriptor_table){vaddr(RIG_GDT), RIG_GDT_SLOTS * 8 - 1});
	machine_load_idt(machine, (struct descriptor_table){vaddr(RIG_IDT), rig->wide ? 0xfff : 0x7ff});
	/* Not busy for a moment. */
	uint32_t tss = rig->wide ? 0x68 : 0x78;
	physmem_store64(rig->mem, paddr(RIG_GDT + tss), TSS_DESCRIPTOR(rig->wide ? RIG_TSS64 : RIG_TSS32, 0x89));
	machine_load_tr(machine, (uint16_t)tss);
	cpu->star = (uint64_t)0x1b << 48 | (uint64_t)0x08 << 32;
	cpu->lstar = INNER_EXIT;
	rig->booted = *cpu;
}

struct rig *rig_new(bool wide)
{
	static const uint64_t arena_bytes = 64 * MIB;
	struct cpu_profile profile = *cpu_profile_at(0);
	profile.maxphyaddr = 40;
	struct machine_config config = {.memory_bytes = 16 * MIB, .profile = &profile};
	struct arena *arena = arena_new(arena_bytes);
	if (!arena)
		return NULL;
	struct rig *rig = arena_new_object(arena, struct rig);
	rig->arena = arena;
	rig->wide = wide;
	bus_init(&rig->bus);
	rig->machine = machine_new(arena, &rig->bus, &config);
	rig->mem = machine_memory(rig->machine);
	boot(rig);
	return rig;
}

void rig_free(struct rig *rig)
{
	if (rig)
		arena_free(rig->arena);
}

/* ---- a case ---- */

static void load(struct cpu *cpu, enum segment_register which, uint16_t selector, uint64_t descriptor)
{
	cpu->sreg[which] = selector;
	cpu->shadow[which] = (struct segment_shadow){.limit = UINT32_MAX,
						     .flags = (uint16_t)(descriptor >> 40 & 0xf0ff)};
}

static void enter_ring(const struct rig *rig, struct cpu *cpu, uint8_t ring)
{
	static const uint16_t code64[] = {0x08, 0x31, 0x42, 0x2b}, code32[] = {0x50, 0x59, 0x62, 0x1b};
	static const uint16_t data[] = {0x10, 0x39, 0x4a, 0x23};
	load(cpu, SREG_CS, (rig->wide ? code64 : code32)[ring], rig->wide ? CODE64(ring) : CODE32(ring));
	load(cpu, SREG_SS, data[ring], DATA(ring));
	for (unsigned i = 0; i < SREG_COUNT; i++) {
		if (i != SREG_CS && i != SREG_SS)
			load(cpu, (enum segment_register)i, data[3], DATA(3));
	}
	cpu->cpl = ring;
}

static void set_registers(const struct rig *rig, const struct rig_case *given, struct cpu *cpu)
{
	*cpu = rig->booted;
	enter_ring(rig, cpu, given->cpl);
	cpu->cr4 |= given->cr4;
	cpu->efer |= given->efer;
	cpu->rflags = RFLAGS_FIXED | (uint64_t)given->iopl << 12;
	cpu->gpr[GPR_RAX] = given->rax;
	cpu->gpr[GPR_RCX] = cpu->gpr[GPR_RBP] = given->rcx;
	cpu->gpr[GPR_RDX] = OUTER_EXIT;
	cpu->gpr[GPR_RBX] = INNER_EXIT;
	cpu->gpr[GPR_RSI] = RIG_DATA;
	cpu->gpr[GPR_RSP] = RIG_STACK;
	cpu->rip = RIG_CODE;
}

void rig_run(struct rig *rig, const struct rig_case *given, struct rig_record *out)
{
	struct run_until never = {.rip = UINT64_MAX, .steps = STEPS};
	uint64_t steps;
	if (!rig->keep_gdt)
		write_gdt(rig);
	given->code[given->code_bytes] = 0xcd;
	given->code[given->code_bytes + 1] = RIG_LAST_VECTOR;
	physmem_write(rig->mem, paddr(RIG_CODE), given->code, given->code_bytes + 2u);
	rig->code_end = RIG_CODE + given->code_bytes;
	rig->done = false;
	set_registers(rig, given, machine_cpu(rig->machine));
	machine_write_cr3(rig->machine, rig->booted.cr3);
	enum run_end end = machine_run(rig->machine, &never, &steps);
	*out = rig->record;
	if (!rig->done) {
		const char *why = "nothing came of it";
		if (end == RUN_STOPPED)
			(void)machine_stopped(rig->machine, &why);
		*out = (struct rig_record){.why_stopped = why};
	}
}
