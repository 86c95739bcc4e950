/* Who runs. Switching away from a running process is an interrupt: the processor pushes its state on its kernel stack,
 * the handler saves the general registers, and IRETQ resumes another process from another stack.
 * See arch/x86/kernel/process_64.c, __switch_to. */
#include "cpus.h"

static struct process_context *context_here(const struct kernel *kernel, struct process *process)
{
	return &process->contexts[kernel->cpu];
}

/* A word of the frame that the context is resumed from. */
static struct paddr frame_word(const struct kernel *kernel, const struct process_context *context, enum iret_word word)
{
	struct paddr frame = direct_map_target(kernel, context->kernel_rsp);
	return paddr_add(frame, (uint64_t)word * kernel->layout->word_bytes);
}

/* Side by side, so memory in pieces may have to be put together first. */
static bool take_stack(struct kernel *kernel, struct pfn *stack)
{
	return frame_take(kernel->frames, STACK_ORDER, FRAME_KERNEL, stack) ||
	       (compact_memory(kernel, STACK_ORDER, "direct compaction") &&
		frame_take(kernel->frames, STACK_ORDER, FRAME_KERNEL, stack));
}

bool sched_prepare(struct kernel *kernel, struct process *process, unsigned cpu, struct vaddr rip, struct vaddr rsp)
{
	const struct layout *layout = kernel->layout;
	struct process_context *context = &process->contexts[cpu];
	struct pfn stack;
	const uint64_t words[IRET_WORDS] = {
	    [IRET_RIP] = rip.v, [IRET_CS] = layout->user_cs, [IRET_RFLAGS] = RFLAGS_FIXED | RFLAGS_IF,
	    [IRET_RSP] = rsp.v, [IRET_SS] = layout->user_ds,
	};
	if (!context->kernel_stack_top.v) {
		if (!take_stack(kernel, &stack))
			return false;
		context->kernel_stack_top = vaddr_add(direct_map(kernel, pfn_to_paddr(stack)),
						      PAGE_BYTES << STACK_ORDER);
	}
	context->gpr[GPR_RSP] = rsp.v;
	context->kernel_rsp = vaddr(context->kernel_stack_top.v - (uint64_t)IRET_WORDS * layout->word_bytes);
	for (unsigned i = 0; i < IRET_WORDS; i++)
		physmem_write(kernel->mem, frame_word(kernel, context, (enum iret_word)i), &words[i],
			      layout->word_bytes);
	return true;
}

void sched_forget(struct kernel *kernel, struct process *process)
{
	for (unsigned i = 0; i < kernel->cpu_count; i++) {
		uint64_t top = process->contexts[i].kernel_stack_top.v;
		if (!top)
			continue;
		struct vaddr bottom = vaddr(top - (PAGE_BYTES << STACK_ORDER));
		frame_put(kernel->frames, paddr_to_pfn(direct_map_target(kernel, bottom)));
		process->contexts[i].kernel_stack_top = vaddr(0);
	}
}

static void save_registers(const struct cpu *cpu, struct process_context *context)
{
	for (unsigned i = 0; i < GPR_COUNT; i++)
		context->gpr[i] = cpu->gpr[i];
	context->kernel_rsp = vaddr(cpu->gpr[GPR_RSP]);
}

static void load_registers(struct cpu *cpu, const struct process_context *context)
{
	for (unsigned i = 0; i < GPR_COUNT; i++)
		cpu->gpr[i] = context->gpr[i];
	cpu->gpr[GPR_RSP] = context->kernel_rsp.v;
}

/* arch/x86/mm/tlb.c, switch_mm_irqs_off. Translations of an earlier time slice are still good if nothing has changed
 * since: the PCID tells them apart from those of others. A PCID's first use drops what a dead owner may have left.
 * Outside long mode there are no PCIDs. */
void sched_load_mm(struct kernel *kernel, struct process *process)
{
	struct kernel_cpu *cpu = &kernel->cpus[kernel->cpu];
	uint64_t *seen = &cpu->seen[process->mm->id];
	bool fresh = *seen == process->mm->tlb_gen;
	if (cpu->loaded == process->mm && fresh)
		return; /* out of lazy TLB mode */
	uint64_t keep = fresh && kernel->layout->is_64bit ? CR3_NOFLUSH : 0;
	machine_write_cr3(kernel->machine, pfn_to_paddr(process->mm->root).v | process->pcid | keep);
	cpu->loaded = process->mm;
	*seen = process->mm->tlb_gen;
}

/* The call that it slept in is over. */
static void end_vfork(struct kernel *kernel, struct process *process)
{
	if (process->vfork_child == 0)
		return;
	emit(kernel->bus, EVENT_SYSCALL_RETURN, event_text(syscall_info(SYSCALL_VFORK)->name), process->vfork_child);
	process->vfork_child = 0;
}

static void switch_to(struct kernel *kernel, struct process *process)
{
	struct machine *machine = kernel->machine;
	struct process_context *context = context_here(kernel, process);
	emit(kernel->bus, EVENT_SWITCH, kernel->bus->pid, process->pid);
	machine_charge(machine, COST_CONTEXT_SWITCH, 1);
	sched_load_mm(kernel, process);
	boot_set_kernel_stack(kernel, context->kernel_stack_top);
	load_registers(machine_cpu(machine), context);
	process->stats.switches++;
	process->last = kernel->cpu;
	kernel->current = process;
	kernel->bus->pid = process->pid;
	end_vfork(kernel, process);
	machine_iretq(machine);
}

void timer_entry(void *self)
{
	struct kernel *kernel = ((const struct gate *)self)->kernel;
	struct machine *machine = kernel->machine;
	struct process_context *context = context_here(kernel, kernel->current);
	save_registers(machine_cpu(machine), context);
	/* The user's RSP is in the frame that the interrupt pushed. */
	uint64_t rsp = 0;
	physmem_read(kernel->mem, frame_word(kernel, context, IRET_RSP), &rsp, kernel->layout->word_bytes);
	context->gpr[GPR_RSP] = rsp;
	if (kernel->next)
		switch_to(kernel, kernel->next);
	else
		cpu_idle(kernel);
}

void kernel_idle(struct kernel *kernel, struct process *process)
{
	if (process->wakes_at <= kernel->bus->cycle)
		return;
	kernel->next = NULL;
	if (kernel->current)
		(void)machine_exception(kernel->machine, TIMER_VECTOR, NULL, vaddr(0));
	if (process->wakes_at > kernel->bus->cycle)
		process->stats.waited_cycles += process->wakes_at - kernel->bus->cycle;
	block_wait_here(kernel, process->wakes_at);
}

/* Where the process stands in its program: the thread that goes on takes over from the one that went on last. */
struct place {
	uint64_t rip, rsp;
};

static struct place place_of(const struct kernel *kernel, const struct process *process)
{
	const struct process_context *context = &process->contexts[process->last];
	const struct cpu *cpu = machine_cpu_at(kernel->machine, process->last);
	struct place place = {0, context->gpr[GPR_RSP]};
	if (cpu_current(kernel, process->last) == process)
		return (struct place){cpu->rip, cpu->gpr[GPR_RSP]};
	physmem_read(kernel->mem, frame_word(kernel, context, IRET_RIP), &place.rip, kernel->layout->word_bytes);
	return place;
}

static bool hand_over(struct kernel *kernel, struct process *process, unsigned cpu)
{
	struct place place = place_of(kernel, process);
	if (cpu_current(kernel, cpu) != process)
		return sched_prepare(kernel, process, cpu, vaddr(place.rip), vaddr(place.rsp));
	cpu_enter(kernel, cpu);
	machine_cpu(kernel->machine)->rip = place.rip;
	machine_cpu(kernel->machine)->gpr[GPR_RSP] = place.rsp;
	process->last = cpu;
	return true;
}

static void hop(struct kernel *kernel, unsigned cpu)
{
	unsigned from = kernel->cpu;
	cpu_enter(kernel, cpu);
	emit(kernel->bus, EVENT_CPU, from, cpu, machine_cpu(kernel->machine)->cpl);
}

bool kernel_run_on(struct kernel *kernel, struct process *process, unsigned cpu)
{
	unsigned from = kernel->cpu;
	BUG_ON(process->death.dead || kernel_waits_in_vfork(kernel, process));
	if (cpu != process->last && !hand_over(kernel, process, cpu))
		return false;
	if (cpu != from) {
		cpu_enter(kernel, from);
		hop(kernel, cpu);
	}
	if (kernel->current == process)
		return true;
	kernel->next = process;
	if (kernel->current)
		(void)machine_exception(kernel->machine, TIMER_VECTOR, NULL, vaddr(0));
	else
		switch_to(kernel, process);
	return true;
}

void kernel_run(struct kernel *kernel, struct process *process)
{
	(void)kernel_run_on(kernel, process, process->home);
}

struct process *kernel_current(const struct kernel *kernel)
{
	return kernel->current;
}
