/* A process: an address space, a saved register set, a life. Open for looking; only the kernel changes it. */
#ifndef FAULTLINE_PROCESS_H
#define FAULTLINE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/syscall.h"
#include "faultline/units.h"
#include "faultline/vma.h"

/* Segments of the image, in address order from the usual Linux load address. */
#define SEGMENT_LIST(X)                                                                                                \
	X(TEXT, text, "the program's code, r-x")                                                                       \
	X(RODATA, rodata, "constants, r--")                                                                            \
	X(DATA, data, "initialised variables, rw-")                                                                    \
	X(BSS, bss, "zero-initialised variables, rw-, demand-zero")                                                    \
	X(HEAP, heap, "from the first break to the current break")                                                     \
	X(STACK, stack, "the current stack pointer; offsets may be negative")                                          \
	X(LIBC, libc, "the C library's code, r-x")                                                                     \
	X(LIBC_DATA, libc_data, "the C library's variables, rw-, resident")                                            \
	X(KERNEL, kernel, "kernel text in the upper half: supervisor only")

enum segment {
#define X(id, name, text) SEGMENT_##id,
	SEGMENT_LIST(X)
#undef X
	    SEGMENT_COUNT
};

enum { OOM_SCORE_ADJ_MIN = -1000, OOM_SCORE_ADJ_MAX = 1000 };

/* What a new process looks like. Zero means the default of a stock 64-bit Linux without address randomisation. */
struct process_spec {
	const char *name;         /* must live as long as the world */
	uint64_t text_bytes;      /* default 16 KiB */
	uint64_t rodata_bytes;    /* default 8 KiB */
	uint64_t data_bytes;      /* default 8 KiB */
	uint64_t bss_bytes;       /* default 8 KiB */
	uint64_t libc_data_bytes; /* default 16 KiB */
	/* What the text of the program and of the C library begins with, as in the files that execve and ld.so map.
	 * Text grows to hold it. */
	const uint8_t *text, *libc_text;
	uint64_t text_used, libc_text_used;
	uint64_t stack_limit;   /* RLIMIT_STACK, default 8 MiB */
	uint64_t memlock_limit; /* RLIMIT_MEMLOCK, default 8 MiB */
	uint64_t as_limit;      /* RLIMIT_AS, default unlimited */
	uint64_t data_limit;    /* RLIMIT_DATA, default unlimited */
	uint64_t memory_limit;  /* memory.max of a memory cgroup of its own, bytes; default none */
	int64_t oom_score_adj;  /* OOM_SCORE_ADJ_MIN (never killed) to 1000 (first) */
	uint64_t aslr_seed;     /* addresses are randomised from this seed; default: they are not */
	struct vaddr start_brk; /* default: the page after bss */
	/* Top of the mmap area; default: below the stack and its gap. What lies between a lower one and the libraries
	 * is occupied. */
	struct vaddr mmap_ceiling;
};

/* How a fault ends: resolved at once, resolved after waiting for a device, or not at all. */
enum fault_end { FAULT_MINOR, FAULT_MAJOR, FAULT_DEADLY };

/* Why a page fault was taken or refused: one row each; faults.* statistics, events and reports read this list.
 * X(ID, name, how it ends, text) */
#define FAULT_CAUSE_LIST(X)                                                                                            \
	X(DEMAND_ZERO, demand_zero, MINOR, "first write: a zeroed frame")                                              \
	X(ZERO_PAGE, zero_page, MINOR, "first read: the shared zero page")                                             \
	X(HUGE, huge, MINOR, "first access: a zeroed huge page")                                                       \
	X(HUGE_ZERO, huge_zero, MINOR, "first read: the shared huge zero page")                                        \
	X(ZERO_PAGE_WRITE, zero_page_write, MINOR, "first write after a read: the zero page is replaced by a frame")   \
	X(FILE, file, MINOR, "a page of a file, from the page cache, and its neighbours around it")                    \
	X(SHARED, shared, MINOR, "a page of shared memory")                                                            \
	X(COW, cow, MINOR, "first write to a private page of a file, or to a page shared since a fork: it is copied")  \
	X(MKWRITE, mkwrite, MINOR, "first write to a clean page of a file that is mapped shared: it becomes dirty")    \
	X(REUSE, reuse, MINOR,                                                                                         \
	  "write to a page that nobody else has any more: it becomes writable, nothing is copied")                     \
	X(STACK_GROWTH, stack_growth, MINOR, "the stack VMA grew down, then a zeroed frame")                           \
	X(SPURIOUS, spurious, MINOR, "the entry already allowed it: a stale translation")                              \
	X(SWAP_CACHE, swap_cache, MINOR, "a page that was swapped out and is in the swap cache")                       \
	X(SWAP_IN, swap_in, MAJOR, "a page that was swapped out: it is read from swap")                                \
	X(FILE_READ, file_read, MAJOR, "a page of a file that is not in the page cache: it is read from the disk")     \
	X(SEGV_MAPERR, segv_maperr, DEADLY, "no VMA holds the address")                                                \
	X(SEGV_ACCERR, segv_accerr, DEADLY, "the VMA does not allow this access")                                      \
	X(BUS_ADRERR, bus_adrerr, DEADLY, "the file ends before this page")                                            \
	X(NO_HUGE_PAGE, no_huge_page, DEADLY, "the pool of MAP_HUGETLB has no page that is not promised to others")    \
	X(OUT_OF_MEMORY, out_of_memory, DEADLY, "no frame left")

enum fault_cause {
#define X(id, name, end, text) FAULT_CAUSE_##id,
	FAULT_CAUSE_LIST(X)
#undef X
	    FAULT_CAUSE_COUNT
};

const char *fault_cause_name(enum fault_cause cause);
const char *fault_cause_text(enum fault_cause cause);
enum fault_end fault_cause_end(enum fault_cause cause);
bool fault_cause_is_resolved(enum fault_cause cause); /* the access can be done again */

/* Facts of one process. Invariants: minor_faults, and major_faults, == sum of causes[] that end so. */
struct process_stats {
	uint64_t minor_faults;
	uint64_t major_faults;
	uint64_t kernel_faults; /* of both: taken by the kernel itself, for mlock, MAP_POPULATE and copies */
	uint64_t waited_cycles; /* for devices, by an idle CPU */
	uint64_t slept_cycles;  /* for devices, while others could run: kernel.quantum */
	uint64_t causes[FAULT_CAUSE_COUNT];
	uint64_t syscalls[SYSCALL_COUNT];
	uint64_t frames_taken;  /* anonymous frames given to it so far */
	uint64_t peak_resident; /* highest process_resident_pages so far */
	uint64_t switches;      /* times it was made current */
	/* TLB shootdowns: changes of its tables that other CPUs had to be told of. Invariant: sent == received. */
	uint64_t shootdowns;          /* such changes */
	uint64_t shootdowns_sent;     /* interrupts for them */
	uint64_t shootdowns_received; /* handled */
	uint64_t shootdowns_full;     /* of these: by forgetting the whole address space */
	uint64_t shootdowns_pages;    /* and pages forgotten one by one */
	uint64_t shootdowns_lazy;     /* idle CPUs that were spared: they look before they go on */
	uint64_t shootdowns_cycles;   /* until all had answered */
};

/* How it ended; all zero while it lives. */
struct process_death {
	bool dead;
	int status;      /* exit status, if it exited by itself */
	unsigned signal; /* 11 SIGSEGV, 6 SIGABRT, 9 SIGKILL (out of memory), 0: exited */
	const char *signal_name;
	struct vaddr va; /* of the deadly access */
	uint64_t rip;
	uint32_t error_code; /* of the page fault */
	unsigned vector;     /* 14 #PF, 13 #GP ...; 0: none */
	const char *why;     /* the verdict in words */
	const char *vma;     /* name of the VMA that refused, "" if none */
};

/* A resource limit; UINT64_MAX is RLIM_INFINITY. */
struct linux_rlimit {
	uint64_t soft, hard;
};

/* The thread of a process on one CPU. While it is not running: general registers, and where the kernel stack stands.
 * What IRET needs to resume it (RIP, CS, RFLAGS, RSP, SS) lies on that stack in RAM. */
struct process_context {
	uint64_t gpr[16];
	struct vaddr kernel_rsp;
	struct vaddr kernel_stack_top; /* 0: the process has not run on this CPU */
};

struct process {
	uint32_t pid;
	uint16_t pcid; /* of its address space */
	const char *name;
	struct mm *mm; /* NULL after death */
	int64_t oom_score_adj;
	uint64_t wakes_at;    /* cycle: it sleeps until then */
	uint32_t parent;      /* pid; 0: the world made it */
	bool reaped;          /* somebody has waited for it */
	uint32_t vfork_child; /* the child that its vfork, which has not returned yet, has made; 0: none */
	struct linux_rlimit limits[RLIMITS];
	struct process_stats stats;
	struct process_death death;
	char message[256]; /* what it wrote to stderr last */
	void *program;     /* of whoever runs it in ring 3; the kernel does not look */
	unsigned home;     /* the CPU of its main thread */
	unsigned last;     /* the CPU that it ran on last */
	struct vaddr segment_start[SEGMENT_COUNT];
	uint64_t segment_bytes[SEGMENT_COUNT];
	struct descriptors *descriptors;   /* NULL: it has never opened a file */
	struct process_context contexts[]; /* by CPU */
};

const char *segment_name(enum segment segment);
/* Start of a segment now: the heap and the stack move. */
struct vaddr process_segment(const struct process *process, enum segment segment);

/* Its address space is another one's: vfork has made it, and it has neither called execve nor ended. */
bool process_borrows_memory(const struct process *process);
/* Size of the address space, as /proc/PID/status has it. Zero after death. */
uint64_t process_virtual_bytes(const struct process *process);
uint64_t process_resident_pages(const struct process *process); /* without the shared zero page */
uint64_t process_anon_pages(const struct process *process);     /* of these: anonymous */
uint64_t process_zero_pages(const struct process *process);     /* entries that map the shared zero page */
uint64_t process_huge_pages(const struct process *process);     /* of the resident: in huge pages, mapped as a whole */
uint64_t process_hugetlb_pages(const struct process *process);  /* of MAP_HUGETLB, which are not resident ones */
uint64_t process_swap_pages(const struct process *process);     /* entries that lead to swap */
uint64_t process_table_pages(const struct process *process);    /* page tables of the process itself */
uint64_t process_heap_bytes(const struct process *process);     /* break - first break */
struct vaddr process_break(const struct process *process);
struct paddr process_page_table(const struct process *process); /* of the PML4 */
/* What the page-fault handler would say first of a fault there: SEGV_MAPERR, SEGV_ACCERR, STACK_GROWTH, or
 * FAULT_CAUSE_COUNT: the VMA allows it, and the rest shows when the page is looked for. Touches nothing. */
enum fault_cause process_fault_verdict(const struct process *process, struct vaddr va, uint32_t error_code);
/* The word at va, a multiple of 8, in RAM or in swap. False: neither. Touches nothing. */
bool process_peek64(const struct process *process, struct vaddr va, uint64_t *out);
/* The VMA that holds va, or NULL; and the lowest one that ends above va, to go through all of them. */
const struct vma *process_vma_at(const struct process *process, struct vaddr va);
const struct vma *process_vma_after(const struct process *process, struct vaddr va);

#endif
