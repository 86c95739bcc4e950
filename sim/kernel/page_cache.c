/* The page cache: which frames hold the pages of a file. See mm/filemap.c. */
#include "file.h"

#include "kernel_private.h"
#include "reclaim.h"

/* A tree of 64 slots a node, as the kernel's xarray is one. */
enum { NODE_BITS = 6, NODE_SLOTS = 1 << NODE_BITS };

struct cache_node {
	/* Of a leaf: frame numbers, slots of swap with SWAPPED, or PUNCHED; else pointers to nodes. 0: empty */
	uint64_t slot[NODE_SLOTS];
};

size_t file_node_bytes(void)
{
	return sizeof(struct cache_node);
}

#define SWAPPED ((uint64_t)1 << 63)
#define PUNCHED ((uint64_t)1 << 62)

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
	*out = pfn(value & (SWAPPED | PUNCHED) ? 0 : value);
	return out->v != 0;
}

bool file_slot(const struct file *file, uint64_t index, uint64_t *slot)
{
	uint64_t value = look_up(file, index);
	*slot = value & ~SWAPPED;
	return (value & SWAPPED) != 0;
}

void file_page_moves(struct kernel *kernel, struct file *file, uint64_t index, struct pfn to)
{
	put(kernel, file, index, to.v);
}

void file_punch(struct kernel *kernel, struct file *file, uint64_t index)
{
	put(kernel, file, index, PUNCHED);
	file->punched++;
}

bool file_is_punched(const struct file *file, uint64_t index)
{
	return look_up(file, index) == PUNCHED;
}

void file_insert(struct kernel *kernel, struct file *file, uint64_t index, struct pfn frame)
{
	file->punched -= file_is_punched(file, index);
	put(kernel, file, index, frame.v);
	file->pages++;
}

static enum frame_use use_of(const struct file *file)
{
	return file->shmem ? FRAME_SHMEM : file->image ? FRAME_IMAGE : FRAME_FILE;
}

bool file_add_page(struct kernel *kernel, struct file *file, uint64_t index, struct pfn *out)
{
	if (!frame_take(kernel->frames, 0, use_of(file), out))
		return false;
	physmem_zero(kernel->mem, *out);
	machine_charge(kernel->machine, COST_ZERO_PAGE, 1);
	struct frame *record = frame_at(kernel->frames, *out);
	record->vpn = index;
	record->file = file;
	file_insert(kernel, file, index, *out);
	reclaim_add(kernel, *out);
	return true;
}

enum file_source file_page_get(struct kernel *kernel, struct file *file, uint64_t index, const struct reader *reader,
			       struct pfn *out)
{
	/* First, for it may take pages away, this one among them. */
	if (file_is_marker(reader->ahead, index))
		file_read_on(kernel, file, reader->ahead);
	uint64_t value = look_up(file, index);
	*out = pfn(value);
	if (value != 0 && !(value & SWAPPED)) {
		block_wait(kernel, frame_at(kernel->frames, *out)->ready);
		return FILE_FROM_CACHE;
	}
	if (!file->shmem)
		return file_read_missing(kernel, file, index, reader, out) ? FILE_FROM_DISK : FILE_NO_FRAME;
	if (!file_add_page(kernel, file, index, out))
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
	if (!(value & (SWAPPED | PUNCHED)))
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
	} else if (value == PUNCHED) {
		range->file->punched--;
	} else {
		range->file->pages--;
		file_undirty(range->kernel, pfn(value));
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

void file_free_nodes(struct kernel *kernel, struct file *file)
{
	if (file->root)
		free_nodes(kernel, file->root, file->height);
}
