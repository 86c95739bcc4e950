/* The key bar: labels made from the table of keys, as many as there is room for. Clicking a label is pressing its key.
 */
#ifndef FAULTLINE_TUI_KEYBAR_H
#define FAULTLINE_TUI_KEYBAR_H

#include "canvas.h"
#include "keys.h"

void keybar_draw(struct area area);
/* The action under a column; false: none. */
bool keybar_action_at(struct area area, unsigned column, enum action *out);

/* All keys with what they do, drawn over a whole area: so many pages, the first is 1. */
unsigned keyhelp_pages(struct area area);
void keyhelp_draw(struct area area, unsigned page);

#endif
