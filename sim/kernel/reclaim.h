/* Taking pages away: which ones may go, what becomes of their content, and when. See mm/vmscan.c, mm/memcontrol.c. */
#ifndef FAULTLINE_KERNEL_RECLAIM_H
#define FAULTLINE_KERNEL_RECLAIM_H

#include "faultline/kernel.h"
#include "replace.h"

struct file;
struct mm;
struct process;
struct vma;

/* Processes whose pages are counted, limited and replaced together: a memory cgroup. Group 0 is for all that belongs to
 * no other one. Invariant: charged counts the frames that group_of says are its. */
struct memgroup {
	struct policy *policy;
	uint64_t limit; /* in pages; 0: none */
	uint64_t charged, peak;
	uint64_t last_fault; /* in cycles without waits: page-fault frequency */
	unsigned index;
};

struct reclaim {
	struct watermarks marks;
	struct memgroup *groups;  /* by number: 0, and by pid */
	uint16_t *group_of;       /* by frame: number of its group + 1; 0: it cannot be reclaimed */
	bool *new_to_policy;      /* by frame: its next reference is the one that brought it in */
	bool groups_exist;        /* others than group 0 */
	uint64_t looked;          /* pages that the policies looked at */
	uint64_t incoming;        /* key of the page that a fault is about, or POLICY_NO_KEY */
	bool ticks;               /* the policy wants them */
	uint64_t next_tick;       /* cycle */
	unsigned kswapd_failures; /* runs in a row that freed nothing */
};

uint64_t reclaim_reserve_bytes(uint64_t memory_bytes); /* of host address space */
void reclaim_init(struct kernel *kernel);
void reclaim_set_watermarks(struct kernel *kernel); /* when it is known what boot has left */

/* A page can be reclaimed from now on, or no longer. */
void reclaim_add(struct kernel *kernel, struct pfn frame);
void reclaim_forget(struct kernel *kernel, struct pfn frame);
/* The page is in another frame from now on. */
void reclaim_move(struct kernel *kernel, struct pfn from, struct pfn to);
/* A huge page is about to be split: its frames are reclaimed one by one from now on. */
void reclaim_split(struct kernel *kernel, struct pfn head);
/* There are frames to spend on a guess, such as readahead. */
bool reclaim_has_spare(const struct kernel *kernel);

/* Makes room for a fault, or for so many frames, before anything is looked at: afterwards that many are free above the
 * min watermark, and the group is below its limit. False: nothing helped, and nobody else could be killed. */
bool reclaim_for_fault(struct mm *mm, const struct vma *vma, struct vaddr va, bool write);
/* The same for frames that no page of a process is: nobody is killed for them. */
bool reclaim_for_frames(struct kernel *kernel, struct mm *mm, uint64_t frames);

/* The same as for a fault, for a page of a file that a process reads or writes by a call. */
bool reclaim_for_cache(struct mm *mm, const struct file *file, uint64_t index);

/* The group of a new process; it inherits its parent's. */
struct memgroup *memgroup_new(struct kernel *kernel, uint32_t pid, uint64_t limit_bytes);
/* For a block of order 9: by the process itself, until so many frames are free, or by the kernel's thread. Nobody is
 * killed. */
void reclaim_for_huge(struct kernel *kernel, const struct mm *mm, uint64_t enough, bool directly);
/* So many pages more are below its limit, without reclaim. */
bool memgroup_has_room(const struct kernel *kernel, const struct memgroup *group, uint64_t frames);
bool reclaim_check(const struct kernel *kernel, const char **why);

/* ---- evict.c ---- */
/* Takes the page away from all who map it and frees its frame; what must be kept is written out. A huge page is split,
 * and each of its pages goes by itself. Returns how many frames were freed; 0: it stays, because it is locked or swap
 * is full. */
uint64_t evict(struct kernel *kernel, struct pfn frame);
bool evict_unmap(struct kernel *kernel, struct pfn frame); /* only from all who map it, a page of a file */
/* MADV_PAGEOUT: the pages of the range that only this address space maps. */
void evict_range(struct mm *mm, const struct vma *vma, struct vaddr start, struct vaddr end);
/* Whether it would be written before it goes, and whether it may go at all. */
bool page_is_dirty(struct kernel *kernel, struct pfn frame);
bool page_may_go(struct kernel *kernel, struct pfn frame);
/* folio_referenced: whether an entry has been used since the last look; all of them forget it. */
bool page_was_used(struct kernel *kernel, struct pfn frame);

/* ---- oom.c ---- */
/* Kills the worst process, of the group if there is one. False: that is the current one, which ends by its own fault,
 * or there is none. */
bool oom_kill(struct kernel *kernel, const struct memgroup *group);
/* oom_badness: pages that its end would free, and its adjustment; INT64_MIN: it may not be killed. */
uint64_t oom_total_pages(const struct kernel *kernel); /* RAM and swap */
int64_t oom_badness(const struct process *process, uint64_t total_pages);

#endif
