/* Compaction: pages move to the end of memory, so that free frames come to lie side by side. See mm/compaction.c,
 * mm/migrate.c. */
#ifndef FAULTLINE_KERNEL_COMPACT_H
#define FAULTLINE_KERNEL_COMPACT_H

#include <stdbool.h>
#include <stdint.h>

struct free_blocks;
struct kernel;

/* After a failure for a huge page the next ones are not tried at all: twice as many each time, up to 64. */
struct compact {
	unsigned deferred, shift;
};

/* Tries to make a free block of that order, at most a huge page's. False: it was not tried, or did not help. */
bool compact_memory(struct kernel *kernel, unsigned order, const char *who);

/* Thousandths. fragmentation_index: -1000: a block of the order is free; else towards 0 it fails for want of memory,
 * towards 1000 because memory is in pieces. unusable_free_index: what share of free memory is of no use for it. */
int fragmentation_index(const struct free_blocks *free, unsigned order);
int unusable_free_index(const struct free_blocks *free, unsigned order);

#endif
