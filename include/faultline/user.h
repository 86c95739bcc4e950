/* What a ring-3 program can do: load, store, compute, and execute SYSCALL. Everything above the kernel (the libc's
 * allocators, the workload's accesses) runs on this and on nothing else.
 *
 * Addresses here are plain uint64_t: ring 3 knows only one kind, the pointers of its own address space, and does
 * arithmetic on them all the time.
 *
 * An access that faults is served by the kernel and restarted; the caller notices nothing. If the kernel kills the
 * process instead, the call does not return: control goes to the frame that called user_run(). So code on top of this
 * header keeps nothing on the host that would need cleaning up. */
#ifndef FAULTLINE_USER_H
#define FAULTLINE_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/arena.h"
#include "faultline/bus.h"
#include "faultline/insn.h"
#include "faultline/mmu.h"

struct kernel;
struct process;
struct user; /* one process's ring-3 side; owned by the world's arena */

/* Loads and stores of 1, 2, 4 or 8 bytes, little-endian, as one instruction each. */
uint64_t user_load64(struct user *user, uint64_t va);
uint32_t user_load32(struct user *user, uint64_t va);
uint16_t user_load16(struct user *user, uint64_t va);
uint8_t user_load8(struct user *user, uint64_t va);
void user_store64(struct user *user, uint64_t va, uint64_t value);
void user_store32(struct user *user, uint64_t va, uint32_t value);
void user_store16(struct user *user, uint64_t va, uint16_t value);
void user_store8(struct user *user, uint64_t va, uint8_t value);

/* memset and memcpy: page by page upwards, contents included. A fill with 0 of memory that never held content costs the
 * host nothing. Ranges that overlap are copied as memmove does. */
void user_fill(struct user *user, uint64_t va, uint8_t byte, uint64_t bytes);
void user_copy(struct user *user, uint64_t to, uint64_t from, uint64_t bytes);

/* Executes SYSCALL with the Linux convention (number in RAX; RDI RSI RDX R10 R8 R9). Returns RAX: a value, or -errno in
 * [-4095, -1]. Does not return from exit. Where code has 32 bits it is INT 0x80 with the number and the registers of
 * i386, and arguments are cut to 32 bits; numbers here are always those of x86-64. */
int64_t user_syscall(struct user *user, uint64_t number, const uint64_t args[6]);

/* Charges the cycles of `instructions` plain instructions that the model does not execute one by one. */
void user_compute(struct user *user, uint64_t instructions);

/* abort(): the message is what the program prints on stderr, without newline; the process dies by SIGABRT. */
_Noreturn void user_abort(struct user *user, const char *message);

/* The bus to publish libc events on. */
struct bus *user_bus(struct user *user);

/* The ring-3 side of a process. The arena owns it. */
struct user *user_new(struct arena *arena, struct kernel *kernel, struct process *process);

/* After execve: the program begins, and the C library lies elsewhere. */
void user_reload(struct user *user);

/* Whose memory user_peek64 looks at from now on: the lender's after vfork, so that a look finds it even while the child
 * gives it back; later its own again. */
void user_borrow(struct user *user, const struct process *lender);
/* The next user_run goes on there: the kernel has saved where the call that it slept in, or was made by, returns to. */
void user_resume_at(struct user *user, uint64_t rip);
/* Makes the process current and calls fn(self) as its program. True when fn returned; false when the process ended
 * inside it. */
typedef void user_fn(void *self);
bool user_run(struct user *user, user_fn *fn, void *self);

/* Another thread goes on, on its CPU. False: there is no frame for its kernel stack. */
bool user_move(struct user *user, unsigned cpu);

/* An access to [va, va + length) that only counts, as 8-byte words; no content moves. */
void user_touch(struct user *user, uint64_t va, uint64_t length, enum access_kind kind);

/* Executes a processor instruction by itself, at ring 3. */
void user_instruction(struct user *user, enum insn insn, uint64_t operand);

/* RIP moves to an offset of the libc's text, where it stands while a native body of the libc runs. Returns the one
 * before, for user_leave. */
uint64_t user_enter(struct user *user, uint64_t offset);
void user_leave(struct user *user, uint64_t rip);

/* CALL of machine code at va, as a function without arguments: executed by the processor until it has returned, for
 * `steps` instructions and faults at most. False: the limit was reached; the code is left as if it had returned. */
bool user_code(struct user *user, uint64_t va, uint64_t steps);

/* CALL and RET of a function with a frame of `frame_bytes`: moves RSP and stores or loads the return address. */
void user_call(struct user *user, uint64_t frame_bytes);
void user_return(struct user *user, uint64_t frame_bytes);

/* Another thread goes on: the stack pointer becomes `rsp`. Returns the old one. */
uint64_t user_switch_stack(struct user *user, uint64_t rsp);

/* Looks at memory without touching it, in RAM, in swap or in its file: no fault, no TLB, no counter. False where there
 * is nothing; memory that is promised and was never written is nothing. */
bool user_peek64(const struct user *user, uint64_t va, uint64_t *value);

#endif
