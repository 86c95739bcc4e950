/* Several CPUs. Struct kernel holds what belongs to the CPU that executes; this is the rest. */
#ifndef FAULTLINE_KERNEL_CPUS_H
#define FAULTLINE_KERNEL_CPUS_H

#include "kernel_private.h"

struct kernel_cpu {
	struct vaddr gdt, tss;
	struct vaddr idle_stack_top, double_fault_stack_top;
	struct process *current; /* NULL: idle. Of the CPU that executes: kernel->current */
	/* Whose tables CR3 points at; NULL: the kernel's own. An idle CPU keeps them: lazy TLB mode. */
	struct mm *loaded;
	uint64_t *seen; /* by mm->id: what mm->tlb_gen was when this CPU's translations were right; 0: never */
};

/* The execution goes on on that CPU, wherever it stands there. */
void cpu_enter(struct kernel *kernel, unsigned number);
struct process *cpu_current(const struct kernel *kernel, unsigned number);
/* That CPU takes the interrupt, now; then the execution is back here. */
void cpu_interrupt(struct kernel *kernel, unsigned number, unsigned vector);
/* The CPU, in ring 0, has nothing to run; the tables of the last process stay loaded. */
void cpu_idle(struct kernel *kernel);
/* To the kernel's own tables, and nothing is remembered of the others. */
void cpu_leave_mm(struct kernel *kernel);
/* A process gives up its address space: all other CPUs stop what they do for it, and leave the address space too if it
 * goes with the process. */
void cpus_forget(struct kernel *kernel, struct process *process);

#endif
