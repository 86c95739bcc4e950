/* A machine with just enough in RAM to run on: page tables, GDT, IDT, TSS and stacks, written by hand, without a
 * kernel. For tests and benchmarks of sim/machine.
 *
 *   frame 1        PML4                    frame 2     GDT, TSS at +0x200
 *   frame 3        IDT                     frames 4..7 ring-0 stack, IST 1 below it
 *   frames 16..    further page tables, taken in order
 *   from 2 MiB     pages for the test's own mappings
 * The first MIB is mapped supervisor, writable, at BARE_KERNEL + its physical address. */
#ifndef FAULTLINE_BARE_MACHINE_H
#define FAULTLINE_BARE_MACHINE_H

#include "faultline/machine.h"

#define BARE_KERNEL ((uint64_t)0xffff800000000000)
#define BARE_GDT (BARE_KERNEL + 0x2000)
#define BARE_TSS (BARE_KERNEL + 0x2200)
#define BARE_IDT (BARE_KERNEL + 0x3000)
#define BARE_STACK_TOP (BARE_KERNEL + 0x8000)
#define BARE_IST1_TOP (BARE_KERNEL + 0x5000)
#define BARE_HANDLERS (BARE_KERNEL + 0x10000) /* where handlers are bound: 16 bytes a vector */
#define BARE_SYSCALL (BARE_KERNEL + 0x20000)
#define BARE_PAGES ((uint64_t)0x200000)

enum bare_selector {
	BARE_KERNEL_CS = 0x08,
	BARE_KERNEL_SS = 0x10,
	BARE_USER_SS = 0x23,
	BARE_USER_CS = 0x2b,
	BARE_TR = 0x30
};

struct bare_machine {
	struct arena *arena;
	struct bus bus;
	struct machine *machine;
	struct physmem *mem;
	struct cpu *cpu;
	struct paddr root;
	uint64_t next_table; /* frame */
};

/* Paging is on, CPL 0. config->memory_bytes at least 4 MiB. */
void bare_machine_init(struct bare_machine *bare, const struct machine_config *config);
void bare_machine_release(struct bare_machine *bare);

/* Writes the leaf entry for va, creating upper tables (present, writable, user) where they lack. `entry` holds the
 * flags and the address; level 1, 2 or 3. Returns where the entry lies. */
struct paddr bare_map(struct bare_machine *bare, struct vaddr va, unsigned level, uint64_t entry);
/* Where the entry of that level for va lies; its upper tables exist. */
struct paddr bare_entry(const struct bare_machine *bare, struct vaddr va, unsigned level);

/* An interrupt gate (DPL as given) to the handler address of the vector, and fn bound there. */
void bare_gate(struct bare_machine *bare, unsigned vector, uint8_t dpl, native_fn *fn, void *self);
/* SYSCALL goes to fn. */
void bare_syscall(struct bare_machine *bare, native_fn *fn, void *self);
/* CPL 3 at this RIP and RSP. */
void bare_enter_ring3(struct bare_machine *bare, uint64_t rip, uint64_t rsp);

#endif
