/* A panel of the screen: one file, one row of the table. */
#ifndef FAULTLINE_TUI_VIEW_H
#define FAULTLINE_TUI_VIEW_H

#include "canvas.h"
#include "scene.h"

enum move { MOVE_UP, MOVE_DOWN, MOVE_LEFT, MOVE_RIGHT, MOVE_PAGE_UP, MOVE_PAGE_DOWN, MOVE_HOME, MOVE_END };

struct view {
	enum panel panel;
	/* Behind the panel's title in the upper edge of its box; may be NULL. */
	void (*title)(const struct scene *scene, char *out, size_t room);
	/* `area` is what is inside the box. Whatever the room: draw what matters most first, and never half an address.
	 */
	void (*draw)(const struct scene *scene, struct area area);
	/* Moves the selection of the panel; false: it has none, or it was at the edge. May be NULL. */
	bool (*move)(struct scene *scene, enum move move);
	/* Enter: goes from the selection to what it points at, in another panel (from an entry to its frame, from a
	 * frame to what maps it). May be NULL. */
	bool (*choose)(struct scene *scene);
};

/* By panel. */
extern const struct view *const views[PANEL_COUNT];

#define X(id, digit, name, title, text) extern const struct view view_##name;
PANEL_LIST(X)
#undef X

const char *panel_title(enum panel panel);
const char *panel_name(enum panel panel);
int panel_digit(enum panel panel); /* -1: none */

#endif
