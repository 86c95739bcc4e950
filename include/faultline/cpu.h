/* The registers of one x86-64 processor. Registers are values: whoever holds the cpu reads them; code in ring 0 writes
 * them through the functions of machine.h where a write has side effects. SDM 3A chapter 2. */
#ifndef FAULTLINE_CPU_H
#define FAULTLINE_CPU_H

#include <stdint.h>

#include "faultline/units.h"

/* General registers in the order of their encoding. X(ID, name) */
#define GPR_LIST(X)                                                                                                    \
	X(RAX, rax)                                                                                                    \
	X(RCX, rcx)                                                                                                    \
	X(RDX, rdx)                                                                                                    \
	X(RBX, rbx)                                                                                                    \
	X(RSP, rsp)                                                                                                    \
	X(RBP, rbp)                                                                                                    \
	X(RSI, rsi)                                                                                                    \
	X(RDI, rdi)                                                                                                    \
	X(R8, r8)                                                                                                      \
	X(R9, r9)                                                                                                      \
	X(R10, r10)                                                                                                    \
	X(R11, r11)                                                                                                    \
	X(R12, r12)                                                                                                    \
	X(R13, r13)                                                                                                    \
	X(R14, r14)                                                                                                    \
	X(R15, r15)

enum gpr {
#define X(id, name) GPR_##id,
	GPR_LIST(X)
#undef X
	    GPR_COUNT
};

/* Segment registers in the order of their encoding. */
enum segment_register { SREG_ES, SREG_CS, SREG_SS, SREG_DS, SREG_FS, SREG_GS, SREG_COUNT };

#define CR0_PE ((uint64_t)1 << 0)
#define CR0_MP ((uint64_t)1 << 1)
#define CR0_TS ((uint64_t)1 << 3)
#define CR0_ET ((uint64_t)1 << 4)
#define CR0_NE ((uint64_t)1 << 5)
#define CR0_WP ((uint64_t)1 << 16)
#define CR0_AM ((uint64_t)1 << 18)
#define CR0_PG ((uint64_t)1 << 31)

#define CR4_PVI ((uint64_t)1 << 1)
#define CR4_TSD ((uint64_t)1 << 2)
#define CR4_DE ((uint64_t)1 << 3)
#define CR4_PSE ((uint64_t)1 << 4)
#define CR4_PAE ((uint64_t)1 << 5)
#define CR4_PGE ((uint64_t)1 << 7)
#define CR4_PCE ((uint64_t)1 << 8)
#define CR4_UMIP ((uint64_t)1 << 11)
#define CR4_LA57 ((uint64_t)1 << 12)
#define CR4_PCIDE ((uint64_t)1 << 17)
#define CR4_SMEP ((uint64_t)1 << 20)
#define CR4_SMAP ((uint64_t)1 << 21)
#define CR4_PKE ((uint64_t)1 << 22)
#define CR4_PKS ((uint64_t)1 << 24)

#define EFER_SCE ((uint64_t)1 << 0)
#define EFER_LME ((uint64_t)1 << 8)
#define EFER_LMA ((uint64_t)1 << 10)
#define EFER_NXE ((uint64_t)1 << 11)

#define RFLAGS_CF ((uint64_t)1 << 0)
#define RFLAGS_FIXED ((uint64_t)1 << 1) /* reads as 1 */
#define RFLAGS_PF ((uint64_t)1 << 2)
#define RFLAGS_AF ((uint64_t)1 << 4)
#define RFLAGS_ZF ((uint64_t)1 << 6)
#define RFLAGS_SF ((uint64_t)1 << 7)
#define RFLAGS_TF ((uint64_t)1 << 8)
#define RFLAGS_IF ((uint64_t)1 << 9)
#define RFLAGS_DF ((uint64_t)1 << 10)
#define RFLAGS_OF ((uint64_t)1 << 11)
#define RFLAGS_NT ((uint64_t)1 << 14)
#define RFLAGS_RF ((uint64_t)1 << 16)
#define RFLAGS_VM ((uint64_t)1 << 17)
#define RFLAGS_AC ((uint64_t)1 << 18)
#define RFLAGS_VIF ((uint64_t)1 << 19)
#define RFLAGS_VIP ((uint64_t)1 << 20)
#define RFLAGS_ID ((uint64_t)1 << 21)
#define RFLAGS_IOPL ((uint64_t)3 << 12)

/* CR3: bits 11:0 hold the PCID when CR4.PCIDE is set; bit 63 of the *written* value keeps the TLB entries of that PCID.
 */
#define CR3_PCID_MASK ((uint64_t)0xfff)
#define CR3_NOFLUSH ((uint64_t)1 << 63)

/* GDTR and IDTR. */
struct descriptor_table {
	struct vaddr base;
	uint16_t limit;
};

/* The hidden part of a segment register: what its descriptor said when it was loaded. SDM 3A 3.4.3. */
struct segment_shadow {
	uint64_t base;
	uint32_t limit; /* the last byte; granularity is worked in */
	uint16_t flags; /* bits 55:40 of the descriptor; P clear: unusable */
	uint16_t zero;  /* no padding: registers can be compared whole */
};

struct cpu {
	uint64_t gpr[GPR_COUNT];
	uint64_t rip;
	uint64_t rflags;
	union { /* selectors */
		uint16_t sreg[SREG_COUNT];
		struct {
			uint16_t es, cs, ss, ds, fs, gs;
		};
	};
	uint8_t cpl; /* current privilege level: the ring, 0 to 3 */
	uint64_t cr0, cr2, cr3, cr4, cr8;
	uint64_t efer, star, lstar, cstar, fmask;
	uint32_t pkru; /* written by machine_write_pkru */
	uint32_t pkrs; /* IA32_PKRS, written by machine_write_pkrs */
	struct descriptor_table gdtr, idtr;
	uint16_t tr;           /* selector of the TSS */
	struct vaddr tss_base; /* hidden part of TR */
	uint16_t ldtr;
	struct segment_shadow ldt;
	struct segment_shadow shadow[SREG_COUNT];
	uint64_t kernel_gs_base, tsc_aux, tsc_offset, pat, apic_base;
	uint64_t sysenter_cs, sysenter_rsp, sysenter_rip;
	uint64_t dr[8]; /* 4 and 5 stand for 6 and 7 */
};

#endif
