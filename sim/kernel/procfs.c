#include "procfs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	struct procfs_info info;
	procfs_fn *print;
} files[PROCFS_COUNT] = {
#define X(id, name, own, text) [PROCFS_##id] = {{#name, own, text}, procfs_##name},
    PROCFS_LIST(X)
#undef X
};

const struct procfs_info *procfs_info(enum procfs_file file)
{
	return &files[file].info;
}

bool procfs_find(const char *name, enum procfs_file *out)
{
	for (unsigned i = 0; i < PROCFS_COUNT; i++) {
		if (strcmp(files[i].info.name, name) == 0) {
			*out = (enum procfs_file)i;
			return true;
		}
	}
	return false;
}

void procfs_print(const struct kernel *kernel, const struct process *process, enum procfs_file file,
		  procfs_write_fn *write, void *self)
{
	const struct sink sink = {write, self};
	files[file].print(kernel, process, &sink);
}

void sink_print(const struct sink *sink, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	BUG_ON(length < 0 || (size_t)length >= sizeof(text));
	sink->write(sink->self, text, (size_t)length);
}

/* get_vma_name: a file's path, else what the addresses say. */
static const char *name_of(const struct mm *mm, const struct vma *vma)
{
	if (vma->file)
		return vma->file->path;
	if (vma->start.v < mm->brk.v && vma->end.v > mm->start_brk.v)
		return "[heap]";
	return vma->start.v <= mm->start_stack.v && vma->end.v >= mm->start_stack.v ? "[stack]" : "";
}

/* show_map_vma. Names begin in column 73; without one the blank behind the inode ends the line. */
void procfs_maps_line(const struct mm *mm, const struct vma *vma, const struct sink *sink)
{
	enum { NAME_COLUMN = 73 };
	const struct file *file = vma->file;
	char line[128];
	int width = snprintf(line, sizeof(line), "%08" PRIx64 "-%08" PRIx64 " %s%c %08" PRIx64 " %s %" PRIu64 " ",
			     vma->start.v, vma->end.v, vma_prot_text(vma->flags), vma->flags & VMA_MAYSHARE ? 's' : 'p',
			     file ? vma->pgoff * PAGE_BYTES : 0,
			     !file              ? "00:00"
			     : file->huge_level ? "00:0f"
			     : file->shmem      ? "00:01"
						: "08:01",
			     file ? file->inode : 0);
	const char *name = name_of(mm, vma);
	int pad = *name && width < NAME_COLUMN ? NAME_COLUMN - width : 0;
	sink_print(sink, "%s%*s%s\n", line, pad, "", name);
}

void procfs_maps(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)kernel;
	for (const struct vma *vma = process_vma_after(process, vaddr(0)); vma; vma = vma->next)
		procfs_maps_line(process->mm, vma, sink);
}

/* Bits of Documentation/admin-guide/mm/pagemap.rst. */
static uint64_t pagemap_word(const struct mm *mm, struct pte entry)
{
	const uint64_t present = (uint64_t)1 << 63, of_file = (uint64_t)1 << 61, exclusive = (uint64_t)1 << 56;
	const uint64_t in_swap = (uint64_t)1 << 62;
	if (!entry_used(entry))
		return 0;
	if (entry_is_swap(entry)) /* five bits of type, which is 0, below the offset */
		return in_swap | swap_entry_slot(mm->layout, entry) << 5;
	const struct frame *frame = frame_peek(mm->kernel->frames, pfn(pte_frame(entry)));
	uint64_t word = present | pte_frame(entry);
	if (!frame || frame->use == FRAME_ZERO)
		return word;
	return word | (frame->use == FRAME_ANON ? 0 : of_file) | (frame->mappings == 1 ? exclusive : 0);
}

void procfs_pagemap(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)kernel;
	for (const struct vma *vma = process_vma_after(process, vaddr(0)); vma; vma = vma->next) {
		for (struct vaddr va = vma->start; va.v < vma->end.v; va.v += PAGE_BYTES)
			sink_print(sink, "%08" PRIx64 " %016" PRIx64 "\n", va.v,
				   pagemap_word(process->mm, table_get(process->mm, va)));
	}
}
