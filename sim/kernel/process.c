/* Processes: birth with the usual Linux layout, death with everything given back. */
#include <string.h>

#include "cpus.h"
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

#define LIBC_PATH "/usr/lib/x86_64-linux-gnu/libc.so.6"
#define LIBC_TEXT_BYTES (16 * KIB)

/* Private memory of the process itself, and what is accounted of it. */
enum { READ_WRITE = VMA_READ | VMA_WRITE | VMA_MAY | VMA_ACCOUNT };

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
	return page_ceil(value ? value : fallback);
}

static struct process_spec with_defaults(const struct process_spec *given)
{
	struct process_spec spec = *given;
	spec.text_bytes = or_default(spec.text_bytes, 16 * KIB);
	if (spec.text_bytes < spec.text_used)
		spec.text_bytes = page_ceil(spec.text_used);
	spec.rodata_bytes = or_default(spec.rodata_bytes, 8 * KIB);
	spec.data_bytes = or_default(spec.data_bytes, 8 * KIB);
	spec.bss_bytes = or_default(spec.bss_bytes, 8 * KIB);
	spec.libc_data_bytes = or_default(spec.libc_data_bytes, 16 * KIB);
	spec.stack_limit = spec.stack_limit ? spec.stack_limit : 8 * MIB;
	return spec;
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

/* A part of the program or the libc, from its file or, without one, empty. */
static struct vma *map_segment(struct mm *mm, enum segment segment, struct vaddr start, uint64_t bytes, uint32_t flags,
			       struct file *file, uint64_t offset)
{
	struct area area = {.start = start,
			    .end = vaddr_add(start, bytes),
			    .flags = flags,
			    .file = file,
			    .pgoff = file ? offset / PAGE_BYTES : start.v / PAGE_BYTES,
			    .name = segment_names[segment]};
	mm->process->segment_start[segment] = start;
	mm->process->segment_bytes[segment] = bytes;
	if ((flags & VMA_ACCOUNT) && !mm_charge(mm, (int64_t)(bytes / PAGE_BYTES)))
		return NULL;
	return mm_map(mm, &area);
}

static const char *program_path(struct kernel *kernel, const char *name)
{
	static const char folder[] = "/usr/bin/";
	char *path = arena_alloc(kernel->arena, sizeof(folder) + strlen(name), 1);
	memcpy(path, folder, sizeof(folder) - 1);
	memcpy(path + sizeof(folder) - 1, name, strlen(name) + 1);
	return path;
}

/* The program's own segments. The kernel jumps to the first instruction, whose page comes with its neighbours. */
static bool map_program(struct mm *mm, const struct process_spec *spec, struct vaddr at)
{
	uint64_t rodata = spec->text_bytes, data = rodata + spec->rodata_bytes, bss = data + spec->data_bytes;
	struct file *file = file_image(mm->kernel, program_path(mm->kernel, spec->name), bss);
	if (!file)
		return false;
	file_write(mm->kernel, file, 0, spec->text, spec->text_used);
	struct vma *text = map_segment(mm, SEGMENT_TEXT, at, spec->text_bytes, VMA_READ | VMA_EXEC | VMA_MAY, file, 0);
	mm->start_code = at;
	mm->end_code = vaddr_add(at, spec->text_bytes);
	mm->start_data = vaddr_add(at, data);
	mm->end_data = vaddr_add(at, bss);
	return map_segment(mm, SEGMENT_RODATA, vaddr_add(at, rodata), spec->rodata_bytes, VMA_READ | VMA_MAY, file,
			   rodata) &&
	       map_segment(mm, SEGMENT_DATA, vaddr_add(at, data), spec->data_bytes, READ_WRITE, file, data) &&
	       map_segment(mm, SEGMENT_BSS, vaddr_add(at, bss), spec->bss_bytes, READ_WRITE, NULL, 0) &&
	       fault_cause_is_resolved(page_fault(mm, text, at, false));
}

/* The C library has been started by ld.so: its text has run, and its variables have been written to. */
static bool map_libc(struct mm *mm, const struct process_spec *spec, struct vaddr top)
{
	struct file *file = file_image(mm->kernel, LIBC_PATH, LIBC_TEXT_BYTES + spec->libc_data_bytes);
	struct vaddr data = vaddr(top.v - spec->libc_data_bytes), text = vaddr(data.v - LIBC_TEXT_BYTES);
	BUG_ON(spec->libc_text_used > LIBC_TEXT_BYTES);
	if (file)
		file_write(mm->kernel, file, 0, spec->libc_text, spec->libc_text_used);
	struct vma *vma = file ? map_segment(mm, SEGMENT_LIBC_DATA, data, spec->libc_data_bytes, READ_WRITE, file,
					     LIBC_TEXT_BYTES)
			       : NULL;
	for (struct vaddr va = data; vma && va.v < top.v; va.v += PAGE_BYTES) {
		if (!page_map_anon(mm, vma, va))
			return false;
	}
	vma = vma ? map_segment(mm, SEGMENT_LIBC, text, LIBC_TEXT_BYTES, VMA_READ | VMA_EXEC | VMA_MAY, file, 0) : NULL;
	if (!vma || !fault_cause_is_resolved(page_fault(mm, vma, text, false)))
		return false;
	/* A ceiling below the libraries means that all above it is taken: nothing is placed there, nothing grows into
	 * it. */
	struct area taken = {.start = mm->mmap_ceiling,
			     .end = text,
			     .flags = VMA_NORESERVE | VMA_MAY | VMA_DONTDUMP,
			     .pgoff = mm->mmap_ceiling.v / PAGE_BYTES,
			     .name = "[reserved]"};
	if (taken.start.v < taken.end.v)
		mm_map(mm, &taken);
	return true;
}

/* What execve leaves: 128 KiB below the page that it filled with arguments and environment. */
static bool map_stack(struct mm *mm, struct vaddr top)
{
	const uint64_t bytes = 132 * KIB;
	struct area area = {.start = vaddr(top.v - bytes),
			    .end = top,
			    .flags = READ_WRITE | VMA_GROWSDOWN,
			    .pgoff = (top.v - bytes) / PAGE_BYTES,
			    .name = "[stack]"};
	struct vma *stack = mm_charge(mm, (int64_t)(bytes / PAGE_BYTES)) ? mm_map(mm, &area) : NULL;
	mm->start_stack = vaddr(top.v - STACK_USED);
	return stack && page_map_anon(mm, stack, vaddr(top.v - PAGE_BYTES));
}

static bool build(struct kernel *kernel, struct process *process, const struct process_spec *spec,
		  const struct placement *placement)
{
	process->mm = mm_new(kernel, process, placement);
	if (!process->mm)
		return false;
	process->mm->group = memgroup_new(kernel, process->pid, spec->memory_limit);
	kernel->charging = process->mm;
	if (map_program(process->mm, spec, placement->image) && map_libc(process->mm, spec, placement->libc_top) &&
	    map_stack(process->mm, placement->stack_top) &&
	    sched_prepare(kernel, process, process->home, placement->image, vaddr(placement->stack_top.v - STACK_USED)))
		return true;
	mm_free(process->mm);
	process->mm = NULL;
	return false;
}

/* About what a new process needs at once: its part of the page cache, its pages, tables and stacks. */
static uint64_t spawn_frames(const struct process_spec *spec)
{
	uint64_t bytes = spec->text_bytes + spec->rodata_bytes + spec->data_bytes + 2 * spec->libc_data_bytes;
	return (bytes + LIBC_TEXT_BYTES) / PAGE_BYTES + 32;
}

struct process *process_new(struct kernel *kernel, const char *name)
{
	struct process *process = pool_take(&kernel->process_pool);
	process->pid = kernel->process_count + 1;
	process->pcid = kernel->layout->is_64bit ? (uint16_t)process->pid : 0;
	process->name = name;
	process->death.signal_name = process->death.why = process->death.vma = "";
	process->contexts = arena_new_array(kernel->arena, struct process_context, kernel->cpu_count);
	process->home = process->last = kernel->process_count % kernel->cpu_count;
	process->segment_start[SEGMENT_KERNEL] = vaddr(kernel->layout->kernel_text);
	return process;
}

struct process *kernel_spawn(struct kernel *kernel, const struct process_spec *given)
{
	struct process_spec spec = with_defaults(given);
	if (kernel->process_count == MAX_PROCESSES)
		return NULL;
	/* It may take what is left: the limit of the group counts from the first fault on. */
	(void)reclaim_for_frames(kernel, NULL, spawn_frames(&spec));
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

void process_end(struct kernel *kernel, struct process *process, const struct process_death *death)
{
	bool current = process == kernel->current;
	process->death = *death;
	if (death->signal)
		emit(kernel->bus, EVENT_SIGNAL, event_text(death->signal_name), death->va.v, event_text(death->why));
	descriptors_close(kernel, process, false);
	/* Leave the address space before it goes: first its translations, then its tables. */
	cpus_forget(kernel, process);
	if (kernel->cpus[kernel->cpu].loaded == process->mm)
		cpu_leave_mm(kernel);
	mm_free(process->mm);
	process->mm = NULL;
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
