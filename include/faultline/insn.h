/* Privileged and sensitive instructions, as one list: who may execute each, and what it does. SDM 3A 5.9, SDM 2. */
#ifndef FAULTLINE_INSN_H
#define FAULTLINE_INSN_H

#include <stdbool.h>

/* X(ID, name, who may, operand, effect)
 * who may: CPL0 (else #GP(0)), IOPL (CPL <= RFLAGS.IOPL, else #GP(0); IN and OUT also by the TSS's I/O bitmap),
 * UMIP (CPL 0 when CR4.UMIP is set, else anyone), TSD (CPL 0 when CR4.TSD is set, else anyone),
 * GATE (CPL <= DPL of the gate, else #GP(vector * 8 + 2)), ANY. */
#define INSN_LIST(X)                                                                                                   \
	X(HLT, hlt, CPL0, "", "stops the processor until an interrupt")                                                \
	X(CLI, cli, IOPL, "", "clears RFLAGS.IF")                                                                      \
	X(STI, sti, IOPL, "", "sets RFLAGS.IF")                                                                        \
	X(CLTS, clts, CPL0, "", "clears CR0.TS")                                                                       \
	X(LMSW, lmsw, CPL0, "value", "loads CR0 bits 3:0; cannot clear PE")                                            \
	X(SMSW, smsw, UMIP, "", "RAX = CR0")                                                                           \
	X(MOV_TO_CR0, mov_to_cr0, CPL0, "value", "loads CR0")                                                          \
	X(MOV_TO_CR2, mov_to_cr2, CPL0, "value", "loads CR2")                                                          \
	X(MOV_TO_CR3, mov_to_cr3, CPL0, "value", "loads CR3: another address space")                                   \
	X(MOV_TO_CR4, mov_to_cr4, CPL0, "value", "loads CR4")                                                          \
	X(MOV_FROM_CR0, mov_from_cr0, CPL0, "", "RAX = CR0")                                                           \
	X(MOV_FROM_CR2, mov_from_cr2, CPL0, "", "RAX = CR2")                                                           \
	X(MOV_FROM_CR3, mov_from_cr3, CPL0, "", "RAX = CR3")                                                           \
	X(MOV_FROM_CR4, mov_from_cr4, CPL0, "", "RAX = CR4")                                                           \
	X(INVLPG, invlpg, CPL0, "address", "drops the TLB entries of a page")                                          \
	X(INVD, invd, CPL0, "", "drops the data caches")                                                               \
	X(WBINVD, wbinvd, CPL0, "", "writes back and drops the data caches")                                           \
	X(LGDT, lgdt, CPL0, "address", "loads GDTR from memory: 2 bytes of limit, 8 of base")                          \
	X(LIDT, lidt, CPL0, "address", "loads IDTR from memory: 2 bytes of limit, 8 of base")                          \
	X(SGDT, sgdt, UMIP, "address", "stores GDTR to memory")                                                        \
	X(SIDT, sidt, UMIP, "address", "stores IDTR to memory")                                                        \
	X(LTR, ltr, CPL0, "selector", "loads TR from the GDT")                                                         \
	X(STR, str, UMIP, "", "RAX = TR")                                                                              \
	X(RDMSR, rdmsr, CPL0, "number", "EDX:EAX = the model-specific register")                                       \
	X(WRMSR, wrmsr, CPL0, "number", "the model-specific register = EDX:EAX")                                       \
	X(SWAPGS, swapgs, CPL0, "", "exchanges GS.base and IA32_KERNEL_GS_BASE")                                       \
	X(RDTSC, rdtsc, TSD, "", "EDX:EAX = cycles")                                                                   \
	X(WRPKRU, wrpkru, ANY, "value", "loads PKRU; #UD unless CR4.PKE")                                              \
	X(IN, in, IOPL, "port", "AL = 0xff: no device answers")                                                        \
	X(OUT, out, IOPL, "port", "AL to a port; no device listens")                                                   \
	X(INT, int, GATE, "vector", "calls the IDT gate")                                                              \
	X(INT3, int3, GATE, "", "calls gate 3, breakpoint")                                                            \
	X(UD2, ud2, ANY, "", "raises #UD")                                                                             \
	X(SYSCALL, syscall, ANY, "", "enters ring 0 at LSTAR")                                                         \
	X(SYSRET, sysret, CPL0, "", "returns to ring 3 at RCX")                                                        \
	X(IRETQ, iretq, ANY, "", "pops RIP, CS, RFLAGS, RSP, SS; never to a more privileged ring")

enum insn {
#define X(id, name, who, operand, effect) INSN_##id,
	INSN_LIST(X)
#undef X
	    INSN_COUNT
};

#define INSN_WHO_LIST(X) X(ANY) X(CPL0) X(IOPL) X(UMIP) X(TSD) X(GATE)

enum insn_who {
#define X(id) INSN_WHO_##id,
	INSN_WHO_LIST(X)
#undef X
};

struct insn_info {
	const char *name;
	enum insn_who who;
	const char *operand; /* "": none */
	const char *effect;
};

const struct insn_info *insn_info(enum insn insn);
bool insn_find(const char *name, enum insn *out);

#endif
