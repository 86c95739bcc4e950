/* What the files of /proc views share. */
#ifndef FAULTLINE_KERNEL_PROCFS_H
#define FAULTLINE_KERNEL_PROCFS_H

#include "faultline/procfs.h"
#include "kernel_private.h"

/* Where the text goes. */
struct sink {
	procfs_write_fn *write;
	void *self;
};

void sink_print(const struct sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));

typedef void procfs_fn(const struct kernel *kernel, const struct process *process, const struct sink *sink);
procfs_fn procfs_maps, procfs_smaps, procfs_smaps_rollup, procfs_status, procfs_statm, procfs_pagemap, procfs_limits,
    procfs_oom_score, procfs_oom_score_adj, procfs_meminfo, procfs_vmstat, procfs_buddyinfo, procfs_extfrag_index,
    procfs_unusable_index;

void procfs_maps_line(const struct mm *mm, const struct vma *vma, const struct sink *sink);

/* Memory of the whole machine by use, in pages. */
struct memory_use {
	uint64_t total, free;
	uint64_t anon, shmem, file; /* frames */
	uint64_t mapped;            /* frames of the page cache that somebody maps */
	uint64_t locked;            /* resident pages of locked VMAs */
	uint64_t tables, stacks;
	uint64_t faults, major_faults;
};

struct memory_use memory_use_of(const struct kernel *kernel);

static inline uint64_t kib(uint64_t pages)
{
	return pages * (PAGE_BYTES / KIB);
}

#endif
