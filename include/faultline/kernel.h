/* The simulated kernel: a small Linux. It boots on a machine, gives every process its own page tables, serves system
 * calls and page faults in ring 0, and is reached only through the gates that it installed. */
#ifndef FAULTLINE_KERNEL_H
#define FAULTLINE_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/arena.h"
#include "faultline/block.h"
#include "faultline/frame.h"
#include "faultline/machine.h"
#include "faultline/policy.h"
#include "faultline/process.h"
#include "faultline/status.h"

/* vm.overcommit_memory, Linux Documentation/mm/overcommit-accounting. */
#define OVERCOMMIT_LIST(X)                                                                                             \
	X(HEURISTIC, heuristic, "refuses only what can never fit: one request above all RAM")                          \
	X(ALWAYS, always, "never refuses")                                                                             \
	X(NEVER, never, "all promises together stay below CommitLimit: overcommit_ratio percent of RAM")

enum overcommit {
#define X(id, name, text) OVERCOMMIT_##id,
	OVERCOMMIT_LIST(X)
#undef X
	    OVERCOMMIT_COUNT
};

/* Whose pages make way when memory runs short. */
#define REPLACEMENT_SCOPE_LIST(X)                                                                                      \
	X(GLOBAL, global, "anybody's")                                                                                 \
	X(LOCAL, local, "those of the process that needs the frame")

enum replacement_scope {
#define X(id, name, text) REPLACEMENT_##id,
	REPLACEMENT_SCOPE_LIST(X)
#undef X
	    REPLACEMENT_SCOPE_COUNT
};

/* How many frames a process may have. */
#define ALLOCATION_LIST(X)                                                                                             \
	X(DEMAND, demand, "as many as it touches")                                                                     \
	X(FIXED, fixed, "an equal share")                                                                              \
	X(PFF, pff, "by its page-fault frequency: unused pages go when it has not faulted for pff_cycles")

enum allocation {
#define X(id, name, text) ALLOCATION_##id,
	ALLOCATION_LIST(X)
#undef X
	    ALLOCATION_COUNT
};

/* Transparent huge pages: /sys/kernel/mm/transparent_hugepage/enabled. */
#define THP_MODE_LIST(X)                                                                                               \
	X(NEVER, never, "no memory gets them")                                                                         \
	X(MADVISE, madvise, "memory that asked for them by MADV_HUGEPAGE")                                             \
	X(ALWAYS, always, "all anonymous memory")

enum thp_mode {
#define X(id, name, text) THP_##id,
	THP_MODE_LIST(X)
#undef X
	    THP_MODE_COUNT
};

/* What a read fault maps in anonymous memory; some kernels of virtual machines are built without the page of zeroes.
 * X(ID, name, text) */
#define ZERO_PAGE_LIST(X)                                                                                              \
	X(SHARED, shared, "one page of zeroes, for all")                                                               \
	X(FORBIDDEN, forbidden, "a frame of its own, as for a write")

enum zero_page {
#define X(id, name, text) ZERO_PAGE_##id,
	ZERO_PAGE_LIST(X)
#undef X
	    ZERO_PAGE_COUNT
};

/* What is done for a huge page when no block is free: transparent_hugepage/defrag. X(ID, word, text) */
#define THP_DEFRAG_LIST(X)                                                                                             \
	X(MADVISE, "madvise", "memory that asked for huge pages reclaims and compacts, others do nothing")             \
	X(ALWAYS, "always", "everybody reclaims and compacts")                                                         \
	X(DEFER, "defer", "the kernel's threads reclaim and compact, the fault does not wait")                         \
	X(DEFER_MADVISE, "defer+madvise", "memory that asked waits, for others the kernel's threads work")             \
	X(NEVER, "never", "nothing")

enum thp_defrag {
#define X(id, word, text) THP_DEFRAG_##id,
	THP_DEFRAG_LIST(X)
#undef X
	    THP_DEFRAG_COUNT
};

/* Of khugepaged: /sys/kernel/mm/transparent_hugepage/khugepaged/. */
struct khugepaged_config {
	uint64_t pages_to_scan;     /* each time it wakes */
	uint64_t scan_sleep_cycles; /* between two times: scan_sleep_millisecs */
	/* Of the 512 pages of a huge page may be missing, in swap, and shared with others. */
	uint64_t max_ptes_none, max_ptes_swap, max_ptes_shared;
};

struct kernel_config {
	enum paging_mode paging;
	enum overcommit overcommit;
	uint64_t overcommit_ratio;       /* vm.overcommit_ratio, percent */
	uint64_t max_map_count;          /* vm.max_map_count */
	uint64_t fault_around_bytes;     /* a power of two from 4 KiB on */
	uint64_t swap_bytes;             /* 0: no swap; the first page of it is the header */
	enum block_kind swap_device;     /* what it lies on */
	uint64_t page_cluster;           /* vm.page-cluster: 2^this pages of swap are read at once */
	enum block_kind disk;            /* what files lie on */
	uint64_t read_ahead_bytes;       /* read_ahead_kb: how much of a file is read at once around a fault */
	uint64_t dirty_background_ratio; /* vm.dirty_background_ratio, percent: dirty pages that the flusher allows */
	uint64_t dirty_ratio;            /* vm.dirty_ratio, percent: who writes waits above it */
	uint64_t min_free_bytes;         /* vm.min_free_kbytes; 0: by the size of RAM */
	uint64_t watermark_scale;        /* vm.watermark_scale_factor: low and high above min, in 1/10000 of RAM */
	enum replacement_scope scope;
	enum allocation allocation;
	uint64_t pff_cycles;
	/* Of round robin, in cycles: a process that waits for a device sleeps, and another one runs. 0: processes are
	 * switched only where their programs say so, and the CPU waits. */
	uint64_t quantum_cycles;
	const struct policy_ops *replacement; /* NULL: replace_default */
	uint64_t window_cycles;               /* of working-set policies */
	uint64_t tick_cycles;                 /* between ticks of the policies that want them */
	uint64_t seed;                        /* of policies that choose at random; 0: 1 */
	uint64_t hugepages;    /* vm.nr_hugepages: pages in the pool of MAP_HUGETLB; 0: made when they are touched */
	uint64_t hugepages_1g; /* hugepagesz=1G hugepages=N: pages of 1 GiB, which only boot can set aside */
	enum zero_page zero_page;
	enum thp_mode thp;
	enum thp_defrag thp_defrag;
	struct khugepaged_config khugepaged;
	bool junk_freed_frames; /* fill freed frames that had content with 0x6b, so that misuse is loud */
};

/* The values of a stock kernel. */
#define KERNEL_CONFIG_DEFAULT                                                                                          \
	{                                                                                                              \
		.paging = PAGING_4LEVEL, .overcommit = OVERCOMMIT_HEURISTIC, .overcommit_ratio = 50,                   \
		.max_map_count = 65530, .fault_around_bytes = 64 * KIB, .swap_device = BLOCK_SSD, .page_cluster = 3,   \
		.disk = BLOCK_SSD, .read_ahead_bytes = 128 * KIB, .dirty_background_ratio = 10, .dirty_ratio = 20,     \
		.watermark_scale = 10, .pff_cycles = 1000000, .window_cycles = 10000000, .tick_cycles = 1000000,       \
		.khugepaged = {                                                                                        \
			4096,                                                                                          \
			30000000000,                                                                                   \
			511,                                                                                           \
			64,                                                                                            \
			256                                                                                            \
		}                                                                                                      \
	}

struct kernel;

const struct policy_ops *replace_default(void);
/* Some policies must know the future. */
bool replace_works_in_a_kernel(const struct policy_ops *ops);

/* Facts of the whole machine. X(field, text) */
#define VM_COUNT_LIST(X)                                                                                               \
	X(swapped_out, "pages written to swap")                                                                        \
	X(swapped_in, "pages read from swap")                                                                          \
	X(swap_readahead, "of these: on the guess that they will be needed")                                           \
	X(file_pages_out, "pages of files written to the disk")                                                        \
	X(file_pages_in, "pages of files read from the disk")                                                          \
	X(file_readahead, "of these: on the guess that they will be needed")                                           \
	X(scanned_kswapd, "pages that kswapd looked at")                                                               \
	X(stolen_kswapd, "pages that kswapd took away")                                                                \
	X(scanned_direct, "pages that direct reclaim looked at")                                                       \
	X(stolen_direct, "pages that direct reclaim took away")                                                        \
	X(kswapd_wakes, "times kswapd began to work")                                                                  \
	X(direct_stalls, "times a process had to reclaim by itself")                                                   \
	X(oom_kills, "times a process was chosen to be killed")                                                        \
	X(waited_cycles, "simulated time of waiting for devices")                                                      \
	X(thp_fault_alloc, "huge pages that a fault took")                                                             \
	X(thp_fault_fallback, "faults that wanted one and got a small page")                                           \
	X(thp_fault_fallback_charge, "of these: for the memory limit")                                                 \
	X(thp_collapse_alloc, "huge pages taken to replace small ones")                                                \
	X(thp_collapse_alloc_failed, "times there was none for that")                                                  \
	X(thp_pages_collapsed, "huge pages that replaced small ones")                                                  \
	X(thp_scan_exceed_none_pte, "2 MiB that khugepaged left alone: too many pages are missing")                    \
	X(thp_scan_exceed_swap_pte, "the same: too many are in swap")                                                  \
	X(thp_scan_exceed_share_pte, "the same: too many are shared")                                                  \
	X(thp_split_page, "huge pages that became small ones")                                                         \
	X(thp_deferred_split_page, "huge pages of which a part is not mapped any more")                                \
	X(thp_split_pmd, "entries of huge pages that became tables")                                                   \
	X(thp_zero_page_alloc, "huge zero pages")                                                                      \
	X(thp_zero_page_alloc_failed, "times there was no room for one")                                               \
	X(thp_swpout_fallback, "huge pages that were split to be swapped out")                                         \
	X(compact_migrate_scanned, "frames looked at for pages that could move")                                       \
	X(compact_free_scanned, "frames looked at for free ones to move to")                                           \
	X(compact_isolated, "pages chosen to move")                                                                    \
	X(compact_stall, "times memory was compacted")                                                                 \
	X(compact_success, "of these: a block of order 9 came of it")                                                  \
	X(compact_fail, "of these: none did")                                                                          \
	X(pgmigrate_success, "pages that moved to another frame")

struct vm_counts {
#define X(field, text) uint64_t field;
	VM_COUNT_LIST(X)
#undef X
};

/* Host address space that a world must reserve for a kernel with this configuration and so many processes, besides the
 * machine's. */
uint64_t kernel_reserve_bytes(const struct kernel_config *config, uint64_t memory_bytes, uint64_t processes);

/* Builds the kernel's tables, gates and stacks in RAM and turns paging on. BAD_INPUT: too little RAM to boot. */
enum status kernel_boot(struct arena *arena, struct machine *machine, const struct kernel_config *config,
			struct kernel **out, struct error *error);

struct machine *kernel_machine(struct kernel *kernel);
const struct machine *kernel_machine_const(const struct kernel *kernel);
const struct frame_pool *kernel_frames(const struct kernel *kernel);
const struct vm_counts *kernel_vm_counts(const struct kernel *kernel);
/* Slots of swap, in pages: all, those in use, and those whose page is in RAM, too. */
struct swap_use {
	uint64_t total, used, cached;
};
struct swap_use kernel_swap_use(const struct kernel *kernel);
/* Frames that must stay free, in pages: below low the kernel's thread reclaims until high; at min only after the caller
 * has reclaimed by itself. mm/page_alloc.c, __setup_per_zone_wmarks. */
struct watermarks {
	uint64_t min, low, high;
};
struct watermarks kernel_watermarks(const struct kernel *kernel);
/* Pages that are counted, limited and replaced together. */
struct page_group {
	const struct policy *policy;
	uint64_t limit; /* in pages; 0: none */
	uint64_t charged, peak;
};
/* That of a living process; NULL: that of all who have none of their own. */
struct page_group kernel_page_group(const struct kernel *kernel, const struct process *process);

/* What a file holds at first. */
#define FILE_CONTENT_LIST(X)                                                                                           \
	X(ZEROES, zeroes, "zeroes")                                                                                    \
	X(OFFSETS, offsets, "every 8-byte word is its own offset in the file")

enum file_content {
#define X(id, name, text) FILE_CONTENT_##id,
	FILE_CONTENT_LIST(X)
#undef X
	    FILE_CONTENT_COUNT
};

/* A file on the disk before any process runs; none of it is in the page cache. */
struct file_spec {
	const char *path; /* must live as long as the world */
	uint64_t bytes;
	enum file_content content;
};

const char *file_content_name(enum file_content content);
bool kernel_add_file(struct kernel *kernel, const struct file_spec *spec); /* false: the disk is full */

/* The page cache, in pages: of files (also of programs), and those that the disk does not have yet. */
struct cache_use {
	uint64_t files, dirty;
};
struct cache_use kernel_cache_use(const struct kernel *kernel);

/* Whether the frame holds a page of a process or a file, and then the name by which replacement policies know the page,
 * wherever it is. */
bool kernel_page_key(const struct kernel *kernel, struct pfn frame, uint64_t *key);

/* Creates a process with the image and layout of the spec; it is not running yet. NULL: not enough RAM. */
struct process *kernel_spawn(struct kernel *kernel, const struct process_spec *spec);

/* Puts the program /usr/bin/NAME on the disk, for execve, which brings it into the page cache. False: the disk is full.
 */
bool kernel_install(struct kernel *kernel, const struct process_spec *spec);

/* The scheduler's door: makes the (living) process current, in ring 3, where it left off. */
void kernel_run(struct kernel *kernel, struct process *process);
/* Nothing can run until then, when this (sleeping) process wakes: the CPU leaves whom it runs and idles. */
void kernel_idle(struct kernel *kernel, struct process *process);
/* It sleeps in vfork: its child has its memory still. It must not be run. */
bool kernel_waits_in_vfork(const struct kernel *kernel, const struct process *process);
struct process *kernel_current(const struct kernel *kernel); /* NULL: the CPU idles in ring 0 */

/* Several CPUs: a process has its home on CPU (number of processes before it) modulo CPUs, and a thread of it on each
 * other CPU that it has run on. Running it on a CPU leaves the others as they are: they go on, in ring 3, as far as
 * anybody can tell. */
bool kernel_run_on(struct kernel *kernel, struct process *process, unsigned cpu); /* false: no frame for its stack */
/* The thread on that CPU ends, unless it is the one that executes; the CPU idles. */
void kernel_end_thread(struct kernel *kernel, struct process *process, unsigned cpu);
const struct process *kernel_loaded(const struct kernel *kernel,
				    unsigned cpu); /* whose tables CR3 points at, or NULL */
/* True when the CPU will flush its translations of the process before it uses one. */
bool kernel_flushes_before_use(const struct kernel *kernel, unsigned cpu, const struct process *process);

/* All processes ever started, in the order of their pids; the dead keep their statistics. */
struct process *kernel_process(const struct kernel *kernel, unsigned index); /* NULL behind the last */

/* Invariants over everything the kernel holds: frames conserved, reference counts equal mappings, tables agree with
 * VMAs, resident counts. False with a reason. Touches nothing. */
bool kernel_check(const struct kernel *kernel, struct error *why);

#endif
