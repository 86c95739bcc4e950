/* The system calls, as one list: number, name and how many arguments matter. Numbers are those of
 * arch/x86/entry/syscalls/syscall_64.tbl; errors come back as -errno in RAX. */
#ifndef FAULTLINE_SYSCALL_H
#define FAULTLINE_SYSCALL_H

#include <stdint.h>

/* X(ID, number, name, arguments, text) */
#define SYSCALL_LIST(X)                                                                                                \
	X(WRITE, 1, write, 3, "write to standard error; other descriptors do not exist yet")                           \
	X(MMAP, 9, mmap, 6, "map anonymous private memory")                                                            \
	X(MPROTECT, 10, mprotect, 3, "change the protection of a range")                                               \
	X(MUNMAP, 11, munmap, 2, "remove a range")                                                                     \
	X(BRK, 12, brk, 1, "move the program break; brk(0) asks for it")                                               \
	X(MREMAP, 25, mremap, 5, "grow, shrink or move a mapping")                                                     \
	X(MADVISE, 28, madvise, 3, "MADV_DONTNEED: drop the pages of a range")                                         \
	X(GETPID, 39, getpid, 0, "process number")                                                                     \
	X(EXIT, 60, exit, 1, "end the process")                                                                        \
	X(TGKILL, 234, tgkill, 3, "send a signal to itself: abort()")                                                  \
	X(UNKNOWN, -1, unknown, 0, "any other number: -ENOSYS")

enum syscall_index {
#define X(id, number, name, arguments, text) SYSCALL_##id,
	SYSCALL_LIST(X)
#undef X
	    SYSCALL_COUNT
};

/* Linux numbers: SYS_NR_BRK ... */
enum syscall_number {
#define X(id, number, name, arguments, text) SYS_NR_##id = (number),
	SYSCALL_LIST(X)
#undef X
};

struct syscall_info {
	const char *name;
	int number;
	unsigned arguments;
	const char *text;
};

const struct syscall_info *syscall_info(enum syscall_index index);

/* errno values, as include/uapi/asm-generic/errno-base.h numbers them. */
#define ERRNO_LIST(X)                                                                                                  \
	X(EPERM, 1)                                                                                                    \
	X(ESRCH, 3)                                                                                                    \
	X(EBADF, 9)                                                                                                    \
	X(EAGAIN, 11)                                                                                                  \
	X(ENOMEM, 12)                                                                                                  \
	X(EACCES, 13)                                                                                                  \
	X(EFAULT, 14)                                                                                                  \
	X(EEXIST, 17)                                                                                                  \
	X(EINVAL, 22)                                                                                                  \
	X(ENOSYS, 38)

enum linux_errno {
#define X(name, number) LINUX_##name = (number),
	ERRNO_LIST(X)
#undef X
};

const char *linux_errno_name(int number); /* "ENOMEM"; "errno?" for one the kernel never returns */

/* include/uapi/asm-generic/mman-common.h */
enum {
	LINUX_PROT_READ = 1,
	LINUX_PROT_WRITE = 2,
	LINUX_PROT_EXEC = 4,
	LINUX_MAP_SHARED = 0x01,
	LINUX_MAP_PRIVATE = 0x02,
	LINUX_MAP_FIXED = 0x10,
	LINUX_MAP_ANONYMOUS = 0x20,
	LINUX_MAP_NORESERVE = 0x4000,
	LINUX_MAP_POPULATE = 0x8000,
	LINUX_MAP_HUGETLB = 0x40000,
	LINUX_MAP_FIXED_NOREPLACE = 0x100000,
	LINUX_MREMAP_MAYMOVE = 1,
	LINUX_MREMAP_FIXED = 2,
	LINUX_MADV_DONTNEED = 4,
};

#endif
