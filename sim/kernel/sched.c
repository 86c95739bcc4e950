/* Who runs. Switching away from a running process is an interrupt: the processor pushes its state on its kernel stack,
 * the handler saves the general registers, and IRETQ resumes another process from another stack.
 * See arch/x86/kernel/process_64.c, __switch_to. */
#include "kernel_private.h"

void sched_prepare(struct kernel *kernel, struct process *process, struct vaddr rip, struct vaddr rsp)
{
	struct iret_frame frame = {
	    .rip = rip.v, .cs = USER_CS, .rflags = RFLAGS_FIXED | RFLAGS_IF, .rsp = rsp.v, .ss = USER_DS};
	process->saved.kernel_rsp = vaddr(process->kernel_stack_top.v - sizeof(frame));
	physmem_write(kernel->mem, direct_map_target(kernel, process->saved.kernel_rsp), &frame, sizeof(frame));
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
	 * PCID's first use must drop what a dead owner may have left. */
	uint64_t keep = process->saved.ran_before ? CR3_NOFLUSH : 0;
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
	struct paddr frame = direct_map_target(kernel, process->saved.kernel_rsp);
	process->saved.gpr[GPR_RSP] = physmem_load64(kernel->mem, paddr_add(frame, 3 * sizeof(uint64_t)));
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
