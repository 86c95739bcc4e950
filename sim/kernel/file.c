/* Files come, go, and change their size. See fs/inode.c, mm/shmem.c; the page cache is in page_cache.c. */
#include "file.h"

#include <string.h>

#include "kernel_private.h"

static struct file *new_file(struct kernel *kernel, const char *path, uint64_t bytes)
{
	struct file *file = pool_take(&kernel->file_pool);
	*file = (struct file){.path = path, .inode = ++kernel->inodes, .bytes = bytes, .next = kernel->files};
	kernel->files = file;
	return file;
}

static void free_file(struct kernel *kernel, struct file *file)
{
	struct file **link = &kernel->files;
	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	if (file->huge_level)
		hugetlb_forget(kernel, file);
	file_truncate(kernel, file, 0, UINT64_MAX);
	file_free_nodes(kernel, file);
	kernel->committed -= file->promised;
	pool_put(&kernel->file_pool, file);
}

/* ---- the disk ---- */

/* Room on the disk, which nothing gives back: files stay. */
static bool disk_take(struct disk *disk, uint64_t pages, uint64_t *start)
{
	*start = disk->used;
	if (pages > physmem_bytes(disk->store) / PAGE_BYTES - disk->used)
		return false;
	disk->used += pages;
	return true;
}

static struct pfn on_disk(const struct file *file, uint64_t index)
{
	return pfn(file->disk_start + index);
}

/* A file that outgrows its place moves to one of twice the size. */
bool file_reserve(struct kernel *kernel, struct file *file, uint64_t bytes)
{
	struct disk *disk = &kernel->disk;
	uint64_t pages = page_ceil(bytes) / PAGE_BYTES, start, before = file->disk_pages;
	if (pages <= before)
		return true;
	if (before != 0 && pages < 2 * before)
		pages = 2 * before;
	if (!disk_take(disk, pages, &start))
		return false;
	for (uint64_t i = 0; i < before; i++) {
		if (physmem_has_content(disk->store, on_disk(file, i)))
			physmem_transfer(disk->store, pfn(start + i), disk->store, on_disk(file, i));
	}
	file->disk_start = start;
	file->disk_pages = pages;
	return true;
}

void file_erase(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end && i < file->disk_pages; i++) {
		physmem_zero(kernel->disk.store, on_disk(file, i));
		file_is_written(file, i);
	}
}

static bool is_original(const struct file *file, uint64_t index)
{
	return index * PAGE_BYTES < file->original && !file->written[index];
}

void file_is_written(struct file *file, uint64_t index)
{
	if (index * PAGE_BYTES < file->original)
		file->written[index] = true;
}

/* The word is its own offset; behind the end there is nothing. */
static uint64_t original_word(const struct file *file, uint64_t offset)
{
	if (offset >= file->original)
		return 0;
	uint64_t bytes = file->original - offset;
	return bytes >= sizeof(uint64_t) ? offset : offset & (((uint64_t)1 << (8 * bytes)) - 1);
}

uint64_t file_peek64(const struct kernel *kernel, const struct file *file, uint64_t offset)
{
	if (is_original(file, offset / PAGE_BYTES))
		return original_word(file, offset);
	return physmem_load64(kernel->disk.store, paddr_add(pfn_to_paddr(on_disk(file, 0)), offset));
}

void file_load(struct kernel *kernel, const struct file *file, uint64_t index, struct pfn frame)
{
	if (!is_original(file, index)) {
		physmem_transfer(kernel->mem, frame, kernel->disk.store, on_disk(file, index));
		return;
	}
	for (uint64_t at = 0; at < PAGE_BYTES; at += sizeof(uint64_t))
		physmem_store64(kernel->mem, paddr_add(pfn_to_paddr(frame), at),
				original_word(file, index * PAGE_BYTES + at));
}

/* ---- kinds of files ---- */

struct file *file_find(const struct kernel *kernel, const char *path)
{
	for (struct file *file = kernel->files; file; file = file->next) {
		if (!file->shmem && strcmp(file->path, path) == 0)
			return file;
	}
	return NULL;
}

struct file *file_image_on_disk(struct kernel *kernel, const char *path, uint64_t bytes)
{
	for (struct file *file = kernel->files; file; file = file->next) {
		if (file->image && file->bytes == bytes && strcmp(file->path, path) == 0)
			return file;
	}
	struct file *file = new_file(kernel, path, bytes);
	file->image = true;
	if (!file_reserve(kernel, file, bytes)) {
		free_file(kernel, file);
		return NULL;
	}
	return file;
}

/* What somebody has read of it before is there. */
static bool load_image(struct kernel *kernel, struct file *file)
{
	struct pfn frame;
	for (uint64_t index = 0; index < file_pages(file); index++) {
		if (!file_page(file, index, &frame) && !file_add_page(kernel, file, index, &frame))
			return false;
	}
	return true;
}

struct file *file_image(struct kernel *kernel, const char *path, uint64_t bytes)
{
	struct file *file = file_image_on_disk(kernel, path, bytes);
	if (!file || file->loaded)
		return file;
	file->loaded = load_image(kernel, file);
	if (file->loaded)
		return file;
	file_truncate(kernel, file, 0, file_pages(file));
	return NULL;
}

struct file *file_named(struct kernel *kernel, const struct file_spec *spec)
{
	struct file *file = new_file(kernel, spec->path, spec->bytes);
	if (!file_reserve(kernel, file, spec->bytes)) {
		free_file(kernel, file);
		return NULL;
	}
	if (spec->content == FILE_CONTENT_OFFSETS) {
		file->original = spec->bytes;
		file->written = arena_new_array(kernel->arena, bool, file_pages(file));
	}
	return file;
}

static const char *const contents[FILE_CONTENT_COUNT] = {
#define X(id, name, text) [FILE_CONTENT_##id] = #name,
    FILE_CONTENT_LIST(X)
#undef X
};

const char *file_content_name(enum file_content content)
{
	return contents[content];
}

bool kernel_add_file(struct kernel *kernel, const struct file_spec *spec)
{
	return file_named(kernel, spec) != NULL;
}

void file_write(struct kernel *kernel, const struct file *file, uint64_t offset, const uint8_t *data, uint64_t bytes)
{
	while (bytes) {
		uint64_t room = PAGE_BYTES - page_offset(offset);
		uint64_t part = bytes < room ? bytes : room;
		struct pfn frame;
		if (file_page(file, offset / PAGE_BYTES, &frame))
			physmem_write(kernel->mem, paddr_add(pfn_to_paddr(frame), page_offset(offset)), data, part);
		physmem_write(kernel->disk.store, paddr_add(pfn_to_paddr(on_disk(file, 0)), offset), data, part);
		offset += part;
		data += part;
		bytes -= part;
	}
}

struct file *file_shmem(struct kernel *kernel, uint64_t bytes, uint64_t promised)
{
	struct file *file = new_file(kernel, "/dev/zero (deleted)", bytes);
	file->shmem = true;
	file->promised = promised;
	return file;
}

struct file *file_hugetlb(struct kernel *kernel, uint64_t bytes, unsigned level, bool reserves)
{
	struct file *file = new_file(kernel, "/anon_hugepage (deleted)", bytes);
	file->huge_level = (uint8_t)level;
	file->reserves = reserves;
	return file;
}

void file_get(struct file *file, struct vma *vma)
{
	file->areas++;
	vma->file_prev = NULL;
	vma->file_next = file->areas_first;
	if (vma->file_next)
		vma->file_next->file_prev = vma;
	file->areas_first = vma;
}

void file_put(struct kernel *kernel, struct file *file, struct vma *vma)
{
	BUG_ON(file->areas == 0);
	if (vma->file_next)
		vma->file_next->file_prev = vma->file_prev;
	*(vma->file_prev ? &vma->file_prev->file_next : &file->areas_first) = vma->file_next;
	if (--file->areas == 0 && file_is_memory(file))
		free_file(kernel, file);
}
