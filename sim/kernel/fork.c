/* fork: a process becomes two that share their pages until one of them writes. vfork: two that share all their memory,
 * of which one waits. See kernel/fork.c, copy_page_range of mm/memory.c, and kernel/exit.c for wait4. */
#include <string.h>

#include "cpus.h"
#include "open_file.h"
#include "page.h"
#include "placement.h"
#include "reclaim.h"

enum { STACK_FRAMES = 1 << STACK_ORDER };

/* ---- pages ---- */

struct copy {
	struct mm *child;
	const struct vma *vma; /* the parent's */
	uint64_t entries;
	bool failed;
};

/* Private memory is written by neither from now on: the first write copies. The child has not used it yet. */
static struct pte shared_entry(const struct vma *vma, struct pte entry)
{
	if (!(vma->flags & VMA_SHARED))
		entry.word &= ~PTE_WRITABLE;
	return entry;
}

static void copy_present(struct mm *child, struct vaddr va, struct pte entry)
{
	struct kernel *kernel = child->kernel;
	struct pfn frame = pfn(pte_frame(entry));
	struct frame *record = frame_at(kernel->frames, frame);
	if (record->use == FRAME_ANON) {
		rmap_add(child, frame, va);
	} else {
		record->mappings++;
	}
	if (record->use == FRAME_ZERO)
		child->zero++;
	else
		page_count_resident(child, page_kind(record), 1);
}

static void copy_huge(struct copy *copy, struct mm *parent, struct vaddr va, struct paddr entry_pa, struct pte entry)
{
	struct kernel *kernel = parent->kernel;
	bool transparent = thp_is_transparent(frame_at(kernel->frames, pfn(pte_frame(entry))));
	if (!(transparent ? thp_copy : hugetlb_copy)(copy->child, parent, va, entry_pa, entry)) {
		copy->failed = true;
		return;
	}
	machine_charge(kernel->machine, COST_PTE_UPDATE, 1);
	copy->entries++;
}

/* copy_pte_range. */
static void copy_entry(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	struct copy *copy = self;
	struct paddr child_pa;
	if (copy->failed)
		return;
	if (pte_page_size(entry) && entry_has_frame(entry)) {
		copy_huge(copy, mm, va, entry_pa, entry);
		return;
	}
	if (!table_entry(copy->child, va, true, &child_pa)) {
		copy->failed = true;
		return;
	}
	struct pte shared = shared_entry(copy->vma, entry);
	if (entry_is_swap(entry)) {
		swap_get(mm->kernel, swap_entry_slot(mm->layout, entry));
		copy->child->swapped++;
		shared = entry;
	} else {
		copy_present(copy->child, va, entry);
		if (shared.word != entry.word)
			table_set(mm, va, entry_pa, shared);
		shared.word &= ~PTE_ACCESSED;
	}
	table_set(copy->child, va, child_pa, shared);
	machine_charge(mm->kernel->machine, COST_PTE_UPDATE, 1);
	copy->entries++;
}

/* vma_needs_copy: what faults can bring back is not copied. */
static bool needs_copy(const struct vma *vma)
{
	bool own_huge = (vma->flags & (VMA_HUGETLB | VMA_SHARED)) == VMA_HUGETLB;
	return (vma->anon != 0 || own_huge) && !(vma->flags & VMA_WIPEONFORK);
}

/* ---- address spaces ---- */

static bool copy_vma(struct mm *child, const struct vma *vma)
{
	struct area area = area_of(vma, vma->start, vma->end);
	uint64_t pages = vma_bytes(vma) / PAGE_BYTES;
	area.flags &= ~(uint32_t)VMA_LOCKED_MASK;
	area.reserves = false; /* the child itself has been promised nothing */
	if ((area.flags & VMA_ACCOUNT) && !mm_charge(child, (int64_t)pages))
		return false;
	(void)mm_map_alone(child, &area);
	return true;
}

static bool copy_vmas(struct mm *child, struct mm *parent, uint64_t *entries)
{
	struct copy copy = {.child = child};
	for (const struct vma *vma = parent->vmas.first; vma && !copy.failed; vma = vma->next) {
		if (vma->flags & VMA_DONTCOPY)
			continue;
		if (!copy_vma(child, vma))
			return false;
		copy.vma = vma;
		if (needs_copy(vma))
			table_for_each(parent, vma->start, vma->end, copy_entry, &copy);
	}
	*entries = copy.entries;
	return !copy.failed;
}

/* dup_mmap. NULL: no frames, or the promises are too many. */
static struct mm *copy_mm(struct kernel *kernel, struct process *child, struct mm *parent, uint64_t *entries)
{
	const struct placement same = {.mmap_ceiling = parent->mmap_ceiling, .start_brk = parent->start_brk};
	struct mm *mm = mm_new(kernel, child, &same);
	if (!mm)
		return NULL;
	mm->group = parent->group;
	mm->brk = parent->brk;
	mm->start_code = parent->start_code;
	mm->end_code = parent->end_code;
	mm->start_data = parent->start_data;
	mm->end_data = parent->end_data;
	mm->start_stack = parent->start_stack;
	mm->anons = parent->anons;
	child->mm = mm;
	bool complete = copy_vmas(mm, parent, entries);
	/* The parent may not write either, before anybody else runs. */
	flush_range(parent, vaddr(0), vaddr(parent->layout->task_size), PAGE_BYTES);
	if (complete)
		return mm;
	mm_leave(mm, child);
	return NULL;
}

/* ---- processes ---- */

/* Where the call returns to: SYSCALL left RIP in RCX and the entry RSP on the stack; INT 0x80 pushed both. */
static void user_place(struct kernel *kernel, struct vaddr *rip, struct vaddr *rsp)
{
	const struct cpu *cpu = machine_cpu(kernel->machine);
	struct paddr stack = direct_map_target(kernel, vaddr(cpu->gpr[GPR_RSP]));
	if (kernel->layout->is_64bit) {
		*rip = vaddr(cpu->gpr[GPR_RCX]);
		*rsp = vaddr(physmem_load64(kernel->mem, stack));
		return;
	}
	*rip = vaddr(physmem_load32(kernel->mem, paddr_add(stack, 4 * (uint64_t)IRET_RIP)));
	*rsp = vaddr(physmem_load32(kernel->mem, paddr_add(stack, 4 * (uint64_t)IRET_RSP)));
}

/* The process goes on behind the call, on that CPU, with that result. */
static bool copy_thread(struct kernel *kernel, struct process *process, unsigned number, uint32_t result)
{
	const struct cpu *cpu = machine_cpu(kernel->machine);
	struct vaddr rip, rsp;
	user_place(kernel, &rip, &rsp);
	struct process_context *context = &process->contexts[number];
	memcpy(context->gpr, cpu->gpr, sizeof(context->gpr));
	context->gpr[GPR_RAX] = result;
	return sched_prepare(kernel, process, number, rip, rsp);
}

static struct process *copy_process(struct kernel *kernel, const struct process *parent)
{
	struct process *child = process_new(kernel, parent->name);
	child->parent = parent->pid;
	child->oom_score_adj = parent->oom_score_adj;
	memcpy(child->limits, parent->limits, sizeof(child->limits));
	memcpy(child->segment_start, parent->segment_start, sizeof(child->segment_start));
	memcpy(child->segment_bytes, parent->segment_bytes, sizeof(child->segment_bytes));
	return child;
}

static void publish(struct kernel *kernel, struct process *child, const struct process *parent)
{
	descriptors_copy(kernel, child, parent);
	kernel->processes[kernel->process_count++] = child;
}

int64_t sys_fork(struct kernel *kernel, struct process *parent, const uint64_t args[6])
{
	(void)args;
	uint64_t entries = 0;
	if (kernel->process_count == MAX_PROCESSES)
		return -LINUX_EAGAIN;
	/* Nothing is taken away while tables are copied. */
	if (!reclaim_for_frames(kernel, parent->mm, parent->mm->tables + STACK_FRAMES))
		return -LINUX_ENOMEM;
	struct process *child = copy_process(kernel, parent);
	/* The stack first: for it pages may have to move, which must not have entries yet that nobody knows of. */
	if (!copy_thread(kernel, child, child->home, 0) || !copy_mm(kernel, child, parent->mm, &entries)) {
		sched_forget(kernel, child);
		pool_put(&kernel->process_pool, child);
		return -LINUX_ENOMEM;
	}
	publish(kernel, child, parent);
	emit(kernel->bus, EVENT_FORK, parent->pid, child->pid, entries);
	return child->pid;
}

/* CLONE_VM | CLONE_VFORK: no entry is copied. The caller sleeps in the kernel until the child has another address space
 * or none (wait_for_vfork_done), and its CPU is free. */
int64_t sys_vfork(struct kernel *kernel, struct process *parent, const uint64_t args[6])
{
	(void)args;
	if (kernel->process_count == MAX_PROCESSES)
		return -LINUX_EAGAIN;
	if (!reclaim_for_frames(kernel, parent->mm, STACK_FRAMES))
		return -LINUX_ENOMEM;
	struct process *child = copy_process(kernel, parent);
	if (!copy_thread(kernel, child, child->home, 0)) {
		pool_put(&kernel->process_pool, child);
		return -LINUX_ENOMEM;
	}
	child->mm = parent->mm;
	child->pcid = parent->pcid;
	mm_share(child->mm);
	publish(kernel, child, parent);
	parent->vfork_child = child->pid;
	emit(kernel->bus, EVENT_VFORK, parent->pid, child->pid);
	BUG_ON(!copy_thread(kernel, parent, kernel->cpu, child->pid)); /* it has a stack */
	cpu_idle(kernel);
	return child->pid;
}

bool kernel_waits_in_vfork(const struct kernel *kernel, const struct process *process)
{
	const struct process *child = process->vfork_child ? kernel->processes[process->vfork_child - 1] : NULL;
	return child && child->mm && child->mm == process->mm;
}

/* ---- wait4 ---- */

static struct process *dead_child(const struct kernel *kernel, const struct process *parent, int64_t pid, bool *any)
{
	*any = false;
	for (unsigned i = 0; i < kernel->process_count; i++) {
		struct process *child = kernel->processes[i];
		if (child->parent != parent->pid || child->reaped || (pid > 0 && child->pid != pid))
			continue;
		*any = true;
		if (child->death.dead)
			return child;
	}
	return NULL;
}

int64_t sys_wait4(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	bool any;
	struct process *child = dead_child(kernel, process, (int32_t)args[0], &any);
	if (!any)
		return -LINUX_ECHILD;
	if (!child)
		return args[2] & LINUX_WNOHANG ? 0 : -LINUX_ERESTARTSYS;
	uint32_t status = child->death.signal ? child->death.signal : (uint32_t)child->death.status << 8;
	if (args[1] != 0 && !copy_to_user(process->mm, args[1], &status, sizeof(status)))
		return -LINUX_EFAULT;
	child->reaped = true;
	return child->pid;
}
