/* Machine code on the host's own processor: in a forked child that can do nothing but compute (strict seccomp), with
 * its code, data and stack in shared memory at fixed addresses. x86-64 Linux only. */
#ifndef FAULTLINE_NATIVE_CODE_H
#define FAULTLINE_NATIVE_CODE_H

#include <stdbool.h>
#include <stdint.h>

#define NATIVE_CODE 0x20000000u
#define NATIVE_DATA 0x10000000u
#define NATIVE_STACK 0x30000000u
enum { NATIVE_CODE_BYTES = 4096, NATIVE_DATA_BYTES = 8192, NATIVE_STACK_BYTES = 8192 };

struct native_state {
	uint64_t gpr[16]; /* in the order of their encoding */
	uint64_t rip, rflags;
	/* After a run: */
	uint64_t vector, error, cr2;
};

struct native;

/* NULL with the reason where this host cannot do it. */
struct native *native_new(const char **why);
void native_free(struct native *native);
/* Memory that both see; to be filled before a run. */
uint8_t *native_code(struct native *native);
uint8_t *native_data(struct native *native);
uint8_t *native_stack(struct native *native);
/* Runs from the state until an exception. False: the child died or hangs; the reason is printed. */
bool native_run(struct native *native, struct native_state *state);

#endif
