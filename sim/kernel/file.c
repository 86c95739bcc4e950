#include "file.h"

#include <string.h>

#include "kernel_private.h"

/* A tree of 64 slots a node, as the kernel's xarray is one. */
enum { NODE_BITS = 6, NODE_SLOTS = 1 << NODE_BITS };

struct cache_node {
	uint64_t slot[NODE_SLOTS]; /* of a leaf: frame numbers; else pointers to nodes. 0: empty */
};

size_t file_node_bytes(void)
{
	return sizeof(struct cache_node);
}

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

bool file_page(const struct file *file, uint64_t index, struct pfn *out)
{
	const struct cache_node *leaf = leaf_of(file, index);
	*out = pfn(leaf ? leaf->slot[index & (NODE_SLOTS - 1)] : 0);
	return out->v != 0;
}

bool file_page_make(struct kernel *kernel, struct file *file, uint64_t index, struct pfn *out)
{
	if (file_page(file, index, out))
		return true;
	if (!frame_take(kernel->frames, 0, file->shmem ? FRAME_SHMEM : FRAME_IMAGE, out))
		return false;
	physmem_zero(kernel->mem, *out);
	machine_charge(kernel->machine, COST_ZERO_PAGE, 1);
	frame_at(kernel->frames, *out)->vpn = index;
	leaf_make(kernel, file, index)->slot[index & (NODE_SLOTS - 1)] = out->v;
	file->pages++;
	return true;
}

static void visit(const struct cache_node *node, unsigned height, uint64_t base, file_page_fn *fn, void *self)
{
	for (unsigned i = 0; i < NODE_SLOTS; i++) {
		uint64_t index = base + ((uint64_t)i << (NODE_BITS * (height - 1)));
		if (node->slot[i] && height > 1)
			visit(child(node, i), height - 1, index, fn, self);
		else if (node->slot[i])
			fn(self, index, pfn(node->slot[i]));
	}
}

void file_for_each(const struct file *file, file_page_fn *fn, void *self)
{
	if (file->root)
		visit(file->root, file->height, 0, fn, self);
}

struct range {
	struct kernel *kernel;
	struct file *file;
	uint64_t first, end;
};

static void drop_page(void *self, uint64_t index, struct pfn frame)
{
	const struct range *range = self;
	if (index < range->first || index >= range->end)
		return;
	leaf_of(range->file, index)->slot[index & (NODE_SLOTS - 1)] = 0;
	range->file->pages--;
	frame_put(range->kernel->frames, frame);
}

void file_truncate(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end)
{
	struct range range = {kernel, file, first, end};
	file_for_each(file, drop_page, &range);
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

struct file *file_image(struct kernel *kernel, const char *path, uint64_t bytes)
{
	for (struct file *file = kernel->files; file; file = file->next) {
		if (!file->shmem && file->bytes == bytes && strcmp(file->path, path) == 0)
			return file;
	}
	struct file *file = new_file(kernel, path, bytes);
	struct pfn frame;
	for (uint64_t index = 0; index < bytes / PAGE_BYTES; index++) {
		if (!file_page_make(kernel, file, index, &frame)) {
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
		BUG_ON(!file_page(file, offset / PAGE_BYTES, &frame));
		physmem_write(kernel->mem, paddr_add(pfn_to_paddr(frame), page_offset(offset)), data, part);
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

void file_get(struct file *file)
{
	file->areas++;
}

void file_put(struct kernel *kernel, struct file *file)
{
	BUG_ON(file->areas == 0);
	if (--file->areas == 0 && file->shmem)
		free_file(kernel, file);
}
