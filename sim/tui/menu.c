#include "menu.h"

#include <stdio.h>
#include <string.h>

#include "sheet.h"
#include "utf8.h"

enum { NAME_COLUMNS = 26, DESCRIPTION_ROWS = 4, TITLE_TEXT = 80 };

static void move_by(struct menu *menu, int rows)
{
	int at = (int)menu->selected + rows;
	menu->selected = at < 0 ? 0 : at >= (int)menu->count ? menu->count - 1 : (unsigned)at;
}

/* To the next lesson whose name begins with the letter. */
static void move_to_letter(struct menu *menu, char letter)
{
	for (unsigned i = 1; i <= menu->count; i++) {
		unsigned at = (menu->selected + i) % menu->count;
		if (menu->lessons[at].name[0] == letter) {
			menu->selected = at;
			return;
		}
	}
}

void menu_key(struct menu *menu, const char *key)
{
	static const struct {
		const char *key;
		int rows;
	} moves[] = {{"Up", -1}, {"Down", 1}, {"PageUp", -10}, {"PageDown", 10}, {"Home", -100000}, {"End", 100000}};
	bool helped = menu->help;
	menu->help = !helped && (strcmp(key, "?") == 0 || strcmp(key, "F1") == 0);
	if (menu->help || (helped && strcmp(key, "Esc") == 0))
		return;
	for (unsigned i = 0; i < sizeof(moves) / sizeof(*moves); i++) {
		if (strcmp(moves[i].key, key) == 0)
			move_by(menu, moves[i].rows);
	}
	if (strcmp(key, "Enter") == 0 || strcmp(key, "Right") == 0)
		menu->chosen = true;
	else if (strcmp(key, "q") == 0 || strcmp(key, "Esc") == 0 || strcmp(key, "F10") == 0 ||
		 strcmp(key, "Ctrl-C") == 0)
		menu->quit = true;
	else if (key[0] && !key[1])
		move_to_letter(menu, key[0]);
}

/* The first of so many rows: the selection stands in the middle where the list is longer. */
static unsigned first_row(const struct menu *menu, unsigned rows)
{
	unsigned first = menu->selected > rows / 2 ? menu->selected - rows / 2 : 0;
	unsigned last = menu->count > rows ? menu->count - rows : 0;
	return first < last ? first : last;
}

static void draw_list(const struct menu *menu, struct area area, struct canvas *canvas)
{
	unsigned first = first_row(menu, area.rows);
	for (unsigned row = 0; row < area.rows && first + row < menu->count; row++) {
		const struct tui_lesson *lesson = &menu->lessons[first + row];
		bool selected = first + row == menu->selected;
		(void)area_text(area_part(area, row, 2, 1, NAME_COLUMNS), 0, 0, STYLE_STRONG, "%s", lesson->name);
		(void)area_text(area_part(area, row, 2 + NAME_COLUMNS + 2, 1, area.columns), 0, 0, STYLE_TEXT, "%s",
				lesson->description);
		if (!selected)
			continue;
		(void)area_glyph(area, row, 0, STYLE_SELECTED, GLYPH_CURRENT);
		area_restyle(area, row, 0, area.columns, STYLE_SELECTED);
		canvas->cursor_row = area.row + row;
		canvas->cursor_column = area.column;
	}
}

/* "LESSONS 4-17 of 36  more above  more below" */
static void write_title(const struct menu *menu, unsigned rows, char *out)
{
	unsigned first = first_row(menu, rows);
	unsigned end = first + rows < menu->count ? first + rows : menu->count;
	(void)snprintf(out, TITLE_TEXT, "LESSONS %u-%u of %u%s%s", menu->count ? first + 1 : 0, end, menu->count,
		       first > 0 ? "  more above" : "", end < menu->count ? "  more below" : "");
}

static const struct sheet help = {
    .title = "HELP",
    .key = "?",
    .text = "Up, Down, PageUp, PageDown, Home, End: choose a lesson; what it shows stands below the list.\n"
	    "A letter: to the next lesson whose name begins with it.\n"
	    "Enter, Right: begins the lesson. There, s goes one event forward, S back, and ? lists all keys.\n"
	    "q, Esc, F10, Ctrl-C: quits."};

void menu_draw(const struct menu *menu, struct canvas *canvas)
{
	canvas_clear(canvas);
	struct area all = canvas_area(canvas);
	(void)area_text(all, 0, 0, STYLE_TITLE, "FAULTLINE   what happens below malloc, step by step, both ways");
	if (all.rows < DESCRIPTION_ROWS + 6)
		return;
	struct area box = area_part(all, 2, 0, all.rows - DESCRIPTION_ROWS - 4, all.columns);
	char title[TITLE_TEXT];
	write_title(menu, box.rows - 2, title);
	draw_list(menu, area_box(box, STYLE_BORDER, STYLE_TITLE, title), canvas);
	struct area below = area_part(all, all.rows - DESCRIPTION_ROWS - 2, 1, DESCRIPTION_ROWS, all.columns - 2);
	if (menu->count > 0)
		(void)area_paragraph(below, 0, 0, STYLE_TEXT, menu->lessons[menu->selected].description);
	(void)area_text(all, all.rows - 1, 0, STYLE_KEY,
			"Up/Down choose  Enter begins  a letter jumps  ? help  q quits");
	if (menu->help)
		sheet_draw(&help, box);
}
