/* Who runs. Switching away from a running process is an interrupt: the processor pushes its state on its kernel stack,
 * the handler saves the general registers, and IRETQ resumes another process from another stack.
 * See arch/x86/kernel/process_64.c, __switch_to. */
#include "kernel_private.h"

/* A word of the frame that the process is resumed from. */
static struct paddr frame_word(const struct kernel *kernel, const struct process *process, enum iret_word word)
{
	struct paddr frame = direct_map_target(kernel, process->saved.kernel_rsp);
	return paddr_add(frame, (uint64_t)word * kernel->layout->word_bytes);
}

void sched_prepare(struct kernel *kernel, struct process *process, struct vaddr rip, struct vaddr rsp)
{
	const struct layout *layout = kernel->layout;
	const uint64_t words[IRET_WORDS] = {
	    [IRET_RIP] = rip.v, [IRET_CS] = layout->user_cs, [IRET_RFLAGS] = RFLAGS_FIXED | RFLAGS_IF,
	    [IRET_RSP] = rsp.v, [IRET_SS] = layout->user_ds,
	};
	process->saved.kernel_rsp = vaddr(process->kernel_stack_top.v - (uint64_t)IRET_WORDS * layout->word_bytes);
	for (unsigned i = 0; i < IRET_WORDS; i++)
		physmem_write(kernel->mem, frame_word(kernel, process, (enum iret_word)i), &words[i],
			      layout->word_bytes);
}

static void save_registers(const struct cpu *cpu, struct process *process)
{
	for (unsigned i = 0; i < GPR_COUNT; i++)
		process->saved.gpr[i] = cpu->gpr[i];
	process->saved.kernel_rsp = vaddr(cpu->gpr[GPR_RSP]);
}

static void load_registers(struct cpu *cpu, const struct process *process)
{
	for (unsigned i = 0; i < GPR_COUNT; i++)
		cpu->gpr[i] = process->saved.gpr[i];
	cpu->gpr[GPR_RSP] = process->saved.kernel_rsp.v;
}

static void switch_to(struct kernel *kernel, struct process *process)
{
	struct machine *machine = kernel->machine;
	emit(kernel->bus, EVENT_SWITCH, kernel->bus->pid, process->pid);
	machine_charge(machine, COST_CONTEXT_SWITCH, 1);
	/* Translations of an earlier time slice are still good: the PCID tells them apart from those of others. A
	 * PCID's first use must drop what a dead owner may have left. Outside long mode there are none. */
	uint64_t keep = process->saved.ran_before && kernel->layout->is_64bit ? CR3_NOFLUSH : 0;
	machine_write_cr3(machine, pfn_to_paddr(process->mm->root).v | process->pcid | keep);
	boot_set_kernel_stack(kernel, process->kernel_stack_top);
	load_registers(machine_cpu(machine), process);
	process->saved.ran_before = true;
	process->stats.switches++;
	kernel->current = process;
	kernel->bus->pid = process->pid;
	machine_iretq(machine);
}

void timer_entry(void *self)
{
	struct kernel *kernel = ((const struct gate *)self)->kernel;
	struct machine *machine = kernel->machine;
	struct process *process = kernel->current;
	save_registers(machine_cpu(machine), process);
	/* The user's RSP is in the frame that the interrupt pushed. */
	uint64_t rsp = 0;
	physmem_read(kernel->mem, frame_word(kernel, process, IRET_RSP), &rsp, kernel->layout->word_bytes);
	process->saved.gpr[GPR_RSP] = rsp;
	switch_to(kernel, kernel->next);
}

void kernel_run(struct kernel *kernel, struct process *process)
{
	BUG_ON(process->death.dead);
	if (kernel->current == process)
		return;
	kernel->next = process;
	if (kernel->current)
		(void)machine_exception(kernel->machine, TIMER_VECTOR, NULL, vaddr(0));
	else
		switch_to(kernel, process);
}

struct process *kernel_current(const struct kernel *kernel)
{
	return kernel->current;
}
