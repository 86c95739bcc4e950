/* Address spaces: made, freed, and checked. */
#include "kernel_private.h"
#include "placement.h"

struct mm *mm_new(struct kernel *kernel, struct process *owner, const struct placement *placement)
{
	struct mm *mm = pool_take(&kernel->mm_pool);
	mm->kernel = kernel;
	mm->layout = kernel->layout;
	mm->tlb_gen = 1;
	mm->id = owner->pid;
	mm->users = 1;
	mm->owner = owner;
	mm->mmap_ceiling = placement->mmap_ceiling;
	mm->start_brk = mm->brk = placement->start_brk;
	if (!table_new_root(mm)) {
		pool_put(&kernel->mm_pool, mm);
		return NULL;
	}
	BUG_ON(kernel->spaces[mm->id - 1]);
	kernel->spaces[mm->id - 1] = mm;
	return mm;
}

static void mm_free(struct mm *mm)
{
	struct kernel *kernel = mm->kernel;
	mm_unmap(mm, vaddr(0), mm->layout->task_size);
	table_free_root(mm);
	thp_forget_zero(mm);
	BUG_ON(mm->huge_zero != 0 || mm->hugetlb != 0);
	BUG_ON(mm_resident(mm) != 0 || mm->zero != 0 || mm->swapped != 0 || mm->tables != 0 || mm->committed != 0 ||
	       mm->total_vm != 0);
	if (kernel->charging == mm)
		kernel->charging = NULL;
	kernel->spaces[mm->id - 1] = NULL;
	pool_put(&kernel->mm_pool, mm);
}

void mm_share(struct mm *mm)
{
	mm->users++;
}

/* mm_update_next_owner. */
static struct process *next_owner(const struct mm *mm, const struct process *leaver)
{
	const struct kernel *kernel = mm->kernel;
	for (unsigned i = 0; i < kernel->process_count; i++) {
		if (kernel->processes[i] != leaver && kernel->processes[i]->mm == mm)
			return kernel->processes[i];
	}
	BUG();
}

void mm_leave(struct mm *mm, struct process *process)
{
	if (--mm->users == 0)
		mm_free(mm);
	else if (mm->owner == process)
		mm->owner = next_owner(mm, process);
	process->mm = NULL;
}

struct process *mm_process(const struct mm *mm)
{
	struct process *current = mm->kernel->current;
	return current && current->mm == mm ? current : mm->owner;
}

uint64_t mm_resident(const struct mm *mm)
{
	return mm->rss[RSS_FILE] + mm->rss[RSS_ANON] + mm->rss[RSS_SHMEM];
}

/* Counts everything once more. */
static void recount(const struct mm *mm, struct mm *sum, uint64_t *committed)
{
	*sum = (struct mm){.kernel = mm->kernel};
	*committed = 0;
	for (const struct vma *vma = mm->vmas.first; vma; vma = vma->next) {
		uint64_t pages = vma_bytes(vma) / PAGE_BYTES;
		mm_count(sum, vma->flags, pages, true);
		*committed += vma->flags & VMA_ACCOUNT ? pages : 0;
	}
}

static bool users_are_right(const struct mm *mm)
{
	const struct kernel *kernel = mm->kernel;
	uint32_t users = 0;
	for (unsigned i = 0; i < kernel->process_count; i++)
		users += kernel->processes[i]->mm == mm;
	return users == mm->users && mm->owner->mm == mm;
}

bool mm_check(const struct mm *mm, struct error *why)
{
	const char *what = NULL;
	struct mm sum;
	uint64_t committed;
	recount(mm, &sum, &committed);
	if (!users_are_right(mm))
		what = "its users are not the processes that have the address space";
	else if (!vma_tree_check(&mm->vmas))
		what = "the VMA tree is out of order";
	else if (sum.total_vm != mm->total_vm)
		what = "the virtual size is not the sum of the VMAs";
	else if (sum.data_vm != mm->data_vm || sum.exec_vm != mm->exec_vm || sum.stack_vm != mm->stack_vm)
		what = "the sizes of data, text or stack are not the sums of their VMAs";
	else if (committed != mm->committed)
		what = "the committed size is not the sum of the accounted VMAs";
	else
		(void)table_check(mm, &what);
	if (what)
		(void)error_set(why, STATUS_MACHINE_STOPPED, "process %u: %s", mm->owner->pid, what);
	return what == NULL;
}
