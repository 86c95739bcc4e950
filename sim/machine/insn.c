/* Privileged and sensitive instructions: one table says who may execute each and which function does it. */
#include "faultline/insn.h"

#include <string.h>

#include "faultline/status.h"
#include "machine_private.h"

#define CR4_TSD ((uint64_t)1 << 2)
#define CR0_TS ((uint64_t)1 << 3)

/* What an instruction came to. A refusal raises `trap`; ENTERED means that a handler ran already. */
enum insn_outcome { INSN_DONE, INSN_REFUSED, INSN_ENTERED, INSN_LEFT };

struct execution {
	struct machine *machine;
	uint64_t operand;
	struct trap trap;
	bool came_back; /* when ENTERED */
};

typedef enum insn_outcome insn_fn(struct execution *x);

static enum insn_outcome refuse(struct execution *x, unsigned vector, uint32_t error)
{
	x->trap = (struct trap){.vector = vector, .has_error = vector != VECTOR_INVALID_OPCODE, .error = error};
	return INSN_REFUSED;
}

static enum insn_outcome done_if(struct execution *x, bool accepted)
{
	return accepted ? INSN_DONE : refuse(x, VECTOR_PROTECTION, 0);
}

static enum insn_outcome return_word(struct execution *x, uint64_t value)
{
	x->machine->cpu.gpr[GPR_RAX] = value;
	return INSN_DONE;
}

/* EDX:EAX */
static uint64_t pair(const struct cpu *cpu)
{
	return (cpu->gpr[GPR_RDX] & 0xffffffff) << 32 | (cpu->gpr[GPR_RAX] & 0xffffffff);
}

static enum insn_outcome return_pair(struct execution *x, uint64_t value)
{
	x->machine->cpu.gpr[GPR_RAX] = value & 0xffffffff;
	x->machine->cpu.gpr[GPR_RDX] = value >> 32;
	return INSN_DONE;
}

static enum insn_outcome do_nothing(struct execution *x)
{
	(void)x;
	return INSN_DONE;
}

static enum insn_outcome do_hlt(struct execution *x)
{
	/* With interrupts on the processor idles; with interrupts off nothing can ever wake it. */
	if (!(x->machine->cpu.rflags & RFLAGS_IF))
		machine_stop(x->machine, "HLT in ring 0 with interrupts off");
	return INSN_DONE;
}

static enum insn_outcome do_cli(struct execution *x)
{
	x->machine->cpu.rflags &= ~RFLAGS_IF;
	return INSN_DONE;
}

static enum insn_outcome do_sti(struct execution *x)
{
	x->machine->cpu.rflags |= RFLAGS_IF;
	return INSN_DONE;
}

static enum insn_outcome do_clts(struct execution *x)
{
	x->machine->cpu.cr0 &= ~CR0_TS;
	return INSN_DONE;
}

static enum insn_outcome do_lmsw(struct execution *x)
{
	uint64_t cr0 = x->machine->cpu.cr0;
	uint64_t low = (x->operand & 15) | (cr0 & CR0_PE);
	return done_if(x, control_load_cr0(x->machine, (cr0 & ~(uint64_t)15) | low));
}

static enum insn_outcome do_mov_to_cr0(struct execution *x)
{
	return done_if(x, control_load_cr0(x->machine, x->operand));
}

static enum insn_outcome do_mov_to_cr2(struct execution *x)
{
	x->machine->cpu.cr2 = x->operand;
	return INSN_DONE;
}

static enum insn_outcome do_mov_to_cr3(struct execution *x)
{
	return done_if(x, control_load_cr3(x->machine, x->operand));
}

static enum insn_outcome do_mov_to_cr4(struct execution *x)
{
	return done_if(x, control_load_cr4(x->machine, x->operand));
}

static enum insn_outcome do_mov_from_cr0(struct execution *x)
{
	return return_word(x, x->machine->cpu.cr0);
}

static enum insn_outcome do_mov_from_cr2(struct execution *x)
{
	return return_word(x, x->machine->cpu.cr2);
}

static enum insn_outcome do_mov_from_cr3(struct execution *x)
{
	return return_word(x, x->machine->cpu.cr3);
}

static enum insn_outcome do_mov_from_cr4(struct execution *x)
{
	return return_word(x, x->machine->cpu.cr4);
}

static enum insn_outcome do_invlpg(struct execution *x)
{
	/* A non-canonical operand is no fault: nothing is dropped. SDM 2, INVLPG. */
	struct vaddr va = vaddr(x->operand);
	if (vaddr_is_canonical(va, x->machine->mmu->paging.levels))
		mmu_drop_page(x->machine->mmu, va);
	return INSN_DONE;
}

static bool transfer_table(struct execution *x, enum access_kind kind, void *data)
{
	struct fault fault;
	struct access access = {.va = vaddr(x->operand), .kind = kind, .mode = mmu_mode(&x->machine->cpu)};
	if (machine_transfer(x->machine, &access, data, 10, &fault))
		return true;
	x->trap = trap_of_fault(&fault);
	return false;
}

static enum insn_outcome load_table(struct execution *x, struct descriptor_table *table)
{
	uint8_t raw[10];
	struct descriptor_table loaded;
	if (!transfer_table(x, ACCESS_READ, raw))
		return INSN_REFUSED;
	memcpy(&loaded.limit, raw, sizeof(loaded.limit));
	memcpy(&loaded.base.v, raw + sizeof(loaded.limit), sizeof(loaded.base.v));
	if (!vaddr_is_canonical(loaded.base, x->machine->mmu->paging.levels))
		return refuse(x, VECTOR_PROTECTION, 0);
	*table = loaded;
	return INSN_DONE;
}

static enum insn_outcome store_table(struct execution *x, const struct descriptor_table *table)
{
	uint8_t raw[10];
	memcpy(raw, &table->limit, sizeof(table->limit));
	memcpy(raw + sizeof(table->limit), &table->base.v, sizeof(table->base.v));
	return transfer_table(x, ACCESS_WRITE, raw) ? INSN_DONE : INSN_REFUSED;
}

static enum insn_outcome do_lgdt(struct execution *x)
{
	return load_table(x, &x->machine->cpu.gdtr);
}

static enum insn_outcome do_lidt(struct execution *x)
{
	return load_table(x, &x->machine->cpu.idtr);
}

static enum insn_outcome do_sgdt(struct execution *x)
{
	return store_table(x, &x->machine->cpu.gdtr);
}

static enum insn_outcome do_sidt(struct execution *x)
{
	return store_table(x, &x->machine->cpu.idtr);
}

static enum insn_outcome do_ltr(struct execution *x)
{
	return control_load_tr(x->machine, (uint16_t)x->operand, &x->trap) ? INSN_DONE : INSN_REFUSED;
}

static enum insn_outcome do_str(struct execution *x)
{
	return return_word(x, x->machine->cpu.tr);
}

/* X(number, where it lives, must be canonical) of the plain 64-bit registers */
#define MSR_LIST(X)                                                                                                    \
	X(0xc0000081, cpu.star, false)                                                                                 \
	X(0xc0000082, cpu.lstar, true)                                                                                 \
	X(0xc0000084, cpu.fmask, false)                                                                                \
	X(0xc0000100, fs_base, true)                                                                                   \
	X(0xc0000101, gs_base, true)                                                                                   \
	X(0xc0000102, kernel_gs_base, true)

#define MSR_EFER 0xc0000080u

static enum insn_outcome do_rdmsr(struct execution *x)
{
	struct machine *machine = x->machine;
	switch (x->operand) {
	case MSR_EFER:
		return return_pair(x, machine->cpu.efer);
#define X(number, field, canonical)                                                                                    \
	case (number):                                                                                                 \
		return return_pair(x, machine->field);
		MSR_LIST(X)
#undef X
	default:
		return refuse(x, VECTOR_PROTECTION, 0);
	}
}

static enum insn_outcome do_wrmsr(struct execution *x)
{
	struct machine *machine = x->machine;
	uint64_t value = pair(&machine->cpu);
	bool canonical = vaddr_is_canonical(vaddr(value), machine->mmu->paging.levels);
	switch (x->operand) {
	case MSR_EFER:
		return done_if(x, control_load_efer(machine, value));
#define X(number, field, must_be_canonical)                                                                            \
	case (number):                                                                                                 \
		if ((must_be_canonical) && !canonical)                                                                 \
			return refuse(x, VECTOR_PROTECTION, 0);                                                        \
		machine->field = value;                                                                                \
		return INSN_DONE;
		MSR_LIST(X)
#undef X
	default:
		return refuse(x, VECTOR_PROTECTION, 0);
	}
}

static enum insn_outcome do_swapgs(struct execution *x)
{
	uint64_t base = x->machine->gs_base;
	x->machine->gs_base = x->machine->kernel_gs_base;
	x->machine->kernel_gs_base = base;
	return INSN_DONE;
}

static enum insn_outcome do_rdtsc(struct execution *x)
{
	return return_pair(x, x->machine->bus->cycle);
}

static enum insn_outcome do_wrpkru(struct execution *x)
{
	if (!(x->machine->cpu.cr4 & CR4_PKE))
		return refuse(x, VECTOR_INVALID_OPCODE, 0);
	machine_write_pkru(x->machine, (uint32_t)x->operand);
	return INSN_DONE;
}

static enum insn_outcome do_in(struct execution *x)
{
	x->machine->cpu.gpr[GPR_RAX] |= 0xff; /* a bus without devices floats high */
	return INSN_DONE;
}

static enum insn_outcome do_ud2(struct execution *x)
{
	return refuse(x, VECTOR_INVALID_OPCODE, 0);
}

static enum insn_outcome software_interrupt(struct execution *x, unsigned vector)
{
	x->came_back = trap_software(x->machine, vector);
	return INSN_ENTERED;
}

static enum insn_outcome do_int(struct execution *x)
{
	return software_interrupt(x, (unsigned)x->operand & 0xff);
}

static enum insn_outcome do_int3(struct execution *x)
{
	return software_interrupt(x, VECTOR_BREAKPOINT);
}

static enum insn_outcome do_syscall(struct execution *x)
{
	if (!(x->machine->cpu.efer & EFER_SCE))
		return refuse(x, VECTOR_INVALID_OPCODE, 0);
	x->came_back = machine_syscall(x->machine);
	return INSN_ENTERED;
}

static enum insn_outcome do_sysret(struct execution *x)
{
	return trap_sysret(x->machine, &x->trap) ? INSN_LEFT : INSN_REFUSED;
}

static enum insn_outcome do_iretq(struct execution *x)
{
	return trap_iretq(x->machine, &x->trap) ? INSN_LEFT : INSN_REFUSED;
}

#define do_smsw do_mov_from_cr0
#define do_invd do_nothing
#define do_wbinvd do_nothing
#define do_out do_nothing

static const struct {
	struct insn_info info;
	insn_fn *fn;
} insns[] = {
#define X(id, name, who, operand, effect) [INSN_##id] = {{#name, INSN_WHO_##who, operand, effect}, do_##name},
    INSN_LIST(X)
#undef X
};

const struct insn_info *insn_info(enum insn insn)
{
	BUG_ON(insn >= INSN_COUNT);
	return &insns[insn].info;
}

bool insn_find(const char *name, enum insn *out)
{
	for (unsigned i = 0; i < INSN_COUNT; i++) {
		if (strcmp(insns[i].info.name, name) == 0) {
			*out = (enum insn)i;
			return true;
		}
	}
	return false;
}

/* The I/O permission bitmap of the TSS, SDM 1 19.5.2: a set bit, or a port behind the limit, refuses. */
static bool port_is_open(struct execution *x, bool *faulted)
{
	struct machine *machine = x->machine;
	enum { BITMAP_BASE = 0x66 };
	uint16_t base, bits;
	struct fault fault;
	uint64_t port = x->operand & 0xffff;
	*faulted = false;
	if (machine->tss_limit < BITMAP_BASE + 1)
		return false;
	if (!machine_read_system(machine, vaddr_add(machine->cpu.tss_base, BITMAP_BASE), &base, 2, &fault))
		goto faulted;
	/* Always two bytes are read, so the second must be within the limit, too. */
	if (base + port / 8 + 1 > machine->tss_limit)
		return false;
	if (!machine_read_system(machine, vaddr_add(machine->cpu.tss_base, base + port / 8), &bits, 2, &fault))
		goto faulted;
	return !(bits >> (port % 8) & 1);
faulted:
	*faulted = true;
	x->trap = trap_of_fault(&fault);
	return false;
}

static bool is_allowed(struct execution *x, enum insn insn)
{
	const struct cpu *cpu = &x->machine->cpu;
	bool io_level = cpu->cpl <= (cpu->rflags & RFLAGS_IOPL) >> 12;
	bool faulted = false;
	bool allowed = true;
	switch (insns[insn].info.who) {
	case INSN_WHO_CPL0:
		allowed = cpu->cpl == 0;
		break;
	case INSN_WHO_IOPL:
		allowed = io_level || ((insn == INSN_IN || insn == INSN_OUT) && port_is_open(x, &faulted));
		break;
	case INSN_WHO_UMIP:
		allowed = cpu->cpl == 0 || !(cpu->cr4 & CR4_UMIP);
		break;
	case INSN_WHO_TSD:
		allowed = cpu->cpl == 0 || !(cpu->cr4 & CR4_TSD);
		break;
	case INSN_WHO_ANY:
	case INSN_WHO_GATE:
		break;
	}
	if (!allowed && !faulted)
		(void)refuse(x, VECTOR_PROTECTION, 0);
	return allowed;
}

static void tell(struct machine *machine, enum insn insn, const char *outcome)
{
	emit(machine->bus, EVENT_INSTRUCTION, event_text(insns[insn].info.name), event_text(outcome));
}

static enum cost cost_of(enum insn insn)
{
	if (insn == INSN_MOV_TO_CR3)
		return COST_CR3_LOAD;
	return insn == INSN_INVLPG ? COST_INVLPG : COST_PRIVILEGED;
}

bool machine_instruction(struct machine *machine, enum insn insn, uint64_t operand)
{
	BUG_ON(insn >= INSN_COUNT);
	struct execution x = {.machine = machine, .operand = operand};
	if (machine->why_stopped)
		return false;
	machine->stats.instructions++;
	bool enters = insn == INSN_INT || insn == INSN_INT3 || insn == INSN_SYSCALL;
	if (enters)
		tell(machine, insn, "executed");
	enum insn_outcome outcome = is_allowed(&x, insn) ? insns[insn].fn(&x) : INSN_REFUSED;
	if (outcome == INSN_REFUSED) {
		tell(machine, insn, vector_name(x.trap.vector));
		return trap_raise(machine, &x.trap);
	}
	if (outcome == INSN_ENTERED)
		return x.came_back;
	machine_spend(machine, cost_of(insn));
	tell(machine, insn, "executed");
	return outcome == INSN_DONE && !machine->why_stopped;
}
