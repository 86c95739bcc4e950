#include "screen.h"

#include <string.h>

#include "header.h"
#include "keybar.h"
#include "view.h"

static void draw_panel(const struct scene *scene, struct area area, enum panel panel)
{
	char title[160];
	char more[120] = "";
	int digit = panel_digit(panel);
	bool focused = scene->focus == panel;
	if (views[panel]->title)
		views[panel]->title(scene, more, sizeof(more));
	if (digit >= 0)
		(void)snprintf(title, sizeof(title), "%d %s%s%s", digit, panel_title(panel), more[0] ? "  " : "", more);
	else
		(void)snprintf(title, sizeof(title), "%s%s%s", panel_title(panel), more[0] ? "  " : "", more);
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
	if (scene->help)
		keyhelp_draw(area_part(canvas_area(canvas), 0, 0, canvas->rows, canvas->columns));
}

bool screen_action_at(struct canvas *canvas, const struct scene *scene, unsigned row, unsigned column, enum action *out)
{
	struct layout layout = layout_make(canvas, scene->zoomed, scene->focus);
	return row == layout.keys.row && keybar_action_at(layout.keys, column, out);
}
