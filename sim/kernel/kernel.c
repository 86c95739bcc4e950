#include "faultline/kernel.h"

#include "kernel_private.h"

enum status kernel_boot(struct arena *arena, struct machine *machine, const struct kernel_config *config,
			struct kernel **out, struct error *error)
{
	struct kernel *kernel = arena_new_object(arena, struct kernel);
	kernel->arena = arena;
	kernel->machine = machine;
	kernel->mem = machine_memory(machine);
	kernel->bus = machine_bus(machine);
	kernel->config = *config;
	kernel->layout = layout_of(config->paging);
	kernel->frames = frame_pool_new(arena, kernel->mem, kernel->bus, config->junk_freed_frames);
	kernel->processes = arena_new_array(arena, struct process *, MAX_PROCESSES);
	pool_init(&kernel->mm_pool, arena, sizeof(struct mm));
	pool_init(&kernel->vma_pool, arena, sizeof(struct vma));
	pool_init(&kernel->process_pool, arena, sizeof(struct process));
	enum status status = boot_build(kernel, error);
	if (status != STATUS_OK)
		return status;
	emit(kernel->bus, EVENT_BOOT, physmem_bytes(kernel->mem), frame_pool_total(kernel->frames));
	*out = kernel;
	return STATUS_OK;
}

struct machine *kernel_machine(struct kernel *kernel)
{
	return kernel->machine;
}

const struct machine *kernel_machine_const(const struct kernel *kernel)
{
	return kernel->machine;
}

const struct frame_pool *kernel_frames(const struct kernel *kernel)
{
	return kernel->frames;
}

struct process *kernel_process(const struct kernel *kernel, unsigned index)
{
	return index < kernel->process_count ? kernel->processes[index] : NULL;
}

/* Sums over all living processes. */
struct census {
	uint64_t resident, zero, tables, committed;
};

static bool count_processes(const struct kernel *kernel, struct census *census, struct error *why)
{
	for (unsigned i = 0; i < kernel->process_count; i++) {
		const struct mm *mm = kernel->processes[i]->mm;
		if (!mm)
			continue;
		if (!mm_check(mm, why))
			return false;
		census->resident += mm->resident;
		census->zero += mm->zero;
		census->tables += mm->tables;
		census->committed += mm->committed;
	}
	return true;
}

bool kernel_check(const struct kernel *kernel, struct error *why)
{
	struct census census = {0};
	const char *what = NULL;
	if (!frame_pool_check(kernel->frames, &what)) {
		(void)error_set(why, STATUS_MACHINE_STOPPED, "frames: %s", what);
		return false;
	}
	if (!count_processes(kernel, &census, why))
		return false;
	const struct frame_pool *frames = kernel->frames;
	if (frame_pool_used(frames, FRAME_ANON) + frame_pool_used(frames, FRAME_IMAGE) != census.resident)
		what = "frames: anonymous and image frames in use are not the resident pages of all processes";
	else if (frame_pool_used(frames, FRAME_TABLE) != census.tables + kernel->kernel_tables)
		what = "frames: page-table frames in use are not the tables of all processes and the kernel";
	else if (frame_peek(frames, kernel->zero_page)->mappings != census.zero)
		what = "frames: the zero page's reference count is not the number of entries that map it";
	else if (kernel->committed != census.committed)
		what = "overcommit: the committed total is not the sum over the processes";
	if (what)
		(void)error_set(why, STATUS_MACHINE_STOPPED, "%s", what);
	return what == NULL;
}
