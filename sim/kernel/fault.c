/* The page-fault handler: the kernel's side of "a promise kept late". See arch/x86/mm/fault.c and mm/memory.c. */
#include "kernel_private.h"

static const struct {
	const char *name, *text;
	bool minor;
} causes[] = {
#define X(id, name, minor, text) [FAULT_CAUSE_##id] = {#name, text, minor},
    FAULT_CAUSE_LIST(X)
#undef X
};

const char *fault_cause_name(enum fault_cause cause)
{
	return causes[cause].name;
}

const char *fault_cause_text(enum fault_cause cause)
{
	return causes[cause].text;
}

bool fault_cause_is_minor(enum fault_cause cause)
{
	return causes[cause].minor;
}

/* A stack grows down to the access, within RLIMIT_STACK and not into the guard gap of what lies below it. */
static struct vma *grow_stack(struct mm *mm, struct vaddr va)
{
	struct vma *stack = vma_tree_after(&mm->vmas, va);
	if (!stack || !(stack->flags & VMA_GROWSDOWN))
		return NULL;
	struct vaddr start = vaddr(page_floor(va.v));
	if (stack->end.v - start.v > mm->stack_limit)
		return NULL;
	if (stack->prev && start.v - stack->prev->end.v < VMA_STACK_GUARD_BYTES)
		return NULL;
	if (!mm_may_commit(mm, stack->start.v - start.v, stack->flags))
		return NULL;
	mm_resize(mm, stack, start, stack->end);
	return stack;
}

/* SDM error code against the VMA's promise: arch/x86/mm/fault.c, access_error(). */
static bool allows(const struct vma *vma, uint32_t error_code)
{
	if (error_code & FAULT_WRITE)
		return (vma->flags & VMA_WRITE) != 0;
	if (error_code & FAULT_FETCH)
		return (vma->flags & VMA_EXEC) != 0;
	return (vma->flags & VMA_PROT) != 0;
}

/* True when the entry in RAM already allows what was refused: the translation used was an old one. */
static bool already_allowed(struct pte entry, uint32_t error_code)
{
	if (!pte_present(entry) || !pte_user(entry))
		return false;
	if ((error_code & FAULT_WRITE) && !pte_writable(entry))
		return false;
	return !((error_code & FAULT_FETCH) && pte_no_execute(entry));
}

static enum fault_cause fill_page(struct mm *mm, const struct vma *vma, struct vaddr va, uint32_t error_code)
{
	struct vaddr page = vaddr(page_floor(va.v));
	struct pte entry = table_get(mm, page);
	if (already_allowed(entry, error_code))
		return FAULT_CAUSE_SPURIOUS;
	if (entry_used(entry) && !(error_code & FAULT_WRITE))
		return FAULT_CAUSE_SEGV_ACCERR;
	bool write = (error_code & FAULT_WRITE) != 0;
	if (!page_map(mm, vma, page, write))
		return FAULT_CAUSE_OUT_OF_MEMORY;
	if (!write && !(vma->flags & VMA_HUGE))
		return FAULT_CAUSE_ZERO_PAGE;
	return entry_used(entry) ? FAULT_CAUSE_ZERO_PAGE_WRITE : FAULT_CAUSE_DEMAND_ZERO;
}

enum fault_cause fault_resolve(struct mm *mm, struct vaddr va, uint32_t error_code)
{
	machine_charge(mm->kernel->machine, COST_VMA_LOOKUP, 1);
	struct vma *vma = va.v < mm->layout->task_size ? vma_tree_find(&mm->vmas, va) : NULL;
	bool grown = false;
	if (!vma && va.v < mm->layout->task_size) {
		vma = grow_stack(mm, va);
		grown = vma != NULL;
	}
	if (!vma)
		return FAULT_CAUSE_SEGV_MAPERR;
	if (!allows(vma, error_code))
		return FAULT_CAUSE_SEGV_ACCERR;
	enum fault_cause cause = fill_page(mm, vma, va, error_code);
	return grown && fault_cause_is_minor(cause) ? FAULT_CAUSE_STACK_GROWTH : cause;
}

/* The verdict on an access that cannot be served. */
static struct process_death verdict(struct mm *mm, struct vaddr va, uint32_t error_code, enum fault_cause cause)
{
	const struct vma *vma = va.v < mm->layout->task_size ? vma_tree_find(&mm->vmas, va) : NULL;
	bool oom = cause == FAULT_CAUSE_OUT_OF_MEMORY;
	return (struct process_death){
	    .dead = true,
	    .signal = oom ? 9 : 11,
	    .signal_name = oom ? "SIGKILL" : "SIGSEGV",
	    .va = va,
	    .error_code = error_code,
	    .vector = VECTOR_PAGE_FAULT,
	    .why = fault_cause_text(cause),
	    .vma = vma ? vma->name : "",
	};
}

void fault_entry(void *self)
{
	const struct gate *gate = self;
	struct kernel *kernel = gate->kernel;
	struct machine *machine = kernel->machine;
	uint32_t error_code = (uint32_t)machine_pop(machine);
	struct vaddr va = vaddr(machine_cpu(machine)->cr2);
	struct process *process = kernel->current;
	if (!(error_code & FAULT_USER) || !process) {
		kernel_panic(kernel, "page fault in ring 0");
		return;
	}
	machine_charge(machine, COST_FAULT_HANDLER, 1);
	enum fault_cause cause = fault_resolve(process->mm, va, error_code);
	process->stats.causes[cause]++;
	if (fault_cause_is_minor(cause)) {
		process->stats.minor_faults++;
		emit(kernel->bus, EVENT_FAULT, va.v, event_text(fault_cause_name(cause)), event_text("minor"));
		machine_iretq(machine);
		return;
	}
	if (cause == FAULT_CAUSE_OUT_OF_MEMORY)
		emit(kernel->bus, EVENT_OOM, event_text("no frame is free for a page fault"));
	struct process_death death = verdict(process->mm, va, error_code, cause);
	process_kill(kernel, &death);
}
