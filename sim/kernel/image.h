/* What a process begins with. */
#ifndef FAULTLINE_KERNEL_IMAGE_H
#define FAULTLINE_KERNEL_IMAGE_H

#include "faultline/process.h"
#include "placement.h"

struct mm;

/* The spec with the values of a stock system where it has none. */
struct process_spec image_defaults(const struct process_spec *given);
/* About what a new process needs at once, in frames: its part of the page cache, its pages, tables and stacks. */
uint64_t image_frames(const struct process_spec *spec);
/* Into an empty address space. False: no frame is left, or the promises are too many. */
bool image_map(struct mm *mm, const struct process_spec *spec, const struct placement *placement);

#endif
