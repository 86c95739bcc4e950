/* The CPUs as the kernel sees them: which one executes, what each has loaded, and idling. */
#include "cpus.h"

void cpu_enter(struct kernel *kernel, unsigned number)
{
	struct kernel_cpu *to = &kernel->cpus[number];
	if (number == kernel->cpu)
		return;
	kernel->cpus[kernel->cpu].current = kernel->current;
	kernel->cpu = number;
	kernel->current = to->current;
	kernel->gdt = to->gdt;
	kernel->tss = to->tss;
	kernel->idle_stack_top = to->idle_stack_top;
	kernel->double_fault_stack_top = to->double_fault_stack_top;
	kernel->bus->pid = kernel->current ? kernel->current->pid : 0;
	machine_select_cpu(kernel->machine, number);
}

struct process *cpu_current(const struct kernel *kernel, unsigned number)
{
	return number == kernel->cpu ? kernel->current : kernel->cpus[number].current;
}

void cpu_interrupt(struct kernel *kernel, unsigned number, unsigned vector)
{
	unsigned self = kernel->cpu;
	emit(kernel->bus, EVENT_IPI, number, vector);
	machine_charge(kernel->machine, COST_IPI, 1);
	cpu_enter(kernel, number);
	(void)machine_exception(kernel->machine, vector, NULL, vaddr(0));
	cpu_enter(kernel, self);
}

void cpu_idle(struct kernel *kernel)
{
	machine_cpu(kernel->machine)->gpr[GPR_RSP] = kernel->idle_stack_top.v;
	boot_set_kernel_stack(kernel, kernel->idle_stack_top);
	kernel->current = NULL;
	kernel->bus->pid = 0;
}

void cpu_leave_mm(struct kernel *kernel)
{
	struct machine *machine = kernel->machine;
	machine_write_cr3(machine, machine_cpu(machine)->cr3);
	machine_write_cr3(machine, pfn_to_paddr(kernel->root).v);
	kernel->cpus[kernel->cpu].loaded = NULL;
}

/* Another CPU wants this one to stop what it does for a process: its thread there ended, or all of it. */
void reschedule_entry(void *self)
{
	struct kernel *kernel = ((const struct gate *)self)->kernel;
	struct process *process = kernel->stopping;
	if (kernel->stopping_for_good && kernel->cpus[kernel->cpu].loaded == process->mm)
		cpu_leave_mm(kernel);
	if (kernel->current == process)
		cpu_idle(kernel);
	else
		machine_iretq(kernel->machine);
}

void kernel_end_thread(struct kernel *kernel, struct process *process, unsigned cpu)
{
	if (cpu == kernel->cpu || cpu_current(kernel, cpu) != process)
		return;
	kernel->stopping = process;
	kernel->stopping_for_good = false;
	cpu_interrupt(kernel, cpu, RESCHEDULE_VECTOR);
}

void cpus_forget(struct kernel *kernel, struct process *process)
{
	kernel->stopping = process;
	kernel->stopping_for_good = process->mm->users == 1;
	for (unsigned i = 0; i < kernel->cpu_count; i++) {
		bool concerned = kernel->stopping_for_good ? kernel->cpus[i].loaded == process->mm
							   : cpu_current(kernel, i) == process;
		if (i != kernel->cpu && concerned)
			cpu_interrupt(kernel, i, RESCHEDULE_VECTOR);
	}
}

const struct process *kernel_loaded(const struct kernel *kernel, unsigned cpu)
{
	const struct mm *mm = kernel->cpus[cpu].loaded;
	return mm ? mm->owner : NULL;
}

bool kernel_flushes_before_use(const struct kernel *kernel, unsigned cpu, const struct process *process)
{
	return !process->mm || kernel->cpus[cpu].seen[process->mm->id] != process->mm->tlb_gen;
}
