/* The start menu: the lessons with what they show. A pure picture and a few keys. */
#ifndef FAULTLINE_TUI_MENU_H
#define FAULTLINE_TUI_MENU_H

#include "canvas.h"
#include "faultline/tui.h"

struct menu {
	const struct tui_lesson *lessons;
	unsigned count, selected;
	bool chosen, quit;
	bool help; /* what the keys do stands over the list */
};

void menu_key(struct menu *menu, const char *key);
void menu_draw(const struct menu *menu, struct canvas *canvas);

#endif
