/* The whole screen as a pure function of a scene and a size. */
#ifndef FAULTLINE_TUI_SCREEN_H
#define FAULTLINE_TUI_SCREEN_H

#include "canvas.h"
#include "keys.h"
#include "scene.h"

enum { SCREEN_LEAST_ROWS = 16, SCREEN_LEAST_COLUMNS = 60 };

/* Where everything lies. Areas without rows are folded away. */
struct layout {
	struct area status, story, why, next; /* from the top; each without a box */
	struct area body;                     /* below these, above the rest: all panels but the timeline */
	struct area panels[PANEL_COUNT];      /* with their boxes */
	struct area quiz, keys;               /* at the bottom */
};

struct layout layout_make(struct canvas *canvas, bool zoomed, enum panel focus);

void screen_draw(const struct scene *scene, struct canvas *canvas);

/* The panel at a place of the screen, for a mouse; PANEL_COUNT: none. */
enum panel screen_panel_at(struct canvas *canvas, const struct scene *scene, unsigned row, unsigned column);
/* The action of the label in the key bar at that place; false: none. */
bool screen_action_at(struct canvas *canvas, const struct scene *scene, unsigned row, unsigned column,
		      enum action *out);

#endif
