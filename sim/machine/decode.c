/* From bytes to an instruction. The work is Zydis's; here its answer is put into the few words that the rest of the
 * processor needs, and every answer that is no row of the table is told apart: invalid (#UD), too long (#GP), or valid
 * and unknown to us. */
#include <Zydis/Zydis.h>

#include "exec.h"
#include "mnemonics.h"

enum code_mode code_mode(const struct cpu *cpu)
{
	uint16_t flags = cpu->shadow[SREG_CS].flags;
	if ((cpu->efer & EFER_LMA) && SHADOW_IS_LONG(flags))
		return CODE_64;
	return SHADOW_IS_32BIT(flags) ? CODE_32 : CODE_16;
}

/* ---- operands ---- */

static uint8_t register_number(ZydisRegister reg)
{
	if (reg == ZYDIS_REGISTER_NONE)
		return REGISTER_NONE;
	if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
		return REGISTER_RIP;
	return (uint8_t)ZydisRegisterGetId(reg);
}

static uint8_t segment_number(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_NONE ? SREG_DS : (uint8_t)(reg - ZYDIS_REGISTER_ES);
}

static void take_register(const ZydisDecodedOperand *from, struct operand *to)
{
	ZydisRegister reg = from->reg.value;
	if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH) {
		to->kind = OPERAND_HIGH_BYTE;
		to->reg = (uint8_t)(reg - ZYDIS_REGISTER_AH);
		return;
	}
	switch ((unsigned)ZydisRegisterGetClass(reg)) {
	case ZYDIS_REGCLASS_SEGMENT:
		to->kind = OPERAND_SEGMENT;
		to->reg = segment_number(reg);
		break;
	case ZYDIS_REGCLASS_CONTROL:
		to->kind = OPERAND_CONTROL;
		to->reg = register_number(reg);
		break;
	case ZYDIS_REGCLASS_DEBUG:
		to->kind = OPERAND_DEBUG;
		to->reg = register_number(reg);
		break;
	default:
		to->kind = OPERAND_REGISTER;
		/* The decoder numbers AL CL DL BL, AH CH DH BH, SPL and so on one after another. */
		to->reg = reg >= ZYDIS_REGISTER_SPL && reg <= ZYDIS_REGISTER_R15B
			      ? (uint8_t)(reg - ZYDIS_REGISTER_SPL + GPR_RSP)
			      : register_number(reg);
		break;
	}
}

static void take_memory(const ZydisDecodedOperand *from, struct operand *to)
{
	to->kind = OPERAND_MEMORY;
	to->segment = segment_number(from->mem.segment);
	to->base = register_number(from->mem.base);
	to->index = register_number(from->mem.index);
	to->scale = from->mem.scale;
	to->value = from->mem.disp.has_displacement ? (uint64_t)from->mem.disp.value : 0;
}

static void take_operand(const ZydisDecodedOperand *from, struct operand *to)
{
	*to = (struct operand){.bytes = (uint8_t)(from->size / 8), .base = REGISTER_NONE, .index = REGISTER_NONE};
	switch ((unsigned)from->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		take_register(from, to);
		break;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		take_memory(from, to);
		break;
	case ZYDIS_OPERAND_TYPE_POINTER:
		to->kind = OPERAND_POINTER;
		to->selector = from->ptr.segment;
		to->value = from->ptr.offset;
		break;
	default:
		to->kind = OPERAND_IMMEDIATE;
		to->value = from->imm.value.u;
		break;
	}
}

/* ---- rows ---- */

static enum insn mov_form(const struct decoded *insn)
{
	switch (insn->operand[0].kind) {
	case OPERAND_SEGMENT:
		return INSN_MOV_TO_SREG;
	case OPERAND_DEBUG:
		return INSN_MOV_TO_DR;
	case OPERAND_CONTROL: {
		static const enum insn to[] = {[0] = INSN_MOV_TO_CR0,
					       [2] = INSN_MOV_TO_CR2,
					       [3] = INSN_MOV_TO_CR3,
					       [4] = INSN_MOV_TO_CR4,
					       [8] = INSN_MOV_TO_CR8};
		return to[insn->operand[0].reg];
	}
	default:
		break;
	}
	switch (insn->operand[1].kind) {
	case OPERAND_SEGMENT:
		return INSN_MOV_FROM_SREG;
	case OPERAND_DEBUG:
		return INSN_MOV_FROM_DR;
	case OPERAND_CONTROL: {
		static const enum insn from[] = {[0] = INSN_MOV_FROM_CR0,
						 [2] = INSN_MOV_FROM_CR2,
						 [3] = INSN_MOV_FROM_CR3,
						 [4] = INSN_MOV_FROM_CR4,
						 [8] = INSN_MOV_FROM_CR8};
		return from[insn->operand[1].reg];
	}
	default:
		return INSN_MOV;
	}
}

/* The vector instructions MOVSD and CMPSD share the mnemonic of the string instructions. */
static bool is_vector(const ZydisDecodedInstruction *z)
{
	return (z->mnemonic == ZYDIS_MNEMONIC_MOVSD || z->mnemonic == ZYDIS_MNEMONIC_CMPSD) &&
	       z->meta.category != ZYDIS_CATEGORY_STRINGOP;
}

static enum insn row_of(const ZydisDecodedInstruction *z, struct decoded *out)
{
	bool is_far = z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
	if (is_vector(z))
		return INSN_ALL;
	switch ((unsigned)z->mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		return mov_form(out);
	case ZYDIS_MNEMONIC_JMP:
		return is_far ? INSN_JMP_FAR : INSN_JMP;
	case ZYDIS_MNEMONIC_CALL:
		return is_far ? INSN_CALL_FAR : INSN_CALL;
	case ZYDIS_MNEMONIC_RET:
		return is_far ? INSN_RET_FAR : INSN_RET;
	case ZYDIS_MNEMONIC_LOOP:
	case ZYDIS_MNEMONIC_LOOPE:
	case ZYDIS_MNEMONIC_LOOPNE:
		out->condition = z->mnemonic == ZYDIS_MNEMONIC_LOOP ? 0 : z->mnemonic == ZYDIS_MNEMONIC_LOOPE ? 4 : 5;
		return INSN_LOOP;
#define X(suffix, code)                                                                                                \
	case ZYDIS_MNEMONIC_J##suffix:                                                                                 \
		out->condition = (code);                                                                               \
		return INSN_JCC;                                                                                       \
	case ZYDIS_MNEMONIC_SET##suffix:                                                                               \
		out->condition = (code);                                                                               \
		return INSN_SET;                                                                                       \
	case ZYDIS_MNEMONIC_CMOV##suffix:                                                                              \
		out->condition = (code);                                                                               \
		return INSN_CMOV;
		CONDITION_LIST(X)
#undef X
#define X(mnemonic, row)                                                                                               \
	case ZYDIS_MNEMONIC_##mnemonic:                                                                                \
		return INSN_##row;
		MNEMONIC_LIST(X)
#undef X
	default:
		return INSN_ALL;
	}
}

/* ---- the whole ---- */

static uint8_t string_segment(ZydisInstructionAttributes attributes)
{
	if (attributes & ZYDIS_ATTRIB_HAS_SEGMENT_CS)
		return SREG_CS;
	if (attributes & ZYDIS_ATTRIB_HAS_SEGMENT_SS)
		return SREG_SS;
	if (attributes & ZYDIS_ATTRIB_HAS_SEGMENT_ES)
		return SREG_ES;
	if (attributes & ZYDIS_ATTRIB_HAS_SEGMENT_FS)
		return SREG_FS;
	return attributes & ZYDIS_ATTRIB_HAS_SEGMENT_GS ? SREG_GS : SREG_DS;
}

static void take(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands, struct decoded *out)
{
	*out = (struct decoded){
	    .text = ZydisMnemonicGetString(z->mnemonic),
	    .length = z->length,
	    .operand_bytes = (uint8_t)(z->operand_width / 8),
	    .address_bytes = (uint8_t)(z->address_width / 8),
	    .stack_bytes = (uint8_t)(z->stack_width / 8),
	    .segment = string_segment(z->attributes),
	    .count = z->operand_count_visible < MAX_OPERANDS ? z->operand_count_visible : MAX_OPERANDS,
	};
	if (z->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE))
		out->repeat = REPEAT_EQUAL;
	else if (z->attributes & ZYDIS_ATTRIB_HAS_REPNE)
		out->repeat = REPEAT_NOT_EQUAL;
	for (unsigned i = 0; i < out->count; i++)
		take_operand(&operands[i], &out->operand[i]);
	out->insn = row_of(z, out);
}

enum decode_result decode(enum code_mode mode, const uint8_t *bytes, unsigned count, struct decoded *out)
{
	static const struct {
		ZydisMachineMode mode;
		ZydisStackWidth stack;
	} modes[] = {
	    [CODE_16] = {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16},
	    [CODE_32] = {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32},
	    [CODE_64] = {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64},
	};
	ZydisDecoder decoder;
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	if (ZYAN_FAILED(ZydisDecoderInit(&decoder, modes[mode].mode, modes[mode].stack)))
		return DECODE_INVALID;
	ZyanStatus status = ZydisDecoderDecodeFull(&decoder, bytes, count, &z, operands);
	if (status == ZYDIS_STATUS_NO_MORE_DATA)
		return count >= MAX_INSN_BYTES ? DECODE_TOO_LONG : DECODE_MORE;
	if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG)
		return DECODE_TOO_LONG;
	if (ZYAN_FAILED(status))
		return DECODE_INVALID;
	take(&z, operands, out);
	return out->insn == INSN_ALL ? DECODE_UNKNOWN : DECODE_OK;
}
