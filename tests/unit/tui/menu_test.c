/* The menu shows where in the list one is, that there is more, and what its keys do. */
#include "menu.h"
#include "stage.h"

enum { LESSONS = 40, NAME = 16, TEXT = 20000 };

static struct tui_lesson lessons[LESSONS];
static char names[LESSONS][NAME];

static const char *look(const struct menu *menu)
{
	static char text[TEXT];
	struct canvas canvas;
	assert_true(canvas_init(&canvas, 24, 80, GLYPHS_ASCII));
	menu_draw(menu, &canvas);
	FILE *out = fmemopen(text, sizeof(text), "w");
	canvas_write(&canvas, out, NULL);
	(void)fclose(out);
	canvas_release(&canvas);
	return text;
}

static struct menu begin(void)
{
	for (unsigned i = 0; i < LESSONS; i++) {
		(void)snprintf(names[i], NAME, "lesson-%u", i);
		lessons[i] = (struct tui_lesson){names[i], names[i], names[i]};
	}
	return (struct menu){.lessons = lessons, .count = LESSONS};
}

static void more_lessons_are_announced(void **state)
{
	(void)state;
	struct menu menu = begin();
	assert_non_null(strstr(look(&menu), "of 40  more below"));
	assert_null(strstr(look(&menu), "more above"));
	for (unsigned i = 0; i < LESSONS; i++) {
		menu.selected = i;
		assert_non_null(strstr(look(&menu), names[i]));
	}
	assert_non_null(strstr(look(&menu), "of 40  more above"));
	assert_null(strstr(look(&menu), "more below"));
}

static void a_question_mark_lists_the_keys(void **state)
{
	(void)state;
	struct menu menu = begin();
	menu_key(&menu, "?");
	assert_non_null(strstr(look(&menu), "begins the lesson"));
	menu_key(&menu, "Esc");
	assert_null(strstr(look(&menu), "begins the lesson"));
	assert_false(menu.quit);
	menu_key(&menu, "Esc");
	assert_true(menu.quit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(more_lessons_are_announced),
	    cmocka_unit_test(a_question_mark_lists_the_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
