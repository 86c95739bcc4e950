#include "open_file.h"

#include <string.h>

#include "kernel_private.h"

struct open_file *open_file_of(const struct process *process, uint64_t descriptor)
{
	return process->descriptors && descriptor < DESCRIPTORS ? process->descriptors->open[descriptor] : NULL;
}

bool open_file_reads(const struct open_file *open)
{
	return (open->flags & LINUX_O_ACCMODE) != LINUX_O_WRONLY;
}

bool open_file_writes(const struct open_file *open)
{
	return (open->flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY;
}

static void release(struct kernel *kernel, struct open_file *open)
{
	if (--open->users == 0)
		pool_put(&kernel->open_file_pool, open);
}

void descriptors_copy(struct kernel *kernel, struct process *child, const struct process *parent)
{
	if (!parent->descriptors)
		return;
	child->descriptors = pool_take(&kernel->descriptors_pool);
	*child->descriptors = *parent->descriptors;
	for (unsigned i = 0; i < DESCRIPTORS; i++) {
		if (child->descriptors->open[i])
			child->descriptors->open[i]->users++;
	}
}

void descriptors_close(struct kernel *kernel, struct process *process, bool only_cloexec)
{
	struct descriptors *all = process->descriptors;
	for (unsigned i = 0; all && i < DESCRIPTORS; i++) {
		if (!all->open[i] || (only_cloexec && !all->cloexec[i]))
			continue;
		release(kernel, all->open[i]);
		all->open[i] = NULL;
	}
	if (!all || only_cloexec)
		return;
	pool_put(&kernel->descriptors_pool, all);
	process->descriptors = NULL;
}

/* ---- openat, close, lseek ---- */

int64_t copy_path(struct mm *mm, uint64_t from, char path[LONGEST_PATH])
{
	for (unsigned i = 0; i < LONGEST_PATH; i++) {
		if (!copy_from_user(mm, from + i, &path[i], 1))
			return -LINUX_EFAULT;
		if (path[i] == '\0')
			return i == 0 ? -LINUX_ENOENT : 0;
	}
	return -LINUX_ENAMETOOLONG;
}

static struct file *create(struct kernel *kernel, const char *path)
{
	char *copy = arena_alloc(kernel->arena, strlen(path) + 1, 1);
	memcpy(copy, path, strlen(path) + 1);
	return file_named(kernel, &(struct file_spec){.path = copy});
}

/* do_open: which file, and may it be opened so. 0 or -errno. */
static int64_t find_file(struct kernel *kernel, struct process *process, const char *path, uint64_t flags,
			 struct file **out)
{
	bool writes = (flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY;
	*out = file_find(kernel, path);
	if (!*out && !(flags & LINUX_O_CREAT))
		return -LINUX_ENOENT;
	if (*out && (flags & LINUX_O_CREAT) && (flags & LINUX_O_EXCL))
		return -LINUX_EEXIST;
	if (!*out)
		*out = create(kernel, path);
	if (!*out)
		return -LINUX_ENOSPC;
	if ((*out)->image && (writes || (flags & LINUX_O_TRUNC)))
		return -LINUX_EACCES;
	return flags & LINUX_O_TRUNC ? file_resize(kernel, process, *out, 0) : 0;
}

static int64_t free_descriptor(struct kernel *kernel, struct process *process)
{
	if (!process->descriptors)
		process->descriptors = pool_take(&kernel->descriptors_pool);
	for (int64_t i = FIRST_DESCRIPTOR; i < DESCRIPTORS; i++) {
		if (!process->descriptors->open[i])
			return i;
	}
	return -LINUX_EMFILE;
}

/* There are no folders: a path is a name, whatever directory it is said to be relative to. */
int64_t sys_openat(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	char path[LONGEST_PATH];
	struct file *file = NULL;
	uint64_t flags = args[2];
	int64_t error = copy_path(process->mm, args[1], path);
	int64_t descriptor = error ? error : free_descriptor(kernel, process);
	if (descriptor < 0)
		return descriptor;
	if ((flags & LINUX_O_ACCMODE) == LINUX_O_ACCMODE)
		return -LINUX_EINVAL;
	error = find_file(kernel, process, path, flags, &file);
	if (error)
		return error;
	struct open_file *open = pool_take(&kernel->open_file_pool);
	*open = (struct open_file){.file = file, .flags = (uint32_t)flags, .users = 1};
	process->descriptors->open[descriptor] = open;
	process->descriptors->cloexec[descriptor] = (flags & LINUX_O_CLOEXEC) != 0;
	emit(kernel->bus, EVENT_OPEN, event_text(file->path), (uint64_t)descriptor, file->bytes);
	return descriptor;
}

int64_t sys_close(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	struct open_file *open = open_file_of(process, args[0]);
	if (!open)
		return -LINUX_EBADF;
	process->descriptors->open[args[0]] = NULL;
	release(kernel, open);
	return 0;
}

int64_t sys_lseek(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	struct open_file *open = open_file_of(process, args[0]);
	uint64_t base = 0;
	bool wide = kernel->layout->is_64bit;
	int64_t offset = wide ? (int64_t)args[1] : (int32_t)args[1];
	if (!open)
		return -LINUX_EBADF;
	switch (args[2]) {
	case LINUX_SEEK_SET:
		break;
	case LINUX_SEEK_CUR:
		base = open->position;
		break;
	case LINUX_SEEK_END:
		base = open->file->bytes;
		break;
	default:
		return -LINUX_EINVAL;
	}
	if (offset < 0 && base < 0 - (uint64_t)offset)
		return -LINUX_EINVAL;
	if (base + (uint64_t)offset > INT64_MAX)
		return -LINUX_EOVERFLOW;
	open->position = base + (uint64_t)offset;
	return (int64_t)open->position;
}
