/* Reading files before they are wanted: mm/readahead.c, and do_sync_mmap_readahead of mm/filemap.c. */
#include "kernel_private.h"
#include "reclaim.h"

/* The read begins; the page is in the cache at once, and whoever wants it before the disk is done waits. */
static bool read_page(struct kernel *kernel, struct file *file, uint64_t index, struct pfn *out)
{
	struct disk *disk = &kernel->disk;
	if (!file_add_page(kernel, file, index, out))
		return false;
	file_load(kernel, file, index, *out);
	kernel->vm.file_pages_in++;
	emit(kernel->bus, EVENT_FILE_IN, out->v, index, event_text(file->path));
	frame_at(kernel->frames, *out)->ready = block_submit(kernel, &disk->device, false, file->disk_start + index, 1);
	return true;
}

/* do_page_cache_ra: what is missing of [start, start + size), `needed` among it or not. */
static bool read_window(struct kernel *kernel, struct file *file, const struct readahead *window, uint64_t needed,
			struct pfn *out)
{
	uint64_t pages = file_pages(file), end = window->start + window->size;
	struct mm *mm = kernel->current ? kernel->current->mm : NULL;
	bool has_room = reclaim_for_frames(kernel, mm, window->size);
	struct pfn frame;
	machine_charge(kernel->machine, COST_IO_SUBMIT, 1);
	for (uint64_t i = window->start; i < end && i < pages; i++) {
		bool guessed = i != needed;
		if (guessed && (!has_room || file_page(file, i, &frame)))
			continue;
		if (!read_page(kernel, file, i, &frame))
			return false;
		kernel->vm.file_readahead += guessed;
		if (!guessed)
			*out = frame;
	}
	return true;
}

static uint64_t largest(const struct kernel *kernel)
{
	uint64_t pages = kernel->config.read_ahead_bytes / PAGE_BYTES;
	return pages ? pages : 1;
}

/* get_init_ra_size, get_next_ra_size. */
static uint64_t first_size(uint64_t wanted, uint64_t most)
{
	uint64_t size = 1;
	while (size < wanted)
		size *= 2;
	if (size <= most / 32)
		return size * 4;
	return size <= most / 4 ? size * 2 : most;
}

static uint64_t next_size(uint64_t size, uint64_t most)
{
	if (size < most / 16)
		return size * 4;
	return size <= most / 2 ? size * 2 : most;
}

/* page_cache_sync_ra: at the start of the file, behind the page read last, and for large reads, a window begins; what
 * stands alone is read alone. */
static struct readahead ahead_of(const struct kernel *kernel, uint64_t index, const struct reader *reader)
{
	const uint64_t most = largest(kernel), wanted = reader->wanted;
	const struct readahead *old = reader->ahead;
	bool goes_on = old->previous != 0 && (index == old->previous || index + 1 == old->previous);
	struct readahead window = {index, wanted, 0, old->previous};
	if (index != 0 && wanted <= most && !goes_on)
		return window;
	window.size = first_size(wanted, most);
	window.async = window.size > wanted ? window.size - wanted : window.size / 2;
	return window;
}

static struct readahead window_of(const struct kernel *kernel, uint64_t index, const struct reader *reader)
{
	const uint64_t most = largest(kernel);
	struct readahead window = {index, 1, 0, reader->ahead->previous};
	switch (reader->pattern) {
	case READ_AROUND:
		window.start = index > most / 2 ? index - most / 2 : 0;
		window.size = most;
		window.async = most / 4;
		break;
	case READ_AHEAD:
		return ahead_of(kernel, index, reader);
	case READ_ONE:
		break;
	}
	return window;
}

bool file_read_missing(struct kernel *kernel, struct file *file, uint64_t index, const struct reader *reader,
		       struct pfn *out)
{
	const struct readahead window = window_of(kernel, index, reader);
	if (window.async != 0)
		*reader->ahead = window;
	if (!read_window(kernel, file, &window, index, out))
		return false;
	block_wait(kernel, frame_at(kernel->frames, *out)->ready);
	return true;
}

bool file_is_marker(const struct readahead *ahead, uint64_t index)
{
	return ahead->async != 0 && index == ahead->start + ahead->size - ahead->async;
}

void file_read_on(struct kernel *kernel, struct file *file, struct readahead *ahead)
{
	struct pfn unused;
	ahead->start += ahead->size;
	ahead->size = ahead->async = next_size(ahead->size, largest(kernel));
	if (ahead->start < file_pages(file))
		(void)read_window(kernel, file, ahead, UINT64_MAX, &unused);
}

void file_will_need(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end)
{
	struct pfn unused;
	const struct readahead all = {.start = first, .size = end - first};
	if (!file_is_memory(file))
		(void)read_window(kernel, file, &all, UINT64_MAX, &unused);
}
