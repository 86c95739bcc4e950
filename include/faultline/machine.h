/* One simulated computer: processors, each with an MMU and its TLBs, and RAM. It knows x86 and nothing of any operating
 * system.
 *
 * Privileged code is real in its interface and native in its body: the kernel installs gates, stacks and MSRs in
 * simulated RAM, and binds a C function to the address each gate points to. Delivering an exception reads the gate and
 * the TSS through the MMU, switches the stack, pushes the frame into RAM, sets CPL and RIP, fetches at RIP, and only
 * then calls the function bound there. The function leaves ring 0 by machine_iretq or machine_sysret. */
#ifndef FAULTLINE_MACHINE_H
#define FAULTLINE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/arena.h"
#include "faultline/bus.h"
#include "faultline/cost.h"
#include "faultline/cpu.h"
#include "faultline/insn.h"
#include "faultline/mmu.h"
#include "faultline/physmem.h"
#include "faultline/profile.h"
#include "faultline/units.h"

struct machine;

enum { MACHINE_MAX_CPUS = 64 };

struct machine_config {
	unsigned cpus;                     /* 1 to MACHINE_MAX_CPUS; 0: 1 */
	uint64_t memory_bytes;             /* multiple of 4 KiB */
	const struct cpu_profile *profile; /* geometry and latencies; copied */
	const struct cost_table *costs;    /* copied; NULL: the profile's */
	enum tlb_replacement tlb_replacement;
	bool no_prediction; /* search the TLBs at every access: same counts, slower; for tests */
};

/* Facts of the processor. Invariants: ring_changes == the RING events; syscalls and exceptions are entries to ring 0.
 */
struct machine_stats {
	uint64_t ring_changes;
	uint64_t syscalls;              /* SYSCALL instructions that reached ring 0 */
	uint64_t exceptions;            /* delivered, software interrupts included */
	uint64_t vectors[VECTOR_COUNT]; /* the same by vector */
	uint64_t exceptions_from_ring3;
	uint64_t instructions; /* executed by machine_instruction */
};

/* Host address space that a world must reserve for such a machine. */
uint64_t machine_reserve_bytes(const struct machine_config *config);
struct machine *machine_new(struct arena *arena, struct bus *bus, const struct machine_config *config);

struct cpu *machine_cpu(struct machine *machine);
const struct cpu *machine_cpu_const(const struct machine *machine);
struct physmem *machine_memory(struct machine *machine);
const struct physmem *machine_memory_const(const struct machine *machine);
struct mmu *machine_mmu(struct machine *machine);
const struct mmu *machine_mmu_const(const struct machine *machine);
struct bus *machine_bus(struct machine *machine);
const struct machine_stats *machine_stats(const struct machine *machine);

/* ---- several processors ----
 * One executes at a time: what runs on it is what all other functions here are about. The clock counts the work of all.
 */
unsigned machine_cpu_count(const struct machine *machine);
unsigned machine_cpu_number(const struct machine *machine); /* of the one that executes */
void machine_select_cpu(struct machine *machine, unsigned number);
const struct cpu *machine_cpu_at(const struct machine *machine, unsigned number);
const struct mmu *machine_mmu_at(const struct machine *machine, unsigned number);
struct mmu_stats machine_mmu_stats(const struct machine *machine); /* summed over all */
uint64_t machine_walk_cycles(const struct machine *machine);       /* of them: walk_cycles */

/* Tells fn of every access that the MMU serves, once: for those who need each reference. The shortcut of the MMU is off
 * from then on; nobody pays while nobody watches. At most MMU_WATCHERS; the same fn and self count once. */
void machine_watch(struct machine *machine, mmu_watch_fn *fn, void *self);

/* ---- cycles: charged from one table, cost.h ---- */
void machine_charge(struct machine *machine, enum cost cost, uint64_t times);

/* ---- what ring-3 code does ----
 * Each returns true when the instruction completed, after as many faults as the kernel resolved; false when control did
 * not come back to the interrupted program because the kernel ended it. An access is at most 8 bytes and may cross a
 * page; `touch` covers a range as 8-byte words and is counted arithmetically: one TLB lookup a page. */
bool machine_load(struct machine *machine, struct vaddr va, unsigned bytes, uint64_t *value);
bool machine_store(struct machine *machine, struct vaddr va, unsigned bytes, uint64_t value);
bool machine_touch(struct machine *machine, struct vaddr va, uint64_t length, enum access_kind kind);
/* Content in bulk: one page at a time, contents moved; each page is an access of its range. A fill with zero of a frame
 * without content stores nothing on the host. */
bool machine_fill(struct machine *machine, struct vaddr va, uint8_t byte, uint64_t length);
bool machine_copy(struct machine *machine, struct vaddr to, struct vaddr from, uint64_t length);

/* Executes SYSCALL: RCX=RIP, R11=RFLAGS, CS/SS from STAR, RFLAGS masked by FMASK, CPL 0, RIP=LSTAR. */
bool machine_syscall(struct machine *machine);

/* Executes INT n: the gate's DPL counts, and what it pushes returns behind the instruction, which is where RIP is. */
bool machine_interrupt(struct machine *machine, unsigned vector);

/* Executes one privileged or sensitive instruction by name at the current privilege level; operand where it has one. */
bool machine_instruction(struct machine *machine, enum insn insn, uint64_t operand);

/* ---- machine code ---- */

/* Executes what RIP points at: fetches it through the MMU, decodes, executes. A fault is delivered as a step of its
 * own, and so is a native body that RIP has arrived at. Valid x86 without a row in the table stops the machine with a
 * reason that names it. */
enum step {
	STEP_DONE,
	STEP_LOST,    /* a handler ended the program: control will not come back */
	STEP_STOPPED, /* the machine */
};
enum step machine_step(struct machine *machine);

/* Steps until RIP and RSP have these values (after the first step), or so many steps are done. */
struct run_until {
	uint64_t rip, rsp;
	uint64_t steps;
};
enum run_end { RUN_RETURNED, RUN_LIMIT, RUN_LOST, RUN_STOPPED };
enum run_end machine_run(struct machine *machine, const struct run_until *until, uint64_t *steps);

/* ---- what ring-0 code does ---- */

/* A handler body. On entry RIP is the address it is bound to. */
typedef void native_fn(void *self);
void machine_bind(struct machine *machine, struct vaddr entry, native_fn *fn, void *self);

/* A value that the processor refuses raises #GP(0) at once. */
void machine_write_cr0(struct machine *machine, uint64_t value);
void machine_write_cr3(struct machine *machine, uint64_t value); /* honours CR3_NOFLUSH with CR4.PCIDE */
void machine_write_cr4(struct machine *machine, uint64_t value);
void machine_write_efer(struct machine *machine, uint64_t value);
void machine_write_pkru(struct machine *machine, uint32_t value);
void machine_write_pkrs(struct machine *machine, uint32_t value); /* IA32_PKRS */
void machine_load_gdt(struct machine *machine, struct descriptor_table table);
void machine_load_idt(struct machine *machine, struct descriptor_table table);
void machine_load_tr(struct machine *machine, uint16_t selector); /* reads the TSS descriptor from the GDT */
void machine_invlpg(struct machine *machine, struct vaddr va);

/* Leaves a handler of an exception: pops RIP CS RFLAGS RSP SS from the kernel stack in RAM. The error code has been
 * dropped by the handler with machine_pop. */
void machine_iretq(struct machine *machine);
void machine_sysretq(struct machine *machine); /* RIP=RCX, RFLAGS=R11, CS/SS from STAR, CPL 3 */
uint64_t machine_pop(struct machine *machine); /* one word off the stack at RSP */

/* Delivers a vector as hardware does; used by the machine itself and by INT n. `error` is NULL for vectors that push
 * none. Returns as the ring-3 functions do. */
bool machine_exception(struct machine *machine, unsigned vector, const uint32_t *error, struct vaddr va);

/* True after a triple fault or HLT with interrupts off in ring 0; *why says in words what happened. */
bool machine_stopped(const struct machine *machine, const char **why);
void machine_stop(struct machine *machine, const char *why); /* a kernel's panic */

#endif
