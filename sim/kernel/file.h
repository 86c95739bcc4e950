/* Files as memory sees them: pages by number, kept in the page cache. The program's image is one, so is every piece of
 * shared anonymous memory (shmem), and so are the named files that programs open. See mm/filemap.c and mm/shmem.c. */
#ifndef FAULTLINE_KERNEL_FILE_H
#define FAULTLINE_KERNEL_FILE_H

#include "block.h"
#include "faultline/frame.h"

struct kernel;
struct cache_node;
struct file_spec;
struct process_spec;
struct vma;

/* As many writes may be on their way at once; who wants one more waits for the oldest. */
enum { DISK_QUEUE = 1024 };

/* Where the files are. */
struct disk {
	struct physmem *store;
	struct block_device device;
	uint64_t used;             /* pages, from the first */
	uint64_t ends[DISK_QUEUE]; /* a ring: the cycles when the writes on their way are done, in order */
	unsigned first, writes;
};

/* struct file_ra_state: the window of pages that was read last, on the guess that the reader goes on. */
struct readahead {
	uint64_t start, size;
	uint64_t async;    /* the reader is so far from the window's end when the next one begins to be read */
	uint64_t previous; /* page that was read last, + 1; 0: none */
};

/* Invariants: pages counts the frames in the cache, dirty those of them that the disk does not have yet, swapped the
 * pages in swap; areas counts the VMAs that map it. */
struct file {
	const char *path; /* as maps prints it */
	uint64_t inode;
	uint64_t bytes;
	bool shmem;
	uint8_t huge_level; /* of the entries that map its pages: memory of MAP_HUGETLB; 0: any other file */
	bool reserves;      /* of it: what is not there yet is promised by the pool */
	bool image;         /* of a program: root's, nobody may write to it */
	bool loaded;        /* an image that has been executed: all of it has been in the page cache */
	uint64_t disk_start, disk_pages; /* its place on the disk; shared memory has none */
	/* Bytes that are what the document says, not what the disk has, in pages that were not `written`. */
	uint64_t original;
	bool *written;
	uint64_t areas;
	struct vma *areas_first; /* i_mmap: linked by file_next */
	uint64_t pages, swapped;
	uint64_t punched;                   /* of hugetlb: pages that have been, and are promised no longer */
	uint64_t dirty;                     /* the pages of shmem are not counted */
	uint64_t written_until;             /* the cycle when all that was given to the disk is there */
	uint64_t promised;                  /* pages of shmem that count against the overcommit limit */
	struct readahead ahead;             /* of those who map it */
	const struct process_spec *program; /* of an image: what execve makes of it */
	struct cache_node *root;
	unsigned height; /* of the tree of nodes; 0: empty */
	struct file *next;
};

/* It is memory, not something on the disk. */
static inline bool file_is_memory(const struct file *file)
{
	return file->shmem || file->huge_level != 0;
}

static inline uint64_t file_pages(const struct file *file)
{
	return page_ceil(file->bytes) / PAGE_BYTES;
}

/* ---- file.c: files come, go and change their size ---- */
/* The image of that path and size on the disk. NULL: there is no room. */
struct file *file_image_on_disk(struct kernel *kernel, const char *path, uint64_t bytes);
/* The same for who executes it: its pages are in the page cache. NULL: no frame is left, either. */
struct file *file_image(struct kernel *kernel, const char *path, uint64_t bytes);
/* Writes to the file and to its pages in the cache, as whoever made the file did. */
void file_write(struct kernel *kernel, const struct file *file, uint64_t offset, const uint8_t *data, uint64_t bytes);
/* Shared anonymous memory without pages. */
struct file *file_shmem(struct kernel *kernel, uint64_t bytes, uint64_t promised);
/* Memory of MAP_HUGETLB, without pages. The page cache has those of a shared mapping. */
struct file *file_hugetlb(struct kernel *kernel, uint64_t bytes, unsigned level, bool reserves);
struct file *file_named(struct kernel *kernel, const struct file_spec *spec); /* NULL: the disk is full */
struct file *file_find(const struct kernel *kernel, const char *path);        /* NULL: there is none */
/* A VMA begins or ceases to map it. Memory that nobody maps is gone; other files stay. */
void file_get(struct file *file, struct vma *vma);
void file_put(struct kernel *kernel, struct file *file, struct vma *vma);
bool file_reserve(struct kernel *kernel, struct file *file, uint64_t bytes); /* room on the disk; false: it is full */
void file_is_written(struct file *file, uint64_t index);                     /* the disk has the page now */
/* The pages on the disk read as zero from now on. */
void file_erase(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end);
/* The content of a page as the disk has it; a word of it. */
void file_load(struct kernel *kernel, const struct file *file, uint64_t index, struct pfn frame);
uint64_t file_peek64(const struct kernel *kernel, const struct file *file, uint64_t offset);

/* ---- page_cache.c ---- */
size_t file_node_bytes(void); /* size of a node of the tree, for its pool */
/* The page in the cache; false: it is not there. */
bool file_page(const struct file *file, uint64_t index, struct pfn *out);
bool file_slot(const struct file *file, uint64_t index, uint64_t *slot); /* of swap, where the page of shmem is */
/* Of hugetlb: the page was taken out of the file by a hole. Until it is there again, it is known to have been. */
void file_punch(struct kernel *kernel, struct file *file, uint64_t index);
bool file_is_punched(const struct file *file, uint64_t index);
/* The frame holds the page from now on, where there was none. */
void file_insert(struct kernel *kernel, struct file *file, uint64_t index, struct pfn frame);
/* A page of zeroes where there is none. False: no frame is left. */
bool file_add_page(struct kernel *kernel, struct file *file, uint64_t index, struct pfn *out);
/* The page in the cache; brought in if it is not there: from the disk or from swap, which is waited for, or as a page
 * of zeroes. */
enum file_source { FILE_NO_FRAME, FILE_FROM_CACHE, FILE_NEW, FILE_FROM_SWAP, FILE_FROM_DISK };
/* What the reader will want besides: what lies around (a mapping), what comes next (read), nothing. */
enum read_pattern { READ_AROUND, READ_AHEAD, READ_ONE };
struct reader {
	struct readahead *ahead;
	enum read_pattern pattern;
	uint64_t wanted; /* pages from this one on */
};
enum file_source file_page_get(struct kernel *kernel, struct file *file, uint64_t index, const struct reader *reader,
			       struct pfn *out);
/* Another frame holds the page from now on. */
void file_page_moves(struct kernel *kernel, struct file *file, uint64_t index, struct pfn to);
/* The page, which nobody maps, leaves the cache for its slot. */
void file_swap_out(struct kernel *kernel, struct file *file, uint64_t index, uint64_t slot);
/* Takes pages out of the cache; no entry may map them. */
void file_truncate(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end);
void file_free_nodes(struct kernel *kernel, struct file *file);
/* Calls fn for each page in the cache, lowest first. fn may take that page out. */
typedef void file_page_fn(void *self, uint64_t index, struct pfn frame);
void file_for_each(const struct file *file, file_page_fn *fn, void *self);

/* ---- readahead.c ---- */
/* Reads the page, and those that the reader is guessed to want; waits for the page itself. */
bool file_read_missing(struct kernel *kernel, struct file *file, uint64_t index, const struct reader *reader,
		       struct pfn *out);
/* The reader has come to the page where the next window begins to be read. */
bool file_is_marker(const struct readahead *ahead, uint64_t index);
void file_read_on(struct kernel *kernel, struct file *file, struct readahead *ahead);
/* MADV_WILLNEED: begins to read what is not there. */
void file_will_need(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end);

/* ---- writeback.c ---- */
/* The page in the cache is not what the disk has, or is again. */
void file_dirty(struct kernel *kernel, struct pfn frame);
void file_undirty(struct kernel *kernel, struct pfn frame);
/* Writes the page in the cache to the disk. The next store through an entry of it faults. */
void file_write_back(struct kernel *kernel, struct file *file, uint64_t index);
/* All dirty pages of a range; `who` asks for it. */
void file_sync(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end, const char *who);
/* balance_dirty_pages: after a page became dirty the flusher may have to work, and the writer to wait. */
void file_balance_dirty(struct kernel *kernel);
uint64_t disk_writes_on_their_way(const struct kernel *kernel);
/* From how many dirty pages on the flusher works, and a writer waits. */
struct dirty_limits {
	uint64_t background, limit;
};
struct dirty_limits file_dirty_limits(const struct kernel *kernel);

#endif
