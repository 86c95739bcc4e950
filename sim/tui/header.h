/* The fixed rows: status, story ribbon, WHY and NEXT on top; the question and the key bar at the bottom. */
#ifndef FAULTLINE_TUI_HEADER_H
#define FAULTLINE_TUI_HEADER_H

#include "screen.h"

void header_draw(const struct scene *scene, const struct layout *layout);

#endif
