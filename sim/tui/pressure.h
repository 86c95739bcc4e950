/* Memory under pressure: the free frames between the watermarks, swap, and what the replacement policy holds. Part of
 * the frames panel, where there is swap, a limit, or a page that was looked at to be taken away. */
#ifndef FAULTLINE_TUI_PRESSURE_H
#define FAULTLINE_TUI_PRESSURE_H

#include "canvas.h"
#include "scene.h"

/* Rows that it has to say, 0: memory is not under pressure. With `brief` one at most. */
unsigned pressure_rows(const struct scene *scene, bool brief);
/* As many of them as fit before `end`; returns the row behind. */
unsigned pressure_draw(const struct scene *scene, struct area area, unsigned row, unsigned end, bool brief);

#endif
