/* The kernel's side of the replacement policies. */
#ifndef FAULTLINE_KERNEL_REPLACE_H
#define FAULTLINE_KERNEL_REPLACE_H

#include "faultline/frame.h"
#include "faultline/policy.h"

struct file;
struct kernel;
struct kernel_config;
struct mm;
struct vma;

/* The configured policy over all frames, of which so many may be resident. */
struct policy *replace_new(struct kernel *kernel, uint64_t capacity);
uint64_t replace_reserve_bytes(const struct kernel_config *config, uint64_t memory_bytes);
/* How a policy knows the page in a frame, and the page that a fault is about. */
uint64_t replace_key(const struct kernel *kernel, struct pfn frame);
uint64_t replace_key_of_file(const struct file *file, uint64_t index);
uint64_t replace_key_at(const struct mm *mm, const struct vma *vma, struct vaddr va);

#endif
