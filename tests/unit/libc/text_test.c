/* The C library's text: true code, for 64 and for 32 bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/libc_text.h"
#include "faultline/units.h"

static void stub_puts_the_number_into_eax_and_enters_the_kernel(void **state)
{
	(void)state;
	static const struct {
		bool wide;
		uint8_t code[8];
	} cases[] = {
	    {true, {0xb8, 12, 0, 0, 0, 0x0f, 0x05, 0xc3}},  /* mov eax, 12; syscall; ret */
	    {false, {0xb8, 45, 0, 0, 0, 0xcd, 0x80, 0xc3}}, /* mov eax, 45; int 80h; ret */
	};
	struct arena *arena = arena_new(MIB);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *text;
		uint64_t bytes = libc_text_build(arena, cases[i].wide, &text);
		assert_true(libc_stub_offset(SYSCALL_BRK) + sizeof(cases[i].code) <= bytes);
		assert_memory_equal(text + libc_stub_offset(SYSCALL_BRK), cases[i].code, sizeof(cases[i].code));
	}
	arena_free(arena);
}

static void entry_is_an_endbr_and_a_ret(void **state)
{
	(void)state;
	static const uint8_t code[5] = {0xf3, 0x0f, 0x1e, 0xfa, 0xc3};
	struct arena *arena = arena_new(MIB);
	const uint8_t *text;
	(void)libc_text_build(arena, true, &text);
	for (unsigned i = 0; i < LIBC_FUNCTION_COUNT; i++)
		assert_memory_equal(text + libc_entry_offset((enum libc_function)i), code, sizeof(code));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stub_puts_the_number_into_eax_and_enters_the_kernel),
	    cmocka_unit_test(entry_is_an_endbr_and_a_ret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
