/* Encodings of ring-3 instructions in 64-bit mode, with the flags that they read, define and leave undefined. SDM 2;
 * SDM 1 appendix A. */
#ifndef FAULTLINE_CODE_FORMS_H
#define FAULTLINE_CODE_FORMS_H

#include "faultline/cpu.h"

#define CF RFLAGS_CF
#define PF RFLAGS_PF
#define AF RFLAGS_AF
#define ZF RFLAGS_ZF
#define SF RFLAGS_SF
#define OF RFLAGS_OF
#define ALL (CF | PF | AF | ZF | SF | OF)

/* Operand sizes that a row may have: BYTE has an opcode of its own; the others come by prefix. QUAD needs no REX.W. */
enum { BYTE = 1, WORD = 2, LONG = 4, LONG64 = 8, QUAD = 16, V = WORD | LONG | LONG64, STACK = QUAD | WORD };

/* X(name, encoding, sizes, reads, defines, leaves undefined), flags as masks. The encoding is made of
 *	hh   an opcode byte                 hh+  the same, a register in its low bits
 *	r    ModRM with any register        /n   ModRM with n for the register
 *	R M  after one of these: register only, memory only
 *	b w v q  an immediate: 1, 2, as the operand but at most 4, as the operand
 *	j    8-bit distance over the next instruction   J  the same with 32 bits
 *	s    pointers and count for a string instruction are set up before */
#define FORM_LIST(X)                                                                                                   \
	X("mov", "88 r", BYTE, 0, 0, 0)                                                                                \
	X("mov", "89 r", V, 0, 0, 0)                                                                                   \
	X("mov", "8a r", BYTE, 0, 0, 0)                                                                                \
	X("mov", "8b r", V, 0, 0, 0)                                                                                   \
	X("mov", "c6 /0 b", BYTE, 0, 0, 0)                                                                             \
	X("mov", "c7 /0 v", V, 0, 0, 0)                                                                                \
	X("mov", "b0+ b", BYTE, 0, 0, 0)                                                                               \
	X("mov", "b8+ q", V, 0, 0, 0)                                                                                  \
	X("movzx", "0f b6 r", V, 0, 0, 0)                                                                              \
	X("movzx", "0f b7 r", LONG | LONG64, 0, 0, 0)                                                                  \
	X("movsx", "0f be r", V, 0, 0, 0)                                                                              \
	X("movsx", "0f bf r", LONG | LONG64, 0, 0, 0)                                                                  \
	X("movsxd", "63 r", LONG | LONG64, 0, 0, 0)                                                                    \
	X("movbe", "0f 38 f0 rM", V, 0, 0, 0)                                                                          \
	X("movbe", "0f 38 f1 rM", V, 0, 0, 0)                                                                          \
	X("lea", "8d rM", V, 0, 0, 0)                                                                                  \
	X("xchg", "86 r", BYTE, 0, 0, 0)                                                                               \
	X("xchg", "87 r", V, 0, 0, 0)                                                                                  \
	X("xchg", "90+", V, 0, 0, 0)                                                                                   \
	X("bswap", "0f c8+", LONG | LONG64, 0, 0, 0)                                                                   \
	X("xlat", "d7", BYTE, 0, 0, 0)                                                                                 \
	X("xadd", "0f c0 r", BYTE, 0, ALL, 0)                                                                          \
	X("xadd", "0f c1 r", V, 0, ALL, 0)                                                                             \
	X("cmpxchg", "0f b0 r", BYTE, 0, ALL, 0)                                                                       \
	X("cmpxchg", "0f b1 r", V, 0, ALL, 0)                                                                          \
	X("cmpxchg8b", "0f c7 /1M", LONG | LONG64, 0, ZF, 0)                                                           \
	X("add", "00 r", BYTE, 0, ALL, 0)                                                                              \
	X("add", "01 r", V, 0, ALL, 0)                                                                                 \
	X("add", "02 r", BYTE, 0, ALL, 0)                                                                              \
	X("add", "03 r", V, 0, ALL, 0)                                                                                 \
	X("add", "04 b", BYTE, 0, ALL, 0)                                                                              \
	X("add", "05 v", V, 0, ALL, 0)                                                                                 \
	X("or", "08 r", BYTE, 0, ALL, AF)                                                                              \
	X("or", "0b r", V, 0, ALL, AF)                                                                                 \
	X("adc", "10 r", BYTE, CF, ALL, 0)                                                                             \
	X("adc", "13 r", V, CF, ALL, 0)                                                                                \
	X("adc", "15 v", V, CF, ALL, 0)                                                                                \
	X("sbb", "18 r", BYTE, CF, ALL, 0)                                                                             \
	X("sbb", "19 r", V, CF, ALL, 0)                                                                                \
	X("and", "21 r", V, 0, ALL, AF)                                                                                \
	X("and", "22 r", BYTE, 0, ALL, AF)                                                                             \
	X("sub", "28 r", BYTE, 0, ALL, 0)                                                                              \
	X("sub", "2b r", V, 0, ALL, 0)                                                                                 \
	X("xor", "30 r", BYTE, 0, ALL, AF)                                                                             \
	X("xor", "31 r", V, 0, ALL, AF)                                                                                \
	X("cmp", "38 r", BYTE, 0, ALL, 0)                                                                              \
	X("cmp", "39 r", V, 0, ALL, 0)                                                                                 \
	X("cmp", "3d v", V, 0, ALL, 0)                                                                                 \
	X("add", "80 /0 b", BYTE, 0, ALL, 0)                                                                           \
	X("adc", "81 /2 v", V, CF, ALL, 0)                                                                             \
	X("sbb", "83 /3 b", V, CF, ALL, 0)                                                                             \
	X("and", "83 /4 b", V, 0, ALL, AF)                                                                             \
	X("sub", "81 /5 v", V, 0, ALL, 0)                                                                              \
	X("cmp", "83 /7 b", V, 0, ALL, 0)                                                                              \
	X("test", "84 r", BYTE, 0, ALL, AF)                                                                            \
	X("test", "85 r", V, 0, ALL, AF)                                                                               \
	X("test", "f6 /0 b", BYTE, 0, ALL, AF)                                                                         \
	X("test", "f7 /1 v", V, 0, ALL, AF)                                                                            \
	X("not", "f6 /2", BYTE, 0, 0, 0)                                                                               \
	X("not", "f7 /2", V, 0, 0, 0)                                                                                  \
	X("neg", "f6 /3", BYTE, 0, ALL, 0)                                                                             \
	X("neg", "f7 /3", V, 0, ALL, 0)                                                                                \
	X("inc", "fe /0", BYTE, 0, ALL & ~CF, 0)                                                                       \
	X("inc", "ff /0", V, 0, ALL & ~CF, 0)                                                                          \
	X("dec", "fe /1", BYTE, 0, ALL & ~CF, 0)                                                                       \
	X("dec", "ff /1", V, 0, ALL & ~CF, 0)                                                                          \
	X("rol", "d0 /0", BYTE, 0, CF | OF, 0)                                                                         \
	X("ror", "d1 /1", V, 0, CF | OF, 0)                                                                            \
	X("rcl", "d1 /2", V, CF, CF | OF, 0)                                                                           \
	X("rcr", "d0 /3", BYTE, CF, CF | OF, 0)                                                                        \
	X("shl", "d1 /4", V, 0, ALL, AF)                                                                               \
	X("shr", "d0 /5", BYTE, 0, ALL, AF)                                                                            \
	X("sar", "d1 /7", V, 0, ALL, AF)                                                                               \
	X("rol", "c1 /0 b", V, 0, 0, OF)                                                                               \
	X("rol", "d2 /0", BYTE, 0, 0, OF)                                                                              \
	X("ror", "c0 /1 b", BYTE, 0, 0, OF)                                                                            \
	X("ror", "d3 /1", V, 0, 0, OF)                                                                                 \
	X("rcl", "c1 /2 b", V, CF, 0, OF)                                                                              \
	X("rcl", "d2 /2", BYTE, CF, 0, OF)                                                                             \
	X("rcr", "c0 /3 b", BYTE, CF, 0, OF)                                                                           \
	X("rcr", "d3 /3", V, CF, 0, OF)                                                                                \
	X("shl", "c1 /4 b", LONG | LONG64, 0, 0, AF | OF)                                                              \
	X("shl", "d2 /4", BYTE, 0, 0, AF | OF | CF)                                                                    \
	X("shl", "d3 /6", WORD, 0, 0, AF | OF | CF)                                                                    \
	X("shr", "c0 /5 b", BYTE, 0, 0, AF | OF | CF)                                                                  \
	X("shr", "d3 /5", LONG | LONG64, 0, 0, AF | OF)                                                                \
	X("sar", "c1 /7 b", V, 0, 0, AF | OF)                                                                          \
	X("sar", "d2 /7", BYTE, 0, 0, AF | OF)                                                                         \
	X("shld", "0f a4 r b", LONG | LONG64, 0, 0, AF | OF)                                                           \
	X("shld", "0f a5 r", LONG | LONG64, 0, 0, AF | OF)                                                             \
	X("shrd", "0f ac r b", LONG | LONG64, 0, 0, AF | OF)                                                           \
	X("shrd", "0f ad r", LONG | LONG64, 0, 0, AF | OF)                                                             \
	X("mul", "f6 /4", BYTE, 0, CF | OF, SF | ZF | AF | PF)                                                         \
	X("mul", "f7 /4", V, 0, CF | OF, SF | ZF | AF | PF)                                                            \
	X("imul", "f6 /5", BYTE, 0, CF | OF, SF | ZF | AF | PF)                                                        \
	X("imul", "f7 /5", V, 0, CF | OF, SF | ZF | AF | PF)                                                           \
	X("imul", "0f af r", V, 0, CF | OF, SF | ZF | AF | PF)                                                         \
	X("imul", "69 r v", V, 0, CF | OF, SF | ZF | AF | PF)                                                          \
	X("imul", "6b r b", V, 0, CF | OF, SF | ZF | AF | PF)                                                          \
	X("div", "f6 /6", BYTE, 0, 0, ALL)                                                                             \
	X("div", "f7 /6", V, 0, 0, ALL)                                                                                \
	X("idiv", "f6 /7", BYTE, 0, 0, ALL)                                                                            \
	X("idiv", "f7 /7", V, 0, 0, ALL)                                                                               \
	X("bt", "0f a3 rR", V, 0, CF, OF | SF | AF | PF)                                                               \
	X("bts", "0f ba /5 b", V, 0, CF, OF | SF | AF | PF)                                                            \
	X("btr", "0f b3 rR", V, 0, CF, OF | SF | AF | PF)                                                              \
	X("btc", "0f bb r", V, 0, CF, OF | SF | AF | PF)                                                               \
	X("bsf", "0f bc r", V, 0, ZF, CF | OF | SF | AF | PF)                                                          \
	X("bsr", "0f bd r", V, 0, ZF, CF | OF | SF | AF | PF)                                                          \
	X("tzcnt", "f3 0f bc r", V, 0, CF | ZF, OF | SF | AF | PF)                                                     \
	X("lzcnt", "f3 0f bd r", V, 0, CF | ZF, OF | SF | AF | PF)                                                     \
	X("popcnt", "f3 0f b8 r", V, 0, ALL, 0)                                                                        \
	X("cbw", "98", V, 0, 0, 0)                                                                                     \
	X("cwd", "99", V, 0, 0, 0)                                                                                     \
	X("lahf", "9f", BYTE, SF | ZF | AF | PF | CF, 0, 0)                                                            \
	X("sahf", "9e", BYTE, 0, SF | ZF | AF | PF | CF, 0)                                                            \
	X("clc", "f8", BYTE, 0, CF, 0)                                                                                 \
	X("stc", "f9", BYTE, 0, CF, 0)                                                                                 \
	X("cmc", "f5", BYTE, CF, CF, 0)                                                                                \
	X("cld", "fc", BYTE, 0, 0, 0)                                                                                  \
	X("std", "fd", BYTE, 0, 0, 0)                                                                                  \
	X("setb", "0f 92 /0", BYTE, CF, 0, 0)                                                                          \
	X("setnle", "0f 9f /0", BYTE, ZF | SF | OF, 0, 0)                                                              \
	X("setp", "0f 9a /0", BYTE, PF, 0, 0)                                                                          \
	X("cmovno", "0f 41 r", V, OF, 0, 0)                                                                            \
	X("cmovbe", "0f 46 r", V, CF | ZF, 0, 0)                                                                       \
	X("cmovl", "0f 4c r", V, SF | OF, 0, 0)                                                                        \
	X("jo", "70 j", QUAD, OF, 0, 0)                                                                                \
	X("jnb", "73 j", QUAD, CF, 0, 0)                                                                               \
	X("jz", "74 j", QUAD, ZF, 0, 0)                                                                                \
	X("jbe", "76 j", QUAD, CF | ZF, 0, 0)                                                                          \
	X("js", "0f 88 J", QUAD, SF, 0, 0)                                                                             \
	X("jnl", "0f 8d J", QUAD, SF | OF, 0, 0)                                                                       \
	X("jrcxz", "e3 j", QUAD, 0, 0, 0)                                                                              \
	X("loop", "e2 j", QUAD, 0, 0, 0)                                                                               \
	X("loopne", "e0 j", QUAD, ZF, 0, 0)                                                                            \
	X("jmp", "eb j", QUAD, 0, 0, 0)                                                                                \
	X("call", "e8 J", QUAD, 0, 0, 0)                                                                               \
	X("push", "50+", STACK, 0, 0, 0)                                                                               \
	X("push", "ff /6", STACK, 0, 0, 0)                                                                             \
	X("push", "6a b", STACK, 0, 0, 0)                                                                              \
	X("push", "68 v", STACK, 0, 0, 0)                                                                              \
	X("pop", "58+", STACK, 0, 0, 0)                                                                                \
	X("pop", "8f /0", STACK, 0, 0, 0)                                                                              \
	X("pushf", "9c", STACK, ALL, 0, 0)                                                                             \
	X("enter", "c8 w b", QUAD, 0, 0, 0)                                                                            \
	X("leave", "c9", QUAD, 0, 0, 0)                                                                                \
	X("ret", "c3", QUAD, 0, 0, 0)                                                                                  \
	X("movsb", "s a4", BYTE, 0, 0, 0)                                                                              \
	X("movs", "s a5", V, 0, 0, 0)                                                                                  \
	X("stosb", "s aa", BYTE, 0, 0, 0)                                                                              \
	X("stos", "s ab", V, 0, 0, 0)                                                                                  \
	X("lods", "s ad", V, 0, 0, 0)                                                                                  \
	X("scasb", "s ae", BYTE, 0, 0, ALL)                                                                            \
	X("scas", "s af", V, 0, 0, ALL)                                                                                \
	X("cmpsb", "s a6", BYTE, 0, 0, ALL)                                                                            \
	X("cmps", "s a7", V, 0, 0, ALL)                                                                                \
	X("nop", "0f 1f /0", V, 0, 0, 0)                                                                               \
	X("ud2", "0f 0b", QUAD, 0, 0, 0)

#endif
