/* execve: the process stays, its address space does not. See fs/exec.c (begin_new_exec) and fs/binfmt_elf.c. */
#include <string.h>

#include "cpus.h"
#include "image.h"
#include "open_file.h"

/* Point of no return: the old address space goes, if nobody else has it, and with it all other threads. False: there is
 * no new one, or only a part of it. */
static bool replace_mm(struct kernel *kernel, struct process *process, const struct process_spec *spec,
		       const struct placement *placement)
{
	uint64_t generation = process->mm->tlb_gen;
	struct memgroup *group = process->mm->group;
	process_leave_mm(kernel, process); /* whoever looks while the new one is made finds none */
	process->pcid = process_own_pcid(kernel, process);
	process->mm = mm_new(kernel, process, placement);
	if (!process->mm)
		return false;
	/* No CPU may take translations of the old one for its own. */
	process->mm->tlb_gen = generation + 1;
	process->mm->group = group;
	kernel->charging = process->mm;
	return image_map(process->mm, spec, placement);
}

/* start_thread: where the call returns to, with nothing in the registers. */
static void set_user_place(struct kernel *kernel, struct vaddr rip, struct vaddr rsp)
{
	struct cpu *cpu = machine_cpu(kernel->machine);
	uint64_t kernel_rsp = cpu->gpr[GPR_RSP], rflags = cpu->gpr[GPR_R11];
	struct paddr stack = direct_map_target(kernel, vaddr(kernel_rsp));
	memset(cpu->gpr, 0, sizeof(cpu->gpr));
	cpu->gpr[GPR_RSP] = kernel_rsp;
	if (kernel->layout->is_64bit) {
		cpu->gpr[GPR_RCX] = rip.v;
		cpu->gpr[GPR_R11] = rflags;
		physmem_store64(kernel->mem, stack, rsp.v);
		return;
	}
	physmem_store32(kernel->mem, paddr_add(stack, 4 * (uint64_t)IRET_RIP), (uint32_t)rip.v);
	physmem_store32(kernel->mem, paddr_add(stack, 4 * (uint64_t)IRET_RSP), (uint32_t)rsp.v);
}

/* Arguments and environment are not looked at. */
int64_t sys_execve(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	char path[LONGEST_PATH];
	int64_t error = copy_path(process->mm, args[0], path);
	const struct file *file = error ? NULL : file_find(kernel, path);
	if (error || !file)
		return error ? error : -LINUX_ENOENT;
	if (!file->program)
		return -LINUX_EACCES;
	struct process_spec spec = *file->program;
	spec.stack_limit = process->limits[RLIMIT_INDEX_STACK].soft;
	struct placement placement = placement_of(kernel->layout, &spec, process->pid - 1);
	(void)reclaim_for_frames(kernel, process->mm, image_frames(&spec));
	uint64_t taken = process->stats.frames_taken;
	emit(kernel->bus, EVENT_EXEC, process->pid, event_text(file->path));
	if (!replace_mm(kernel, process, &spec, &placement)) {
		process_kill(kernel, &(struct process_death){.dead = true,
							     .signal = 9,
							     .signal_name = "SIGKILL",
							     .why = "no memory for the program of execve",
							     .vma = ""});
		return 0;
	}
	descriptors_close(kernel, process, true);
	process->name = spec.name;
	process->stats.frames_taken = taken; /* as at birth, what the kernel gives was not asked for */
	sched_load_mm(kernel, process);
	set_user_place(kernel, placement.image, vaddr(placement.stack_top.v - STACK_USED));
	return 0;
}
