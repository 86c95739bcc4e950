/* What a process has opened: struct file and struct fdtable of Linux. See fs/open.c, fs/file.c. */
#ifndef FAULTLINE_KERNEL_OPEN_FILE_H
#define FAULTLINE_KERNEL_OPEN_FILE_H

#include "file.h"

struct mm;
struct process;

enum { DESCRIPTORS = 1024, FIRST_DESCRIPTOR = 3 }; /* RLIMIT_NOFILE; those below are a terminal, which has no file */

/* Shared by all descriptors that come from one open: dup of Linux does not exist here, fork does. */
struct open_file {
	struct file *file;
	uint64_t position;
	uint32_t flags; /* of open */
	uint32_t users; /* descriptors */
	struct readahead ahead;
};

struct descriptors {
	struct open_file *open[DESCRIPTORS]; /* NULL: free */
	bool cloexec[DESCRIPTORS];
};

struct open_file *open_file_of(const struct process *process, uint64_t descriptor); /* NULL: -EBADF */
bool open_file_reads(const struct open_file *open);
bool open_file_writes(const struct open_file *open);

/* fork: the child has the same open files. exec closes some, the end of the process all. */
void descriptors_copy(struct kernel *kernel, struct process *child, const struct process *parent);
void descriptors_close(struct kernel *kernel, struct process *process, bool only_cloexec);

enum { LONGEST_PATH = 256 };
int64_t copy_path(struct mm *mm, uint64_t from, char path[LONGEST_PATH]); /* strncpy_from_user: 0 or -errno */

/* i_size changes: pages behind the new end go, also private copies of them. */
int64_t file_resize(struct kernel *kernel, struct process *process, struct file *file, uint64_t bytes);

#endif
