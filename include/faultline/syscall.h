/* The system calls, as one list: number, name and how many arguments matter. Numbers are those of
 * arch/x86/entry/syscalls/syscall_64.tbl; errors come back as -errno in RAX. */
#ifndef FAULTLINE_SYSCALL_H
#define FAULTLINE_SYSCALL_H

#include <stdint.h>

#include "faultline/fcntl.h"
#include "faultline/mman.h"

/* X(ID, number, name, arguments, text) */
#define SYSCALL_LIST(X)                                                                                                \
	X(READ, 0, read, 3, "read from a file, at its position")                                                       \
	X(WRITE, 1, write, 3, "write to a file, at its position, or to standard error")                                \
	X(CLOSE, 3, close, 1, "give a descriptor back")                                                                \
	X(LSEEK, 8, lseek, 3, "move the position of an open file")                                                     \
	X(MMAP, 9, mmap, 6, "map anonymous memory or a file")                                                          \
	X(MPROTECT, 10, mprotect, 3, "change the protection of a range")                                               \
	X(MUNMAP, 11, munmap, 2, "remove a range")                                                                     \
	X(BRK, 12, brk, 1, "move the program break; brk(0) asks for it")                                               \
	X(MREMAP, 25, mremap, 5, "grow, shrink or move a mapping")                                                     \
	X(PREAD64, 17, pread64, 4, "read from a file at an offset")                                                    \
	X(PWRITE64, 18, pwrite64, 4, "write to a file at an offset")                                                   \
	X(MSYNC, 26, msync, 3, "write a range back to its file")                                                       \
	X(MINCORE, 27, mincore, 3, "which pages of a range are in RAM")                                                \
	X(MADVISE, 28, madvise, 3, "say how a range will be used, or drop it")                                         \
	X(GETPID, 39, getpid, 0, "process number")                                                                     \
	X(FORK, 57, fork, 0, "make a second process of this one")                                                      \
	X(VFORK, 58, vfork, 0, "make a second process in the same memory, and wait until it leaves it")                \
	X(EXECVE, 59, execve, 3, "become another program")                                                             \
	X(EXIT, 60, exit, 1, "end the process")                                                                        \
	X(WAIT4, 61, wait4, 4, "how a child ended")                                                                    \
	X(FSYNC, 74, fsync, 1, "write what is dirty of a file to the disk")                                            \
	X(FTRUNCATE, 77, ftruncate, 2, "make a file longer or shorter")                                                \
	X(MLOCK, 149, mlock, 2, "keep a range in RAM")                                                                 \
	X(MUNLOCK, 150, munlock, 2, "undo mlock")                                                                      \
	X(MLOCKALL, 151, mlockall, 1, "keep all memory in RAM, now or in future")                                      \
	X(MUNLOCKALL, 152, munlockall, 0, "undo mlockall and mlock")                                                   \
	X(TGKILL, 234, tgkill, 3, "send a signal to itself: abort()")                                                  \
	X(OPENAT, 257, openat, 4, "open a file: open of the C library")                                                \
	X(PRLIMIT64, 302, prlimit64, 4, "read and set resource limits: setrlimit, getrlimit")                          \
	X(MLOCK2, 325, mlock2, 3, "mlock with flags")                                                                  \
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

/* What 32-bit code puts into EAX before INT 0x80: arch/x86/entry/syscalls/syscall_32.tbl. X(ID, number); mmap is mmap2
 * there. */
#define SYSCALL_I386_LIST(X)                                                                                           \
	X(EXIT, 1)                                                                                                     \
	X(FORK, 2)                                                                                                     \
	X(READ, 3)                                                                                                     \
	X(WRITE, 4)                                                                                                    \
	X(CLOSE, 6)                                                                                                    \
	X(LSEEK, 19)                                                                                                   \
	X(EXECVE, 11)                                                                                                  \
	X(GETPID, 20)                                                                                                  \
	X(BRK, 45)                                                                                                     \
	X(MUNMAP, 91)                                                                                                  \
	X(FTRUNCATE, 93)                                                                                               \
	X(WAIT4, 114)                                                                                                  \
	X(FSYNC, 118)                                                                                                  \
	X(MPROTECT, 125)                                                                                               \
	X(MSYNC, 144)                                                                                                  \
	X(MLOCK, 150)                                                                                                  \
	X(MUNLOCK, 151)                                                                                                \
	X(MLOCKALL, 152)                                                                                               \
	X(MUNLOCKALL, 153)                                                                                             \
	X(MREMAP, 163)                                                                                                 \
	X(PREAD64, 180)                                                                                                \
	X(PWRITE64, 181)                                                                                               \
	X(VFORK, 190)                                                                                                  \
	X(MMAP, 192)                                                                                                   \
	X(MINCORE, 218)                                                                                                \
	X(MADVISE, 219)                                                                                                \
	X(TGKILL, 270)                                                                                                 \
	X(OPENAT, 295)                                                                                                 \
	X(PRLIMIT64, 340)                                                                                              \
	X(MLOCK2, 376)

/* wait4: do not wait. Without it, a call that would have to wait for a living child answers ERESTARTSYS: whoever runs
 * the processes lets another one run and calls again. */
enum { LINUX_WNOHANG = 1 };

enum { SYSCALL_VECTOR = 0x80 };

/* The i386 number of an x86-64 one; -1: it has none. */
int syscall_i386_number(uint64_t number);

/* errno values, as include/uapi/asm-generic/errno-base.h numbers them. */
#define ERRNO_LIST(X)                                                                                                  \
	X(EPERM, 1)                                                                                                    \
	X(ENOENT, 2)                                                                                                   \
	X(ESRCH, 3)                                                                                                    \
	X(EBADF, 9)                                                                                                    \
	X(ECHILD, 10)                                                                                                  \
	X(EAGAIN, 11)                                                                                                  \
	X(ENOMEM, 12)                                                                                                  \
	X(EACCES, 13)                                                                                                  \
	X(EFAULT, 14)                                                                                                  \
	X(EBUSY, 16)                                                                                                   \
	X(EEXIST, 17)                                                                                                  \
	X(EINVAL, 22)                                                                                                  \
	X(EMFILE, 24)                                                                                                  \
	X(EFBIG, 27)                                                                                                   \
	X(ENOSPC, 28)                                                                                                  \
	X(ENAMETOOLONG, 36)                                                                                            \
	X(ENOSYS, 38)                                                                                                  \
	X(EOVERFLOW, 75)                                                                                               \
	X(EOPNOTSUPP, 95)                                                                                              \
	X(ERESTARTSYS, 512)

enum linux_errno {
#define X(name, number) LINUX_##name = (number),
	ERRNO_LIST(X)
#undef X
};

const char *linux_errno_name(int number); /* "ENOMEM"; "errno?" for one the kernel never returns */

#endif
