/* Where the parts of one address space go: what the layout of the paging mode says, or what chance says. */
#ifndef FAULTLINE_KERNEL_PLACEMENT_H
#define FAULTLINE_KERNEL_PLACEMENT_H

#include "faultline/process.h"
#include "layout.h"

#define STACK_USED ((uint64_t)0xd30) /* arguments and environment, above the first stack pointer */

struct placement {
	struct vaddr image; /* the program's text */
	struct vaddr start_brk;
	struct vaddr mmap_ceiling;
	struct vaddr libc_top; /* the libraries end here */
	struct vaddr stack_top;
};

/* Of a stock kernel without address randomisation, or with it from the seed of the spec, which has its defaults. */
struct placement placement_of(const struct layout *layout, const struct process_spec *spec, uint64_t process_number);

#endif
