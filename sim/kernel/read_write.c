/* read, write and their kin: bytes between user memory and the page cache. See mm/filemap.c (filemap_read,
 * generic_perform_write), fs/read_write.c, fs/open.c (do_truncate), fs/sync.c. */
#include "open_file.h"
#include "page.h"
#include "reclaim.h"

/* One piece of a transfer: within one page of the file. */
struct piece {
	struct mm *mm;
	struct file *file;
	uint64_t user;     /* address */
	uint64_t position; /* in the file */
	uint64_t bytes;
};

static uint64_t piece_index(const struct piece *piece)
{
	return piece->position / PAGE_BYTES;
}

static struct paddr in_frame(const struct piece *piece, struct pfn frame)
{
	return paddr_add(pfn_to_paddr(frame), page_offset(piece->position));
}

static void next_piece(struct piece *piece, uint64_t most)
{
	uint64_t room = PAGE_BYTES - page_offset(piece->position);
	piece->bytes = most < room ? most : room;
}

/* ---- reading ---- */

/* The page stays while user memory is made ready for its content. */
static int64_t read_piece(const struct piece *piece, struct readahead *ahead, uint64_t wanted)
{
	struct kernel *kernel = piece->mm->kernel;
	const struct reader reader = {ahead, READ_AHEAD, wanted};
	uint8_t bytes[PAGE_BYTES];
	struct pfn frame;
	if (!reclaim_for_cache(piece->mm, piece->file, piece_index(piece)) ||
	    file_page_get(kernel, piece->file, piece_index(piece), &reader, &frame) == FILE_NO_FRAME)
		return -LINUX_ENOMEM;
	physmem_read(kernel->mem, in_frame(piece, frame), bytes, piece->bytes);
	ahead->previous = piece_index(piece) + 1;
	machine_charge(kernel->machine, COST_COPY_PAGE, 1);
	return copy_to_user(piece->mm, piece->user, bytes, piece->bytes) ? 0 : -LINUX_EFAULT;
}

static int64_t read_file(struct process *process, struct open_file *open, uint64_t user, uint64_t count,
			 uint64_t position)
{
	struct piece piece = {process->mm, open->file, user, position, 0};
	uint64_t size = open->file->bytes, left = position < size ? size - position : 0, done = 0;
	uint64_t total = count < left ? count : left;
	while (done < total) {
		next_piece(&piece, total - done);
		uint64_t wanted = (page_ceil(piece.position + total - done) - page_floor(piece.position)) / PAGE_BYTES;
		int64_t error = read_piece(&piece, &open->ahead, wanted);
		if (error)
			return done ? (int64_t)done : error;
		done += piece.bytes;
		piece.user += piece.bytes;
		piece.position += piece.bytes;
	}
	return (int64_t)done;
}

static int64_t check_read(const struct process *process, uint64_t descriptor, int64_t position, struct open_file **open)
{
	*open = open_file_of(process, descriptor);
	if (!*open || !open_file_reads(*open))
		return -LINUX_EBADF;
	return position < 0 ? -LINUX_EINVAL : 0;
}

int64_t sys_read(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct open_file *open;
	int64_t result = check_read(process, args[0], 0, &open);
	if (!result)
		result = read_file(process, open, args[1], args[2], open->position);
	if (result > 0)
		open->position += (uint64_t)result;
	return result;
}

int64_t sys_pread64(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct open_file *open;
	int64_t result = check_read(process, args[0], (int64_t)args[3], &open);
	return result ? result : read_file(process, open, args[1], args[2], args[3]);
}

/* ---- writing ---- */

/* write_begin: a page that will be written whole, or that lies behind the end, need not be read. */
static bool page_to_write(const struct piece *piece, struct pfn *frame)
{
	struct kernel *kernel = piece->mm->kernel;
	uint64_t index = piece_index(piece);
	struct readahead nothing = {0};
	const struct reader reader = {&nothing, READ_ONE, 1};
	bool known = piece->bytes < PAGE_BYTES && index < file_pages(piece->file);
	if (!reclaim_for_cache(piece->mm, piece->file, index))
		return false;
	if (known || file_page(piece->file, index, frame))
		return file_page_get(kernel, piece->file, index, &reader, frame) != FILE_NO_FRAME;
	return file_add_page(kernel, piece->file, index, frame);
}

static int64_t write_piece(const struct piece *piece)
{
	struct kernel *kernel = piece->mm->kernel;
	uint8_t bytes[PAGE_BYTES];
	struct pfn frame;
	/* First, so that no fault can take the page away in between. */
	if (!copy_from_user(piece->mm, piece->user, bytes, piece->bytes))
		return -LINUX_EFAULT;
	if (!file_reserve(kernel, piece->file, piece->position + piece->bytes))
		return -LINUX_ENOSPC;
	if (!page_to_write(piece, &frame))
		return -LINUX_ENOMEM;
	physmem_write(kernel->mem, in_frame(piece, frame), bytes, piece->bytes);
	machine_charge(kernel->machine, COST_COPY_PAGE, 1);
	if (piece->position + piece->bytes > piece->file->bytes)
		piece->file->bytes = piece->position + piece->bytes;
	file_dirty(kernel, frame);
	file_balance_dirty(kernel);
	return 0;
}

static int64_t write_file(struct process *process, const struct open_file *open, uint64_t user, uint64_t count,
			  uint64_t position)
{
	struct piece piece = {process->mm, open->file, user, position, 0};
	uint64_t done = 0;
	if (count > INT64_MAX - position)
		return -LINUX_EFBIG;
	while (done < count) {
		next_piece(&piece, count - done);
		int64_t error = write_piece(&piece);
		if (error)
			return done ? (int64_t)done : error;
		done += piece.bytes;
		piece.user += piece.bytes;
		piece.position += piece.bytes;
	}
	return (int64_t)done;
}

static int64_t check_write(const struct process *process, uint64_t descriptor, int64_t position,
			   struct open_file **open)
{
	*open = open_file_of(process, descriptor);
	if (!*open || !open_file_writes(*open))
		return -LINUX_EBADF;
	return position < 0 ? -LINUX_EINVAL : 0;
}

/* Standard error is a terminal: the last message stays. */
static int64_t write_message(struct process *process, uint64_t from, uint64_t count)
{
	uint64_t bytes = count < sizeof(process->message) - 1 ? count : sizeof(process->message) - 1;
	if (!copy_from_user(process->mm, from, process->message, bytes))
		return -LINUX_EFAULT;
	process->message[bytes] = '\0';
	return (int64_t)count;
}

int64_t sys_write(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct open_file *open;
	if (args[0] == 2)
		return write_message(process, args[1], args[2]);
	int64_t result = check_write(process, args[0], 0, &open);
	if (result)
		return result;
	if (open->flags & LINUX_O_APPEND)
		open->position = open->file->bytes;
	result = write_file(process, open, args[1], args[2], open->position);
	if (result > 0)
		open->position += (uint64_t)result;
	return result;
}

/* With O_APPEND the position does not matter: BUGS of pwrite(2). */
int64_t sys_pwrite64(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct open_file *open;
	int64_t result = check_write(process, args[0], (int64_t)args[3], &open);
	if (result)
		return result;
	uint64_t position = open->flags & LINUX_O_APPEND ? open->file->bytes : args[3];
	return write_file(process, open, args[1], args[2], position);
}

/* ---- ftruncate, fsync ---- */

/* block_truncate_page: what lies behind the end in its page reads as zero when the file grows again. */
static int64_t zero_tail(struct mm *mm, struct file *file, uint64_t bytes)
{
	struct kernel *kernel = mm->kernel;
	static const uint8_t zeroes[PAGE_BYTES];
	struct readahead nothing = {0};
	const struct reader reader = {&nothing, READ_ONE, 1};
	uint64_t offset = page_offset(bytes);
	struct pfn frame;
	if (offset == 0)
		return 0;
	if (!reclaim_for_cache(mm, file, bytes / PAGE_BYTES) ||
	    file_page_get(kernel, file, bytes / PAGE_BYTES, &reader, &frame) == FILE_NO_FRAME)
		return -LINUX_ENOMEM;
	physmem_write(kernel->mem, paddr_add(pfn_to_paddr(frame), offset), zeroes, PAGE_BYTES - offset);
	file_dirty(kernel, frame);
	return 0;
}

int64_t file_resize(struct kernel *kernel, struct process *process, struct file *file, uint64_t bytes)
{
	uint64_t before = file_pages(file), after = page_ceil(bytes) / PAGE_BYTES;
	if (!file_reserve(kernel, file, bytes))
		return -LINUX_ENOSPC;
	int64_t error = bytes < file->bytes ? zero_tail(process->mm, file, bytes) : 0;
	if (error)
		return error;
	emit(kernel->bus, EVENT_TRUNCATE, event_text(file->path), file->bytes, bytes);
	file->bytes = bytes;
	if (after >= before)
		return 0;
	page_remove_range(process->mm, file, after, before);
	file_erase(kernel, file, after, before);
	return 0;
}

int64_t sys_ftruncate(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	struct open_file *open = open_file_of(process, args[0]);
	if ((int64_t)args[1] < 0)
		return -LINUX_EINVAL;
	if (!open)
		return -LINUX_EBADF;
	return open_file_writes(open) ? file_resize(kernel, process, open->file, args[1]) : -LINUX_EINVAL;
}

int64_t sys_fsync(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	const struct open_file *open = open_file_of(process, args[0]);
	if (!open)
		return -LINUX_EBADF;
	file_sync(kernel, open->file, 0, UINT64_MAX, "fsync");
	block_wait(kernel, open->file->written_until);
	return 0;
}
