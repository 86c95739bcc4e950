/* The whole machine, as its own files see it. */
#ifndef FAULTLINE_MACHINE_PRIVATE_H
#define FAULTLINE_MACHINE_PRIVATE_H

#include "faultline/machine.h"
#include "mmu_private.h"

/* A native body bound to an address: an open hash table, never full. */
struct handler {
	struct vaddr entry;
	native_fn *fn; /* NULL: empty */
	void *self;
};

enum { HANDLER_SLOTS = 1024, HANDLER_MAX = 768 };

struct machine {
	struct cpu cpu;
	struct mmu *mmu;
	struct physmem *mem;
	struct bus *bus;
	struct cost_table costs;
	struct machine_stats stats;
	uint32_t tss_limit;                        /* hidden part of TR */
	uint64_t fs_base, gs_base, kernel_gs_base; /* model-specific registers without a reader here */
	unsigned depth;                            /* handlers that have not returned */
	const char *why_stopped;                   /* NULL: running */
	unsigned handler_count;
	struct handler handlers[HANDLER_SLOTS];
};

/* A vector on its way to its gate. */
struct trap {
	unsigned vector;
	bool has_error;
	bool software; /* INT n: the gate's DPL counts */
	uint32_t error;
	struct vaddr va; /* of a page fault */
};

/* Delivers; false when control did not come back to where it was. */
bool trap_raise(struct machine *machine, const struct trap *trap);
bool trap_raise_fault(struct machine *machine, const struct fault *fault);
/* #GP(error) and the like, for instructions. */
bool trap_raise_vector(struct machine *machine, unsigned vector, uint32_t error);
bool trap_software(struct machine *machine, unsigned vector);

/* Where the interrupted program stands; comparing two of them tells whether control came back. */
struct trap_origin {
	uint64_t rip, rsp, cr3;
	uint8_t cpl;
};
struct trap_origin trap_origin(const struct machine *machine);
bool trap_came_back(const struct machine *machine, const struct trap_origin *origin);

/* Fetches at RIP and calls what is bound there. */
void trap_run_handler(struct machine *machine);
/* Sets CPL and tells. RIP is already the new one. */
void trap_set_ring(struct machine *machine, uint8_t cpl, const char *how);

/* Moves bytes between the host and RAM at access->va, at most two pages, all translated before anything moves. The
 * access says who asks; its va and words are used up. */
bool machine_transfer(struct machine *machine, struct access *access, void *data, uint64_t bytes, struct fault *fault);

/* Descriptor tables and TSS: implicit supervisor accesses. */
bool machine_read_system(struct machine *machine, struct vaddr va, void *out, uint64_t bytes, struct fault *fault);
bool machine_write_system(struct machine *machine, struct vaddr va, void *data, uint64_t bytes, struct fault *fault);

/* A segment descriptor out of the GDT; only what 64-bit mode looks at. SDM 3A 3.4.5, 8.2.3. */
struct descriptor {
	uint64_t low, high; /* high: second half of a system descriptor */
};

#define DESCRIPTOR_TYPE(d) ((unsigned)((d) >> 40 & 15))
#define DESCRIPTOR_IS_CODE_OR_DATA(d) (((d) >> 44 & 1) != 0)
#define DESCRIPTOR_DPL(d) ((uint8_t)((d) >> 45 & 3))
#define DESCRIPTOR_IS_PRESENT(d) (((d) >> 47 & 1) != 0)
#define DESCRIPTOR_IS_LONG(d) (((d) >> 53 & 1) != 0)
#define DESCRIPTOR_IS_32BIT(d) (((d) >> 54 & 1) != 0)
#define DESCRIPTOR_CODE 8u
#define DESCRIPTOR_CONFORMING 4u
#define DESCRIPTOR_WRITABLE 2u
#define DESCRIPTOR_ACCESSED 1u

/* Reads `words` (1 or 2) words of a descriptor. False with the trap to raise: #GP(selector) outside the table. */
bool segment_read(struct machine *machine, uint16_t selector, unsigned words, struct descriptor *out,
		  struct trap *trap);
/* Sets the accessed bit of a code or data descriptor in RAM when it is clear, as a load into a register does. */
bool segment_mark_accessed(struct machine *machine, uint16_t selector, struct descriptor descriptor, struct trap *trap);
struct trap trap_of_fault(const struct fault *fault);

/* #GP(0) unless the value is one that the register takes; then loads it. False: refused, nothing changed. */
bool control_load_cr0(struct machine *machine, uint64_t value);
bool control_load_cr3(struct machine *machine, uint64_t value);
bool control_load_cr4(struct machine *machine, uint64_t value);
bool control_load_efer(struct machine *machine, uint64_t value);
bool control_load_tr(struct machine *machine, uint16_t selector, struct trap *trap);

/* Each does what the instruction does. False with the trap to raise. */
bool trap_iretq(struct machine *machine, struct trap *trap);
bool trap_sysret(struct machine *machine, struct trap *trap);
/* False when EFER.SCE is clear: #UD. Enters the handler at LSTAR. */
bool trap_enter_syscall(struct machine *machine);

static inline void machine_spend(struct machine *machine, enum cost cost)
{
	machine->bus->cycle += machine->costs.cycles[cost];
}

#endif
