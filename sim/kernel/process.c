/* Processes: birth with the usual Linux layout, death with everything given back. */
#include <string.h>

#include "cpus.h"
#include "image.h"
#include "open_file.h"
#include "placement.h"

static const char *const segment_names[] = {
#define X(id, name, text) [SEGMENT_##id] = #name,
    SEGMENT_LIST(X)
#undef X
};

const char *segment_name(enum segment segment)
{
	return segment_names[segment];
}

static void set_limits(struct process *process, const struct process_spec *spec)
{
	const uint64_t infinity = LINUX_RLIM_INFINITY;
	uint64_t memlock = spec->memlock_limit ? spec->memlock_limit : 8 * MIB;
	process->limits[RLIMIT_INDEX_STACK] = (struct linux_rlimit){spec->stack_limit, infinity};
	process->limits[RLIMIT_INDEX_MEMLOCK] = (struct linux_rlimit){memlock, memlock};
	process->limits[RLIMIT_INDEX_AS] = (struct linux_rlimit){spec->as_limit ? spec->as_limit : infinity, infinity};
	process->limits[RLIMIT_INDEX_DATA] = (struct linux_rlimit){spec->data_limit ? spec->data_limit : infinity,
								   infinity};
}

static bool build(struct kernel *kernel, struct process *process, const struct process_spec *spec,
		  const struct placement *placement)
{
	process->mm = mm_new(kernel, process, placement);
	if (!process->mm)
		return false;
	process->mm->group = memgroup_new(kernel, process->pid, spec->memory_limit);
	kernel->charging = process->mm;
	if (image_map(process->mm, spec, placement) &&
	    sched_prepare(kernel, process, process->home, placement->image, vaddr(placement->stack_top.v - STACK_USED)))
		return true;
	mm_leave(process->mm, process);
	return false;
}

uint16_t process_own_pcid(const struct kernel *kernel, const struct process *process)
{
	return kernel->layout->is_64bit ? (uint16_t)process->pid : 0;
}

struct process *process_new(struct kernel *kernel, const char *name)
{
	struct process *process = pool_take(&kernel->process_pool);
	process->pid = kernel->process_count + 1;
	process->pcid = process_own_pcid(kernel, process);
	process->name = name;
	process->death.signal_name = process->death.why = process->death.vma = "";
	process->home = process->last = kernel->process_count % kernel->cpu_count;
	process->segment_start[SEGMENT_KERNEL] = vaddr(kernel->layout->kernel_text);
	return process;
}

struct process *kernel_spawn(struct kernel *kernel, const struct process_spec *given)
{
	struct process_spec spec = image_defaults(given);
	if (kernel->process_count == MAX_PROCESSES)
		return NULL;
	/* It may take what is left: the limit of the group counts from the first fault on. */
	(void)reclaim_for_frames(kernel, NULL, image_frames(&spec));
	struct placement placement = placement_of(kernel->layout, &spec, kernel->process_count);
	struct process *process = process_new(kernel, spec.name);
	set_limits(process, &spec);
	if (!build(kernel, process, &spec, &placement)) {
		pool_put(&kernel->process_pool, process);
		return NULL;
	}
	kernel->charging = NULL;
	process->oom_score_adj = spec.oom_score_adj;
	process->stats.frames_taken = 0; /* what the kernel gave at birth was not asked for */
	kernel->processes[kernel->process_count++] = process;
	emit(kernel->bus, EVENT_PROCESS_START, process->pid, event_text(process->name));
	return process;
}

/* mm_release: complete_vfork_done. */
static void release_parent(struct kernel *kernel, const struct process *child, const struct mm *left)
{
	const struct process *parent = child->parent ? kernel->processes[child->parent - 1] : NULL;
	if (parent && parent->vfork_child == child->pid && parent->mm == left)
		emit(kernel->bus, EVENT_VFORK_DONE, child->pid, parent->pid);
}

void process_leave_mm(struct kernel *kernel, struct process *process)
{
	struct mm *mm = process->mm;
	if (!mm)
		return;
	/* If it goes: first its translations, then its tables. */
	cpus_forget(kernel, process);
	if (mm->users == 1 && kernel->cpus[kernel->cpu].loaded == mm)
		cpu_leave_mm(kernel);
	mm_leave(mm, process);
	release_parent(kernel, process, mm);
}

void process_end(struct kernel *kernel, struct process *process, const struct process_death *death)
{
	bool current = process == kernel->current;
	process->death = *death;
	if (death->signal)
		emit(kernel->bus, EVENT_SIGNAL, event_text(death->signal_name), death->va.v, event_text(death->why));
	descriptors_close(kernel, process, false);
	process_leave_mm(kernel, process);
	sched_forget(kernel, process);
	if (current) {
		machine_cpu(kernel->machine)->gpr[GPR_RSP] = kernel->idle_stack_top.v;
		boot_set_kernel_stack(kernel, kernel->idle_stack_top);
		kernel->current = NULL;
	}
	emit(kernel->bus, EVENT_PROCESS_EXIT, process->pid, event_text(death->signal ? death->signal_name : "exit"),
	     (uint64_t)death->status);
	if (current)
		kernel->bus->pid = 0;
}

void process_kill(struct kernel *kernel, const struct process_death *death)
{
	process_end(kernel, kernel->current, death);
}
