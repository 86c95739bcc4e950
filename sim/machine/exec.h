/* One instruction on its way: what the decoder made of it, and what its meaning is written with. The files insn_*.c
 * hold one function a row of the table; each reads its operands first, checks, and changes the processor last. Whatever
 * it changed before a refusal is taken back by exec.c, so a faulting instruction leaves nothing behind. */
#ifndef FAULTLINE_EXEC_H
#define FAULTLINE_EXEC_H

#include "machine_private.h"

enum operand_kind {
	OPERAND_NONE,
	OPERAND_REGISTER,  /* reg; bytes may be 1, 2, 4, 8 */
	OPERAND_HIGH_BYTE, /* AH, CH, DH, BH: reg 0 to 3 */
	OPERAND_MEMORY,
	OPERAND_IMMEDIATE, /* value, sign-extended where the encoding says so */
	OPERAND_SEGMENT,   /* reg: enum segment_register */
	OPERAND_CONTROL,
	OPERAND_DEBUG,
	OPERAND_POINTER, /* selector:value */
};

enum { REGISTER_NONE = 0xff, REGISTER_RIP = 0xfe, MAX_OPERANDS = 4 };

struct operand {
	uint8_t kind;
	uint8_t bytes;
	uint8_t reg;
	uint8_t segment, base, index, scale; /* of memory */
	uint16_t selector;
	uint64_t value; /* immediate, or displacement */
};

enum repeat { REPEAT_NONE, REPEAT_EQUAL, REPEAT_NOT_EQUAL };

struct decoded {
	const char *text; /* mnemonic */
	enum insn insn;
	uint8_t length;
	uint8_t operand_bytes, address_bytes, stack_bytes;
	uint8_t condition; /* of Jcc, SETcc, CMOVcc, LOOPcc */
	uint8_t repeat;
	uint8_t segment; /* of the source of a string instruction */
	uint8_t count;   /* operands that the instruction spells out */
	struct operand operand[MAX_OPERANDS];
};

/* What an instruction came to. */
enum outcome {
	OUTCOME_DONE,    /* go on behind it */
	OUTCOME_JUMPED,  /* RIP is set */
	OUTCOME_AGAIN,   /* a REP that is not through: the same instruction goes on */
	OUTCOME_REFUSED, /* `trap`, as if it had never begun */
	OUTCOME_TRAP,    /* `trap`, once it is done */
	OUTCOME_STOPPED, /* the machine stopped, or does not know how */
};

/* Bytes in RAM that an access may use: of one page, or of two. */
struct span {
	struct paddr part[2];
	uint64_t first; /* bytes in part[0] */
	uint64_t bytes; /* 0: no span */
};

struct execution {
	struct machine *machine;
	struct cpu *cpu;
	const struct decoded *insn;
	uint64_t next_rip;
	struct trap trap;
	struct cpu before; /* to go back to when refused */
	bool told;         /* its event is out */
	struct span span;  /* of the destination in memory, once read */
};

typedef enum outcome insn_fn(struct execution *x);

/* ---- insn.c: the table ---- */
enum insn_gives { GIVES_NOTHING, GIVES_OP0, GIVES_OP1, GIVES_RCX, GIVES_RAX };
insn_fn *insn_function(enum insn insn);
/* The encoding of a named instruction, as hexadecimal digits, and what an operand given with the name replaces. */
const char *insn_encoding(enum insn insn, enum insn_gives *gives);

/* ---- decode.c ---- */
enum code_mode { CODE_16, CODE_32, CODE_64 };
enum code_mode code_mode(const struct cpu *cpu);
enum { MAX_INSN_BYTES = 15 };
enum decode_result { DECODE_OK, DECODE_INVALID, DECODE_TOO_LONG, DECODE_MORE, DECODE_UNKNOWN };
/* Decodes from `bytes`. UNKNOWN: valid, but without a row; out->text names it. MORE: the bytes end too early. */
enum decode_result decode(enum code_mode mode, const uint8_t *bytes, unsigned count, struct decoded *out);

/* ---- operand.c ---- */
static inline enum outcome refuse(struct execution *x, unsigned vector, uint32_t error)
{
	x->trap = (struct trap){
	    .vector = vector,
	    .has_error = vector >= VECTOR_INVALID_TSS || vector == VECTOR_DOUBLE_FAULT,
	    .error = error,
	};
	return OUTCOME_REFUSED;
}

static inline enum outcome refuse_protection(struct execution *x)
{
	return refuse(x, VECTOR_PROTECTION, 0);
}

static inline bool in_64bit_mode(const struct cpu *cpu)
{
	return code_mode(cpu) == CODE_64;
}

static inline bool in_long_mode(const struct cpu *cpu)
{
	return (cpu->efer & EFER_LMA) != 0;
}

static inline uint64_t low_bits(uint64_t value, unsigned bytes)
{
	return bytes >= 8 ? value : value & (((uint64_t)1 << 8 * bytes) - 1);
}

static inline uint64_t sign_bit(unsigned bytes)
{
	return (uint64_t)1 << (8 * bytes - 1);
}

static inline uint64_t sign_extend(uint64_t value, unsigned bytes)
{
	uint64_t sign = sign_bit(bytes);
	return (low_bits(value, bytes) ^ sign) - sign;
}

static inline const struct operand *operand(const struct execution *x, unsigned index)
{
	return &x->insn->operand[index];
}

/* Registers by width: 32-bit writes clear the upper half, narrower ones keep the rest. */
uint64_t register_read(const struct cpu *cpu, unsigned reg, unsigned bytes);
void register_write(struct cpu *cpu, unsigned reg, unsigned bytes, uint64_t value);

uint64_t effective_address(const struct execution *x, const struct operand *memory);

/* Memory through a segment at an offset. False: x->trap says why not. */
bool memory_reach(struct execution *x, unsigned segment, uint64_t offset, unsigned bytes, enum access_kind kind,
		  struct span *span);
bool memory_read(struct execution *x, unsigned segment, uint64_t offset, unsigned bytes, void *out);
bool memory_write(struct execution *x, unsigned segment, uint64_t offset, unsigned bytes, const void *data);
void span_read(const struct machine *machine, const struct span *span, void *out);
void span_write(struct machine *machine, const struct span *span, const void *data);

/* operand_modify also asks for the right to write, as the read of an instruction that will write does. */
bool operand_read(struct execution *x, unsigned index, uint64_t *value);
bool operand_modify(struct execution *x, unsigned index, uint64_t *value);
bool operand_write(struct execution *x, unsigned index, uint64_t value);

/* The stack, in words of `bytes`. pop moves RSP, peek does not; a refusal restores RSP with everything else. */
bool stack_push(struct execution *x, unsigned bytes, uint64_t value);
bool stack_pop(struct execution *x, unsigned bytes, uint64_t *value);
bool stack_peek(struct execution *x, uint64_t above, unsigned bytes, uint64_t *value);
void stack_move(struct execution *x, uint64_t distance);

/* Checks that code may go on at `rip` in the present code segment, and goes there. */
enum outcome jump_to(struct execution *x, uint64_t rip);

/* ---- flags.c ---- */
#define FLAGS_ARITHMETIC (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

static inline void flags_put(struct cpu *cpu, uint64_t mask, uint64_t value)
{
	cpu->rflags = (cpu->rflags & ~mask) | (value & mask);
}

static inline bool flag(const struct cpu *cpu, uint64_t bit)
{
	return (cpu->rflags & bit) != 0;
}

uint64_t flags_of_result(uint64_t value, unsigned bytes);                                      /* SF ZF PF */
uint64_t flags_add(struct cpu *cpu, uint64_t a, uint64_t b, bool carry, unsigned bytes);       /* sets them; a + b */
uint64_t flags_subtract(struct cpu *cpu, uint64_t a, uint64_t b, bool borrow, unsigned bytes); /* a - b */
void flags_logic(struct cpu *cpu, uint64_t value, unsigned bytes);
bool condition_holds(const struct cpu *cpu, unsigned condition);
static inline unsigned io_privilege(const struct cpu *cpu)
{
	return (unsigned)(cpu->rflags & RFLAGS_IOPL) >> 12;
}

/* Whether the bytes at this port are open to the current ring. False: x->trap. */
bool port_is_open(struct execution *x, uint64_t port, unsigned bytes);

/* RFLAGS as POPF and IRET may change them at this ring. */
uint64_t flags_popped(const struct cpu *cpu, uint64_t popped, unsigned bytes);

/* Publishes the instruction before what it does, where that has events of its own. */
void execution_tell(struct execution *x);

struct decoded_slot {
	uint8_t bytes[MAX_INSN_BYTES];
	uint8_t mode;
	struct decoded insn; /* length 0: empty */
};

enum { DECODED_SLOTS = 256 };

#endif
