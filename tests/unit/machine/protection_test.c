/* Who may do what, and what the error code says. SDM 3A 4.6, 4.7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine_private.h"
#include "paged.h"

#define VA PAGED_USER
#define PAGE PAGED_PAGES
#define USER_PAGE (PAGE | PTE_PRESENT | PTE_WRITABLE | PTE_USER)
#define KERNEL_PAGE (PAGE | PTE_PRESENT | PTE_WRITABLE)
#define KEY(n) ((uint64_t)(n) << 59)

enum { OK = -1, P = 1, W = 2, U = 4, RSVD = 8, I = 16, PK = 32, GP = 100, SS = 101 };

static void boot(struct paged *paged, enum paging_mode mode, uint8_t maxphyaddr)
{
	struct cpu_profile profile = *cpu_profile_find("skylake");
	profile.maxphyaddr = maxphyaddr;
	struct machine_config config = {.memory_bytes = 16 * MIB, .profile = &profile};
	paged_init(paged, mode, &config);
}

/* Each question is asked twice, of the tables and of the TLB that has just learnt the answer; then the TLB is emptied.
 */
static int ask(struct paged *paged, struct access access)
{
	int answers[2];
	for (unsigned i = 0; i < 2; i++) {
		struct paddr pa;
		struct fault fault;
		access.words = 1;
		bool ok = mmu_translate(paged->mmu, &access, &pa, &fault);
		answers[i] = ok                                  ? OK
			     : fault.vector == VECTOR_PROTECTION ? GP
			     : fault.vector == VECTOR_STACK      ? SS
								 : (int)fault.error_code;
		if (ok)
			assert_int_equal(pa.v, PAGE + page_offset(access.va.v));
	}
	assert_int_equal(answers[0], answers[1]);
	mmu_drop_all(paged->mmu, "test");
	return answers[0];
}

/* An explicit access to the page. */
static int try(struct paged *paged, enum access_kind kind)
{
	return ask(paged, (struct access){.va = vaddr(VA), .kind = kind, .mode = mmu_mode(paged->cpu)});
}

static int try_implicit(struct paged *paged, enum access_kind kind)
{
	return ask(paged, (struct access){.va = vaddr(VA), .kind = kind, .mode = MODE_IMPLICIT});
}

static void map(struct paged *paged, uint64_t entry)
{
	paged_set(paged, 0, VA, 1, entry);
}

static void cr4(struct paged *paged, uint64_t more)
{
	const uint64_t optional = CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_PKS;
	machine_write_cr4(paged->machine, (paged->cpu->cr4 & ~optional) | more);
}

/* The highest level whose entries are read from RAM and hold rights. */
static unsigned highest_table(const struct paged *paged)
{
	return paged->mode == PAGING_PAE ? 2 : paging_mode_info(paged->mode)->levels;
}

#define FOR_EACH_MODE(paged, maxphyaddr)                                                                               \
	for (unsigned mode = 0;                                                                                        \
	     mode < PAGING_MODE_COUNT && (boot(&(paged), (enum paging_mode)mode, (maxphyaddr)), true);                 \
	     paged_release(&(paged)), mode++)

static void rings_0_to_2_are_the_supervisor(void **state)
{
	(void)state;
	struct paged paged;
	FOR_EACH_MODE(paged, 40)
	{
		map(&paged, KERNEL_PAGE);
		for (uint8_t cpl = 0; cpl < 4; cpl++) {
			paged.cpu->cpl = cpl;
			assert_int_equal(try(&paged, ACCESS_READ), cpl < 3 ? OK : (P | U));
			assert_int_equal(try(&paged, ACCESS_WRITE), cpl < 3 ? OK : (P | W | U));
		}
	}
}

static void write_protection_binds_the_supervisor_only_with_wp(void **state)
{
	(void)state;
	struct paged paged;
	FOR_EACH_MODE(paged, 40)
	{
		for (unsigned user = 0; user < 2; user++) {
			map(&paged, PAGE | PTE_PRESENT | (user ? PTE_USER : 0));
			machine_write_cr0(paged.machine, CR0_PE | CR0_PG);
			assert_int_equal(try(&paged, ACCESS_WRITE), OK);
			machine_write_cr0(paged.machine, CR0_PE | CR0_PG | CR0_WP);
			assert_int_equal(try(&paged, ACCESS_WRITE), P | W);
		}
		paged.cpu->cpl = 3;
		machine_write_cr0(paged.machine, CR0_PE | CR0_PG);
		assert_int_equal(try(&paged, ACCESS_WRITE), P | W | U);
	}
}

static void every_level_must_grant_user_and_write(void **state)
{
	(void)state;
	struct paged paged;
	FOR_EACH_MODE(paged, 40)
	{
		map(&paged, USER_PAGE);
		paged.cpu->cpl = 3;
		unsigned top = highest_table(&paged);
		for (unsigned level = 1; level <= top; level++) {
			uint64_t entry = paged_get(&paged, 0, VA, level);
			paged_set(&paged, 0, VA, level, entry & ~PTE_USER);
			assert_int_equal(try(&paged, ACCESS_READ), P | U);
			paged_set(&paged, 0, VA, level, entry & ~PTE_WRITABLE);
			assert_int_equal(try(&paged, ACCESS_READ), OK);
			assert_int_equal(try(&paged, ACCESS_WRITE), P | W | U);
			paged_set(&paged, 0, VA, level, entry);
			assert_int_equal(try(&paged, ACCESS_WRITE), OK);
		}
	}
}

static void execute_disable_at_any_level_forbids_a_fetch(void **state)
{
	(void)state;
	struct paged paged;
	FOR_EACH_MODE(paged, 40)
	{
		if (paged.mode == PAGING_32BIT)
			continue; /* entries of 32 bits have no XD */
		map(&paged, USER_PAGE);
		paged.cpu->cpl = 3;
		unsigned top = highest_table(&paged);
		for (unsigned level = 1; level <= top; level++) {
			uint64_t entry = paged_get(&paged, 0, VA, level);
			paged_set(&paged, 0, VA, level, entry | PTE_NO_EXECUTE);
			assert_int_equal(try(&paged, ACCESS_FETCH), P | U | I);
			assert_int_equal(try(&paged, ACCESS_READ), OK);
			/* Without EFER.NXE the bit is reserved, and a fetch is not told apart. */
			uint64_t efer = paged.cpu->efer;
			machine_write_efer(paged.machine, efer & ~EFER_NXE);
			assert_int_equal(try(&paged, ACCESS_FETCH), P | U | RSVD);
			assert_int_equal(try(&paged, ACCESS_READ), P | U | RSVD);
			machine_write_efer(paged.machine, efer);
			paged_set(&paged, 0, VA, level, entry);
		}
	}
}

static void smep_keeps_the_supervisor_from_user_code(void **state)
{
	(void)state;
	struct paged paged;
	FOR_EACH_MODE(paged, 40)
	{
		map(&paged, USER_PAGE);
		assert_int_equal(try(&paged, ACCESS_FETCH), OK);
		cr4(&paged, CR4_SMEP);
		assert_int_equal(try(&paged, ACCESS_FETCH), P | I);
		assert_int_equal(try(&paged, ACCESS_READ), OK);
		paged.cpu->cpl = 3;
		assert_int_equal(try(&paged, ACCESS_FETCH), OK);
		/* A fetch is told apart with SMEP even where XD does not exist. */
		map(&paged, 0);
		assert_int_equal(try(&paged, ACCESS_FETCH), U | I);
	}
}

static void smap_keeps_the_supervisor_from_user_data_unless_ac(void **state)
{
	(void)state;
	struct paged paged;
	FOR_EACH_MODE(paged, 40)
	{
		map(&paged, USER_PAGE);
		cr4(&paged, CR4_SMAP);
		for (uint8_t cpl = 0; cpl < 4; cpl++) {
			paged.cpu->cpl = cpl;
			paged.cpu->rflags = RFLAGS_FIXED;
			assert_int_equal(try(&paged, ACCESS_READ), cpl < 3 ? P : OK);
			assert_int_equal(try(&paged, ACCESS_WRITE), cpl < 3 ? (P | W) : OK);
			assert_int_equal(try(&paged, ACCESS_FETCH), OK);
			paged.cpu->rflags |= RFLAGS_AC;
			assert_int_equal(try(&paged, ACCESS_WRITE), OK);
		}
	}
}

static void implicit_accesses_are_the_supervisors_and_ac_does_not_help(void **state)
{
	(void)state;
	struct paged paged;
	FOR_EACH_MODE(paged, 40)
	{
		paged.cpu->cpl = 3;
		paged.cpu->rflags |= RFLAGS_AC;
		map(&paged, KERNEL_PAGE);
		assert_int_equal(try_implicit(&paged, ACCESS_WRITE), OK);
		map(&paged, USER_PAGE);
		assert_int_equal(try_implicit(&paged, ACCESS_READ), OK);
		cr4(&paged, CR4_SMAP);
		assert_int_equal(try_implicit(&paged, ACCESS_READ), P);
		map(&paged, 0);
		assert_int_equal(try_implicit(&paged, ACCESS_WRITE), W); /* U/S is clear in ring 3, too */
	}
}

static void pkru_guards_user_pages_and_pkrs_supervisor_pages(void **state)
{
	(void)state;
	enum { AD = 1, WD = 2 };
	struct paged paged;
	for (unsigned user = 0; user < 2; user++) {
		boot(&paged, PAGING_4LEVEL, 40);
		map(&paged, (user ? USER_PAGE : KERNEL_PAGE) | KEY(5));
		void (*guard)(struct machine *, uint32_t) = user ? machine_write_pkru : machine_write_pkrs;
		void (*other)(struct machine *, uint32_t) = user ? machine_write_pkrs : machine_write_pkru;
		other(paged.machine, UINT32_MAX);
		guard(paged.machine, AD << 10);
		assert_int_equal(try(&paged, ACCESS_READ), OK); /* keys are off */
		cr4(&paged, CR4_PKE | CR4_PKS);
		assert_int_equal(try(&paged, ACCESS_READ), P | PK);
		assert_int_equal(try(&paged, ACCESS_WRITE), P | W | PK);
		assert_int_equal(try(&paged, ACCESS_FETCH), OK);
		guard(paged.machine, WD << 10);
		assert_int_equal(try(&paged, ACCESS_READ), OK);
		assert_int_equal(try(&paged, ACCESS_WRITE), P | W | PK);
		/* Without WP the supervisor writes in spite of WD. */
		machine_write_cr0(paged.machine, CR0_PE | CR0_PG);
		assert_int_equal(try(&paged, ACCESS_WRITE), OK);
		guard(paged.machine, ~(uint32_t)(3 << 10)); /* only other keys are guarded */
		assert_int_equal(try(&paged, ACCESS_WRITE), OK);
		paged_release(&paged);
	}
}

static void keys_add_to_other_refusals_but_not_to_missing_pages(void **state)
{
	(void)state;
	struct paged paged;
	boot(&paged, PAGING_4LEVEL, 40);
	cr4(&paged, CR4_PKE | CR4_SMAP);
	machine_write_pkru(paged.machine, 1 << 10);
	map(&paged, USER_PAGE | KEY(5));
	assert_int_equal(try(&paged, ACCESS_READ), P | PK); /* SMAP refuses, too */
	map(&paged, (USER_PAGE | KEY(5)) & ~PTE_PRESENT);
	assert_int_equal(try(&paged, ACCESS_READ), 0);
	map(&paged, USER_PAGE | KEY(5) | (uint64_t)1 << 45);
	assert_int_equal(try(&paged, ACCESS_READ), P | RSVD);
	paged_release(&paged);
}

static void address_bits_beyond_maxphyaddr_are_reserved(void **state)
{
	(void)state;
	for (unsigned mode = PAGING_PAE; mode < PAGING_MODE_COUNT; mode++) {
		for (uint8_t maxphyaddr = 32; maxphyaddr <= 52; maxphyaddr += 4) {
			struct paged paged;
			boot(&paged, (enum paging_mode)mode, maxphyaddr);
			unsigned top = highest_table(&paged);
			for (unsigned i = 0; i < 64 * top; i++) {
				unsigned bit = i % 64, level = 1 + i / 64;
				if (bit < maxphyaddr || bit == 63)
					continue;
				map(&paged, USER_PAGE);
				uint64_t entry = paged_get(&paged, 0, VA, level);
				paged_set(&paged, 0, VA, level, entry | (uint64_t)1 << bit);
				bool reserved = bit < 52 || paged.mode == PAGING_PAE;
				assert_int_equal(try(&paged, ACCESS_READ), reserved ? (P | RSVD) : OK);
				paged_set(&paged, 0, VA, level, entry);
			}
			paged_release(&paged);
		}
	}
}

static void each_level_is_asked_for_p_then_reserved_bits_and_rights_come_last(void **state)
{
	(void)state;
	const uint64_t reserved = (uint64_t)1 << 45;
	struct paged paged;
	boot(&paged, PAGING_4LEVEL, 40);
	paged.cpu->cpl = 3;
	map(&paged, KERNEL_PAGE | reserved); /* a right is missing as well */
	assert_int_equal(try(&paged, ACCESS_READ), P | U | RSVD);
	map(&paged, (KERNEL_PAGE | reserved) & ~PTE_PRESENT);
	assert_int_equal(try(&paged, ACCESS_READ), U);
	uint64_t upper = paged_get(&paged, 0, VA, 2);
	paged_set(&paged, 0, VA, 2, upper | reserved);
	assert_int_equal(try(&paged, ACCESS_READ), P | U | RSVD);
	paged_set(&paged, 0, VA, 2, (upper | reserved) & ~PTE_PRESENT);
	assert_int_equal(try(&paged, ACCESS_READ), U);
	paged_release(&paged);
}

static void addresses_that_are_not_canonical_never_reach_the_tables(void **state)
{
	(void)state;
	struct paged paged;
	FOR_EACH_MODE(paged, 40)
	{
		if (paging_mode_info(paged.mode)->linear_bits == 32)
			continue;
		struct vaddr va = vaddr((uint64_t)1 << (paging_mode_info(paged.mode)->linear_bits - 1));
		assert_int_equal(ask(&paged, (struct access){.va = va}), GP);
		assert_int_equal(ask(&paged, (struct access){.va = va, .through_stack = true}), SS);
		assert_int_equal(mmu_stats(paged.mmu)->walks, 0);
	}
}

/* ---- accesses that cross a page ---- */

static bool store_across(struct paged *paged, uint64_t value, struct fault *fault)
{
	struct access access = {.va = vaddr(VA + PAGE_BYTES - 4), .kind = ACCESS_WRITE, .mode = mmu_mode(paged->cpu)};
	return machine_transfer(paged->machine, &access, &value, sizeof(value), fault);
}

static void access_across_pages_faults_at_the_page_that_refuses(void **state)
{
	(void)state;
	struct paged paged;
	FOR_EACH_MODE(paged, 40)
	{
		struct fault fault;
		paged.cpu->cpl = 3;
		map(&paged, USER_PAGE);
		assert_false(store_across(&paged, UINT64_MAX, &fault));
		assert_int_equal(fault.va.v, VA + PAGE_BYTES); /* CR2: the first byte that is refused */
		assert_int_equal(fault.error_code, W | U);
		paged_set(&paged, 0, VA + PAGE_BYTES, 1, (USER_PAGE + PAGE_BYTES) & ~PTE_WRITABLE);
		assert_false(store_across(&paged, UINT64_MAX, &fault));
		assert_int_equal(fault.error_code, P | W | U);
		/* Nothing has moved, not even into the page that would have taken it. */
		assert_int_equal(physmem_load32(paged.mem, paddr(PAGE + PAGE_BYTES - 4)), 0);
		map(&paged, 0);
		machine_invlpg(paged.machine, vaddr(VA));
		assert_false(store_across(&paged, UINT64_MAX, &fault));
		assert_int_equal(fault.va.v, VA + PAGE_BYTES - 4);
		map(&paged, USER_PAGE);
		paged_set(&paged, 0, VA + PAGE_BYTES, 1, USER_PAGE + PAGE_BYTES);
		assert_true(store_across(&paged, 0x1122334455667788, &fault));
		assert_int_equal(physmem_load32(paged.mem, paddr(PAGE + PAGE_BYTES - 4)), 0x55667788);
		assert_int_equal(physmem_load32(paged.mem, paddr(PAGE + PAGE_BYTES)), 0x11223344);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rings_0_to_2_are_the_supervisor),
	    cmocka_unit_test(write_protection_binds_the_supervisor_only_with_wp),
	    cmocka_unit_test(every_level_must_grant_user_and_write),
	    cmocka_unit_test(execute_disable_at_any_level_forbids_a_fetch),
	    cmocka_unit_test(smep_keeps_the_supervisor_from_user_code),
	    cmocka_unit_test(smap_keeps_the_supervisor_from_user_data_unless_ac),
	    cmocka_unit_test(implicit_accesses_are_the_supervisors_and_ac_does_not_help),
	    cmocka_unit_test(pkru_guards_user_pages_and_pkrs_supervisor_pages),
	    cmocka_unit_test(keys_add_to_other_refusals_but_not_to_missing_pages),
	    cmocka_unit_test(address_bits_beyond_maxphyaddr_are_reserved),
	    cmocka_unit_test(each_level_is_asked_for_p_then_reserved_bits_and_rights_come_last),
	    cmocka_unit_test(addresses_that_are_not_canonical_never_reach_the_tables),
	    cmocka_unit_test(access_across_pages_faults_at_the_page_that_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
