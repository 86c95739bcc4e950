/* Out of memory: somebody must go. See mm/oom_kill.c. */
#include "kernel_private.h"
#include "reclaim.h"

uint64_t oom_total_pages(const struct kernel *kernel)
{
	return frame_pool_total(kernel->frames) + swap_total(&kernel->swap);
}

int64_t oom_badness(const struct process *process, uint64_t total_pages)
{
	const struct mm *mm = process->mm;
	if (!mm || process->oom_score_adj == OOM_SCORE_ADJ_MIN)
		return INT64_MIN;
	if (process_borrows_memory(process)) /* in_vfork: the memory is the parent's */
		return INT64_MIN;
	int64_t points = (int64_t)(mm_resident(mm) + mm->swapped + mm->tables);
	return points + process->oom_score_adj * ((int64_t)total_pages / 1000);
}

/* select_bad_process: of equals the later one. */
static struct process *choose(struct kernel *kernel, const struct memgroup *group, uint64_t total, int64_t *most)
{
	struct process *chosen = NULL;
	*most = INT64_MIN;
	for (unsigned i = 0; i < kernel->process_count; i++) {
		struct process *process = kernel->processes[i];
		if (!process->mm || (group && process->mm->group != group))
			continue;
		int64_t points = oom_badness(process, total);
		if (points == INT64_MIN || points < *most)
			continue;
		*most = points;
		chosen = process;
	}
	return chosen;
}

/* __oom_kill_process: its memory comes back only if all go who have it; the owner last. False: one of them runs, and
 * is told by its allocation that fails. */
static bool end_all_with(struct kernel *kernel, struct process *victim)
{
	const struct process_death death = {
	    .dead = true, .signal = 9, .signal_name = "SIGKILL", .why = "chosen by the OOM killer", .vma = ""};
	const struct mm *mm = victim->mm;
	bool all = true;
	for (unsigned i = kernel->process_count; i-- > 0;) {
		struct process *process = kernel->processes[i];
		if (process->mm != mm)
			continue;
		if (process == kernel->current)
			all = false;
		else
			process_end(kernel, process, &death);
	}
	return all;
}

bool oom_kill(struct kernel *kernel, const struct memgroup *group)
{
	uint64_t total = group && group->limit ? group->limit : oom_total_pages(kernel);
	int64_t points;
	struct process *victim = choose(kernel, group, total, &points);
	if (!victim)
		return false;
	kernel->vm.oom_kills++;
	emit(kernel->bus, EVENT_OOM_KILL, victim->pid, event_text(victim->name), (uint64_t)points,
	     (uint64_t)victim->oom_score_adj, event_text(group ? "its memory limit" : "all memory"));
	return end_all_with(kernel, victim);
}
