/* 32-bit and PAE paging, and the ways between the modes. SDM 3A 4.1 to 4.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine_private.h"

enum { ROOT = 0x1000, TABLE = 0x2000, PAGE = 0x400000, OTHER_PAGE = 0x800000 };

#define RIGHTS (PTE_PRESENT | PTE_WRITABLE)

struct legacy {
	struct arena *arena;
	struct bus bus;
	struct machine *machine;
	struct cpu_profile profile;
};

static void power_on(struct legacy *legacy, uint8_t maxphyaddr)
{
	legacy->profile = *cpu_profile_find("skylake");
	legacy->profile.maxphyaddr = maxphyaddr;
	struct machine_config config = {.memory_bytes = 16 * MIB, .profile = &legacy->profile};
	legacy->arena = arena_new(machine_reserve_bytes(&config) + MIB);
	assert_non_null(legacy->arena);
	bus_init(&legacy->bus);
	legacy->machine = machine_new(legacy->arena, &legacy->bus, &config);
}

static void power_off(struct legacy *legacy)
{
	const char *why = "";
	assert_true(mmu_check(machine_mmu(legacy->machine), &why));
	arena_free(legacy->arena);
}

/* CR4, CR3, then CR0.PG: the mode that EFER asks for. */
static bool turn_on_paging(struct legacy *legacy, uint64_t cr4, uint64_t cr3)
{
	return control_load_cr4(legacy->machine, cr4) && control_load_cr3(legacy->machine, cr3) &&
	       control_load_cr0(legacy->machine, CR0_PE | CR0_PG | CR0_WP);
}

static void put32(struct legacy *legacy, uint64_t pa, uint64_t entry)
{
	physmem_store32(machine_memory(legacy->machine), paddr(pa), (uint32_t)entry);
}

static void put64(struct legacy *legacy, uint64_t pa, uint64_t entry)
{
	physmem_store64(machine_memory(legacy->machine), paddr(pa), entry);
}

/* The physical address, or 0xf000 + error code of a page fault; every other fault fails the test. */
static uint64_t reach(struct legacy *legacy, uint64_t va, enum access_kind kind)
{
	struct paddr pa;
	struct fault fault;
	if (mmu_access(machine_mmu(legacy->machine), vaddr(va), kind, &pa, &fault))
		return pa.v;
	assert_int_equal(fault.vector, VECTOR_PAGE_FAULT);
	return 0xf000 + fault.error_code;
}

enum { NOT_PRESENT = 0xf000, RESERVED_BIT = 0xf009 };

static void map_32bit_page(struct legacy *legacy, uint64_t va, uint64_t pa)
{
	put32(legacy, ROOT + (va >> 22) * 4, TABLE | RIGHTS);
	put32(legacy, TABLE + (va >> 12 & 1023) * 4, pa | RIGHTS);
}

static void map_pae_page(struct legacy *legacy, uint64_t va, uint64_t pa)
{
	put64(legacy, ROOT + (va >> 30) * 8, TABLE | PTE_PRESENT);
	put64(legacy, TABLE + (va >> 21 & 511) * 8, (TABLE + PAGE_BYTES) | RIGHTS);
	put64(legacy, TABLE + PAGE_BYTES + (va >> 12 & 511) * 8, pa | RIGHTS);
}

/* ---- 32-bit paging ---- */

static void paging_of_32_bits_has_entries_of_four_bytes(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	map_32bit_page(&legacy, 0x80003000, PAGE);
	map_32bit_page(&legacy, 0x80004000, OTHER_PAGE);
	assert_true(turn_on_paging(&legacy, 0, ROOT));
	assert_int_equal(reach(&legacy, 0x80003123, ACCESS_WRITE), PAGE + 0x123);
	assert_int_equal(reach(&legacy, 0x80004123, ACCESS_READ), OTHER_PAGE + 0x123);
	assert_int_equal(physmem_load32(machine_memory(legacy.machine), paddr(TABLE + 12)),
			 PAGE | RIGHTS | PTE_ACCESSED | PTE_DIRTY);
	assert_int_equal(physmem_load32(machine_memory(legacy.machine), paddr(TABLE + 16)),
			 OTHER_PAGE | RIGHTS | PTE_ACCESSED);
	power_off(&legacy);
}

static void page_of_4m_has_an_address_of_40_bits(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	put32(&legacy, ROOT + 4, 0x00c00000 | 0x5a << 13 | RIGHTS | PTE_PAGE_SIZE);
	assert_true(turn_on_paging(&legacy, CR4_PSE, ROOT));
	assert_int_equal(reach(&legacy, 0x712345, ACCESS_READ), 0x5a00c00000 + 0x312345);
	power_off(&legacy);
}

static void page_of_4m_reserves_address_bits_that_the_processor_lacks(void **state)
{
	(void)state;
	/* M address bits: 20:13 hold bits M-1:32, 21:M-19 are reserved. */
	for (unsigned maxphyaddr = 32; maxphyaddr <= 52; maxphyaddr++) {
		for (unsigned bit = 13; bit <= 21; bit++) {
			struct legacy legacy;
			power_on(&legacy, (uint8_t)maxphyaddr);
			put32(&legacy, ROOT + 4, (uint64_t)1 << bit | RIGHTS | PTE_PAGE_SIZE);
			assert_true(turn_on_paging(&legacy, CR4_PSE, ROOT));
			bool reserved = bit == 21 || bit >= (maxphyaddr < 40 ? maxphyaddr : 40) - 19;
			assert_int_equal(reach(&legacy, 0x400000, ACCESS_READ),
					 reserved ? RESERVED_BIT : (uint64_t)1 << (bit + 19));
			power_off(&legacy);
		}
	}
}

static void page_size_bit_is_ignored_without_pse(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	map_32bit_page(&legacy, 0x3000, PAGE);
	put32(&legacy, ROOT, TABLE | RIGHTS | PTE_PAGE_SIZE);
	assert_true(turn_on_paging(&legacy, 0, ROOT));
	assert_int_equal(reach(&legacy, 0x3000, ACCESS_READ), PAGE);
	/* With PSE the address of the table is that of a page; its bit 13 is bit 32 there. */
	assert_true(control_load_cr4(legacy.machine, CR4_PSE));
	assert_int_equal(reach(&legacy, 0x3000, ACCESS_READ), 0x100003000);
	power_off(&legacy);
}

static void page_of_4m_lives_in_the_tlb_as_two_of_2m(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	put32(&legacy, ROOT + 4, PAGE | RIGHTS | PTE_PAGE_SIZE);
	assert_true(turn_on_paging(&legacy, CR4_PSE, ROOT));
	const struct mmu_stats *stats = mmu_stats(machine_mmu(legacy.machine));
	(void)reach(&legacy, 0x400000, ACCESS_READ);
	(void)reach(&legacy, 0x600000, ACCESS_READ);
	assert_int_equal(stats->walks, 2);
	assert_int_equal(stats->walk_mapped[PAGE_SIZE_4M], 2);
	/* INVLPG drops the whole page, wherever in it the address lies: SDM 3A 4.10.4.1. */
	mmu_drop_page(machine_mmu(legacy.machine), vaddr(0x7ff000));
	put32(&legacy, ROOT + 4, 0);
	assert_int_equal(reach(&legacy, 0x400000, ACCESS_READ), NOT_PRESENT);
	assert_int_equal(reach(&legacy, 0x600000, ACCESS_READ), NOT_PRESENT);
	power_off(&legacy);
}

static void addresses_wrap_at_4_gib(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	map_32bit_page(&legacy, 0x0, PAGE);
	put32(&legacy, ROOT + 1023 * 4, TABLE | RIGHTS);
	put32(&legacy, TABLE + 1023 * 4, OTHER_PAGE | RIGHTS);
	assert_true(turn_on_paging(&legacy, 0, ROOT));
	assert_true(machine_store(legacy.machine, vaddr(0xfffffffc), 8, 0x1122334455667788));
	assert_int_equal(physmem_load32(machine_memory(legacy.machine), paddr(OTHER_PAGE + 0xffc)), 0x55667788);
	assert_int_equal(physmem_load32(machine_memory(legacy.machine), paddr(PAGE)), 0x11223344);
	assert_int_equal(reach(&legacy, 0x100000008, ACCESS_READ), PAGE + 8);
	power_off(&legacy);
}

static void no_execute_and_keys_need_wide_entries(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	map_32bit_page(&legacy, 0x3000, PAGE);
	assert_true(control_load_efer(legacy.machine, EFER_NXE));
	assert_true(turn_on_paging(&legacy, CR4_PKE, ROOT));
	machine_write_pkru(legacy.machine, UINT32_MAX);
	assert_int_equal(reach(&legacy, 0x3000, ACCESS_FETCH), PAGE);
	/* The error code tells of a fetch only where XD or SMEP can forbid one. */
	assert_int_equal(reach(&legacy, 0x5000, ACCESS_FETCH), NOT_PRESENT);
	power_off(&legacy);
}

/* ---- PAE paging ---- */

static void pdptes_are_read_only_when_they_are_loaded(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	map_pae_page(&legacy, 0x40003000, PAGE);
	assert_true(turn_on_paging(&legacy, CR4_PAE, ROOT));
	put64(&legacy, ROOT + 8, 0);
	mmu_drop_all(machine_mmu(legacy.machine), "test");
	assert_int_equal(reach(&legacy, 0x40003000, ACCESS_READ), PAGE);
	assert_int_equal(mmu_stats(machine_mmu(legacy.machine))->walk_entries, 2);
	/* A change of CR4.PGE loads them, too. */
	assert_true(control_load_cr4(legacy.machine, CR4_PAE | CR4_PGE));
	assert_int_equal(reach(&legacy, 0x40003000, ACCESS_READ), NOT_PRESENT);
	power_off(&legacy);
}

static void pdpte_has_no_rights_and_no_accessed_bit(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	map_pae_page(&legacy, 0x3000, PAGE);
	put64(&legacy, TABLE, (TABLE + PAGE_BYTES) | RIGHTS | PTE_USER);
	put64(&legacy, TABLE + PAGE_BYTES + 3 * 8, PAGE | RIGHTS | PTE_USER);
	assert_true(turn_on_paging(&legacy, CR4_PAE, ROOT));
	machine_cpu(legacy.machine)->cpl = 3;
	assert_int_equal(reach(&legacy, 0x3000, ACCESS_WRITE), PAGE);
	assert_int_equal(physmem_load64(machine_memory(legacy.machine), paddr(ROOT)), TABLE | PTE_PRESENT);
	power_off(&legacy);
}

static void bad_pdpte_refuses_the_load_and_nothing_changes(void **state)
{
	(void)state;
	const struct {
		uint64_t bits;
		bool good;
	} cases[] = {{0x2, false},
		     {0x4, false},
		     {0x20, false},
		     {0x100, false},
		     {0x18, true},
		     {0xe00, true},
		     {(uint64_t)1 << 39, true},
		     {(uint64_t)1 << 40, false},
		     {PTE_NO_EXECUTE, false}};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct legacy legacy;
		power_on(&legacy, 40);
		assert_true(control_load_efer(legacy.machine, EFER_NXE));
		map_pae_page(&legacy, 0x3000, PAGE);
		assert_true(turn_on_paging(&legacy, CR4_PAE, ROOT));
		/* Only the last of the four is bad, and no access needs it. */
		put64(&legacy, 0x5000 + 3 * 8, PTE_PRESENT | cases[i].bits);
		assert_int_equal(control_load_cr3(legacy.machine, 0x5000), cases[i].good);
		assert_int_equal(machine_cpu(legacy.machine)->cr3, cases[i].good ? 0x5000 : ROOT);
		assert_int_equal(reach(&legacy, 0x3000, ACCESS_READ), cases[i].good ? NOT_PRESENT : PAGE);
		put64(&legacy, 0x5000 + 3 * 8, cases[i].bits & ~PTE_PRESENT);
		assert_true(control_load_cr3(legacy.machine, 0x5000));
		power_off(&legacy);
	}
}

static void bad_pdpte_refuses_paging_itself(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	put64(&legacy, ROOT, PTE_PRESENT | PTE_WRITABLE);
	assert_false(turn_on_paging(&legacy, CR4_PAE, ROOT));
	assert_int_equal(machine_cpu(legacy.machine)->cr0 & CR0_PG, 0);
	/* With 32-bit paging on, CR4.PAE would load them. */
	assert_true(turn_on_paging(&legacy, CR4_PSE, ROOT));
	assert_false(control_load_cr4(legacy.machine, CR4_PAE));
	assert_int_equal(machine_cpu(legacy.machine)->cr4, CR4_PSE);
	assert_int_equal(mmu_paging(machine_mmu(legacy.machine)).mode, PAGING_32BIT);
	power_off(&legacy);
}

/* ---- between the modes ---- */

static void modes_follow_the_control_registers(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	struct machine *machine = legacy.machine;
	assert_true(turn_on_paging(&legacy, 0, ROOT));
	assert_int_equal(mmu_paging(machine_mmu(machine)).mode, PAGING_32BIT);
	assert_true(control_load_cr4(machine, CR4_PAE | CR4_LA57));
	assert_int_equal(mmu_paging(machine_mmu(machine)).mode, PAGING_PAE);
	assert_false(control_load_efer(machine, EFER_LME)); /* not while paging is on */
	assert_true(control_load_cr0(machine, CR0_PE));
	assert_true(control_load_efer(machine, EFER_LME));
	assert_true(control_load_cr4(machine, 0));
	assert_false(control_load_cr0(machine, CR0_PE | CR0_PG)); /* IA-32e mode wants PAE */
	assert_int_equal(machine_cpu(machine)->efer & EFER_LMA, 0);
	assert_true(control_load_cr4(machine, CR4_PAE));
	assert_true(control_load_cr0(machine, CR0_PE | CR0_PG));
	assert_int_equal(mmu_paging(machine_mmu(machine)).mode, PAGING_4LEVEL);
	assert_false(control_load_cr4(machine, 0));
	assert_false(control_load_cr4(machine, CR4_PAE | CR4_LA57));
	/* 64-bit code cannot leave paging, code in compatibility mode leaves long mode with it, without PCIDs. */
	assert_false(control_load_cr0(machine, CR0_PE));
	machine_cpu(machine)->shadow[SREG_CS].flags &= (uint16_t) ~(1u << 13);
	assert_true(control_load_cr4(machine, CR4_PAE | CR4_PCIDE));
	assert_false(control_load_cr0(machine, CR0_PE));
	assert_true(control_load_cr4(machine, CR4_PAE));
	assert_true(control_load_cr0(machine, CR0_PE));
	assert_int_equal(machine_cpu(machine)->efer, EFER_LME);
	assert_int_equal(mmu_paging(machine_mmu(machine)).mode, PAGING_PAE);
	power_off(&legacy);
}

static void keys_count_from_the_moment_that_long_mode_begins(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	const uint64_t user = RIGHTS | PTE_USER;
	for (uint64_t level = 0; level < 3; level++)
		put64(&legacy, ROOT + level * PAGE_BYTES, (ROOT + (level + 1) * PAGE_BYTES) | user);
	put64(&legacy, ROOT + 3 * PAGE_BYTES, PAGE | user | PTE_ACCESSED | PTE_DIRTY | (uint64_t)1 << 59);
	machine_write_pkru(legacy.machine, 8); /* key 1: no writes */
	assert_true(control_load_cr4(legacy.machine, CR4_PAE | CR4_PKE));
	assert_true(control_load_efer(legacy.machine, EFER_LME));
	assert_true(control_load_cr3(legacy.machine, ROOT));
	assert_true(control_load_cr0(legacy.machine, CR0_PE | CR0_PG | CR0_WP));
	assert_int_equal(reach(&legacy, 0, ACCESS_READ), PAGE);
	assert_int_equal(reach(&legacy, 0, ACCESS_WRITE), 0xf023);
	power_off(&legacy);
}

static void cr3_has_32_bits_outside_ia_32e_mode(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	assert_true(control_load_cr3(legacy.machine, 0x8000001200003018));
	assert_int_equal(machine_cpu(legacy.machine)->cr3, 0x3018);
	power_off(&legacy);
}

static void turning_paging_off_empties_the_tlbs(void **state)
{
	(void)state;
	struct legacy legacy;
	power_on(&legacy, 40);
	map_32bit_page(&legacy, 0x3000, PAGE);
	put32(&legacy, TABLE + 12, PAGE | RIGHTS | PTE_GLOBAL);
	assert_true(turn_on_paging(&legacy, CR4_PGE, ROOT));
	assert_int_equal(reach(&legacy, 0x3000, ACCESS_READ), PAGE);
	assert_true(control_load_cr0(legacy.machine, CR0_PE));
	assert_int_equal(reach(&legacy, 0x3000, ACCESS_READ), 0x3000);
	put32(&legacy, TABLE + 12, 0);
	assert_true(control_load_cr0(legacy.machine, CR0_PE | CR0_PG));
	assert_int_equal(reach(&legacy, 0x3000, ACCESS_READ), NOT_PRESENT);
	power_off(&legacy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paging_of_32_bits_has_entries_of_four_bytes),
	    cmocka_unit_test(page_of_4m_has_an_address_of_40_bits),
	    cmocka_unit_test(page_of_4m_reserves_address_bits_that_the_processor_lacks),
	    cmocka_unit_test(page_size_bit_is_ignored_without_pse),
	    cmocka_unit_test(page_of_4m_lives_in_the_tlb_as_two_of_2m),
	    cmocka_unit_test(addresses_wrap_at_4_gib),
	    cmocka_unit_test(no_execute_and_keys_need_wide_entries),
	    cmocka_unit_test(pdptes_are_read_only_when_they_are_loaded),
	    cmocka_unit_test(pdpte_has_no_rights_and_no_accessed_bit),
	    cmocka_unit_test(bad_pdpte_refuses_the_load_and_nothing_changes),
	    cmocka_unit_test(bad_pdpte_refuses_paging_itself),
	    cmocka_unit_test(modes_follow_the_control_registers),
	    cmocka_unit_test(keys_count_from_the_moment_that_long_mode_begins),
	    cmocka_unit_test(cr3_has_32_bits_outside_ia_32e_mode),
	    cmocka_unit_test(turning_paging_off_empties_the_tlbs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
