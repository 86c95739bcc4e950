/* Files as memory sees them: pages by number, kept in the page cache. The program's image is one, and so is every piece
 * of shared anonymous memory (shmem). See mm/filemap.c and mm/shmem.c. */
#ifndef FAULTLINE_KERNEL_FILE_H
#define FAULTLINE_KERNEL_FILE_H

#include "block.h"
#include "faultline/frame.h"

struct kernel;
struct cache_node;
struct vma;

/* Where the files are. */
struct disk {
	struct physmem *store;
	struct block_device device;
	uint64_t used; /* pages, from the first */
};

/* Invariants: pages counts the frames in the cache, swapped the pages in swap; areas counts the VMAs that map it. */
struct file {
	const char *path; /* as maps prints it */
	uint64_t inode;
	uint64_t bytes;
	bool shmem;
	uint64_t disk_start; /* first page on the disk; shared memory has none */
	uint64_t areas;
	struct vma *areas_first; /* i_mmap: linked by file_next */
	uint64_t pages, swapped;
	uint64_t promised; /* pages of shmem that count against the overcommit limit */
	struct cache_node *root;
	unsigned height; /* of the tree of nodes; 0: empty */
	struct file *next;
};

size_t file_node_bytes(void); /* size of a node of the tree, for its pool */
/* The image of that path and size, its pages in the page cache. NULL: no frame is left. */
struct file *file_image(struct kernel *kernel, const char *path, uint64_t bytes);
/* Writes to the file and to its pages in the cache, as whoever made the file did. */
void file_write(struct kernel *kernel, const struct file *file, uint64_t offset, const uint8_t *data, uint64_t bytes);
/* Shared anonymous memory without pages. */
struct file *file_shmem(struct kernel *kernel, uint64_t bytes, uint64_t promised);
/* A VMA begins or ceases to map it. Shared memory that nobody maps is gone; an image stays in the page cache. */
void file_get(struct file *file, struct vma *vma);
void file_put(struct kernel *kernel, struct file *file, struct vma *vma);

/* The page in the cache; false: it is not there. */
bool file_page(const struct file *file, uint64_t index, struct pfn *out);
/* The same, brought in if it is not there: from the disk or from swap, which is waited for, or as a page of zeroes. */
enum file_source { FILE_NO_FRAME, FILE_FROM_CACHE, FILE_NEW, FILE_FROM_SWAP, FILE_FROM_DISK };
enum file_source file_page_get(struct kernel *kernel, struct file *file, uint64_t index, struct pfn *out);
/* The page, which nobody maps, leaves the cache for its slot. */
void file_swap_out(struct kernel *kernel, struct file *file, uint64_t index, uint64_t slot);
/* Writes the page in the cache to the disk. */
void file_write_back(struct kernel *kernel, const struct file *file, uint64_t index);
/* Takes pages out of the cache; no entry may map them. */
void file_truncate(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end);

/* Calls fn for each page in the cache, lowest first. */
typedef void file_page_fn(void *self, uint64_t index, struct pfn frame);
void file_for_each(const struct file *file, file_page_fn *fn, void *self);

#endif
