/* Processes: birth with the usual Linux layout, death with everything given back. */
#include "kernel_private.h"

static const char *const segment_names[] = {
#define X(id, name, text) [SEGMENT_##id] = #name,
    SEGMENT_LIST(X)
#undef X
};

const char *segment_name(enum segment segment)
{
	return segment_names[segment];
}

/* Where a stock kernel without address randomisation puts things (fs/binfmt_elf.c, arch/x86/mm/mmap.c). */
#define STACK_BYTES (132 * KIB) /* what execve leaves: 128 KiB below the arguments */
#define ARGUMENT_BYTES 0xd30    /* arguments and environment, in the last page; the stack pointer is below them */
#define LIBC_TEXT_BYTES (16 * KIB)

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
	return page_ceil(value ? value : fallback);
}

static struct process_spec with_defaults(const struct layout *layout, const struct process_spec *given)
{
	struct process_spec spec = *given;
	spec.text_bytes = or_default(spec.text_bytes, 16 * KIB);
	spec.rodata_bytes = or_default(spec.rodata_bytes, 8 * KIB);
	spec.data_bytes = or_default(spec.data_bytes, 8 * KIB);
	spec.bss_bytes = or_default(spec.bss_bytes, 8 * KIB);
	spec.libc_data_bytes = or_default(spec.libc_data_bytes, 16 * KIB);
	spec.stack_limit = or_default(spec.stack_limit, 8 * MIB);
	uint64_t image_end = layout->image_base + spec.text_bytes + spec.rodata_bytes + spec.data_bytes +
			     spec.bss_bytes;
	if (spec.start_brk.v == 0)
		spec.start_brk = vaddr(image_end);
	if (spec.mmap_ceiling.v == 0)
		spec.mmap_ceiling = vaddr(layout->mmap_top);
	return spec;
}

/* A part of the program or the libc: a VMA, and its frames unless it is demand-zero. */
static bool map_segment(struct mm *mm, enum segment segment, uint64_t start, uint64_t bytes, uint32_t flags,
			bool resident)
{
	struct process *process = mm->process;
	process->segment_start[segment] = vaddr(start);
	process->segment_bytes[segment] = bytes;
	struct vma *vma = mm_map(mm, vaddr(start), bytes, flags, segment_names[segment]);
	for (uint64_t at = start; resident && at < start + bytes; at += PAGE_BYTES) {
		if (!page_map_anon(mm, vma, vaddr(at), FRAME_IMAGE))
			return false;
	}
	return true;
}

static bool map_image(struct mm *mm, const struct process_spec *spec)
{
	const uint32_t rw = VMA_READ | VMA_WRITE | VMA_ACCOUNT;
	uint64_t at = mm->layout->image_base;
	bool ok = map_segment(mm, SEGMENT_TEXT, at, spec->text_bytes, VMA_READ | VMA_EXEC | VMA_IMAGE, true);
	at += spec->text_bytes;
	ok = ok && map_segment(mm, SEGMENT_RODATA, at, spec->rodata_bytes, VMA_READ | VMA_IMAGE, true);
	at += spec->rodata_bytes;
	ok = ok && map_segment(mm, SEGMENT_DATA, at, spec->data_bytes, rw | VMA_IMAGE, true);
	at += spec->data_bytes;
	ok = ok && map_segment(mm, SEGMENT_BSS, at, spec->bss_bytes, rw, false);
	at = mm->layout->mmap_top - spec->libc_data_bytes;
	ok = ok && map_segment(mm, SEGMENT_LIBC_DATA, at, spec->libc_data_bytes, rw | VMA_IMAGE, true);
	at -= LIBC_TEXT_BYTES;
	ok = ok && map_segment(mm, SEGMENT_LIBC, at, LIBC_TEXT_BYTES, VMA_READ | VMA_EXEC | VMA_IMAGE, true);
	/* A ceiling below the libraries means that all above it is taken: nothing is placed there, nothing grows into
	 * it. */
	if (ok && spec->mmap_ceiling.v < at)
		mm_map(mm, spec->mmap_ceiling, at - spec->mmap_ceiling.v, VMA_NORESERVE, "[reserved]");
	return ok;
}

static bool map_stack(struct mm *mm)
{
	const uint32_t flags = VMA_READ | VMA_WRITE | VMA_GROWSDOWN | VMA_ACCOUNT;
	const uint64_t top = mm->layout->stack_top;
	struct vma *stack = mm_map(mm, vaddr(top - STACK_BYTES), STACK_BYTES, flags, "[stack]");
	/* execve itself wrote the arguments there. */
	return page_map_anon(mm, stack, vaddr(top - PAGE_BYTES), FRAME_ANON);
}

static bool make_kernel_stack(struct kernel *kernel, struct process *process)
{
	struct pfn stack;
	if (!frame_take(kernel->frames, STACK_ORDER, FRAME_KERNEL, &stack))
		return false;
	process->kernel_stack_top = vaddr_add(direct_map(kernel, pfn_to_paddr(stack)), PAGE_BYTES << STACK_ORDER);
	return true;
}

static void free_kernel_stack(struct kernel *kernel, struct process *process)
{
	uint64_t bottom = process->kernel_stack_top.v - (PAGE_BYTES << STACK_ORDER);
	frame_put(kernel->frames, paddr_to_pfn(direct_map_target(kernel, vaddr(bottom))));
}

static bool build(struct kernel *kernel, struct process *process, const struct process_spec *spec)
{
	process->mm = mm_new(kernel, process, spec);
	if (!process->mm)
		return false;
	if (map_image(process->mm, spec) && map_stack(process->mm) && make_kernel_stack(kernel, process))
		return true;
	mm_free(process->mm);
	process->mm = NULL;
	return false;
}

struct process *kernel_spawn(struct kernel *kernel, const struct process_spec *given)
{
	const struct layout *layout = kernel->layout;
	struct process_spec spec = with_defaults(layout, given);
	struct vaddr stack_pointer = vaddr(layout->stack_top - ARGUMENT_BYTES);
	if (kernel->process_count == MAX_PROCESSES)
		return NULL;
	struct process *process = pool_take(&kernel->process_pool);
	process->pid = kernel->process_count + 1;
	process->pcid = (uint16_t)process->pid;
	process->name = spec.name;
	process->death.signal_name = process->death.why = process->death.vma = "";
	process->saved.gpr[GPR_RSP] = stack_pointer.v;
	process->segment_start[SEGMENT_KERNEL] = vaddr(layout->kernel_text);
	if (!build(kernel, process, &spec)) {
		pool_put(&kernel->process_pool, process);
		return NULL;
	}
	sched_prepare(kernel, process, vaddr(layout->image_base), stack_pointer);
	process->stats.frames_taken = 0; /* what the kernel gave at birth was not asked for */
	kernel->processes[kernel->process_count++] = process;
	emit(kernel->bus, EVENT_PROCESS_START, process->pid, event_text(process->name));
	return process;
}

void process_kill(struct kernel *kernel, const struct process_death *death)
{
	struct process *process = kernel->current;
	struct machine *machine = kernel->machine;
	process->death = *death;
	if (death->signal)
		emit(kernel->bus, EVENT_SIGNAL, event_text(death->signal_name), death->va.v, event_text(death->why));
	/* Leave the address space before it goes: first its translations, then its tables. */
	machine_write_cr3(machine, machine_cpu(machine)->cr3);
	machine_cpu(machine)->gpr[GPR_RSP] = kernel->idle_stack_top.v;
	boot_set_kernel_stack(kernel, kernel->idle_stack_top);
	machine_write_cr3(machine, pfn_to_paddr(kernel->root).v);
	mm_free(process->mm);
	process->mm = NULL;
	free_kernel_stack(kernel, process);
	kernel->current = NULL;
	emit(kernel->bus, EVENT_PROCESS_EXIT, process->pid, event_text(death->signal ? death->signal_name : "exit"),
	     (uint64_t)death->status);
	kernel->bus->pid = 0;
}

struct vaddr process_segment(const struct process *process, enum segment segment)
{
	if (segment == SEGMENT_HEAP)
		return process->mm ? process->mm->start_brk : vaddr(0);
	if (segment == SEGMENT_STACK) {
		const struct kernel *kernel = process->mm ? process->mm->kernel : NULL;
		bool running = kernel && kernel->current == process;
		return vaddr(running ? machine_cpu_const(kernel->machine)->gpr[GPR_RSP] : process->saved.gpr[GPR_RSP]);
	}
	return process->segment_start[segment];
}

uint64_t process_virtual_bytes(const struct process *process)
{
	return process->mm ? process->mm->virtual_bytes : 0;
}

uint64_t process_resident_pages(const struct process *process)
{
	return process->mm ? process->mm->resident : 0;
}

uint64_t process_zero_pages(const struct process *process)
{
	return process->mm ? process->mm->zero : 0;
}

uint64_t process_table_pages(const struct process *process)
{
	return process->mm ? process->mm->tables : 0;
}

uint64_t process_heap_bytes(const struct process *process)
{
	return process->mm ? process->mm->brk.v - process->mm->start_brk.v : 0;
}

struct vaddr process_break(const struct process *process)
{
	return process->mm ? process->mm->brk : vaddr(0);
}

struct paddr process_page_table(const struct process *process)
{
	return process->mm ? pfn_to_paddr(process->mm->root) : paddr(0);
}

const struct vma *process_vma_after(const struct process *process, struct vaddr va)
{
	return process->mm ? vma_tree_after(&process->mm->vmas, va) : NULL;
}

const struct vma *process_vma_at(const struct process *process, struct vaddr va)
{
	const struct vma *vma = process_vma_after(process, va);
	return vma && vma->start.v <= va.v ? vma : NULL;
}
