#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faultline/physmem.h"

struct fixture {
	struct arena *arena;
	struct physmem *mem;
};

static struct fixture setup(uint64_t bytes)
{
	struct fixture f;
	f.arena = arena_new(bytes + (bytes >> PAGE_SHIFT) + MIB);
	assert_non_null(f.arena);
	f.mem = physmem_new(f.arena, bytes);
	return f;
}

static void physmem_reads_zero_before_any_write(void **state)
{
	(void)state;
	struct fixture f = setup(MIB);
	assert_int_equal(physmem_load64(f.mem, paddr(0x3008)), 0);
	assert_int_equal(physmem_load32(f.mem, paddr(0x3004)), 0);
	assert_false(physmem_has_content(f.mem, pfn(3)));
	arena_free(f.arena);
}

static void physmem_keeps_words_in_little_endian_order(void **state)
{
	(void)state;
	struct fixture f = setup(MIB);
	physmem_store64(f.mem, paddr(0x1000), 0x1122334455667788);
	assert_int_equal(physmem_load32(f.mem, paddr(0x1000)), 0x55667788);
	physmem_store32(f.mem, paddr(0x1004), 0xaabbccdd);
	assert_int_equal(physmem_load64(f.mem, paddr(0x1000)), 0xaabbccdd55667788);
	assert_true(physmem_has_content(f.mem, pfn(1)));
	arena_free(f.arena);
}

static void physmem_beyond_the_end_reads_ones_and_drops_writes(void **state)
{
	(void)state;
	struct fixture f = setup(MIB);
	physmem_store64(f.mem, paddr(MIB), 1);
	physmem_store32(f.mem, paddr(MIB), 1);
	physmem_fill(f.mem, pfn(256), 0x6b);
	physmem_zero(f.mem, pfn(256));
	assert_int_equal(physmem_load64(f.mem, paddr(MIB)), UINT64_MAX);
	assert_int_equal(physmem_load32(f.mem, paddr(UINT64_MAX - 3)), UINT32_MAX);
	assert_false(physmem_has_content(f.mem, pfn(256)));
	physmem_copy(f.mem, pfn(1), pfn(256));
	assert_int_equal(physmem_load64(f.mem, paddr(0x1ff8)), UINT64_MAX);
	assert_int_equal(physmem_bytes(f.mem), MIB);
	arena_free(f.arena);
}

static void physmem_zero_takes_the_content_away(void **state)
{
	(void)state;
	struct fixture f = setup(MIB);
	physmem_fill(f.mem, pfn(5), 0x6b);
	assert_int_equal(physmem_load64(f.mem, paddr(0x5ff8)), 0x6b6b6b6b6b6b6b6b);
	physmem_fill(f.mem, pfn(5), 0);
	assert_false(physmem_has_content(f.mem, pfn(5)));
	assert_int_equal(physmem_load64(f.mem, paddr(0x5ff8)), 0);
	arena_free(f.arena);
}

static void physmem_copies_content_and_its_absence(void **state)
{
	(void)state;
	struct fixture f = setup(MIB);
	physmem_store64(f.mem, paddr(0x2010), 77);
	physmem_copy(f.mem, pfn(3), pfn(2));
	assert_int_equal(physmem_load64(f.mem, paddr(0x3010)), 77);
	physmem_copy(f.mem, pfn(3), pfn(3));
	assert_int_equal(physmem_load64(f.mem, paddr(0x3010)), 77);
	physmem_copy(f.mem, pfn(2), pfn(9));
	assert_false(physmem_has_content(f.mem, pfn(2)));
	assert_int_equal(physmem_load64(f.mem, paddr(0x2010)), 0);
	arena_free(f.arena);
}

static void physmem_of_a_terabyte_costs_only_what_is_touched(void **state)
{
	(void)state;
	struct fixture f = setup(TIB);
	physmem_store64(f.mem, paddr(TIB - 8), 42);
	assert_int_equal(physmem_load64(f.mem, paddr(TIB - 8)), 42);
	assert_int_equal(physmem_load64(f.mem, paddr(TIB / 2)), 0);
	arena_free(f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(physmem_reads_zero_before_any_write),
	    cmocka_unit_test(physmem_keeps_words_in_little_endian_order),
	    cmocka_unit_test(physmem_beyond_the_end_reads_ones_and_drops_writes),
	    cmocka_unit_test(physmem_zero_takes_the_content_away),
	    cmocka_unit_test(physmem_copies_content_and_its_absence),
	    cmocka_unit_test(physmem_of_a_terabyte_costs_only_what_is_touched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
