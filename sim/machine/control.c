/* Control registers, descriptor table registers and what loading them means. SDM 3A 2.5, 4.10.4.1; SDM 2, MOV to CRn.
 */
#include "faultline/status.h"
#include "machine_private.h"

#define CR0_NW ((uint64_t)1 << 29)
#define CR0_CD ((uint64_t)1 << 30)
#define CR4_KNOWN (uint64_t)0x1777fff /* VME to PKE, and PKS, without bits 13 VMXE, 15, 19 */
#define CR4_ABSENT ((uint64_t)1 << 13 | (uint64_t)1 << 14 | (uint64_t)1 << 15 | (uint64_t)1 << 19)
#define EFER_WRITABLE (EFER_SCE | EFER_LME | EFER_NXE)

/* What a refused write gives back. */
struct control {
	uint64_t cr0, cr3, cr4, efer;
};

static struct control control_now(const struct cpu *cpu)
{
	return (struct control){cpu->cr0, cpu->cr3, cpu->cr4, cpu->efer};
}

/* The registers hold the new values. With `pdptes`, PAE paging loads its registers through CR3; if one is bad, nothing
 * has happened. SDM 3A 4.4.1. */
static bool commit(struct machine *machine, const struct control *before, bool pdptes)
{
	struct cpu *cpu = &machine->cpu;
	mmu_refresh(machine->mmu);
	if (!pdptes || !(cpu->cr0 & CR0_PG) || mmu_load_pdptes(machine->mmu))
		return true;
	cpu->cr0 = before->cr0;
	cpu->cr3 = before->cr3;
	cpu->cr4 = before->cr4;
	cpu->efer = before->efer;
	mmu_refresh(machine->mmu);
	return false;
}

bool control_load_cr0(struct machine *machine, uint64_t value)
{
	struct cpu *cpu = &machine->cpu;
	struct control before = control_now(cpu);
	uint64_t changed = cpu->cr0 ^ value;
	bool paging = (value & CR0_PG) != 0;
	if (value >> 32 || (paging && !(value & CR0_PE)) || ((value & CR0_NW) && !(value & CR0_CD)))
		return false;
	if ((changed & ~value & CR0_PG) && (cpu->efer & EFER_LMA)) {
		/* Only compatibility mode can leave paging, and with it long mode. */
		if (SHADOW_IS_LONG(cpu->shadow[SREG_CS].flags) || (cpu->cr4 & CR4_PCIDE))
			return false;
		cpu->efer &= ~EFER_LMA;
	}
	if ((changed & value & CR0_PG) && (cpu->efer & EFER_LME)) {
		if (!(cpu->cr4 & CR4_PAE))
			return false;
		cpu->efer |= EFER_LMA;
	}
	cpu->cr0 = value | CR0_ET;
	if (!commit(machine, &before, (changed & (CR0_PG | CR0_CD | CR0_NW)) != 0))
		return false;
	if (changed & ~value & CR0_PG)
		mmu_drop_all(machine->mmu, "CR0 write");
	return true;
}

bool control_load_cr3(struct machine *machine, uint64_t value)
{
	struct cpu *cpu = &machine->cpu;
	struct control before = control_now(cpu);
	bool pcide = (cpu->cr4 & CR4_PCIDE) != 0;
	uint64_t ignored = pcide ? CR3_NOFLUSH : 0;
	if (!(cpu->efer & EFER_LMA))
		value &= UINT32_MAX; /* MOV moves 32 bits there */
	else if ((value & ~ignored) >> machine->mmu->maxphyaddr)
		return false;
	cpu->cr3 = value & ~ignored;
	if (!commit(machine, &before, true))
		return false;
	if (!(value & ignored))
		mmu_drop_pcid(machine->mmu, machine->mmu->pcid, "CR3 load");
	return true;
}

bool control_load_cr4(struct machine *machine, uint64_t value)
{
	const uint64_t reload = CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP;
	struct cpu *cpu = &machine->cpu;
	struct control before = control_now(cpu);
	uint64_t changed = cpu->cr4 ^ value;
	bool long_mode = (cpu->efer & EFER_LMA) != 0;
	if (value & (~CR4_KNOWN | CR4_ABSENT))
		return false;
	if (long_mode && (changed & (CR4_LA57 | CR4_PAE)))
		return false;
	if ((changed & value & CR4_PCIDE) && (!long_mode || (cpu->cr3 & CR3_PCID_MASK)))
		return false;
	uint64_t pcid = machine->mmu->pcid;
	cpu->cr4 = value;
	if (!commit(machine, &before, (changed & reload) != 0))
		return false;
	if ((changed & (CR4_PGE | CR4_PAE | CR4_PSE | CR4_LA57)) || (changed & ~value & CR4_PCIDE))
		mmu_drop_all(machine->mmu, "CR4 write");
	else if (changed & value & CR4_SMEP)
		mmu_drop_pcid(machine->mmu, pcid, "CR4 write");
	return true;
}

bool control_load_efer(struct machine *machine, uint64_t value)
{
	struct cpu *cpu = &machine->cpu;
	if (value & ~(EFER_WRITABLE | EFER_LMA))
		return false;
	if (((value ^ cpu->efer) & EFER_LME) && (cpu->cr0 & CR0_PG))
		return false;
	cpu->efer = (value & EFER_WRITABLE) | (cpu->efer & EFER_LMA);
	mmu_refresh(machine->mmu);
	return true;
}

/* Ring-0 code that loads a value which the processor refuses gets what it would get: #GP(0). */
static void protect(struct machine *machine, bool accepted)
{
	if (!accepted)
		(void)trap_raise_vector(machine, VECTOR_PROTECTION, 0);
}

void machine_write_cr0(struct machine *machine, uint64_t value)
{
	machine_spend(machine, COST_PRIVILEGED);
	protect(machine, control_load_cr0(machine, value));
}

void machine_write_cr3(struct machine *machine, uint64_t value)
{
	machine_spend(machine, COST_CR3_LOAD);
	protect(machine, control_load_cr3(machine, value));
}

void machine_write_cr4(struct machine *machine, uint64_t value)
{
	machine_spend(machine, COST_PRIVILEGED);
	protect(machine, control_load_cr4(machine, value));
}

void machine_write_efer(struct machine *machine, uint64_t value)
{
	machine_spend(machine, COST_PRIVILEGED);
	protect(machine, control_load_efer(machine, value));
}

void machine_write_pkru(struct machine *machine, uint32_t value)
{
	machine->cpu.pkru = value;
	mmu_refresh(machine->mmu);
}

void machine_write_pkrs(struct machine *machine, uint32_t value)
{
	machine->cpu.pkrs = value;
	mmu_refresh(machine->mmu);
}

void machine_load_gdt(struct machine *machine, struct descriptor_table table)
{
	machine_spend(machine, COST_PRIVILEGED);
	machine->cpu.gdtr = table;
}

void machine_load_idt(struct machine *machine, struct descriptor_table table)
{
	machine_spend(machine, COST_PRIVILEGED);
	machine->cpu.idtr = table;
}

void machine_load_tr(struct machine *machine, uint16_t selector)
{
	struct trap trap;
	machine_spend(machine, COST_PRIVILEGED);
	if (!control_load_tr(machine, selector, &trap))
		(void)trap_raise(machine, &trap);
}

void machine_invlpg(struct machine *machine, struct vaddr va)
{
	machine_spend(machine, COST_INVLPG);
	mmu_drop_page(machine->mmu, va);
}
