/* Descriptor tables, gates and the TSS, in RAM. SDM 3A 3.4.5, 6.11, 6.14.1, 8.2, 8.7. */
#include "kernel_private.h"

enum {
	TSS_BYTES = 104, /* of either width */
	TSS_STACK = 4,   /* RSP0 or ESP0 */
	TSS_SS0 = 8,     /* only in a 32-bit one */
	TSS_IST1 = 36,   /* only in a 64-bit one */
	TSS_IO_MAP = 102,
	GATE_INTERRUPT = 0x8e, /* present, DPL 0, interrupt gate of the mode's width */
	GATE_USER = 0xee,      /* the same with DPL 3 */
};

#define CODE_64 ((uint64_t)0x00209b0000000000)
#define CODE_32 ((uint64_t)0x00cf9b000000ffff)
#define DATA_64 ((uint64_t)0x0000930000000000)
#define DATA_32 ((uint64_t)0x00cf93000000ffff)
#define RING3 ((uint64_t)3 << 45)

static struct paddr in_ram(const struct kernel *kernel, struct vaddr va)
{
	return direct_map_target(kernel, va);
}

static void write_tss(struct kernel *kernel, uint32_t offset, uint64_t value, uint64_t bytes)
{
	physmem_write(kernel->mem, paddr_add(in_ram(kernel, kernel->tss), offset), &value, bytes);
}

void boot_set_kernel_stack(struct kernel *kernel, struct vaddr top)
{
	write_tss(kernel, TSS_STACK, top.v, kernel->layout->word_bytes);
}

static uint64_t tss_descriptor(const struct kernel *kernel)
{
	const uint64_t base = kernel->tss.v;
	return (TSS_BYTES - 1) | (base & 0xffffff) << 16 | (uint64_t)0x89 << 40 | (base >> 24 & 0xff) << 56;
}

static void load_gdt(struct kernel *kernel, const uint64_t *entries, uint16_t bytes)
{
	physmem_write(kernel->mem, in_ram(kernel, kernel->gdt), entries, bytes);
	machine_load_gdt(kernel->machine, (struct descriptor_table){kernel->gdt, (uint16_t)(bytes - 1)});
}

static uint64_t gate_type(const struct kernel *kernel, unsigned vector)
{
	bool from_user = vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW ||
			 (vector == SYSCALL_VECTOR && !kernel->layout->is_64bit);
	return from_user ? GATE_USER : GATE_INTERRUPT;
}

/* A gate of 16 bytes, or of 8 outside long mode: the same fields, the upper half of the offset added. */
static void write_gate(struct kernel *kernel, unsigned vector)
{
	const struct layout *layout = kernel->layout;
	uint64_t entry = exception_entry(kernel, vector).v;
	uint64_t ist = vector == VECTOR_DOUBLE_FAULT && layout->is_64bit ? 1 : 0;
	const uint64_t words[2] = {
	    (entry & 0xffff) | (uint64_t)layout->kernel_cs << 16 | ist << 32 | gate_type(kernel, vector) << 40 |
		(entry >> 16 & 0xffff) << 48,
	    entry >> 32,
	};
	const uint64_t bytes = 2u * layout->word_bytes;
	physmem_write(kernel->mem, paddr_add(in_ram(kernel, kernel->idt), vector * bytes), words, bytes);
}

static void load_the_rest(struct kernel *kernel)
{
	const struct layout *layout = kernel->layout;
	struct cpu *cpu = machine_cpu(kernel->machine);
	for (unsigned vector = 0; vector < GATES; vector++)
		write_gate(kernel, vector);
	machine_load_idt(kernel->machine,
			 (struct descriptor_table){kernel->idt, (uint16_t)(GATES * 2u * layout->word_bytes - 1)});
	write_tss(kernel, TSS_IO_MAP, TSS_BYTES, sizeof(uint16_t)); /* none */
	boot_set_kernel_stack(kernel, kernel->idle_stack_top);
	cpu->cs = layout->kernel_cs;
	cpu->ss = layout->kernel_ds;
	machine_load_tr(kernel->machine, layout->tss_selector);
}

void descriptors_load(struct kernel *kernel)
{
	const struct layout *layout = kernel->layout;
	struct cpu *cpu = machine_cpu(kernel->machine);
	const uint64_t entries[] = {
	    [KERNEL_CS / 8] = CODE_64,
	    [KERNEL_DS / 8] = DATA_64,
	    [USER32_CS / 8] = CODE_32 | RING3,
	    [USER_DS / 8] = DATA_64 | RING3,
	    [USER_CS / 8] = CODE_64 | RING3,
	    [TSS_SELECTOR / 8] = tss_descriptor(kernel),
	    [TSS_SELECTOR / 8 + 1] = kernel->tss.v >> 32,
	};
	load_gdt(kernel, entries, sizeof(entries));
	load_the_rest(kernel);
	write_tss(kernel, TSS_IST1, kernel->double_fault_stack_top.v, sizeof(uint64_t));
	cpu->ds = cpu->es = layout->kernel_ds;
	cpu->star = (uint64_t)KERNEL_CS << 32 | (uint64_t)USER32_CS << 48;
	cpu->lstar = syscall_entry(kernel).v;
	cpu->fmask = RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_AC;
}

/* A double fault uses the stack that is there: a stack of its own would need a task gate, and task switches are not
 * modelled. The kernel runs with the data segments of the user, as Linux does. */
void descriptors_load_32bit(struct kernel *kernel)
{
	const struct layout *layout = kernel->layout;
	struct cpu *cpu = machine_cpu(kernel->machine);
	const uint64_t entries[] = {
	    [KERNEL_CS_32 / 8] = CODE_32,
	    [KERNEL_DS_32 / 8] = DATA_32,
	    [USER_CS_32 / 8] = CODE_32 | RING3,
	    [USER_DS_32 / 8] = DATA_32 | RING3,
	    [TSS_SELECTOR_32 / 8] = tss_descriptor(kernel),
	};
	load_gdt(kernel, entries, sizeof(entries));
	load_the_rest(kernel);
	write_tss(kernel, TSS_SS0, layout->kernel_ds, sizeof(uint16_t));
	cpu->ds = cpu->es = layout->user_ds;
	const uint16_t ring3 = RING3 >> 40;
	cpu->shadow[SREG_DS].flags |= ring3;
	cpu->shadow[SREG_ES].flags |= ring3;
}
