/* What a process begins with: the program, the C library and the stack, as execve and ld.so leave them. */
#include "image.h"

#include <string.h>

#include "kernel_private.h"

#define LIBC_PATH "/usr/lib/x86_64-linux-gnu/libc.so.6"
#define LIBC_TEXT_BYTES (16 * KIB)

/* Private memory of the process itself, and what is accounted of it. */
enum { READ_WRITE = VMA_READ | VMA_WRITE | VMA_MAY | VMA_ACCOUNT };

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
	return page_ceil(value ? value : fallback);
}

struct process_spec image_defaults(const struct process_spec *given)
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

uint64_t image_frames(const struct process_spec *spec)
{
	uint64_t bytes = spec->text_bytes + spec->rodata_bytes + spec->data_bytes + 2 * spec->libc_data_bytes;
	return (bytes + LIBC_TEXT_BYTES) / PAGE_BYTES + 32;
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
			    .name = segment_name(segment)};
	mm->owner->segment_start[segment] = start;
	mm->owner->segment_bytes[segment] = bytes;
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

/* Its headers, as execve reads them. */
static void remember_program(struct kernel *kernel, struct file *file, const struct process_spec *spec)
{
	struct process_spec *copy = arena_new_object(kernel->arena, struct process_spec);
	*copy = *spec;
	file->program = copy;
}

/* The program's own segments. The kernel jumps to the first instruction, whose page comes with its neighbours. */
static bool map_program(struct mm *mm, const struct process_spec *spec, struct vaddr at)
{
	uint64_t rodata = spec->text_bytes, data = rodata + spec->rodata_bytes, bss = data + spec->data_bytes;
	struct file *file = file_image(mm->kernel, program_path(mm->kernel, spec->name), bss);
	if (!file)
		return false;
	file_write(mm->kernel, file, 0, spec->text, spec->text_used);
	remember_program(mm->kernel, file, spec);
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

bool image_map(struct mm *mm, const struct process_spec *spec, const struct placement *placement)
{
	return map_program(mm, spec, placement->image) && map_libc(mm, spec, placement->libc_top) &&
	       map_stack(mm, placement->stack_top);
}

bool kernel_install(struct kernel *kernel, const struct process_spec *given)
{
	const struct process_spec spec = image_defaults(given);
	uint64_t bytes = spec.text_bytes + spec.rodata_bytes + spec.data_bytes;
	struct file *file = file_image_on_disk(kernel, program_path(kernel, spec.name), bytes);
	if (!file)
		return false;
	file_write(kernel, file, 0, spec.text, spec.text_used);
	remember_program(kernel, file, &spec);
	return true;
}
