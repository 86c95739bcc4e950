/* The allocators, one file or family of files each; heap.c lists them. */
#ifndef FAULTLINE_HEAP_PRIVATE_H
#define FAULTLINE_HEAP_PRIVATE_H

#include "faultline/heap.h"

extern const struct heap_ops heap_glibc;
extern const struct heap_ops heap_first_fit;
extern const struct heap_ops heap_next_fit;
extern const struct heap_ops heap_best_fit;
extern const struct heap_ops heap_worst_fit;

#endif
