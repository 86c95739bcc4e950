/* The same console without a screen: one sentence an event, no boxes and no redraw, for screen readers, dumb terminals
 * and pipes. Keys are read a line at a time; an empty line is a step. */
#ifndef FAULTLINE_TUI_LINEAR_H
#define FAULTLINE_TUI_LINEAR_H

#include "console.h"

enum status linear_run(struct console *console, struct error *error);

#endif
