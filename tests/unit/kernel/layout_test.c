/* The address space in paging modes other than 4-level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel_private.h"
#include "rig.h"

#define RW (VMA_READ | VMA_WRITE)
#define WINDOW ((uint64_t)0x00007ffffffff000)
#define FIVE_LEVEL_END ((uint64_t)0x00fffffffffff000)

static void five_levels_change_nothing_without_a_hint(void **state)
{
	(void)state;
	struct rig four, five;
	rig_boot_paging(&four, PAGING_4LEVEL);
	rig_boot_paging(&five, PAGING_5LEVEL);
	assert_int_equal(rig_mmap(&four, 0, 64 * KIB, RW, 0), rig_mmap(&five, 0, 64 * KIB, RW, 0));
	/* The process needs one table more: its PML5. */
	assert_int_equal(process_table_pages(four.process) + 1, process_table_pages(five.process));
	rig_release(&four);
	rig_release(&five);
}

static void hint_above_the_window_opens_the_rest_of_five_levels(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_paging(&rig, PAGING_5LEVEL);
	/* Free: taken as it is. Documentation/arch/x86/x86_64/5level-paging.rst */
	uint64_t hint = (uint64_t)1 << 55;
	assert_int_equal(rig_mmap(&rig, hint, 64 * KIB, RW, 0), hint);
	assert_true(rig_write(&rig, hint + 4096));
	/* Taken now, so a place is searched from the top of the large space. */
	uint64_t at = (uint64_t)rig_mmap(&rig, hint, 64 * KIB, RW, 0);
	assert_true(at > WINDOW && at < FIVE_LEVEL_END);
	assert_true(rig_write(&rig, at));
	/* -1 is the way to say "anywhere, also up there". */
	assert_true((uint64_t)rig_mmap(&rig, UINT64_MAX, 64 * KIB, RW, 0) > WINDOW);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, hint, 64 * KIB, 0, 0, 0), 0);
	rig_release(&rig);
}

static void hint_across_the_end_of_the_window_is_no_place(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_paging(&rig, PAGING_5LEVEL);
	uint64_t at = (uint64_t)rig_mmap(&rig, WINDOW - 4096, 64 * KIB, RW, 0);
	assert_true(at < WINDOW - 4096);
	rig_release(&rig);
}

static void four_levels_end_at_the_window(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_paging(&rig, PAGING_4LEVEL);
	assert_true((uint64_t)rig_mmap(&rig, (uint64_t)1 << 55, 64 * KIB, RW, 0) < WINDOW);
	assert_int_equal(rig_mmap(&rig, (uint64_t)1 << 55, 4096, RW, LINUX_MAP_FIXED), -LINUX_ENOMEM);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(five_levels_change_nothing_without_a_hint),
	    cmocka_unit_test(hint_above_the_window_opens_the_rest_of_five_levels),
	    cmocka_unit_test(hint_across_the_end_of_the_window_is_no_place),
	    cmocka_unit_test(four_levels_end_at_the_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
