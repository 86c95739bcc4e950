/* The instructions of the processor, as one table: who may execute each, and what it does. The decoder of machine code
 * and the execution by name share the rows. SDM 3A 5.9 lists the privileged ones; the pages are those of SDM 2. */
#ifndef FAULTLINE_INSN_H
#define FAULTLINE_INSN_H

#include <stdbool.h>

/* Instructions that a script can name.
 * X(ID, name, who may, what a given operand replaces, encoding, operand, effect, page)
 * who may: see INSN_WHO_LIST.
 * The encoding is that of the form that the name stands for: an operand given with the name takes the place of the
 * encoded operand OP0 or OP1, or of the register. */
#define INSN_LIST(X)                                                                                                   \
	X(HLT, hlt, CPL0, NOTHING, "f4", "", "stops the processor until an interrupt", "2A HLT")                       \
	X(CLI, cli, IOPL, NOTHING, "fa", "", "clears RFLAGS.IF", "2A CLI")                                             \
	X(STI, sti, IOPL, NOTHING, "fb", "", "sets RFLAGS.IF", "2B STI")                                               \
	X(CLTS, clts, CPL0, NOTHING, "0f06", "", "clears CR0.TS", "2A CLTS")                                           \
	X(LMSW, lmsw, CPL0, OP0, "0f01f0", "value", "loads CR0 bits 3:0; cannot clear PE", "2A LMSW")                  \
	X(SMSW, smsw, UMIP, NOTHING, "480f01e0", "", "RAX = CR0", "2B SMSW")                                           \
	X(MOV_TO_CR0, mov_to_cr0, CPL0, OP1, "0f22c0", "value", "loads CR0", "2B MOV, control registers")              \
	X(MOV_TO_CR2, mov_to_cr2, CPL0, OP1, "0f22d0", "value", "loads CR2", "2B MOV, control registers")              \
	X(MOV_TO_CR3, mov_to_cr3, CPL0, OP1, "0f22d8", "value", "loads CR3: another address space",                    \
	  "2B MOV, control registers")                                                                                 \
	X(MOV_TO_CR4, mov_to_cr4, CPL0, OP1, "0f22e0", "value", "loads CR4", "2B MOV, control registers")              \
	X(MOV_TO_CR8, mov_to_cr8, CPL0, OP1, "440f22c0", "value", "loads CR8, the task priority",                      \
	  "2B MOV, control registers")                                                                                 \
	X(MOV_FROM_CR0, mov_from_cr0, CPL0, NOTHING, "0f20c0", "", "RAX = CR0", "2B MOV, control registers")           \
	X(MOV_FROM_CR2, mov_from_cr2, CPL0, NOTHING, "0f20d0", "", "RAX = CR2", "2B MOV, control registers")           \
	X(MOV_FROM_CR3, mov_from_cr3, CPL0, NOTHING, "0f20d8", "", "RAX = CR3", "2B MOV, control registers")           \
	X(MOV_FROM_CR4, mov_from_cr4, CPL0, NOTHING, "0f20e0", "", "RAX = CR4", "2B MOV, control registers")           \
	X(MOV_FROM_CR8, mov_from_cr8, CPL0, NOTHING, "440f20c0", "", "RAX = CR8", "2B MOV, control registers")         \
	X(MOV_TO_DR, mov_to_dr7, CPL0, OP1, "0f23f8", "value", "loads DR7", "2B MOV, debug registers")                 \
	X(MOV_FROM_DR, mov_from_dr7, CPL0, NOTHING, "0f21f8", "", "RAX = DR7", "2B MOV, debug registers")              \
	X(INVLPG, invlpg, CPL0, OP0, "0f0138", "address", "drops the TLB entries of a page", "2A INVLPG")              \
	X(INVD, invd, CPL0, NOTHING, "0f08", "", "drops the data caches", "2A INVD")                                   \
	X(WBINVD, wbinvd, CPL0, NOTHING, "0f09", "", "writes back and drops the data caches", "2D WBINVD")             \
	X(LGDT, lgdt, CPL0, OP0, "0f0110", "address", "loads GDTR from memory: 2 bytes of limit, 8 of base",           \
	  "2A LGDT/LIDT")                                                                                              \
	X(LIDT, lidt, CPL0, OP0, "0f0118", "address", "loads IDTR from memory: 2 bytes of limit, 8 of base",           \
	  "2A LGDT/LIDT")                                                                                              \
	X(SGDT, sgdt, UMIP, OP0, "0f0100", "address", "stores GDTR to memory", "2B SGDT")                              \
	X(SIDT, sidt, UMIP, OP0, "0f0108", "address", "stores IDTR to memory", "2B SIDT")                              \
	X(LLDT, lldt, CPL0, OP0, "0f00d0", "selector", "loads LDTR from the GDT", "2A LLDT")                           \
	X(SLDT, sldt, UMIP, NOTHING, "480f00c0", "", "RAX = LDTR", "2B SLDT")                                          \
	X(LTR, ltr, CPL0, OP0, "0f00d8", "selector", "loads TR from the GDT", "2A LTR")                                \
	X(STR, str, UMIP, NOTHING, "480f00c8", "", "RAX = TR", "2B STR")                                               \
	X(VERR, verr, ANY, OP0, "0f00e0", "selector", "ZF = the segment may be read", "2D VERR/VERW")                  \
	X(VERW, verw, ANY, OP0, "0f00e8", "selector", "ZF = the segment may be written", "2D VERR/VERW")               \
	X(LAR, lar, ANY, OP1, "0f02c0", "selector", "EAX = access rights of a segment", "2A LAR")                      \
	X(LSL, lsl, ANY, OP1, "0f03c0", "selector", "EAX = limit of a segment", "2A LSL")                              \
	X(RDMSR, rdmsr, CPL0, RCX, "0f32", "number", "EDX:EAX = the model-specific register", "2B RDMSR")              \
	X(WRMSR, wrmsr, CPL0, RCX, "0f30", "number", "the model-specific register = EDX:EAX", "2D WRMSR")              \
	X(SWAPGS, swapgs, CPL0, NOTHING, "0f01f8", "", "exchanges GS.base and IA32_KERNEL_GS_BASE", "2B SWAPGS")       \
	X(RDTSC, rdtsc, TSD, NOTHING, "0f31", "", "EDX:EAX = cycles", "2B RDTSC")                                      \
	X(RDTSCP, rdtscp, TSD, NOTHING, "0f01f9", "", "EDX:EAX = cycles, ECX = IA32_TSC_AUX", "2B RDTSCP")             \
	X(RDPMC, rdpmc, PCE, RCX, "0f33", "number", "EDX:EAX = a performance counter", "2B RDPMC")                     \
	X(RDPKRU, rdpkru, ANY, NOTHING, "0f01ee", "", "EAX = PKRU; #UD unless CR4.PKE", "2B RDPKRU")                   \
	X(WRPKRU, wrpkru, ANY, RAX, "0f01ef", "value", "loads PKRU; #UD unless CR4.PKE", "2D WRPKRU")                  \
	X(STAC, stac, ANY, NOTHING, "0f01cb", "", "sets RFLAGS.AC: suspends SMAP; #UD above ring 0", "2B STAC")        \
	X(CLAC, clac, ANY, NOTHING, "0f01ca", "", "clears RFLAGS.AC; #UD above ring 0", "2A CLAC")                     \
	X(IN, in, PORT, OP1, "e400", "port", "AL = 0xff: no device answers", "2A IN")                                  \
	X(OUT, out, PORT, OP0, "e600", "port", "AL to a port; no device listens", "2B OUT")                            \
	X(INT, int, GATE, OP0, "cd00", "vector", "calls the IDT gate", "2A INT n")                                     \
	X(INT3, int3, GATE, NOTHING, "cc", "", "calls gate 3, breakpoint", "2A INT n")                                 \
	X(UD, ud2, ANY, NOTHING, "0f0b", "", "raises #UD", "2D UD")                                                    \
	X(SYSCALL, syscall, ANY, NOTHING, "0f05", "", "enters ring 0 at LSTAR", "2B SYSCALL")                          \
	X(SYSRET, sysret, ANY, NOTHING, "480f07", "", "returns to ring 3 at RCX; #GP(0) above ring 0", "2B SYSRET")    \
	X(SYSENTER, sysenter, ANY, NOTHING, "0f34", "", "enters ring 0 at IA32_SYSENTER_EIP", "2B SYSENTER")           \
	X(SYSEXIT, sysexit, CPL0, NOTHING, "480f35", "", "returns to ring 3 at RDX", "2B SYSEXIT")                     \
	X(IRET, iretq, ANY, NOTHING, "48cf", "", "pops RIP, CS, RFLAGS, RSP, SS; never to a more privileged ring",     \
	  "2A IRET")                                                                                                   \
	X(CPUID, cpuid, ANY, NOTHING, "0fa2", "", "EAX, EBX, ECX, EDX = what the processor can do", "2A CPUID")

/* Instructions that only machine code can ask for. X(ID, name, who may, page) */
#define INSN_PLAIN_LIST(X)                                                                                             \
	X(MOV, mov, ANY, "2B MOV")                                                                                     \
	X(MOV_FROM_SREG, mov_from_sreg, ANY, "2B MOV")                                                                 \
	X(MOV_TO_SREG, mov_to_sreg, ANY, "2B MOV")                                                                     \
	X(MOVZX, movzx, ANY, "2B MOVZX")                                                                               \
	X(MOVSX, movsx, ANY, "2B MOVSX/MOVSXD")                                                                        \
	X(MOVBE, movbe, ANY, "2B MOVBE")                                                                               \
	X(LEA, lea, ANY, "2A LEA")                                                                                     \
	X(LOAD_FAR, lds, ANY, "2A LDS/LES/LFS/LGS/LSS")                                                                \
	X(XCHG, xchg, ANY, "2D XCHG")                                                                                  \
	X(XADD, xadd, ANY, "2D XADD")                                                                                  \
	X(CMPXCHG, cmpxchg, ANY, "2A CMPXCHG")                                                                         \
	X(CMPXCHG8B, cmpxchg8b, ANY, "2A CMPXCHG8B/CMPXCHG16B")                                                        \
	X(BSWAP, bswap, ANY, "2A BSWAP")                                                                               \
	X(CMOV, cmovcc, ANY, "2A CMOVcc")                                                                              \
	X(SET, setcc, ANY, "2B SETcc")                                                                                 \
	X(XLAT, xlat, ANY, "2D XLAT")                                                                                  \
	X(CBW, cbw, ANY, "2A CBW/CWDE/CDQE")                                                                           \
	X(CWD, cwd, ANY, "2A CWD/CDQ/CQO")                                                                             \
	X(PUSH, push, ANY, "2B PUSH")                                                                                  \
	X(POP, pop, ANY, "2B POP")                                                                                     \
	X(PUSHF, pushf, ANY, "2B PUSHF")                                                                               \
	X(POPF, popf, ANY, "2B POPF")                                                                                  \
	X(PUSHA, pusha, ANY, "2B PUSHA")                                                                               \
	X(POPA, popa, ANY, "2B POPA")                                                                                  \
	X(ENTER, enter, ANY, "2A ENTER")                                                                               \
	X(LEAVE, leave, ANY, "2A LEAVE")                                                                               \
	X(ADD, add, ANY, "2A ADD")                                                                                     \
	X(ADC, adc, ANY, "2A ADC")                                                                                     \
	X(SUB, sub, ANY, "2B SUB")                                                                                     \
	X(SBB, sbb, ANY, "2B SBB")                                                                                     \
	X(CMP, cmp, ANY, "2A CMP")                                                                                     \
	X(AND, and, ANY, "2A AND")                                                                                     \
	X(OR, or, ANY, "2B OR")                                                                                        \
	X(XOR, xor, ANY, "2D XOR")                                                                                     \
	X(TEST, test, ANY, "2D TEST")                                                                                  \
	X(NOT, not, ANY, "2B NOT")                                                                                     \
	X(NEG, neg, ANY, "2B NEG")                                                                                     \
	X(INC, inc, ANY, "2A INC")                                                                                     \
	X(DEC, dec, ANY, "2A DEC")                                                                                     \
	X(SHL, shl, ANY, "2B SAL/SAR/SHL/SHR")                                                                         \
	X(SHR, shr, ANY, "2B SAL/SAR/SHL/SHR")                                                                         \
	X(SAR, sar, ANY, "2B SAL/SAR/SHL/SHR")                                                                         \
	X(ROL, rol, ANY, "2B RCL/RCR/ROL/ROR")                                                                         \
	X(ROR, ror, ANY, "2B RCL/RCR/ROL/ROR")                                                                         \
	X(RCL, rcl, ANY, "2B RCL/RCR/ROL/ROR")                                                                         \
	X(RCR, rcr, ANY, "2B RCL/RCR/ROL/ROR")                                                                         \
	X(SHLD, shld, ANY, "2B SHLD")                                                                                  \
	X(SHRD, shrd, ANY, "2B SHRD")                                                                                  \
	X(MUL, mul, ANY, "2B MUL")                                                                                     \
	X(IMUL, imul, ANY, "2A IMUL")                                                                                  \
	X(DIV, div, ANY, "2A DIV")                                                                                     \
	X(IDIV, idiv, ANY, "2A IDIV")                                                                                  \
	X(BT, bt, ANY, "2A BT")                                                                                        \
	X(BTS, bts, ANY, "2A BTS")                                                                                     \
	X(BTR, btr, ANY, "2A BTR")                                                                                     \
	X(BTC, btc, ANY, "2A BTC")                                                                                     \
	X(BSF, bsf, ANY, "2A BSF")                                                                                     \
	X(BSR, bsr, ANY, "2A BSR")                                                                                     \
	X(TZCNT, tzcnt, ANY, "2D TZCNT")                                                                               \
	X(LZCNT, lzcnt, ANY, "2A LZCNT")                                                                               \
	X(POPCNT, popcnt, ANY, "2B POPCNT")                                                                            \
	X(DAA, daa, ANY, "2A DAA")                                                                                     \
	X(DAS, das, ANY, "2A DAS")                                                                                     \
	X(AAA, aaa, ANY, "2A AAA")                                                                                     \
	X(AAS, aas, ANY, "2A AAS")                                                                                     \
	X(AAM, aam, ANY, "2A AAM")                                                                                     \
	X(AAD, aad, ANY, "2A AAD")                                                                                     \
	X(LAHF, lahf, ANY, "2A LAHF")                                                                                  \
	X(SAHF, sahf, ANY, "2B SAHF")                                                                                  \
	X(CLC, clc, ANY, "2A CLC")                                                                                     \
	X(STC, stc, ANY, "2B STC")                                                                                     \
	X(CMC, cmc, ANY, "2A CMC")                                                                                     \
	X(CLD, cld, ANY, "2A CLD")                                                                                     \
	X(STD, std, ANY, "2B STD")                                                                                     \
	X(MOVS, movs, ANY, "2B MOVS")                                                                                  \
	X(STOS, stos, ANY, "2B STOS")                                                                                  \
	X(LODS, lods, ANY, "2A LODS")                                                                                  \
	X(SCAS, scas, ANY, "2B SCAS")                                                                                  \
	X(CMPS, cmps, ANY, "2A CMPS")                                                                                  \
	X(INS, ins, ANY, "2A INS")                                                                                     \
	X(OUTS, outs, ANY, "2B OUTS")                                                                                  \
	X(JMP, jmp, ANY, "2A JMP")                                                                                     \
	X(JCC, jcc, ANY, "2A Jcc")                                                                                     \
	X(JCXZ, jcxz, ANY, "2A Jcc")                                                                                   \
	X(LOOP, loop, ANY, "2A LOOP")                                                                                  \
	X(CALL, call, ANY, "2A CALL")                                                                                  \
	X(RET, ret, ANY, "2B RET")                                                                                     \
	X(JMP_FAR, jmp_far, ANY, "2A JMP")                                                                             \
	X(CALL_FAR, call_far, ANY, "2A CALL")                                                                          \
	X(RET_FAR, ret_far, ANY, "2B RET")                                                                             \
	X(INTO, into, GATE, "2A INT n")                                                                                \
	X(INT1, int1, ANY, "2A INT n")                                                                                 \
	X(BOUND, bound, ANY, "2A BOUND")                                                                               \
	X(ARPL, arpl, ANY, "2A ARPL")                                                                                  \
	X(INVPCID, invpcid, CPL0, "2A INVPCID")                                                                        \
	X(NOP, nop, ANY, "2B NOP")

enum insn {
#define X(id, name, who, gives, bytes, operand, effect, page) INSN_##id,
	INSN_LIST(X)
#undef X
	    INSN_COUNT, /* of those with a name */
	INSN_LAST_NAMED = INSN_COUNT - 1,
#define X(id, name, who, page) INSN_##id,
	INSN_PLAIN_LIST(X)
#undef X
	    INSN_ALL
};

/* X(ID, who that is) */
#define INSN_WHO_LIST(X)                                                                                               \
	X(ANY, "any ring")                                                                                             \
	X(CPL0, "ring 0, else #GP(0)")                                                                                 \
	X(IOPL, "rings up to RFLAGS.IOPL, else #GP(0)")                                                                \
	X(PORT, "rings up to RFLAGS.IOPL; others as the TSS's I/O bitmap allows, else #GP(0)")                         \
	X(UMIP, "any ring; with CR4.UMIP ring 0, else #GP(0)")                                                         \
	X(TSD, "any ring; with CR4.TSD ring 0, else #GP(0)")                                                           \
	X(PCE, "ring 0; with CR4.PCE any ring, else #GP(0)")                                                           \
	X(GATE, "rings up to the DPL of the gate, else #GP(vector * 8 + 2)")

enum insn_who {
#define X(id, text) INSN_WHO_##id,
	INSN_WHO_LIST(X)
#undef X
};

struct insn_info {
	const char *name;
	enum insn_who who;
	const char *operand; /* "": none */
	const char *effect;
	const char *page; /* in SDM 2 */
};

/* Also of those without a script name. */
const struct insn_info *insn_info(enum insn insn);
const char *insn_who_text(enum insn_who who);
bool insn_find(const char *name, enum insn *out);

#endif
