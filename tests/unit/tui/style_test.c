/* Themes: what each promises of its colours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "style.h"

/* Red and green look alike to many, magenta and blue to the same. */
static void the_safe_theme_has_no_colours_that_look_alike(void **state)
{
	(void)state;
	for (unsigned style = 0; style < STYLE_COUNT; style++) {
		int colour = theme_look(THEME_SAFE, (enum style)style).colour;
		assert_int_not_equal(colour, COLOUR_RED);
		assert_int_not_equal(colour, COLOUR_GREEN);
		assert_int_not_equal(colour, COLOUR_MAGENTA);
	}
	static const enum style apart[][2] = {
	    {STYLE_RING0, STYLE_RING3}, {STYLE_FAULT, STYLE_GOOD}, {STYLE_CHANGED, STYLE_TEXT}, {STYLE_APP, STYLE_LIBC},
	    {STYLE_LIBC, STYLE_KERNEL}, {STYLE_APP, STYLE_KERNEL}, {STYLE_APP, STYLE_HARDWARE}};
	for (unsigned i = 0; i < sizeof(apart) / sizeof(*apart); i++)
		assert_int_not_equal(theme_look(THEME_SAFE, apart[i][0]).colour,
				     theme_look(THEME_SAFE, apart[i][1]).colour);
}

static void the_mono_theme_has_no_colours(void **state)
{
	(void)state;
	for (unsigned style = 0; style < STYLE_COUNT; style++)
		assert_int_equal(theme_look(THEME_MONO, (enum style)style).colour, COLOUR_DEFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_safe_theme_has_no_colours_that_look_alike),
	    cmocka_unit_test(the_mono_theme_has_no_colours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
