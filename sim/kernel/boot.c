/* Boot: the upper half of every address space, the descriptor tables, the gates and the stacks, all in simulated RAM.
 *
 *	ffff888000000000  direct map: all RAM, rw-, global, 1 GiB and 2 MiB pages (ff11000000000000 with five levels)
 *	ffffffff81000000  kernel text: r-x, global, one 2 MiB page over physical 0
 *
 * or, where addresses have 32 bits:
 *
 *	c0000000          direct map and, at its start, kernel text: rwx, global, 4 MiB pages (PAE: 2 MiB, the first
 *rwx)
 *
 * Kernel text holds one entry of 16 bytes per vector, then the SYSCALL entry. */
#include <string.h>

#include "kernel_private.h"

enum {
	VECTOR_ENTRIES_OFFSET = 0x1000,
	VECTOR_ENTRY_BYTES = 16,
	SYSCALL_ENTRY_OFFSET = 0x2000,
	TEXT_FRAMES = 2,    /* frames 1 and 2: frame 0 is never used */
	TSS_OFFSET = 0x100, /* in the frame of the GDT */
	TSS_BYTES = 104,
	TSS_RSP0 = 4,
	TSS_IST1 = 36,
	TSS_IO_MAP = 102,
	GATE_INTERRUPT = 0x8e, /* present, DPL 0, 64-bit interrupt gate: SDM 3A 6.14.1 */
	GATE_USER = 0xee,      /* the same with DPL 3 */
};

static const uint64_t KERNEL_LEAF = PTE_PRESENT | PTE_ACCESSED | PTE_GLOBAL | PTE_PAGE_SIZE;
static const uint64_t KERNEL_TABLE = PTE_PRESENT | PTE_WRITABLE | PTE_ACCESSED;

struct vaddr syscall_entry(const struct kernel *kernel)
{
	return vaddr(kernel->layout->kernel_text + SYSCALL_ENTRY_OFFSET);
}

struct vaddr exception_entry(const struct kernel *kernel, unsigned vector)
{
	return vaddr(kernel->layout->kernel_text + VECTOR_ENTRIES_OFFSET + vector * VECTOR_ENTRY_BYTES);
}

static bool take_frame(struct kernel *kernel, enum frame_use use, struct paddr *out)
{
	struct pfn frame;
	if (!frame_take(kernel->frames, 0, use, &frame))
		return false;
	physmem_zero(kernel->mem, frame);
	*out = pfn_to_paddr(frame);
	return true;
}

/* The table that the entry for va in `table`, which is of this level, points at; made if needed. */
static bool next_table(struct kernel *kernel, struct paddr table, struct vaddr va, unsigned level, struct paddr *out)
{
	const struct layout *layout = kernel->layout;
	struct paddr at = entry_at(kernel, table, layout_index(layout, va, level));
	struct pte entry = entry_load(kernel, at);
	if (!pte_present(entry)) {
		struct paddr made;
		if (!take_frame(kernel, FRAME_TABLE, &made))
			return false;
		kernel->kernel_tables++;
		/* A PDPTE of PAE paging holds no rights. */
		bool bare = layout->fixed_root && level == layout->levels;
		entry.word = made.v | (bare ? PTE_PRESENT : KERNEL_TABLE);
		entry_store(kernel, at, entry);
	}
	*out = pfn_to_paddr(pfn(pte_frame(entry)));
	return true;
}

/* One huge page at va: level 3 is a PDPTE, level 2 a PDE. */
static bool map_huge(struct kernel *kernel, struct vaddr va, struct paddr pa, unsigned level, uint64_t rights)
{
	const struct layout *layout = kernel->layout;
	struct paddr table = pfn_to_paddr(kernel->root);
	for (unsigned above = layout->levels; above > level; above--) {
		if (!next_table(kernel, table, va, above, &table))
			return false;
	}
	struct pte entry = {pa.v | KERNEL_LEAF | rights};
	entry_store(kernel, entry_at(kernel, table, layout_index(layout, va, level)), entry);
	return true;
}

static bool map_direct(struct kernel *kernel)
{
	const struct layout *layout = kernel->layout;
	uint64_t bytes = align_up(physmem_bytes(kernel->mem), layout_huge_bytes(layout));
	for (uint64_t at = 0; at < bytes;) {
		unsigned level = layout->levels > 3 && bytes - at >= GIB ? 3 : 2;
		bool holds_text = at == 0 && layout->kernel_text == layout->direct_map;
		uint64_t rights = PTE_WRITABLE | PTE_DIRTY | (holds_text ? 0 : layout->no_execute);
		if (!map_huge(kernel, direct_map(kernel, paddr(at)), paddr(at), level, rights))
			return false;
		at += (uint64_t)1 << layout_level_shift(layout, level);
	}
	return true;
}

static bool map_kernel(struct kernel *kernel)
{
	struct paddr root, text;
	for (unsigned i = 1; i <= TEXT_FRAMES; i++) {
		if (!take_frame(kernel, FRAME_KERNEL, &text))
			return false;
		BUG_ON(text.v != i * PAGE_BYTES);
	}
	if (!take_frame(kernel, FRAME_TABLE, &root))
		return false;
	kernel->kernel_tables++;
	kernel->root = paddr_to_pfn(root);
	bool apart = kernel->layout->kernel_text != kernel->layout->direct_map;
	return (!apart || map_huge(kernel, vaddr(kernel->layout->kernel_text), paddr(0), 2, 0)) && map_direct(kernel);
}

/* ---- descriptor tables: SDM 3A 3.4.5, 6.14.1, 7.7 ---- */

static void write_gdt(struct kernel *kernel, struct paddr gdt)
{
	static const uint64_t code = 0x00209b0000000000, data = 0x0000930000000000, user = (uint64_t)3 << 45;
	static const uint64_t code32 = 0x00cf9b000000ffff;
	const uint64_t tss = kernel->tss.v;
	const uint64_t entries[] = {
	    [KERNEL_CS / 8] = code,
	    [KERNEL_DS / 8] = data,
	    [USER32_CS / 8] = code32 | user,
	    [USER_DS / 8] = data | user,
	    [USER_CS / 8] = code | user,
	    [TSS_SELECTOR / 8] = (TSS_BYTES - 1) | (tss & 0xffffff) << 16 | (uint64_t)0x89 << 40 |
				 (tss >> 24 & 0xff) << 56,
	    [TSS_SELECTOR / 8 + 1] = tss >> 32,
	};
	physmem_write(kernel->mem, gdt, entries, sizeof(entries));
	const uint16_t no_io_map = TSS_BYTES;
	physmem_write(kernel->mem, paddr_add(gdt, TSS_OFFSET + TSS_IO_MAP), &no_io_map, sizeof(no_io_map));
	machine_load_gdt(kernel->machine, (struct descriptor_table){kernel->gdt, sizeof(entries) - 1});
}

static void write_gate(struct kernel *kernel, struct paddr idt, unsigned vector)
{
	uint64_t entry = exception_entry(kernel, vector).v;
	uint64_t type = vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW ? GATE_USER : GATE_INTERRUPT;
	uint64_t ist = vector == VECTOR_DOUBLE_FAULT ? 1 : 0;
	const uint64_t words[2] = {
	    (entry & 0xffff) | (uint64_t)KERNEL_CS << 16 | ist << 32 | type << 40 | (entry >> 16 & 0xffff) << 48,
	    entry >> 32,
	};
	physmem_write(kernel->mem, paddr_add(idt, vector * sizeof(words)), words, sizeof(words));
}

static native_fn *handler_of(unsigned vector)
{
	if (vector == VECTOR_PAGE_FAULT)
		return fault_entry;
	return vector == TIMER_VECTOR ? timer_entry : exception_entry_native;
}

static void write_idt(struct kernel *kernel, struct paddr idt)
{
	for (unsigned vector = 0; vector < GATES; vector++) {
		kernel->gates[vector] = (struct gate){kernel, vector};
		write_gate(kernel, idt, vector);
		machine_bind(kernel->machine, exception_entry(kernel, vector), handler_of(vector),
			     &kernel->gates[vector]);
	}
	machine_load_idt(kernel->machine, (struct descriptor_table){kernel->idt, GATES * 16 - 1});
}

void boot_set_kernel_stack(struct kernel *kernel, struct vaddr top)
{
	physmem_write(kernel->mem, paddr_add(direct_map_target(kernel, kernel->tss), TSS_RSP0), &top.v, sizeof(top.v));
}

static void set_double_fault_stack(struct kernel *kernel, struct vaddr top)
{
	physmem_write(kernel->mem, paddr_add(direct_map_target(kernel, kernel->tss), TSS_IST1), &top.v, sizeof(top.v));
}

static void turn_on_paging(struct kernel *kernel)
{
	struct machine *machine = kernel->machine;
	const uint64_t la57 = kernel->layout->mode == PAGING_5LEVEL ? CR4_LA57 : 0;
	const uint64_t cr4 = CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_UMIP | la57;
	machine_write_efer(machine, EFER_SCE | EFER_LME | EFER_NXE);
	machine_write_cr4(machine, cr4);
	machine_write_cr3(machine, pfn_to_paddr(kernel->root).v);
	machine_write_cr0(machine, CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
	machine_write_cr4(machine, cr4 | CR4_PCIDE);
}

static void set_entry_registers(struct kernel *kernel)
{
	struct cpu *cpu = machine_cpu(kernel->machine);
	cpu->cs = KERNEL_CS;
	cpu->ss = cpu->ds = cpu->es = KERNEL_DS;
	cpu->rip = kernel->layout->kernel_text;
	cpu->rflags = RFLAGS_FIXED;
	cpu->gpr[GPR_RSP] = kernel->idle_stack_top.v;
	cpu->star = (uint64_t)KERNEL_CS << 32 | (uint64_t)USER32_CS << 48;
	cpu->lstar = syscall_entry(kernel).v;
	cpu->fmask = RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_AC;
	machine_bind(kernel->machine, syscall_entry(kernel), syscall_entry_native, kernel);
}

enum status boot_build(struct kernel *kernel, struct error *error)
{
	struct paddr gdt, idt, idle, doubled, zero;
	const struct layout *layout = kernel->layout;
	if (physmem_bytes(kernel->mem) > layout->direct_map_room)
		return error_set(
		    error, STATUS_BAD_INPUT,
		    "machine.memory of %llu MiB is too much for %s paging: the kernel maps all RAM and has "
		    "room for %llu MiB",
		    (unsigned long long)(physmem_bytes(kernel->mem) / MIB), paging_mode_info(layout->mode)->name,
		    (unsigned long long)(layout->direct_map_room / MIB));
	bool ok = map_kernel(kernel) && take_frame(kernel, FRAME_KERNEL, &gdt) &&
		  take_frame(kernel, FRAME_KERNEL, &idt) && take_frame(kernel, FRAME_KERNEL, &idle) &&
		  take_frame(kernel, FRAME_KERNEL, &doubled) && take_frame(kernel, FRAME_ZERO, &zero);
	if (!ok)
		return error_set(error, STATUS_BAD_INPUT, "%llu KiB of RAM are too few to boot",
				 (unsigned long long)(physmem_bytes(kernel->mem) / KIB));
	kernel->zero_page = paddr_to_pfn(zero);
	kernel->gdt = direct_map(kernel, gdt);
	kernel->tss = vaddr_add(kernel->gdt, TSS_OFFSET);
	kernel->idt = direct_map(kernel, idt);
	kernel->idle_stack_top = vaddr_add(direct_map(kernel, idle), PAGE_BYTES);
	turn_on_paging(kernel);
	write_gdt(kernel, gdt);
	write_idt(kernel, idt);
	boot_set_kernel_stack(kernel, kernel->idle_stack_top);
	set_double_fault_stack(kernel, vaddr_add(direct_map(kernel, doubled), PAGE_BYTES));
	set_entry_registers(kernel);
	machine_load_tr(kernel->machine, TSS_SELECTOR);
	return STATUS_OK;
}
