/* Pages of another process that are present in its page table, from /proc/PID/pagemap. */
#ifndef FAULTLINE_TESTS_NATIVE_PAGEMAP_H
#define FAULTLINE_TESTS_NATIVE_PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct present {
	uint64_t pages;
	uint64_t zero; /* of them the shared zero page */
};

/* False: the kernel cannot tell (before Linux 6.7). */
bool pagemap_count(pid_t pid, uint64_t start, uint64_t end, struct present *out);

#endif
