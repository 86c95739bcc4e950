/* A computer to try privileged instructions on: flat segments of all four rings, gates to a recorder, a TSS with stacks
 * for each ring and an I/O bitmap; in 64-bit mode, or in 32-bit protected mode.
 *
 * GDT: 08 code64 r0, 10 data r0, 18 code32 r3, 20 data r3, 28 code64 r3, 30 code64 r1, 38 data r1, 40 code64 r2, 48
 * data r2, 50/58/60 code32 r0/r1/r2, 68 TSS64, 78 TSS32. IDT: interrupt gates of DPL 0, but 80h, 81h DPL 3, 90h..93h
 * DPL 0..3. Open ports: 84h, 88h to 8bh. */
#ifndef FAULTLINE_PRIVILEGED_RIG_H
#define FAULTLINE_PRIVILEGED_RIG_H

#include "faultline/machine.h"

enum { RIG_LAST_VECTOR = 0x80, RIG_GDT_SLOTS = 16 };

struct rig;

struct rig_case {
	uint8_t *code; /* room for two more bytes: INT 80h */
	unsigned code_bytes;
	uint8_t cpl;
	unsigned iopl;
	uint64_t cr4, efer; /* further bits */
	uint64_t rax, rcx;
};

/* What the first gate that was gone through saw. */
struct rig_record {
	unsigned vector;
	bool asked; /* by an INT, which is done: no fault */
	bool has_error;
	uint32_t error;
	uint16_t cs;             /* of the interrupted code */
	const char *why_stopped; /* no gate was gone through */
};

struct rig *rig_new(bool wide); /* NULL: the host refuses */
void rig_free(struct rig *rig);
void rig_run(struct rig *rig, const struct rig_case *given, struct rig_record *out);

/* For cases of one's own: the machine, and places in it that are open to all rings. Gates and the TSS last; what was
 * written to the GDT is overwritten by each rig_run, unless it is to be kept. */
#define RIG_GDT 0x10000u
#define RIG_IDT 0x11000u
#define RIG_TSS64 0x12000u
#define RIG_TSS32 0x16000u
#define RIG_CODE 0x100000u
#define RIG_STACK 0x180000u
#define RIG_DATA 0x190000u
struct machine *rig_machine(struct rig *rig);
void rig_keep_gdt(struct rig *rig);

#endif
