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

enum { HANDLER_SLOTS = 1024, HANDLER_MAX = 768, MACHINE_WHY_BYTES = 512 };

/* What a processor has besides RAM. While it executes, all but its mmu is in struct machine. */
struct processor {
	struct cpu cpu;
	struct mmu *mmu;
	uint32_t tss_limit;
	bool tss_is_short;
};

struct machine {
	struct cpu cpu; /* of the processor that executes */
	struct mmu *mmu;
	struct processor *processors;
	unsigned cpu_count, cpu_number;
	struct physmem *mem;
	struct bus *bus;
	struct cost_table costs;
	struct machine_stats stats;
	uint32_t tss_limit;           /* hidden part of TR */
	bool tss_is_short;            /* a 16-bit TSS */
	unsigned depth;               /* handlers that have not returned */
	const char *why_stopped;      /* NULL: running */
	char why[MACHINE_WHY_BYTES];  /* where why_stopped is composed */
	struct decoded_slot *decoded; /* by RIP */
	uint64_t bound_pages;         /* a bit for each page of an entry, by hash: what has none is no entry */
	unsigned handler_count;
	struct handler handlers[HANDLER_SLOTS];
};

/* A vector on its way to its gate. */
struct trap {
	unsigned vector;
	bool has_error;
	bool software;  /* INT n: the gate's DPL counts */
	uint8_t length; /* of the instruction that asks for it: the saved RIP is behind it */
	uint32_t error;
	struct vaddr va; /* of a page fault */
};

void processors_init(struct machine *machine, struct arena *arena, const struct machine_config *config);
void processors_stop_shortcuts(struct machine *machine);

/* Delivers; false when control did not come back to where it was. */
bool trap_raise(struct machine *machine, const struct trap *trap);
bool trap_raise_fault(struct machine *machine, const struct fault *fault);
/* #GP(error) and the like, for instructions. */
bool trap_raise_vector(struct machine *machine, unsigned vector, uint32_t error);

/* Where the interrupted program stands; comparing two of them tells whether control came back. */
struct trap_origin {
	uint64_t rip, rsp, cr3;
	uint8_t cpl;
};
struct trap_origin trap_origin(const struct machine *machine);
bool trap_came_back(const struct machine *machine, const struct trap_origin *origin);

/* Fetches at RIP and calls what is bound there; where nothing is, runs the code that stands there until it returns. */
void trap_run_handler(struct machine *machine, const struct trap_origin *origin);
bool machine_is_bound(const struct machine *machine, struct vaddr entry);
/* Up to the first instruction of the handler, which does not run yet. False: the machine stopped. */
bool trap_deliver(struct machine *machine, const struct trap *trap);
struct decoded_slot *decoded_slots_new(struct arena *arena);
/* Sets CPL and tells. RIP is already the new one. */
void trap_set_ring(struct machine *machine, uint8_t cpl, const char *how);

/* Words stay words: frames are pushed and popped again at once, and the host forwards a store only to a load of the
 * same shape. */
static inline void copy_words(void *to, const void *from, uint64_t bytes)
{
	uint8_t *out = to;
	const uint8_t *in = from;
	for (; bytes >= sizeof(uint64_t); bytes -= sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, in, sizeof(word));
		memcpy(out, &word, sizeof(word));
		in += sizeof(word);
		out += sizeof(word);
	}
	while (bytes--)
		*out++ = *in++;
}

/* Moves bytes between the host and RAM at access->va, at most two pages, all translated before anything moves. The
 * access says who asks; its va and words are used up. */
bool machine_transfer_anywhere(struct machine *machine, struct access *access, void *data, uint64_t bytes,
			       struct fault *fault);

static inline bool machine_transfer(struct machine *machine, struct access *access, void *data, uint64_t bytes,
				    struct fault *fault)
{
	struct paddr pa;
	/* A page that was used before lies in RAM. */
	if (page_offset(access->va.v) + bytes > PAGE_BYTES ||
	    !mmu_recall(machine->mmu, access->va, access->kind, access->mode, (bytes + 7) / 8, &pa))
		return machine_transfer_anywhere(machine, access, data, bytes, fault);
	uint8_t *host = machine->mem->ram + pa.v;
	if (access->kind == ACCESS_WRITE) {
		machine->mem->content[pa.v >> PAGE_SHIFT] = 1;
		copy_words(host, data, bytes);
	} else {
		copy_words(data, host, bytes);
	}
	return true;
}

/* Descriptor tables and TSS: implicit supervisor accesses. */
bool machine_read_system(struct machine *machine, struct vaddr va, void *out, uint64_t bytes, struct fault *fault);
bool machine_write_system(struct machine *machine, struct vaddr va, void *data, uint64_t bytes, struct fault *fault);

/* A segment descriptor. SDM 3A 3.4.5, 8.2.3. */
struct descriptor {
	uint64_t low, high; /* high: second half of a system descriptor in long mode */
};

#define DESCRIPTOR_TYPE(d) ((unsigned)((d) >> 40 & 15))
#define DESCRIPTOR_IS_CODE_OR_DATA(d) (((d) >> 44 & 1) != 0)
#define DESCRIPTOR_DPL(d) ((uint8_t)((d) >> 45 & 3))
#define DESCRIPTOR_IS_PRESENT(d) (((d) >> 47 & 1) != 0)
#define DESCRIPTOR_IS_LONG(d) (((d) >> 53 & 1) != 0)
#define DESCRIPTOR_IS_32BIT(d) (((d) >> 54 & 1) != 0)
/* Of code and data segments. */
#define DESCRIPTOR_CODE 8u
#define DESCRIPTOR_CONFORMING 4u
#define DESCRIPTOR_EXPAND_DOWN 4u
#define DESCRIPTOR_READABLE 2u
#define DESCRIPTOR_WRITABLE 2u
#define DESCRIPTOR_ACCESSED 1u
/* System types, SDM 3A table 3-2; with bit 3 clear the 16-bit ones. */
enum {
	SYSTEM_TSS_16 = 1,
	SYSTEM_LDT = 2,
	SYSTEM_CALL_GATE_16 = 4,
	SYSTEM_TASK_GATE = 5,
	SYSTEM_TSS = 9,
	SYSTEM_CALL_GATE = 12
};
enum { SYSTEM_TSS_BUSY = 2 }; /* a bit of the type */

/* The same of the hidden part of a segment register. */
#define SHADOW_TYPE(flags) ((unsigned)((flags)&15))
#define SHADOW_DPL(flags) ((uint8_t)((flags) >> 5 & 3))
#define SHADOW_IS_PRESENT(flags) (((flags) >> 7 & 1) != 0)
#define SHADOW_IS_LONG(flags) (((flags) >> 13 & 1) != 0)
#define SHADOW_IS_32BIT(flags) (((flags) >> 14 & 1) != 0)

/* ---- segment.c ---- */
void segments_reset(struct cpu *cpu); /* flat, for code of any width */
/* Reads `words` (1 or 2) words of a descriptor from the GDT or LDT. False with the trap to raise: #GP(selector) outside
 * the table. */
bool segment_read(struct machine *machine, uint16_t selector, unsigned words, struct descriptor *out,
		  struct trap *trap);
/* Sets the accessed bit of a code or data descriptor in RAM when it is clear, as a load into a register does. */
bool segment_mark_accessed(struct machine *machine, uint16_t selector, struct descriptor descriptor, struct trap *trap);
/* The linear address of `bytes` at an offset of a segment. False: the segment refuses, #SS(0) for SS, else #GP(0). In
 * 64-bit mode only the MMU refuses. */
bool segment_reach(const struct cpu *cpu, enum segment_register which, uint64_t offset, uint64_t bytes,
		   enum access_kind kind, struct vaddr *out);
unsigned stack_width(const struct cpu *cpu); /* bytes of RSP that count */
/* Whether code may go on at `rip` in this segment: below its limit, or canonical in 64-bit mode. Else #GP(0). */
bool code_reaches(const struct machine *machine, const struct segment_shadow *code, uint64_t rip);
struct segment_shadow segment_shadow_of(struct descriptor descriptor);
/* Loads a data segment register or SS with all checks, as MOV and POP do. */
bool segment_load(struct machine *machine, enum segment_register which, uint16_t selector, struct trap *trap);
/* After a return to an outer ring: data segments that it may not use become null. SDM 2, RET */
void segments_drop_inner(struct cpu *cpu);
/* Whether `selector` (not null) may become the stack of `ring`. False: `vector`(selector), #SS when not present. */
bool segment_check_stack(struct machine *machine, uint16_t selector, uint8_t ring, unsigned vector,
			 struct descriptor *data, struct trap *trap);
struct trap trap_of_fault(const struct fault *fault);

/* #GP(0) unless the value is one that the register takes; then loads it. False: refused, nothing changed. */
bool control_load_cr0(struct machine *machine, uint64_t value);
bool control_load_cr3(struct machine *machine, uint64_t value);
bool control_load_cr4(struct machine *machine, uint64_t value);
bool control_load_efer(struct machine *machine, uint64_t value);
bool control_load_tr(struct machine *machine, uint16_t selector, struct trap *trap);
bool control_load_ldt(struct machine *machine, uint16_t selector, struct trap *trap);

/* Each does what the instruction does. False with the trap to raise. */
bool trap_iretq(struct machine *machine, struct trap *trap);
bool trap_sysret(struct machine *machine, bool to_64bit, struct trap *trap);
/* IRET and far RET with operands of `bytes`; `released` more bytes go off both stacks. */
bool return_interrupt(struct machine *machine, unsigned bytes, struct trap *trap);
bool return_far(struct machine *machine, unsigned bytes, uint16_t released, struct trap *trap);
/* False when EFER.SCE is clear, or outside 64-bit mode: #UD. Enters the handler at LSTAR. */
bool trap_enter_syscall(struct machine *machine);
bool trap_sysenter(struct machine *machine, struct trap *trap);
bool trap_sysexit(struct machine *machine, bool to_64bit, struct trap *trap);

static inline void machine_spend(struct machine *machine, enum cost cost)
{
	machine->bus->cycle += machine->costs.cycles[cost];
}

#endif
