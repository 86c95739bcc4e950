/* What an address space may have: resource limits, vm.max_map_count, and the promises of memory that overcommit allows.
 * See mm/mmap.c, mm/vma.c and mm/util.c. */
#include "kernel_private.h"

/* What mm/mm_init.c and mm/mmap.c keep back in mode 2, in pages. */
#define ADMIN_RESERVE ((8 * MIB) >> PAGE_SHIFT)
#define USER_RESERVE ((128 * MIB) >> PAGE_SHIFT)

static bool is_exec(uint32_t flags)
{
	return (flags & (VMA_EXEC | VMA_WRITE | VMA_GROWSDOWN)) == VMA_EXEC;
}

static bool is_data(uint32_t flags)
{
	return (flags & (VMA_WRITE | VMA_SHARED | VMA_GROWSDOWN)) == VMA_WRITE;
}

void mm_count(struct mm *mm, uint32_t flags, uint64_t pages, bool add)
{
	uint64_t delta = add ? pages : -pages;
	mm->total_vm += delta;
	if (is_exec(flags))
		mm->exec_vm += delta;
	else if (flags & VMA_GROWSDOWN)
		mm->stack_vm += delta;
	else if (is_data(flags))
		mm->data_vm += delta;
	if (mm->total_vm > mm->peak_vm)
		mm->peak_vm = mm->total_vm;
}

uint64_t process_limit(const struct process *process, enum rlimit_index limit)
{
	return process->limits[limit].soft;
}

static bool fits(const struct mm *mm, enum rlimit_index limit, uint64_t pages)
{
	return pages <= process_limit(mm_process(mm), limit) / PAGE_BYTES;
}

bool mm_may_expand(const struct mm *mm, uint32_t flags, uint64_t pages)
{
	if (!fits(mm, RLIMIT_INDEX_AS, mm->total_vm + pages))
		return false;
	return !is_data(flags) || fits(mm, RLIMIT_INDEX_DATA, mm->data_vm + pages);
}

bool mm_may_lock(const struct mm *mm, uint32_t flags, uint64_t bytes)
{
	return !(flags & VMA_LOCKED) || fits(mm, RLIMIT_INDEX_MEMLOCK, mm->locked_vm + bytes / PAGE_BYTES);
}

bool mm_is_full(const struct mm *mm, uint64_t more)
{
	return mm->vmas.count + more > mm->kernel->config.max_map_count;
}

uint64_t kernel_commit_limit(const struct kernel *kernel)
{
	return frame_pool_total(kernel->frames) * kernel->config.overcommit_ratio / 100 + swap_total(&kernel->swap);
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}

/* Mode 2: something is kept back for the administrator, and something so that one process cannot take it all. */
static bool below_limit(const struct mm *mm, uint64_t committed)
{
	const struct kernel *kernel = mm->kernel;
	uint64_t share = kernel->boot_free / 32;
	int64_t allowed = (int64_t)kernel_commit_limit(kernel);
	allowed -= (int64_t)at_most(share, ADMIN_RESERVE);
	allowed -= (int64_t)at_most(mm->total_vm / 32, at_most(share, USER_RESERVE));
	return (int64_t)committed < allowed;
}

/* __vm_enough_memory. */
static bool is_enough(const struct mm *mm, int64_t pages)
{
	const struct kernel *kernel = mm->kernel;
	switch (kernel->config.overcommit) {
	case OVERCOMMIT_ALWAYS:
		return true;
	case OVERCOMMIT_NEVER:
		return below_limit(mm, kernel->committed + (uint64_t)pages);
	case OVERCOMMIT_HEURISTIC:
	case OVERCOMMIT_COUNT:
		break;
	}
	return pages <= (int64_t)(frame_pool_total(kernel->frames) + swap_total(&kernel->swap));
}

bool mm_may_charge(const struct mm *mm, int64_t pages)
{
	return pages <= 0 || is_enough(mm, pages);
}

bool mm_charge(struct mm *mm, int64_t pages)
{
	if (!mm_may_charge(mm, pages))
		return false;
	mm->committed += (uint64_t)pages;
	mm->kernel->committed += (uint64_t)pages;
	return true;
}

void mm_charge_again(struct mm *mm, uint64_t pages)
{
	mm->committed += pages;
	mm->kernel->committed += pages;
}

bool mm_charge_shared(struct mm *mm, uint64_t pages)
{
	if (!is_enough(mm, (int64_t)pages))
		return false;
	mm->kernel->committed += pages;
	return true;
}
