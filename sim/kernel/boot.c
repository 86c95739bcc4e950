/* Boot: the upper half of every address space, the entries and the stacks, all in simulated RAM.
 *
 *	ffff888000000000  direct map: all RAM, rw-, global, 1 GiB and 2 MiB pages (ff11000000000000 with five levels)
 *	ffffffff81000000  kernel text: r-x, global, one 2 MiB page over physical 0
 *
 * or, where addresses have 32 bits:
 *
 *	c0000000          direct map and, at its start, kernel text: rwx, global, 4 MiB pages (PAE: 2 MiB,
 *	                  execution only in the first)
 *
 * Kernel text holds one entry of 16 bytes per vector, then the SYSCALL entry. */
#include "cpus.h"

enum {
	VECTOR_ENTRIES_OFFSET = 0x1000,
	VECTOR_ENTRY_BYTES = 16,
	SYSCALL_ENTRY_OFFSET = 0x2000,
	TEXT_FRAMES = 2,    /* frames 1 and 2: frame 0 is never used */
	TSS_OFFSET = 0x100, /* in the frame of the GDT */
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

static void turn_on_paging(struct kernel *kernel)
{
	struct machine *machine = kernel->machine;
	const struct layout *layout = kernel->layout;
	const uint64_t everywhere = CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_UMIP;
	const uint64_t la57 = layout->mode == PAGING_5LEVEL ? CR4_LA57 : 0;
	const uint64_t cr4 = everywhere | la57 | (layout->mode == PAGING_32BIT ? CR4_PSE : CR4_PAE);
	machine_write_efer(machine, (layout->no_execute ? EFER_NXE : 0) | (layout->is_64bit ? EFER_SCE | EFER_LME : 0));
	machine_write_cr4(machine, cr4);
	machine_write_cr3(machine, pfn_to_paddr(kernel->root).v);
	machine_write_cr0(machine, CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
	if (layout->is_64bit)
		machine_write_cr4(machine, cr4 | CR4_PCIDE);
}

static native_fn *handler_of(const struct kernel *kernel, unsigned vector)
{
	if (vector == VECTOR_PAGE_FAULT)
		return fault_entry;
	if (vector == SYSCALL_VECTOR && !kernel->layout->is_64bit)
		return syscall_vector_entry;
	if (vector == FLUSH_VECTOR)
		return flush_entry;
	if (vector == RESCHEDULE_VECTOR)
		return reschedule_entry;
	return vector == TIMER_VECTOR ? timer_entry : exception_entry_native;
}

static void bind_entries(struct kernel *kernel)
{
	for (unsigned vector = 0; vector < GATES; vector++) {
		kernel->gates[vector] = (struct gate){kernel, vector};
		machine_bind(kernel->machine, exception_entry(kernel, vector), handler_of(kernel, vector),
			     &kernel->gates[vector]);
	}
	if (kernel->layout->is_64bit)
		machine_bind(kernel->machine, syscall_entry(kernel), syscall_entry_native, kernel);
}

static void set_entry_registers(struct kernel *kernel)
{
	struct cpu *cpu = machine_cpu(kernel->machine);
	cpu->rip = kernel->layout->kernel_text;
	cpu->rflags = RFLAGS_FIXED;
	cpu->gpr[GPR_RSP] = kernel->idle_stack_top.v;
}

/* What the native handlers end with, so that RIP stands on true code: the error code off the stack, if there is one,
 * and IRET; SYSRET. */
static void write_text(struct kernel *kernel)
{
	static const uint8_t plain[2][3] = {{0xcf}, {0x48, 0xcf}};
	static const uint8_t with_error[2][6] = {{0x83, 0xc4, 0x04, 0xcf}, {0x48, 0x83, 0xc4, 0x08, 0x48, 0xcf}};
	static const uint8_t sysret[] = {0x48, 0x0f, 0x07};
	bool wide = kernel->layout->is_64bit;
	for (unsigned vector = 0; vector < GATES; vector++) {
		struct paddr at = paddr(VECTOR_ENTRIES_OFFSET + vector * VECTOR_ENTRY_BYTES);
		if (vector_pushes_error(vector))
			physmem_write(kernel->mem, at, with_error[wide], sizeof(with_error[wide]));
		else
			physmem_write(kernel->mem, at, plain[wide], sizeof(plain[wide]));
	}
	if (wide)
		physmem_write(kernel->mem, paddr(SYSCALL_ENTRY_OFFSET), sysret, sizeof(sysret));
}

/* Descriptor tables and stacks of one CPU. */
struct cpu_frames {
	struct paddr gdt, idle, doubled;
};

static void place_cpu(struct kernel *kernel, const struct cpu_frames *frames)
{
	kernel->gdt = direct_map(kernel, frames->gdt);
	kernel->tss = vaddr_add(kernel->gdt, TSS_OFFSET);
	kernel->idle_stack_top = vaddr_add(direct_map(kernel, frames->idle), PAGE_BYTES);
	kernel->double_fault_stack_top = vaddr_add(direct_map(kernel, frames->doubled), PAGE_BYTES);
	struct kernel_cpu *cpu = &kernel->cpus[kernel->cpu];
	cpu->gdt = kernel->gdt;
	cpu->tss = kernel->tss;
	cpu->idle_stack_top = kernel->idle_stack_top;
	cpu->double_fault_stack_top = kernel->double_fault_stack_top;
	cpu->seen = arena_new_array(kernel->arena, uint64_t, MAX_PROCESSES + 1);
}

static void load_descriptors(struct kernel *kernel)
{
	if (kernel->layout->is_64bit)
		descriptors_load(kernel);
	else
		descriptors_load_32bit(kernel);
}

/* The other CPUs: the same tables of the kernel, stacks and a TSS of their own. arch/x86/kernel/smpboot.c */
static bool start_others(struct kernel *kernel)
{
	for (unsigned i = 1; i < kernel->cpu_count; i++) {
		struct cpu_frames frames;
		if (!take_frame(kernel, FRAME_KERNEL, &frames.gdt) || !take_frame(kernel, FRAME_KERNEL, &frames.idle) ||
		    !take_frame(kernel, FRAME_KERNEL, &frames.doubled))
			return false;
		cpu_enter(kernel, i);
		place_cpu(kernel, &frames);
		turn_on_paging(kernel);
		set_entry_registers(kernel);
		load_descriptors(kernel);
	}
	cpu_enter(kernel, 0);
	return true;
}

static enum status too_much_ram(const struct kernel *kernel, struct error *error)
{
	return error_set(
	    error, STATUS_BAD_INPUT,
	    "machine.memory of %llu MiB is too much for %s paging: the kernel maps all RAM and has room for "
	    "%llu MiB",
	    (unsigned long long)(physmem_bytes(kernel->mem) / MIB), paging_mode_info(kernel->layout->mode)->name,
	    (unsigned long long)(kernel->layout->direct_map_room / MIB));
}

static enum status too_little_ram(const struct kernel *kernel, struct error *error)
{
	return error_set(error, STATUS_BAD_INPUT, "%llu KiB of RAM are too few to boot",
			 (unsigned long long)(physmem_bytes(kernel->mem) / KIB));
}

enum status boot_build(struct kernel *kernel, struct error *error)
{
	struct cpu_frames frames;
	struct paddr idt, zero;
	if (physmem_bytes(kernel->mem) > kernel->layout->direct_map_room)
		return too_much_ram(kernel, error);
	bool ok = map_kernel(kernel) && take_frame(kernel, FRAME_KERNEL, &frames.gdt) &&
		  take_frame(kernel, FRAME_KERNEL, &idt) && take_frame(kernel, FRAME_KERNEL, &frames.idle) &&
		  take_frame(kernel, FRAME_KERNEL, &frames.doubled) && take_frame(kernel, FRAME_ZERO, &zero);
	if (!ok)
		return too_little_ram(kernel, error);
	kernel->zero_page = paddr_to_pfn(zero);
	kernel->idt = direct_map(kernel, idt);
	place_cpu(kernel, &frames);
	turn_on_paging(kernel);
	write_text(kernel);
	bind_entries(kernel);
	set_entry_registers(kernel);
	load_descriptors(kernel);
	return start_others(kernel) ? STATUS_OK : too_little_ram(kernel, error);
}
