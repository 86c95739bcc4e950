#include "screen.h"

#include <string.h>

#include "header.h"
#include "keybar.h"
#include "sheet.h"
#include "utf8.h"
#include "view.h"

enum { TITLE_TEXT = 160, TITLE_FRAME = 6 }; /* corner, line and blank at both sides */

/* What stands behind the last two blanks; false: there is no such part. */
static bool drop_last_part(char *text)
{
	for (size_t at = strlen(text); at-- > 1;) {
		if (text[at] == ' ' && text[at - 1] == ' ') {
			text[at - 1] = '\0';
			return true;
		}
	}
	return false;
}

/* "2 ADDRESS SPACE  rss 10/81". What is behind two blanks is left out where it does not fit. */
static void write_title(const struct scene *scene, enum panel panel, unsigned columns, char *out)
{
	char more[120] = "";
	int digit = panel_digit(panel);
	if (views[panel]->title)
		views[panel]->title(scene, more, sizeof(more));
	int head = digit >= 0 ? snprintf(out, TITLE_TEXT, "%d %s", digit, panel_title(panel))
			      : snprintf(out, TITLE_TEXT, "%s", panel_title(panel));
	(void)snprintf(out + head, TITLE_TEXT - (size_t)head, "%s%s", more[0] ? "  " : "", more);
	while (utf8_length(out) + TITLE_FRAME > columns && drop_last_part(out))
		;
}

static void draw_panel(const struct scene *scene, struct area area, enum panel panel)
{
	char title[TITLE_TEXT];
	bool focused = scene->focus == panel;
	write_title(scene, panel, area.columns, title);
	struct area inside = area_box(area, focused ? STYLE_FOCUS : STYLE_BORDER, STYLE_TITLE, title);
	views[panel]->draw(scene, inside);
}

static void draw_too_small(const struct scene *scene, struct canvas *canvas)
{
	struct area all = canvas_area(canvas);
	(void)area_text(all, 0, 0, STYLE_STRONG, "needs %dx%d, this is %ux%u", SCREEN_LEAST_COLUMNS, SCREEN_LEAST_ROWS,
			canvas->columns, canvas->rows);
	(void)area_paragraph(all, 1, 0, STYLE_TEXT, scene->why);
}

void screen_draw(const struct scene *scene, struct canvas *canvas)
{
	canvas_clear(canvas);
	if (canvas->rows < SCREEN_LEAST_ROWS || canvas->columns < SCREEN_LEAST_COLUMNS) {
		draw_too_small(scene, canvas);
		return;
	}
	struct layout layout = layout_make(canvas, scene->zoomed, scene->focus);
	header_draw(scene, &layout);
	for (unsigned i = 0; i < PANEL_COUNT; i++) {
		if (layout.panels[i].rows > 0)
			draw_panel(scene, layout.panels[i], (enum panel)i);
	}
	if (scene->sheet)
		sheet_draw(scene->sheet, layout.body);
	if (scene->help)
		keyhelp_draw(canvas_area(canvas), scene->help);
}

bool screen_action_at(struct canvas *canvas, const struct scene *scene, unsigned row, unsigned column, enum action *out)
{
	struct layout layout = layout_make(canvas, scene->zoomed, scene->focus);
	return row == layout.keys.row && keybar_action_at(layout.keys, column, out);
}
