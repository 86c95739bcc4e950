/* Statistics by name, as one list: what `expect` may ask for, what reports print, what the JSON schema documents. A
 * stats object is a snapshot; the difference of two snapshots describes the time between them. */
#ifndef FAULTLINE_STAT_H
#define FAULTLINE_STAT_H

#include <stdbool.h>
#include <stdint.h>

/* A total grows for ever, a level goes up and down (its difference is meaningless: the later value is shown), a peak
 * is the highest level so far. */
enum stat_kind { STAT_TOTAL, STAT_LEVEL, STAT_PEAK };

/* X(ID, "name", kind, "unit", "text"). Scope of a name: of a process, and summed or taken from the machine for all. */
#define STAT_LIST(X)                                                                                                   \
	X(FAULTS_MINOR, "faults.minor", TOTAL, "faults", "page faults resolved without a device")                      \
	X(FAULTS_MAJOR, "faults.major", TOTAL, "faults", "page faults that had to wait for a device")                  \
	X(FAULTS_DEMAND_ZERO, "faults.demand_zero", TOTAL, "faults", "first writes that got a zeroed frame")           \
	X(FAULTS_ZERO_PAGE, "faults.zero_page", TOTAL, "faults", "first reads that got the shared zero page")          \
	X(FAULTS_ZERO_PAGE_WRITE, "faults.zero_page_write", TOTAL, "faults", "writes that replaced the zero page")     \
	X(FAULTS_HUGE, "faults.huge", TOTAL, "faults", "first accesses that got a zeroed huge page")                   \
	X(FAULTS_HUGE_ZERO, "faults.huge_zero", TOTAL, "faults", "first reads that got the shared huge zero page")     \
	X(FAULTS_FILE, "faults.file", TOTAL, "faults", "first accesses to pages of a file in the page cache")          \
	X(FAULTS_SHARED, "faults.shared", TOTAL, "faults", "first accesses to pages of shared memory")                 \
	X(FAULTS_COW, "faults.cow", TOTAL, "faults", "writes to pages that others have, too: copies")                  \
	X(FAULTS_MKWRITE, "faults.mkwrite", TOTAL, "faults",                                                           \
	  "first writes to clean pages of files mapped shared: they become dirty")                                     \
	X(FAULTS_REUSE, "faults.reuse", TOTAL, "faults", "writes to pages that nobody else has any more: no copies")   \
	X(FAULTS_SWAP_IN, "faults.swap_in", TOTAL, "faults", "of faults.major: pages read from swap")                  \
	X(FAULTS_SWAP_CACHE, "faults.swap_cache", TOTAL, "faults", "pages found in the swap cache")                    \
	X(FAULTS_FILE_READ, "faults.file_read", TOTAL, "faults", "of faults.major: pages of files read from the disk") \
	X(FAULTS_STACK_GROWTH, "faults.stack_growth", TOTAL, "faults", "faults that grew the stack")                   \
	X(FAULTS_SPURIOUS, "faults.spurious", TOTAL, "faults", "faults whose entry already allowed the access")        \
	X(FAULTS_KERNEL, "faults.kernel", TOTAL, "faults", "of all: taken by the kernel itself, by populating")        \
	X(FAULTS_SEGV, "faults.segv", TOTAL, "faults", "faults that ended in SIGSEGV or SIGBUS")                       \
	X(SYSCALLS_TOTAL, "syscalls.total", TOTAL, "calls", "system calls")                                            \
	X(SYSCALLS_BRK, "syscalls.brk", TOTAL, "calls", "brk")                                                         \
	X(SYSCALLS_MMAP, "syscalls.mmap", TOTAL, "calls", "mmap")                                                      \
	X(SYSCALLS_MUNMAP, "syscalls.munmap", TOTAL, "calls", "munmap")                                                \
	X(SYSCALLS_MREMAP, "syscalls.mremap", TOTAL, "calls", "mremap")                                                \
	X(SYSCALLS_MPROTECT, "syscalls.mprotect", TOTAL, "calls", "mprotect")                                          \
	X(SYSCALLS_MADVISE, "syscalls.madvise", TOTAL, "calls", "madvise")                                             \
	X(SYSCALLS_MLOCK, "syscalls.mlock", TOTAL, "calls", "mlock, mlock2, munlock, mlockall, munlockall")            \
	X(SYSCALLS_MINCORE, "syscalls.mincore", TOTAL, "calls", "mincore")                                             \
	X(SYSCALLS_MSYNC, "syscalls.msync", TOTAL, "calls", "msync")                                                   \
	X(SYSCALLS_OPEN, "syscalls.openat", TOTAL, "calls", "openat")                                                  \
	X(SYSCALLS_CLOSE, "syscalls.close", TOTAL, "calls", "close")                                                   \
	X(SYSCALLS_READ, "syscalls.read", TOTAL, "calls", "read, pread64")                                             \
	X(SYSCALLS_LSEEK, "syscalls.lseek", TOTAL, "calls", "lseek")                                                   \
	X(SYSCALLS_FTRUNCATE, "syscalls.ftruncate", TOTAL, "calls", "ftruncate")                                       \
	X(SYSCALLS_FSYNC, "syscalls.fsync", TOTAL, "calls", "fsync")                                                   \
	X(SYSCALLS_PRLIMIT, "syscalls.prlimit64", TOTAL, "calls", "prlimit64: setrlimit, getrlimit")                   \
	X(SYSCALLS_FORK, "syscalls.fork", TOTAL, "calls", "fork")                                                      \
	X(SYSCALLS_VFORK, "syscalls.vfork", TOTAL, "calls", "vfork")                                                   \
	X(SYSCALLS_EXEC, "syscalls.execve", TOTAL, "calls", "execve")                                                  \
	X(SYSCALLS_WAIT, "syscalls.wait4", TOTAL, "calls", "wait4")                                                    \
	X(SYSCALLS_WRITE, "syscalls.write", TOTAL, "calls", "write, pwrite64")                                         \
	X(SYSCALLS_GETPID, "syscalls.getpid", TOTAL, "calls", "getpid")                                                \
	X(RINGS_CHANGES, "rings.changes", TOTAL, "changes", "changes of privilege level, in and out")                  \
	X(RINGS_SYSCALL, "rings.syscall", TOTAL, "changes", "entries to ring 0 by SYSCALL or INT 0x80")                \
	X(RINGS_EXCEPTION, "rings.exception", TOTAL, "changes", "entries to ring 0 by an exception")                   \
	X(ACCESSES_TOTAL, "accesses.total", TOTAL, "accesses", "loads, stores and fetches that the MMU served")        \
	X(ACCESSES_READ, "accesses.read", TOTAL, "accesses", "loads")                                                  \
	X(ACCESSES_WRITE, "accesses.write", TOTAL, "accesses", "stores")                                               \
	X(ACCESSES_FETCH, "accesses.fetch", TOTAL, "accesses", "instruction fetches")                                  \
	X(TLB_L1_HITS, "tlb.l1_hits", TOTAL, "hits", "translations found in the first-level TLBs")                     \
	X(TLB_L2_HITS, "tlb.l2_hits", TOTAL, "hits", "translations found in the second-level TLB")                     \
	X(TLB_MISSES, "tlb.misses", TOTAL, "misses", "translations in no TLB: page walks")                             \
	X(TLB_FLUSHES, "tlb.flushes", TOTAL, "flushes", "invalidations, of one page or of many")                       \
	X(SHOOTDOWNS, "shootdowns.total", TOTAL, "flushes", "flushes that other CPUs had to be told of")               \
	X(SHOOTDOWNS_SENT, "shootdowns.sent", TOTAL, "interrupts", "interrupts to other CPUs for them")                \
	X(SHOOTDOWNS_RECEIVED, "shootdowns.received", TOTAL, "interrupts", "such interrupts handled")                  \
	X(SHOOTDOWNS_PAGES, "shootdowns.pages", TOTAL, "pages", "pages that they invalidated one by one")              \
	X(SHOOTDOWNS_FULL, "shootdowns.full", TOTAL, "interrupts", "of received: the whole address space was flushed") \
	X(SHOOTDOWNS_LAZY, "shootdowns.lazy", TOTAL, "interrupts",                                                     \
	  "interrupts spared: the CPU was idle, and flushes before it goes on")                                        \
	X(SHOOTDOWNS_CYCLES, "shootdowns.cycles", TOTAL, "cycles", "of cycles.kernel: until all CPUs had answered")    \
	X(WALKS_ENTRIES, "walks.entries", TOTAL, "entries", "paging-structure entries read from RAM by walks")         \
	X(CYCLES, "cycles", TOTAL, "cycles", "simulated time")                                                         \
	X(CYCLES_APP, "cycles.app", TOTAL, "cycles", "simulated time in the program")                                  \
	X(CYCLES_LIBC, "cycles.libc", TOTAL, "cycles", "simulated time in the C library")                              \
	X(CYCLES_KERNEL, "cycles.kernel", TOTAL, "cycles", "simulated time in ring 0")                                 \
	X(CYCLES_WAIT, "cycles.wait", TOTAL, "cycles", "of cycles.kernel: waiting for devices")                        \
	X(CYCLES_ASLEEP, "cycles.asleep", TOTAL, "cycles",                                                             \
	  "not of cycles: asleep for devices while others could run, with kernel.quantum")                             \
	X(CPU_UTILISATION, "cpu.utilisation", LEVEL, "percent", "of simulated time the CPU had something to run")      \
	X(CYCLES_WALK, "cycles.walk", TOTAL, "cycles", "of all: spent in page walks and TLB misses")                   \
	X(MEMORY_RSS, "memory.rss", LEVEL, "pages", "pages with a frame of their own")                                 \
	X(MEMORY_PEAK_RSS, "memory.peak_rss", PEAK, "pages", "highest memory.rss")                                     \
	X(MEMORY_ZERO, "memory.zero", LEVEL, "pages", "pages that map the shared zero page")                           \
	X(MEMORY_HUGE, "memory.huge", LEVEL, "pages",                                                                  \
	  "of memory.rss: pages in huge pages that an entry of level 2 maps")                                          \
	X(MEMORY_HUGETLB, "memory.hugetlb", LEVEL, "pages",                                                            \
	  "pages in huge pages of MAP_HUGETLB, which are not in memory.rss")                                           \
	X(MEMORY_SWAP, "memory.swap", LEVEL, "pages", "private pages that are in swap")                                \
	X(MEMORY_VIRTUAL, "memory.virtual", LEVEL, "bytes", "address space promised")                                  \
	X(MEMORY_TABLES, "memory.tables", LEVEL, "frames", "frames that hold page tables")                             \
	X(HEAP_BYTES, "heap.bytes", LEVEL, "bytes", "first break to current break")                                    \
	X(HEAP_MALLOCS, "heap.mallocs", TOTAL, "calls", "successful allocations")                                      \
	X(HEAP_FREES, "heap.frees", TOTAL, "calls", "blocks freed")                                                    \
	X(HEAP_REALLOCS, "heap.reallocs", TOTAL, "calls", "realloc calls on a live block")                             \
	X(HEAP_FAILURES, "heap.failures", TOTAL, "calls", "allocations that returned NULL")                            \
	X(HEAP_LIVE_BLOCKS, "heap.live_blocks", LEVEL, "blocks", "blocks in use")                                      \
	X(HEAP_LIVE_BYTES, "heap.live_bytes", LEVEL, "bytes", "their usable bytes")                                    \
	X(HEAP_PEAK_LIVE_BYTES, "heap.peak_live_bytes", PEAK, "bytes", "highest heap.live_bytes")                      \
	X(HEAP_REQUESTED, "heap.requested_bytes", TOTAL, "bytes", "sum of all requests")                               \
	X(HEAP_SEARCHED, "heap.searched", TOTAL, "chunks", "free chunks looked at by searches")                        \
	X(HEAP_SPLITS, "heap.splits", TOTAL, "chunks", "free chunks split")                                            \
	X(HEAP_COALESCES, "heap.coalesces", TOTAL, "chunks", "free chunks joined with a neighbour")                    \
	X(FRAMES_TOTAL, "frames.total", LEVEL, "frames", "frames of RAM")                                              \
	X(FRAMES_FREE, "frames.free", LEVEL, "frames", "frames nobody uses")                                           \
	X(FRAMES_USED, "frames.used", LEVEL, "frames", "frames in use")                                                \
	X(FRAMES_TAKEN, "frames.taken", TOTAL, "frames", "anonymous frames handed out")                                \
	X(SWAP_OUT, "swap.out", TOTAL, "pages", "pages written to swap")                                               \
	X(SWAP_IN, "swap.in", TOTAL, "pages", "pages read from swap")                                                  \
	X(SWAP_READAHEAD, "swap.readahead", TOTAL, "pages", "of swap.in: on the guess that they will be needed")       \
	X(SWAP_TOTAL, "swap.total", LEVEL, "pages", "slots of swap")                                                   \
	X(SWAP_USED, "swap.used", LEVEL, "pages", "slots in use")                                                      \
	X(SWAP_CACHED, "swap.cached", LEVEL, "pages", "of these: whose page is in RAM, too")                           \
	X(FILES_OUT, "files.out", TOTAL, "pages", "pages of files written to the disk")                                \
	X(FILES_IN, "files.in", TOTAL, "pages", "pages of files read from the disk")                                   \
	X(FILES_READAHEAD, "files.readahead", TOTAL, "pages", "of files.in: on the guess that they will be needed")    \
	X(FILES_CACHED, "files.cached", LEVEL, "pages", "pages of files in the page cache")                            \
	X(FILES_DIRTY, "files.dirty", LEVEL, "pages", "of these: those that the disk does not have yet")               \
	X(RECLAIM_SCANNED, "reclaim.scanned", TOTAL, "pages", "pages looked at to take some away")                     \
	X(RECLAIM_TAKEN, "reclaim.taken", TOTAL, "pages", "pages taken away")                                          \
	X(RECLAIM_KSWAPD, "reclaim.kswapd", TOTAL, "wakes", "times kswapd began to work")                              \
	X(RECLAIM_DIRECT, "reclaim.direct", TOTAL, "stalls", "times a process had to reclaim by itself")               \
	X(THP_FALLBACKS, "thp.fallbacks", TOTAL, "faults", "faults that wanted a huge page and got a small one")       \
	X(THP_COLLAPSES, "thp.collapses", TOTAL, "pages", "huge pages that replaced small ones")                       \
	X(THP_SPLIT_ENTRIES, "thp.split_entries", TOTAL, "entries", "entries of huge pages that became tables")        \
	X(THP_SPLIT_PAGES, "thp.split_pages", TOTAL, "pages", "huge pages that became small ones")                     \
	X(COMPACT_STALLS, "compact.stalls", TOTAL, "times", "times memory was compacted")                              \
	X(COMPACT_MOVED, "compact.moved", TOTAL, "pages", "pages moved to another frame")                              \
	X(OOM_KILLS, "oom.kills", TOTAL, "processes", "processes chosen to be killed")                                 \
	X(PROCESSES_SWITCHES, "processes.switches", TOTAL, "switches", "context switches")                             \
	X(EVENTS, "events", TOTAL, "events", "events of the world so far")                                             \
	X(CYCLES_WALK_LIBC, "cycles.walk_libc", TOTAL, "cycles", "of cycles.libc: in page walks and TLB misses")       \
	X(CYCLES_WALK_KERNEL, "cycles.walk_kernel", TOTAL, "cycles", "of cycles.kernel: in page walks and TLB misses")

enum stat {
#define X(id, name, kind, unit, text) STAT_##id,
	STAT_LIST(X)
#undef X
	    STAT_COUNT
};

struct stats {
	uint64_t value[STAT_COUNT];
	uint64_t cycle, waited; /* of the machine, for what is a share of its time */
};

struct stat_info {
	const char *name;
	enum stat_kind kind;
	const char *unit;
	const char *text;
};

const struct stat_info *stat_info(enum stat stat);
bool stat_find(const char *name, enum stat *out);

uint64_t stats_utilisation(const struct stats *stats); /* percent */

/* later - earlier for totals, later for levels and peaks; a share of time is that of the time between. */
void stats_difference(const struct stats *later, const struct stats *earlier, struct stats *out);

#endif
