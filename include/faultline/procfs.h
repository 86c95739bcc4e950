/* Files of /proc, in the kernel's own text: what people read on a real Linux they can read here. A const view; reading
 * changes nothing. See fs/proc/task_mmu.c, task_nommu.c, array.c, base.c, meminfo.c, mm/vmstat.c. */
#ifndef FAULTLINE_PROCFS_H
#define FAULTLINE_PROCFS_H

#include <stdbool.h>
#include <stddef.h>

struct kernel;
struct process;
struct vma;

/* X(ID, name, is it a process's, text) */
#define PROCFS_LIST(X)                                                                                                 \
	X(MAPS, maps, true, "the VMAs, one a line")                                                                    \
	X(SMAPS, smaps, true, "the VMAs with what is resident of them")                                                \
	X(SMAPS_ROLLUP, smaps_rollup, true, "the sums of smaps")                                                       \
	X(STATUS, status, true, "who it is, and its memory in kB")                                                     \
	X(STATM, statm, true, "its memory in pages")                                                                   \
	X(PAGEMAP, pagemap, true, "the 64-bit word of each page of a VMA; the kernel's file has them as binary")       \
	X(LIMITS, limits, true, "its resource limits")                                                                 \
	X(OOM_SCORE, oom_score, true, "how ready the OOM killer is to choose it, 0 to 2000")                           \
	X(OOM_SCORE_ADJ, oom_score_adj, true, "what is added to its badness, in thousandths of all memory")            \
	X(MEMINFO, meminfo, false, "what RAM is used for")                                                             \
	X(VMSTAT, vmstat, false, "counters of the memory management: the rows that the simulator has")                 \
	X(BUDDYINFO, buddyinfo, false, "free blocks by size")                                                          \
	X(EXTFRAG_INDEX, extfrag_index, false,                                                                         \
	  "debugfs: why a block of each size would not be had: -1 it would, 0 no memory, 1 all in pieces")             \
	X(UNUSABLE_INDEX, unusable_index, false, "debugfs: the share of free memory that is of no use for each size")

enum procfs_file {
#define X(id, name, own, text) PROCFS_##id,
	PROCFS_LIST(X)
#undef X
	    PROCFS_COUNT
};

struct procfs_info {
	const char *name;
	bool of_process;
	const char *text;
};

const struct procfs_info *procfs_info(enum procfs_file file);
bool procfs_find(const char *name, enum procfs_file *out);

typedef void procfs_write_fn(void *self, const char *text, size_t length);
/* The process does not matter for files that are not a process's. A dead one is a zombie: without memory. */
void procfs_print(const struct kernel *kernel, const struct process *process, enum procfs_file file,
		  procfs_write_fn *write, void *self);
/* The part of smaps that is about one VMA. */
void procfs_print_smaps_of(const struct process *process, const struct vma *vma, procfs_write_fn *write, void *self);

#endif
