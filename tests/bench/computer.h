/* A booted computer with one process and its C library, for benchmarks of what stands above the machine. */
#ifndef FAULTLINE_BENCH_COMPUTER_H
#define FAULTLINE_BENCH_COMPUTER_H

#include "faultline/heap.h"
#include "faultline/kernel.h"

struct computer {
	struct arena *arena;
	struct bus bus;
	struct machine *machine;
	struct kernel *kernel;
	struct process *process;
	struct user *user;
	struct heap *heap;
};

/* Ends the program with a message when the host cannot do it. */
void computer_boot(struct computer *computer, uint64_t memory_bytes, const char *libc);
/* With a kernel of this configuration. */
void computer_boot_kernel(struct computer *computer, uint64_t memory_bytes, const char *libc,
			  const struct kernel_config *kernel);
void computer_free(struct computer *computer);

#endif
