/* The page-fault handler: the kernel's side of "a promise kept late". See arch/x86/mm/fault.c and mm/memory.c. */
#include "khugepaged.h"

static const struct {
	const char *name, *text;
	enum fault_end end;
} causes[] = {
#define X(id, name, end, text) [FAULT_CAUSE_##id] = {#name, text, FAULT_##end},
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

enum fault_end fault_cause_end(enum fault_cause cause)
{
	return causes[cause].end;
}

bool fault_cause_is_resolved(enum fault_cause cause)
{
	return causes[cause].end != FAULT_DEADLY;
}

/* acct_stack_growth: the limits of a stack that becomes `bytes` long. */
static bool may_grow(const struct mm *mm, const struct vma *stack, uint64_t bytes)
{
	uint64_t pages = (bytes - vma_bytes(stack)) / PAGE_BYTES;
	return mm_may_expand(mm, stack->flags, pages) && bytes <= process_limit(mm_process(mm), RLIMIT_INDEX_STACK) &&
	       mm_may_lock(mm, stack->flags, pages * PAGE_BYTES) && mm_may_charge(mm, (int64_t)pages);
}

/* expand_downwards: the stack that would grow down to the access, but not into the guard gap of an accessible area
 * below it. */
static struct vma *stack_above(const struct mm *mm, struct vaddr va)
{
	struct vma *stack = vma_tree_after(&mm->vmas, va);
	uint64_t start = page_floor(va.v);
	if (!stack || stack->start.v <= va.v || !(stack->flags & VMA_GROWSDOWN) || start < VMA_LOWEST)
		return NULL;
	const struct vma *prev = stack->prev;
	bool guarded = prev && !(prev->flags & VMA_GROWSDOWN) && (prev->flags & VMA_PROT);
	return guarded && start - prev->end.v < VMA_STACK_GUARD_BYTES ? NULL : stack;
}

static bool may_reach(const struct mm *mm, const struct vma *stack, struct vaddr va)
{
	uint64_t start = page_floor(va.v);
	return (stack->start.v - start) / PAGE_BYTES <= stack->pgoff && may_grow(mm, stack, stack->end.v - start);
}

static struct vma *grow_stack(struct mm *mm, struct vaddr va)
{
	struct vma *stack = stack_above(mm, va);
	if (!stack)
		return NULL;
	mm_prepare_anon(mm, stack);
	if (!may_reach(mm, stack, va))
		return NULL;
	/* Linux charges also for an area that is not accounted, and never gives that back; here it only asks. */
	if (stack->flags & VMA_ACCOUNT)
		(void)mm_charge(mm, (int64_t)((stack->start.v - page_floor(va.v)) / PAGE_BYTES));
	mm_resize(mm, stack, vaddr(page_floor(va.v)), stack->end);
	return stack;
}

/* SDM error code against the VMA's promise: arch/x86/mm/fault.c, access_error(). A fetch from a page that is not there
 * is served like a read, and refused when it comes again. */
static bool allows(const struct vma *vma, uint32_t error_code)
{
	if (error_code & FAULT_WRITE)
		return (vma->flags & VMA_WRITE) != 0;
	if (error_code & FAULT_PRESENT)
		return (error_code & FAULT_FETCH) ? (vma->flags & VMA_EXEC) != 0 : (vma->flags & VMA_PROT) != 0;
	return (vma->flags & VMA_PROT) != 0;
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
	enum fault_cause cause = page_fault(mm, vma, vaddr(page_floor(va.v)), (error_code & FAULT_WRITE) != 0);
	return grown && fault_cause_is_resolved(cause) ? FAULT_CAUSE_STACK_GROWTH : cause;
}

enum fault_cause process_fault_verdict(const struct process *process, struct vaddr va, uint32_t error_code)
{
	const struct mm *mm = process->mm;
	if (!mm || va.v >= mm->layout->task_size)
		return FAULT_CAUSE_SEGV_MAPERR;
	const struct vma *vma = process_vma_at(process, va), *stack = vma ? NULL : stack_above(mm, va);
	if (!vma && (!stack || !may_reach(mm, stack, va)))
		return FAULT_CAUSE_SEGV_MAPERR;
	if (!allows(vma ? vma : stack, error_code))
		return FAULT_CAUSE_SEGV_ACCERR;
	return vma ? FAULT_CAUSE_COUNT : FAULT_CAUSE_STACK_GROWTH;
}

void fault_count(struct mm *mm, struct vaddr va, enum fault_cause cause)
{
	struct process_stats *stats = &mm_process(mm)->stats;
	bool major = causes[cause].end == FAULT_MAJOR;
	stats->causes[cause]++;
	*(major ? &stats->major_faults : &stats->minor_faults) += 1;
	emit(mm->kernel->bus, EVENT_FAULT, va.v, event_text(fault_cause_name(cause)),
	     event_text(major ? "major" : "minor"));
}

/* The verdict on an access that cannot be served. */
static struct process_death verdict(struct mm *mm, struct vaddr va, uint32_t error_code, enum fault_cause cause)
{
	const struct vma *vma = va.v < mm->layout->task_size ? vma_tree_find(&mm->vmas, va) : NULL;
	bool oom = cause == FAULT_CAUSE_OUT_OF_MEMORY,
	     bus = cause == FAULT_CAUSE_BUS_ADRERR || cause == FAULT_CAUSE_NO_HUGE_PAGE;
	return (struct process_death){
	    .dead = true,
	    .signal = oom   ? 9
		      : bus ? 7
			    : 11,
	    .signal_name = oom   ? "SIGKILL"
			   : bus ? "SIGBUS"
				 : "SIGSEGV",
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
	khugepaged_wake(kernel);
	machine_charge(machine, COST_FAULT_HANDLER, 1);
	enum fault_cause cause = fault_resolve(process->mm, va, error_code);
	if (fault_cause_is_resolved(cause)) {
		fault_count(process->mm, va, cause);
		machine_iretq(machine);
		return;
	}
	process->stats.causes[cause]++;
	if (cause == FAULT_CAUSE_OUT_OF_MEMORY)
		emit(kernel->bus, EVENT_OOM, event_text("no frame is free for a page fault"));
	struct process_death death = verdict(process->mm, va, error_code, cause);
	process_kill(kernel, &death);
}
