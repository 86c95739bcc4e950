/* Control, debug and descriptor-table registers, and what invalidates translations. SDM 3A 2.5 to 2.8; SDM 2. */
#include "insn_rows.h"

static enum outcome done_if(struct execution *x, bool accepted)
{
	return accepted ? OUTCOME_DONE : refuse_protection(x);
}

static enum outcome write_or_refuse(struct execution *x, uint64_t value)
{
	return operand_write(x, 0, value) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

/* ---- control registers ---- */

#define LOADS_CONTROL(ID, load)                                                                                        \
	enum outcome insn_##ID(struct execution *x)                                                                    \
	{                                                                                                              \
		uint64_t value;                                                                                        \
		(void)operand_read(x, 1, &value);                                                                      \
		return done_if(x, load(x->machine, value));                                                            \
	}

static bool load_cr2(struct machine *machine, uint64_t value)
{
	machine->cpu.cr2 = value;
	return true;
}

/* Bits 3:0 hold the task priority class, the others are reserved. SDM 3A 10.8.6 */
static bool load_cr8(struct machine *machine, uint64_t value)
{
	if (value > 15)
		return false;
	machine->cpu.cr8 = value;
	return true;
}

LOADS_CONTROL(MOV_TO_CR0, control_load_cr0)
LOADS_CONTROL(MOV_TO_CR2, load_cr2)
LOADS_CONTROL(MOV_TO_CR3, control_load_cr3)
LOADS_CONTROL(MOV_TO_CR4, control_load_cr4)
LOADS_CONTROL(MOV_TO_CR8, load_cr8)

#define SHOWS_REGISTER(ID, field)                                                                                      \
	enum outcome insn_##ID(struct execution *x)                                                                    \
	{                                                                                                              \
		return write_or_refuse(x, x->cpu->field);                                                              \
	}

SHOWS_REGISTER(MOV_FROM_CR0, cr0)
SHOWS_REGISTER(MOV_FROM_CR2, cr2)
SHOWS_REGISTER(MOV_FROM_CR3, cr3)
SHOWS_REGISTER(MOV_FROM_CR4, cr4)
SHOWS_REGISTER(MOV_FROM_CR8, cr8)
SHOWS_REGISTER(SMSW, cr0)
SHOWS_REGISTER(SLDT, ldtr)
SHOWS_REGISTER(STR, tr)

enum outcome insn_LMSW(struct execution *x)
{
	uint64_t cr0 = x->cpu->cr0, value;
	if (!operand_read(x, 0, &value))
		return OUTCOME_REFUSED;
	uint64_t low = (value & 15) | (cr0 & CR0_PE);
	return done_if(x, control_load_cr0(x->machine, (cr0 & ~(uint64_t)15) | low));
}

enum outcome insn_CLTS(struct execution *x)
{
	x->cpu->cr0 &= ~CR0_TS;
	return OUTCOME_DONE;
}

/* ---- debug registers ---- */

#define DR6_BD ((uint64_t)1 << 13)
#define DR6_FIXED (uint64_t)0xffff0ff0
#define DR7_GD ((uint64_t)1 << 13)
#define DR7_FIXED (uint64_t)0x400
#define DR7_WRITABLE (uint64_t)0xffff2bff

/* DR4 and DR5 are names of DR6 and DR7, unless CR4.DE forbids it; with DR7.GD every access is itself a debug event. */
static enum outcome find_debug(struct execution *x, unsigned index, unsigned *found)
{
	*found = index;
	if (index >= 8 || ((index == 4 || index == 5) && (x->cpu->cr4 & CR4_DE)))
		return refuse(x, VECTOR_INVALID_OPCODE, 0);
	if (index == 4 || index == 5)
		*found += 2;
	if (x->cpu->dr[7] & DR7_GD) {
		x->before.dr[6] |= DR6_BD;
		x->before.dr[7] &= ~DR7_GD;
		return refuse(x, VECTOR_DEBUG, 0);
	}
	return OUTCOME_DONE;
}

enum outcome insn_MOV_FROM_DR(struct execution *x)
{
	unsigned index;
	enum outcome found = find_debug(x, operand(x, 1)->reg, &index);
	return found == OUTCOME_DONE ? write_or_refuse(x, x->cpu->dr[index]) : found;
}

enum outcome insn_MOV_TO_DR(struct execution *x)
{
	unsigned index;
	uint64_t value;
	enum outcome found = find_debug(x, operand(x, 0)->reg, &index);
	if (found != OUTCOME_DONE)
		return found;
	(void)operand_read(x, 1, &value);
	if (index >= 6 && value >> 32)
		return refuse_protection(x);
	if (index == 6)
		value = (value & 0xe00f) | DR6_FIXED;
	if (index == 7)
		value = (value & DR7_WRITABLE) | DR7_FIXED;
	x->cpu->dr[index] = value;
	return OUTCOME_DONE;
}

/* ---- descriptor tables: 2 bytes of limit, then the base, 8 bytes in 64-bit mode, else 4 ---- */

static enum outcome load_table(struct execution *x, struct descriptor_table *table)
{
	const struct operand *o = operand(x, 0);
	struct descriptor_table loaded = {.base = {0}};
	uint8_t raw[10];
	unsigned bytes = in_64bit_mode(x->cpu) ? 10 : 6;
	if (!memory_read(x, o->segment, effective_address(x, o), bytes, raw))
		return OUTCOME_REFUSED;
	memcpy(&loaded.limit, raw, sizeof(loaded.limit));
	memcpy(&loaded.base.v, raw + sizeof(loaded.limit), bytes - sizeof(loaded.limit));
	if (bytes == 6 && x->insn->operand_bytes == 2)
		loaded.base.v &= 0xffffff;
	if (bytes == 10 && !vaddr_is_canonical(loaded.base, x->machine->mmu->paging.levels))
		return refuse_protection(x);
	*table = loaded;
	return OUTCOME_DONE;
}

static enum outcome store_table(struct execution *x, const struct descriptor_table *table)
{
	const struct operand *o = operand(x, 0);
	uint8_t raw[10];
	unsigned bytes = in_64bit_mode(x->cpu) ? 10 : 6;
	memcpy(raw, &table->limit, sizeof(table->limit));
	memcpy(raw + sizeof(table->limit), &table->base.v, sizeof(table->base.v));
	return memory_write(x, o->segment, effective_address(x, o), bytes, raw) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome insn_LGDT(struct execution *x)
{
	return load_table(x, &x->cpu->gdtr);
}

enum outcome insn_LIDT(struct execution *x)
{
	return load_table(x, &x->cpu->idtr);
}

enum outcome insn_SGDT(struct execution *x)
{
	return store_table(x, &x->cpu->gdtr);
}

enum outcome insn_SIDT(struct execution *x)
{
	return store_table(x, &x->cpu->idtr);
}

typedef bool load_selector_fn(struct machine *machine, uint16_t selector, struct trap *trap);

static enum outcome load_selector(struct execution *x, load_selector_fn *load)
{
	uint64_t selector;
	return operand_read(x, 0, &selector) && load(x->machine, (uint16_t)selector, &x->trap) ? OUTCOME_DONE
											       : OUTCOME_REFUSED;
}

enum outcome insn_LLDT(struct execution *x)
{
	return load_selector(x, control_load_ldt);
}

enum outcome insn_LTR(struct execution *x)
{
	return load_selector(x, control_load_tr);
}

/* ---- translations and caches ---- */

enum outcome insn_INVLPG(struct execution *x)
{
	const struct operand *o = operand(x, 0);
	struct vaddr va;
	(void)segment_reach(x->cpu, (enum segment_register)o->segment, effective_address(x, o), 1, ACCESS_READ, &va);
	/* An address that cannot be mapped is not refused, there is just nothing to drop. */
	if (vaddr_is_canonical(va, x->machine->mmu->paging.levels))
		mmu_drop_page(x->machine->mmu, va);
	return OUTCOME_DONE;
}

enum outcome insn_INVPCID(struct execution *x)
{
	const struct operand *o = operand(x, 1);
	uint64_t type, descriptor[2];
	(void)operand_read(x, 0, &type);
	if (!memory_read(x, o->segment, effective_address(x, o), sizeof(descriptor), descriptor))
		return OUTCOME_REFUSED;
	uint64_t pcid = descriptor[0];
	struct vaddr va = vaddr(descriptor[1]);
	bool no_pcids = type <= INVPCID_CONTEXT && pcid && !(x->cpu->cr4 & CR4_PCIDE);
	if (type >= INVPCID_TYPE_COUNT || pcid & ~CR3_PCID_MASK || no_pcids ||
	    (type == INVPCID_ADDRESS && !vaddr_is_canonical(va, x->machine->mmu->paging.levels)))
		return refuse_protection(x);
	mmu_invpcid(x->machine->mmu, (enum invpcid_type)type, pcid, va);
	return OUTCOME_DONE;
}

enum outcome insn_INVD(struct execution *x)
{
	(void)x;
	return OUTCOME_DONE;
}

enum outcome insn_WBINVD(struct execution *x)
{
	(void)x;
	return OUTCOME_DONE;
}

/* ---- RFLAGS.AC and PKRU ---- */

static enum outcome put_ac(struct execution *x, uint64_t value)
{
	if (x->cpu->cpl != 0)
		return refuse(x, VECTOR_INVALID_OPCODE, 0);
	flags_put(x->cpu, RFLAGS_AC, value);
	return OUTCOME_DONE;
}

enum outcome insn_STAC(struct execution *x)
{
	return put_ac(x, RFLAGS_AC);
}

enum outcome insn_CLAC(struct execution *x)
{
	return put_ac(x, 0);
}

/* ECX is reserved for other such registers. */
static enum outcome check_pkru(struct execution *x, uint64_t reserved)
{
	if (!(x->cpu->cr4 & CR4_PKE))
		return refuse(x, VECTOR_INVALID_OPCODE, 0);
	return (uint32_t)reserved ? refuse_protection(x) : OUTCOME_DONE;
}

enum outcome insn_RDPKRU(struct execution *x)
{
	enum outcome outcome = check_pkru(x, x->cpu->gpr[GPR_RCX]);
	if (outcome == OUTCOME_DONE) {
		x->cpu->gpr[GPR_RAX] = x->cpu->pkru;
		x->cpu->gpr[GPR_RDX] = 0;
	}
	return outcome;
}

enum outcome insn_WRPKRU(struct execution *x)
{
	enum outcome outcome = check_pkru(x, x->cpu->gpr[GPR_RCX] | x->cpu->gpr[GPR_RDX]);
	if (outcome == OUTCOME_DONE)
		machine_write_pkru(x->machine, (uint32_t)x->cpu->gpr[GPR_RAX]);
	return outcome;
}
