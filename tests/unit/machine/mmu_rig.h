/* A bare machine as the tests of its MMU want it. */
#ifndef FAULTLINE_TESTS_MMU_RIG_H
#define FAULTLINE_TESTS_MMU_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bare_machine.h"

#define VA ((uint64_t)0x40000000)
#define USER_PAGE (PTE_PRESENT | PTE_WRITABLE | PTE_USER)

static inline void boot_with(struct bare_machine *bare, const char *profile, enum tlb_replacement replacement,
			     bool no_prediction)
{
	struct machine_config config = {.memory_bytes = 16 * MIB,
					.profile = cpu_profile_find(profile),
					.tlb_replacement = replacement,
					.no_prediction = no_prediction};
	assert_non_null(config.profile);
	bare_machine_init(bare, &config);
}

static inline void boot(struct bare_machine *bare, const char *profile, bool no_prediction)
{
	boot_with(bare, profile, TLB_LRU, no_prediction);
}

static inline void ring3(struct bare_machine *bare)
{
	bare_enter_ring3(bare, VA, VA);
}

static inline bool access(struct bare_machine *bare, uint64_t va, enum access_kind kind, uint64_t *pa,
			  struct fault *fault)
{
	struct paddr where = {0};
	bool ok = mmu_access(machine_mmu(bare->machine), vaddr(va), kind, &where, fault);
	*pa = where.v;
	return ok;
}

static inline uint64_t reach(struct bare_machine *bare, uint64_t va, enum access_kind kind)
{
	struct fault fault;
	uint64_t pa;
	assert_true(access(bare, va, kind, &pa, &fault));
	return pa;
}

static inline uint32_t refused(struct bare_machine *bare, uint64_t va, enum access_kind kind)
{
	struct fault fault;
	uint64_t pa;
	assert_false(access(bare, va, kind, &pa, &fault));
	assert_int_equal(fault.vector, VECTOR_PAGE_FAULT);
	assert_int_equal(fault.va.v, va);
	return fault.error_code;
}

static inline void release(struct bare_machine *bare)
{
	const char *why = "";
	if (!mmu_check(machine_mmu(bare->machine), &why))
		fail_msg("broken: %s", why);
	bare_machine_release(bare);
}

#endif
