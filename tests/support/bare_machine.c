#include "bare_machine.h"

#include <stdlib.h>

enum { ROOT_FRAME = 1, FIRST_TABLE_FRAME = 16 };

#define FLAGS_UPPER (PTE_PRESENT | PTE_WRITABLE | PTE_USER)
#define TSS_LIMIT 0x67u

static void write_gdt(struct bare_machine *bare)
{
	const uint64_t descriptors[] = {
	    0,
	    0x00209b0000000000, /* ring 0 code, L */
	    0x0000930000000000, /* ring 0 data */
	    0,                  /* where SYSRET would find 32-bit code */
	    0x0000f30000000000, /* ring 3 data */
	    0x0020fb0000000000, /* ring 3 code, L */
	    0x0000890000000000 | TSS_LIMIT | (BARE_TSS & 0xffffff) << 16 | (BARE_TSS >> 24 & 0xff) << 56,
	    BARE_TSS >> 32,
	};
	physmem_write(bare->mem, paddr(BARE_GDT - BARE_KERNEL), descriptors, sizeof(descriptors));
	machine_load_gdt(bare->machine, (struct descriptor_table){vaddr(BARE_GDT), sizeof(descriptors) - 1});
}

static void write_tss(struct bare_machine *bare)
{
	const uint64_t rsp0 = BARE_STACK_TOP;
	const uint64_t ist1 = BARE_IST1_TOP;
	const uint16_t io_bitmap = TSS_LIMIT + 1; /* none */
	physmem_write(bare->mem, paddr(BARE_TSS - BARE_KERNEL + 4), &rsp0, 8);
	physmem_write(bare->mem, paddr(BARE_TSS - BARE_KERNEL + 0x24), &ist1, 8);
	physmem_write(bare->mem, paddr(BARE_TSS - BARE_KERNEL + 0x66), &io_bitmap, 2);
}

void bare_machine_init(struct bare_machine *bare, const struct machine_config *config)
{
	*bare = (struct bare_machine){.next_table = FIRST_TABLE_FRAME};
	bare->arena = arena_new(machine_reserve_bytes(config) + MIB);
	if (!bare->arena)
		abort();
	bus_init(&bare->bus);
	bare->machine = machine_new(bare->arena, &bare->bus, config);
	bare->mem = machine_memory(bare->machine);
	bare->cpu = machine_cpu(bare->machine);
	bare->root = pfn_to_paddr(pfn(ROOT_FRAME));
	for (uint64_t pa = 0; pa < MIB; pa += PAGE_BYTES)
		bare_map(bare, vaddr(BARE_KERNEL + pa), 1, pa | PTE_PRESENT | PTE_WRITABLE);
	machine_write_efer(bare->machine, EFER_LME | EFER_NXE | EFER_SCE);
	machine_write_cr4(bare->machine, CR4_PAE | CR4_PGE);
	machine_write_cr3(bare->machine, bare->root.v);
	machine_write_cr0(bare->machine, CR0_PE | CR0_PG | CR0_WP);
	write_gdt(bare);
	write_tss(bare);
	machine_load_idt(bare->machine, (struct descriptor_table){vaddr(BARE_IDT), 0xfff});
	machine_load_tr(bare->machine, BARE_TR);
	bare->cpu->cs = BARE_KERNEL_CS;
	bare->cpu->ss = BARE_KERNEL_SS;
	bare->cpu->gpr[GPR_RSP] = BARE_STACK_TOP;
	bare->cpu->rip = BARE_KERNEL;
	bare->cpu->star = (uint64_t)0x1b << 48 | (uint64_t)BARE_KERNEL_CS << 32;
}

void bare_machine_release(struct bare_machine *bare)
{
	arena_free(bare->arena);
}

static struct paddr slot(struct paddr table, struct vaddr va, unsigned level)
{
	return paddr_add(table, (va.v >> (12 + 9 * (level - 1)) & 511) * 8);
}

static struct paddr next_table(const struct bare_machine *bare, struct paddr entry)
{
	return pfn_to_paddr(pfn(pte_frame((struct pte){physmem_load64(bare->mem, entry)})));
}

struct paddr bare_map(struct bare_machine *bare, struct vaddr va, unsigned level, uint64_t entry)
{
	struct paddr table = bare->root;
	for (unsigned at = 4; at > level; at--) {
		struct paddr upper = slot(table, va, at);
		if (!(physmem_load64(bare->mem, upper) & PTE_PRESENT))
			physmem_store64(bare->mem, upper, bare->next_table++ << PAGE_SHIFT | FLAGS_UPPER);
		table = next_table(bare, upper);
	}
	physmem_store64(bare->mem, slot(table, va, level), entry);
	return slot(table, va, level);
}

struct paddr bare_entry(const struct bare_machine *bare, struct vaddr va, unsigned level)
{
	struct paddr table = bare->root;
	for (unsigned at = 4; at > level; at--)
		table = next_table(bare, slot(table, va, at));
	return slot(table, va, level);
}

void bare_gate(struct bare_machine *bare, unsigned vector, uint8_t dpl, native_fn *fn, void *self)
{
	uint64_t entry = BARE_HANDLERS + vector * 16u;
	const uint64_t gate[2] = {
	    (entry & 0xffff) | (uint64_t)BARE_KERNEL_CS << 16 | (uint64_t)(0x8e | dpl << 5) << 40 |
		(entry >> 16 & 0xffff) << 48,
	    entry >> 32,
	};
	physmem_write(bare->mem, paddr(BARE_IDT - BARE_KERNEL + vector * 16u), gate, sizeof(gate));
	machine_bind(bare->machine, vaddr(entry), fn, self);
}

void bare_syscall(struct bare_machine *bare, native_fn *fn, void *self)
{
	bare->cpu->lstar = BARE_SYSCALL;
	bare->cpu->fmask = RFLAGS_IF;
	machine_bind(bare->machine, vaddr(BARE_SYSCALL), fn, self);
}

void bare_enter_ring3(struct bare_machine *bare, uint64_t rip, uint64_t rsp)
{
	bare->cpu->cs = BARE_USER_CS;
	bare->cpu->ss = BARE_USER_SS;
	bare->cpu->shadow[SREG_CS] = (struct segment_shadow){.flags = 0x20fb}; /* as in the GDT */
	bare->cpu->shadow[SREG_SS] = (struct segment_shadow){.flags = 0x00f3};
	bare->cpu->cpl = 3;
	bare->bus.ring = 3;
	bare->cpu->rip = rip;
	bare->cpu->gpr[GPR_RSP] = rsp;
	bare->cpu->rflags = RFLAGS_FIXED | RFLAGS_IF;
}
