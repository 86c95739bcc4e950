/* What was written to pages of files goes to the disk: mm/page-writeback.c, fs/fs-writeback.c. */
#include "kernel_private.h"

/* ---- dirty pages ---- */

void file_dirty(struct kernel *kernel, struct pfn frame)
{
	struct frame *record = frame_at(kernel->frames, frame);
	if (record->dirty)
		return;
	record->dirty = true;
	if (record->use == FRAME_SHMEM)
		return;
	record->file->dirty++;
	kernel->dirty++;
}

void file_undirty(struct kernel *kernel, struct pfn frame)
{
	struct frame *record = frame_at(kernel->frames, frame);
	if (!record->dirty)
		return;
	record->dirty = false;
	if (record->use == FRAME_SHMEM)
		return;
	record->file->dirty--;
	kernel->dirty--;
}

/* folio_mkclean: the next store must be noticed. */
static bool protect_one(const struct rmap_entry *found, void *self)
{
	(void)self;
	if (!pte_writable(found->entry))
		return true;
	struct pte clean = {found->entry.word & ~(uint64_t)(PTE_WRITABLE | PTE_DIRTY)};
	table_set(found->mm, found->va, found->entry_pa, clean);
	flush_range(found->mm, found->va, vaddr_add(found->va, PAGE_BYTES), PAGE_BYTES);
	return true;
}

/* ---- the way to the disk ---- */

static void forget_finished(struct kernel *kernel)
{
	struct disk *disk = &kernel->disk;
	while (disk->writes > 0 && disk->ends[disk->first] <= kernel->bus->cycle) {
		disk->first = (disk->first + 1) % DISK_QUEUE;
		disk->writes--;
	}
}

uint64_t disk_writes_on_their_way(const struct kernel *kernel)
{
	const struct disk *disk = &kernel->disk;
	uint64_t left = 0;
	for (unsigned i = 0; i < disk->writes; i++)
		left += disk->ends[(disk->first + i) % DISK_QUEUE] > kernel->bus->cycle;
	return left;
}

static uint64_t submit(struct kernel *kernel, uint64_t page)
{
	struct disk *disk = &kernel->disk;
	forget_finished(kernel);
	if (disk->writes == DISK_QUEUE) {
		block_wait_here(kernel, disk->ends[disk->first]);
		forget_finished(kernel);
	}
	uint64_t end = block_submit(kernel, &disk->device, true, page, 1);
	disk->ends[(disk->first + disk->writes++) % DISK_QUEUE] = end;
	return end;
}

void file_write_back(struct kernel *kernel, struct file *file, uint64_t index)
{
	struct pfn frame;
	BUG_ON(!file_page(file, index, &frame));
	if (frame_at(kernel->frames, frame)->mappings > 0)
		(void)rmap_for_each(kernel, frame, protect_one, NULL);
	file_undirty(kernel, frame);
	machine_charge(kernel->machine, COST_IO_SUBMIT, 1);
	physmem_transfer(kernel->disk.store, pfn(file->disk_start + index), kernel->mem, frame);
	file_is_written(file, index);
	kernel->vm.file_pages_out++;
	emit(kernel->bus, EVENT_FILE_OUT, frame.v, index, event_text(file->path));
	kernel->written_until = file->written_until = submit(kernel, file->disk_start + index);
}

struct job {
	struct kernel *kernel;
	struct file *file;
	uint64_t first, end, pages;
};

static void write_one(void *self, uint64_t index, struct pfn frame)
{
	struct job *job = self;
	if (index < job->first || index >= job->end || !frame_at(job->kernel->frames, frame)->dirty)
		return;
	file_write_back(job->kernel, job->file, index);
	job->pages++;
}

void file_sync(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end, const char *who)
{
	struct job job = {kernel, file, first, end, 0};
	if (file->dirty == 0)
		return;
	file_for_each(file, write_one, &job);
	emit(kernel->bus, EVENT_WRITEBACK, event_text(who), job.pages, event_text(file->path), kernel->dirty);
}

/* ---- how much may be dirty ---- */

/* global_dirtyable_memory: what is free, and the page cache. */
struct dirty_limits file_dirty_limits(const struct kernel *kernel)
{
	uint64_t free = frame_pool_free(kernel->frames), kept = kernel->reclaim.marks.high;
	uint64_t pages = (free > kept ? free - kept : 0) + frame_pool_used(kernel->frames, FRAME_FILE) +
			 frame_pool_used(kernel->frames, FRAME_IMAGE);
	return (struct dirty_limits){pages * kernel->config.dirty_background_ratio / 100,
				     pages * kernel->config.dirty_ratio / 100};
}

static void flush(struct kernel *kernel, uint64_t background)
{
	machine_charge(kernel->machine, COST_CONTEXT_SWITCH, 2);
	for (struct file *file = kernel->files; file && kernel->dirty > background; file = file->next) {
		if (!file->shmem)
			file_sync(kernel, file, 0, UINT64_MAX, "the flusher");
	}
}

void file_balance_dirty(struct kernel *kernel)
{
	const struct dirty_limits limits = file_dirty_limits(kernel);
	if (kernel->dirty > limits.background)
		flush(kernel, limits.background);
	struct disk *disk = &kernel->disk;
	forget_finished(kernel);
	while (disk->writes > 0 && kernel->dirty + disk->writes > limits.limit) {
		block_wait_here(kernel, disk->ends[disk->first]);
		forget_finished(kernel);
	}
}
