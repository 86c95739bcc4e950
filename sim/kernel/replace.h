/* Which page goes next: the replacement policies as the kernel uses them. */
#ifndef FAULTLINE_KERNEL_REPLACE_H
#define FAULTLINE_KERNEL_REPLACE_H

#include "faultline/frame.h"

struct kernel;

/* A ring of pages, by frame number, and where the hand stands. */
struct replace_set {
	uint32_t hand; /* 0: empty */
	uint64_t count;
};

struct replace_links {
	uint32_t next, prev; /* 0: in no set */
};

void replace_add(struct kernel *kernel, struct replace_set *set, struct pfn frame);
void replace_remove(struct kernel *kernel, struct replace_set *set, struct pfn frame);
/* The page to go; it stays in the set until it is removed. 0: the set is empty. *looked counts the pages looked at. */
struct pfn replace_victim(struct kernel *kernel, struct replace_set *set, uint64_t *looked);

#endif
