/* A stand-in for the machine and the kernel: user.h on flat host memory with the few rules of Linux that an allocator
 * can notice. Allocators are developed and tested on it, apart from everything below them.
 *
 * What it models: brk, mmap and mremap without address (top-down below a ceiling, lengths that are multiples of 2 MiB
 * at multiples of 2 MiB), munmap, madvise(MADV_DONTNEED); one minor fault for the first read of a page, one for the
 * first write. What it does not: protection, swap, caches, time. */
#ifndef FAULTLINE_TESTS_FLAT_USER_H
#define FAULTLINE_TESTS_FLAT_USER_H

#include "faultline/syscall.h"
#include "faultline/user.h"

#define FLAT_START_BRK ((uint64_t)0x555558000000)
#define FLAT_CEILING ((uint64_t)0x7fffc0000000)
#define FLAT_DATA ((uint64_t)0x7fffe0000000) /* resident and zero, as a libc's .data and .bss */
#define FLAT_DATA_BYTES ((uint64_t)64 << 10)

/* How a program ended. One that ends outside user_run ends the test. */
enum flat_end { FLAT_RETURNED, FLAT_ABORTED, FLAT_SEGV };

/* Facts, and the two limits that make the kernel say no. */
struct flat_facts {
	uint64_t faults;
	uint64_t calls[SYSCALL_COUNT];
	uint64_t break_now;
	enum flat_end end;
	const char *message;   /* of abort(), NULL if there was none */
	uint64_t fault_va;     /* of the SIGSEGV */
	uint64_t break_limit;  /* brk beyond it is refused; 0: the window's end */
	uint64_t mapped_limit; /* sum of mapped bytes beyond which mmap is refused; 0: the window's size */
	uint64_t mapped_bytes;
};

struct user *flat_user_new(void); /* NULL: the host has no memory */
void flat_user_free(struct user *user);
struct flat_facts *flat_facts(struct user *user);

#endif
