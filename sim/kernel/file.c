#include "file.h"

#include <string.h>

#include "kernel_private.h"
#include "reclaim.h"

/* A tree of 64 slots a node, as the kernel's xarray is one. */
enum { NODE_BITS = 6, NODE_SLOTS = 1 << NODE_BITS };

struct cache_node {
	/* Of a leaf: frame numbers, or slots of swap with SWAPPED; else pointers to nodes. 0: empty */
	uint64_t slot[NODE_SLOTS];
};

size_t file_node_bytes(void)
{
	return sizeof(struct cache_node);
}

#define SWAPPED ((uint64_t)1 << 63)

static struct cache_node *child(const struct cache_node *node, unsigned slot)
{
	return (struct cache_node *)(uintptr_t)node->slot[slot];
}

static unsigned slot_at(uint64_t index, unsigned height)
{
	return (unsigned)(index >> (NODE_BITS * (height - 1))) & (NODE_SLOTS - 1);
}

static bool reaches(unsigned height, uint64_t index)
{
	return NODE_BITS * height >= 64 || index >> (NODE_BITS * height) == 0;
}

/* The leaf that holds the index, NULL if there is none. */
static struct cache_node *leaf_of(const struct file *file, uint64_t index)
{
	struct cache_node *node = file->root;
	if (!node || !reaches(file->height, index))
		return NULL;
	for (unsigned height = file->height; height > 1 && node; height--)
		node = child(node, slot_at(index, height));
	return node;
}

static struct cache_node *leaf_make(struct kernel *kernel, struct file *file, uint64_t index)
{
	while (!file->root || !reaches(file->height, index)) {
		struct cache_node *root = pool_take(&kernel->node_pool);
		root->slot[0] = (uint64_t)(uintptr_t)file->root;
		file->root = root;
		file->height++;
	}
	struct cache_node *node = file->root;
	for (unsigned height = file->height; height > 1; height--) {
		uint64_t *slot = &node->slot[slot_at(index, height)];
		if (!*slot)
			*slot = (uint64_t)(uintptr_t)pool_take(&kernel->node_pool);
		node = (struct cache_node *)(uintptr_t)*slot;
	}
	return node;
}

/* What the index leads to, 0: nothing. */
static uint64_t look_up(const struct file *file, uint64_t index)
{
	const struct cache_node *leaf = leaf_of(file, index);
	return leaf ? leaf->slot[index & (NODE_SLOTS - 1)] : 0;
}

static void put(struct kernel *kernel, struct file *file, uint64_t index, uint64_t value)
{
	leaf_make(kernel, file, index)->slot[index & (NODE_SLOTS - 1)] = value;
}

bool file_page(const struct file *file, uint64_t index, struct pfn *out)
{
	uint64_t value = look_up(file, index);
	*out = pfn(value & SWAPPED ? 0 : value);
	return out->v != 0;
}

/* A frame of the page cache, of zeroes. */
static bool add_page(struct kernel *kernel, struct file *file, uint64_t index, struct pfn *out)
{
	if (!frame_take(kernel->frames, 0, file->shmem ? FRAME_SHMEM : FRAME_IMAGE, out))
		return false;
	physmem_zero(kernel->mem, *out);
	machine_charge(kernel->machine, COST_ZERO_PAGE, 1);
	struct frame *record = frame_at(kernel->frames, *out);
	record->vpn = index;
	record->file = file;
	put(kernel, file, index, out->v);
	file->pages++;
	reclaim_add(kernel, *out);
	return true;
}

static struct pfn on_disk(const struct file *file, uint64_t index)
{
	return pfn(file->disk_start + index);
}

/* Begins to read the page from the disk; returns when it is there. */
static uint64_t read_page(struct kernel *kernel, const struct file *file, uint64_t index, struct pfn frame)
{
	struct disk *disk = &kernel->disk;
	physmem_transfer(kernel->mem, frame, disk->store, on_disk(file, index));
	kernel->vm.file_pages_in++;
	emit(kernel->bus, EVENT_FILE_IN, frame.v, index, event_text(file->path));
	return block_submit(kernel, &disk->device, false, file->disk_start + index, 1);
}

/* do_sync_mmap_readahead: the page, and those around it that cost nobody else a frame. */
static bool read_around(struct kernel *kernel, struct file *file, uint64_t index, struct pfn *out)
{
	const uint64_t window = kernel->config.read_ahead_bytes / PAGE_BYTES,
		       pages = page_ceil(file->bytes) / PAGE_BYTES;
	uint64_t start = index > window / 2 ? index - window / 2 : 0, done = 0;
	machine_charge(kernel->machine, COST_IO_SUBMIT, 1);
	for (uint64_t i = start; i < pages && i < start + (window ? window : 1); i++) {
		struct pfn frame;
		if (i != index && (look_up(file, i) != 0 || !reclaim_has_spare(kernel)))
			continue;
		if (!add_page(kernel, file, i, &frame))
			return false;
		uint64_t when = read_page(kernel, file, i, frame);
		if (i == index) {
			done = when;
			*out = frame;
		}
	}
	block_wait(kernel, done);
	return true;
}

enum file_source file_page_get(struct kernel *kernel, struct file *file, uint64_t index, struct pfn *out)
{
	uint64_t value = look_up(file, index);
	*out = pfn(value);
	if (value != 0 && !(value & SWAPPED))
		return FILE_FROM_CACHE;
	if (!file->shmem)
		return read_around(kernel, file, index, out) ? FILE_FROM_DISK : FILE_NO_FRAME;
	if (!add_page(kernel, file, index, out))
		return FILE_NO_FRAME;
	if (value == 0)
		return FILE_NEW;
	swap_read_into(kernel, value & ~SWAPPED, *out);
	swap_put(kernel, value & ~SWAPPED);
	file->swapped--;
	frame_at(kernel->frames, *out)->dirty = true; /* its only copy */
	return FILE_FROM_SWAP;
}

void file_swap_out(struct kernel *kernel, struct file *file, uint64_t index, uint64_t slot)
{
	struct pfn frame = pfn(look_up(file, index));
	swap_get(kernel, slot);
	put(kernel, file, index, slot | SWAPPED);
	file->pages--;
	file->swapped++;
	page_free(kernel, frame);
}

void file_write_back(struct kernel *kernel, const struct file *file, uint64_t index)
{
	struct disk *disk = &kernel->disk;
	struct pfn frame = pfn(look_up(file, index));
	machine_charge(kernel->machine, COST_IO_SUBMIT, 1);
	physmem_transfer(disk->store, on_disk(file, index), kernel->mem, frame);
	frame_at(kernel->frames, frame)->dirty = false;
	kernel->vm.file_pages_out++;
	emit(kernel->bus, EVENT_FILE_OUT, frame.v, index, event_text(file->path));
	kernel->written_until = block_submit(kernel, &disk->device, true, file->disk_start + index, 1);
}

/* Calls fn for everything that is not empty. */
typedef void value_fn(void *self, uint64_t index, uint64_t value);

static void visit(const struct cache_node *node, unsigned height, uint64_t base, value_fn *fn, void *self)
{
	for (unsigned i = 0; i < NODE_SLOTS; i++) {
		uint64_t index = base + ((uint64_t)i << (NODE_BITS * (height - 1)));
		if (node->slot[i] && height > 1)
			visit(child(node, i), height - 1, index, fn, self);
		else if (node->slot[i])
			fn(self, index, node->slot[i]);
	}
}

struct each_page {
	file_page_fn *fn;
	void *self;
};

static void only_pages(void *self, uint64_t index, uint64_t value)
{
	const struct each_page *each = self;
	if (!(value & SWAPPED))
		each->fn(each->self, index, pfn(value));
}

void file_for_each(const struct file *file, file_page_fn *fn, void *self)
{
	struct each_page each = {fn, self};
	if (file->root)
		visit(file->root, file->height, 0, only_pages, &each);
}

struct range {
	struct kernel *kernel;
	struct file *file;
	uint64_t first, end;
};

static void drop_page(void *self, uint64_t index, uint64_t value)
{
	const struct range *range = self;
	if (index < range->first || index >= range->end)
		return;
	leaf_of(range->file, index)->slot[index & (NODE_SLOTS - 1)] = 0;
	if (value & SWAPPED) {
		range->file->swapped--;
		swap_put(range->kernel, value & ~SWAPPED);
	} else {
		range->file->pages--;
		page_free(range->kernel, pfn(value));
	}
}

void file_truncate(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end)
{
	struct range range = {kernel, file, first, end};
	if (end == first + 1 && look_up(file, first) != 0)
		drop_page(&range, first, look_up(file, first));
	else if (end != first + 1 && file->root)
		visit(file->root, file->height, 0, drop_page, &range);
}

static void free_nodes(struct kernel *kernel, struct cache_node *node, unsigned height)
{
	for (unsigned i = 0; height > 1 && i < NODE_SLOTS; i++) {
		if (node->slot[i])
			free_nodes(kernel, child(node, i), height - 1);
	}
	pool_put(&kernel->node_pool, node);
}

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
	file_truncate(kernel, file, 0, UINT64_MAX);
	if (file->root)
		free_nodes(kernel, file->root, file->height);
	kernel->committed -= file->promised;
	pool_put(&kernel->file_pool, file);
}

/* Room on the disk, which nothing gives back: files stay. */
static bool disk_take(struct disk *disk, uint64_t pages, uint64_t *start)
{
	*start = disk->used;
	if (pages > physmem_bytes(disk->store) / PAGE_BYTES - disk->used)
		return false;
	disk->used += pages;
	return true;
}

struct file *file_image(struct kernel *kernel, const char *path, uint64_t bytes)
{
	for (struct file *file = kernel->files; file; file = file->next) {
		if (!file->shmem && file->bytes == bytes && strcmp(file->path, path) == 0)
			return file;
	}
	struct file *file = new_file(kernel, path, bytes);
	struct pfn frame;
	if (!disk_take(&kernel->disk, page_ceil(bytes) / PAGE_BYTES, &file->disk_start)) {
		free_file(kernel, file);
		return NULL;
	}
	for (uint64_t index = 0; index < bytes / PAGE_BYTES; index++) {
		if (!add_page(kernel, file, index, &frame)) {
			free_file(kernel, file);
			return NULL;
		}
	}
	return file;
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
	if (--file->areas == 0 && file->shmem)
		free_file(kernel, file);
}
