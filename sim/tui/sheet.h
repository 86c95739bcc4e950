/* A text over the panels, wrapped to as many rows as it needs; where there are not so many, it has pages. */
#ifndef FAULTLINE_TUI_SHEET_H
#define FAULTLINE_TUI_SHEET_H

#include "canvas.h"
#include "scene.h"

enum { SHEET_TEXT = 4096 };

struct sheet {
	const char *title;
	const char *key;       /* that shows the next page */
	char text[SHEET_TEXT]; /* lines; an empty one is an empty row */
	unsigned page;         /* from 0 */
};

/* What the event of the moment means, whole. */
void sheet_explain(const struct scene *scene, struct sheet *out);

/* In a box over as much of the area as it needs. */
void sheet_draw(const struct sheet *sheet, struct area area);
unsigned sheet_pages(const struct sheet *sheet, struct area area);

#endif
