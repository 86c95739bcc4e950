/* A block device in simulated time. */
#ifndef FAULTLINE_KERNEL_BLOCK_H
#define FAULTLINE_KERNEL_BLOCK_H

#include "faultline/block.h"

struct kernel;

struct block_device {
	const struct block_kind_info *kind;
	uint64_t busy_until; /* cycle */
	uint64_t next;       /* page behind the last request: what begins here needs no seek */
};

/* Begins a transfer of so many pages from this one on. Returns the cycle when it is done; what the processor does
 * itself is done at once, and charged. */
uint64_t block_submit(struct kernel *kernel, struct block_device *device, bool write, uint64_t page, uint64_t pages);
/* The current process needs what is done then. The CPU waits for it; with kernel.quantum the process sleeps as soon as
 * it can be left: behind the access, or the call, that it is making. */
void block_wait(struct kernel *kernel, uint64_t cycle);
/* The CPU waits in any case. */
void block_wait_here(struct kernel *kernel, uint64_t cycle);

#endif
