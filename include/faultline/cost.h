/* What things cost in simulated cycles: one table. A profile replaces rows where a measurement of that processor is
 * known; everything else is a stated assumption of the model. */
#ifndef FAULTLINE_COST_H
#define FAULTLINE_COST_H

#include <stdint.h>

/* X(ID, name, default cycles, what, with source) */
#define COST_LIST(X)                                                                                                   \
	X(ACCESS, access, 1,                                                                                           \
	  "a load, store or fetch that hits the L1 TLB: one a cycle (model: data caches are ideal)")                   \
	X(COMPUTE, compute, 1, "a plain instruction (model: one a cycle)")                                             \
	X(TLB_L2_HIT, tlb_l2_hit, 9, "added by an L1 TLB miss that hits the L2 TLB")                                   \
	X(WALK_STEP, walk_step, 12, "added by each paging-structure entry read from RAM: an L2 data cache hit")        \
	X(SYSCALL, syscall, 60, "SYSCALL (model; about 150 cycles both ways: Soares, Stumm, FlexSC, OSDI 2010)")       \
	X(SYSRET, sysret, 60, "SYSRET (model, as SYSCALL)")                                                            \
	X(EXCEPTION, exception, 250, "delivery through the IDT besides its memory accesses (model)")                   \
	X(IRET, iret, 250, "IRETQ besides its memory accesses (model)")                                                \
	X(INVLPG, invlpg, 120, "INVLPG (model)")                                                                       \
	X(CR3_LOAD, cr3_load, 180, "MOV to CR3 (model)")                                                               \
	X(IPI, ipi, 1000, "an interrupt to another CPU, until it is acknowledged, besides its handling (model)")       \
	X(PRIVILEGED, privileged, 100, "any other privileged instruction (model)")                                     \
	X(ZERO_PAGE, zero_page, 128, "clearing 4 KiB: 32 bytes a cycle (model: REP STOSB in the L1 cache)")            \
	X(COPY_PAGE, copy_page, 256, "copying 4 KiB: 16 bytes a cycle (model)")                                        \
	X(FRAME_ALLOC, frame_alloc, 60, "the kernel takes or gives back a block of frames (model)")                    \
	X(VMA_LOOKUP, vma_lookup, 40, "the kernel finds the VMA of an address (model)")                                \
	X(PTE_UPDATE, pte_update, 10, "the kernel writes a page-table entry (model)")                                  \
	X(FAULT_HANDLER, fault_handler, 200, "the kernel's page fault path besides the above (model)")                 \
	X(SYSCALL_HANDLER, syscall_handler, 100, "the kernel's system call path besides the above (model)")            \
	X(CONTEXT_SWITCH, context_switch, 1500, "the scheduler and the registers, without CR3 (model)")                \
	X(SCAN_PAGE, scan_page, 100, "reclaim looks at a page: its record and its entries (model)")                    \
	X(UNMAP_PAGE, unmap_page, 150, "reclaim takes an entry away, besides the flush (model)")                       \
	X(IO_SUBMIT, io_submit, 3000, "the kernel's path of a request to a block device (model: 1 us)")                \
	X(COMPRESS, compress, 1, "a cycle in which the processor itself does what a device would")                     \
	X(IDLE, idle, 1, "a cycle in which the processor waits for a device")

/* Latencies of devices are times: at 3 GHz (model). */
enum { CYCLES_PER_US = 3000 };

enum cost {
#define X(id, name, cycles, text) COST_##id,
	COST_LIST(X)
#undef X
	    COST_COUNT
};

struct cost_table {
	uint32_t cycles[COST_COUNT];
};

struct cost_info {
	const char *name;
	uint32_t cycles; /* default */
	const char *text;
};

const struct cost_info *cost_info(enum cost cost);
struct cost_table cost_table_default(void);

#endif
