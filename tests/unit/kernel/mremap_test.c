/* mremap: where a mapping grows, and where it goes when it cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE };

static int64_t mremap_(struct rig *rig, uint64_t address, uint64_t old_bytes, uint64_t new_bytes)
{
	return rig_syscall(rig, SYS_NR_MREMAP, address, old_bytes, new_bytes, LINUX_MREMAP_MAYMOVE, 0);
}

static void nothing_grows_beyond_a_low_ceiling(void **state)
{
	(void)state;
	struct rig rig;
	const uint64_t ceiling = 0x7fffc0000000;
	rig_boot_with(&rig, 0, NULL, &(struct process_spec){.name = "test", .mmap_ceiling = vaddr(ceiling)});
	int64_t a = rig_mmap(&rig, 0, 0x31000, RW, 0);
	assert_int_equal(a, ceiling - 0x31000);
	int64_t b = mremap_(&rig, (uint64_t)a, 0x31000, 0x200000);
	assert_int_equal(b, ceiling - 0x400000);
	/* The place that it left is free, and there it grows in place. */
	assert_int_equal(mremap_(&rig, (uint64_t)b, 0x200000, 0x400000), b);
	assert_int_equal(mremap_(&rig, (uint64_t)b, 0x400000, 0x402000), ceiling - 0x802000);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_grows_beyond_a_low_ceiling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
