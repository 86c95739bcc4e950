/* How values read. */
#include "faultline/phrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "faultline/mmu.h"
#include "faultline/units.h"

static void sizes_have_at_most_one_decimal(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
	    {0, "0 B"},           {1023, "1023 B"},         {1024, "1 KiB"},
	    {1536, "1.5 KiB"},    {132 * KIB, "132 KiB"},   {1048575, "1023.9 KiB"},
	    {64 * MIB, "64 MiB"}, {5 * GIB / 2, "2.5 GiB"}, {UINT64_MAX, "15.9 EiB"},
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(phrase_size(cases[i].bytes).text, cases[i].text);
}

static void nouns_agree_with_their_number(void **state)
{
	(void)state;
	assert_string_equal(phrase_count(1, "page fault").text, "1 page fault");
	assert_string_equal(phrase_count(0, "page fault").text, "0 page faults");
	assert_string_equal(phrase_count(12345, "TLB miss").text, "12 345 TLB misses");
	assert_string_equal(phrase_count(2, "entry").text, "2 entries");
	assert_string_equal(phrase_count(2, "flush").text, "2 flushes");
}

static void numbers_are_grouped_from_five_digits_on(void **state)
{
	(void)state;
	assert_string_equal(phrase_number(1234).text, "1234");
	assert_string_equal(phrase_number(12345).text, "12 345");
	assert_string_equal(phrase_number(UINT64_MAX).text, "18 446 744 073 709 551 615");
}

static void results_are_values_addresses_or_errors(void **state)
{
	(void)state;
	assert_string_equal(phrase_result(0).text, "0");
	assert_string_equal(phrase_result(4095).text, "4095");
	assert_string_equal(phrase_result(0x55555555e000).text, "0x55555555e000");
	assert_string_equal(phrase_result((uint64_t)-12).text, "-ENOMEM");
	assert_string_equal(phrase_result((uint64_t)-4096).text, "0xfffffffffffff000");
}

static void error_codes_are_read_bit_by_bit(void **state)
{
	(void)state;
	assert_string_equal(phrase_fault_code(0).text, "P=0 W=0 U=0 RSVD=0 I=0");
	assert_string_equal(phrase_fault_code(0x1f).text, "P=1 W=1 U=1 RSVD=1 I=1");
	assert_string_equal(phrase_fault_code(FAULT_PROTECTION_KEY | FAULT_PRESENT).text,
			    "P=1 W=0 U=0 RSVD=0 I=0 PK=1");
	assert_string_equal(phrase_fault_words(FAULT_WRITE | FAULT_USER).text,
			    "write in ring 3 to a page that is not present");
	assert_string_equal(phrase_fault_words(FAULT_FETCH | FAULT_PRESENT).text,
			    "instruction fetch in ring 0 to a page that does not allow it");
}

static void entries_name_the_bits_that_are_set(void **state)
{
	(void)state;
	assert_string_equal(phrase_entry((struct pte){0x8000000000029067}, 1).text, "frame 0x29 P RW US A D NX");
	assert_string_equal(phrase_entry((struct pte){0x2000e7}, 2).text, "frame 0x200 P RW US A D PS");
	assert_string_equal(phrase_entry((struct pte){0x2000e7}, 1).text, "frame 0x200 P RW US A D PAT");
	assert_string_equal(phrase_entry((struct pte){0x29066}, 1).text, "not present");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sizes_have_at_most_one_decimal),
	    cmocka_unit_test(nouns_agree_with_their_number),
	    cmocka_unit_test(numbers_are_grouped_from_five_digits_on),
	    cmocka_unit_test(results_are_values_addresses_or_errors),
	    cmocka_unit_test(error_codes_are_read_bit_by_bit),
	    cmocka_unit_test(entries_name_the_bits_that_are_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
