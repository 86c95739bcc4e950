/* The interactive loop: terminal in, console, terminal out. Answers keys while a journey is under way. */
#ifndef FAULTLINE_TUI_LOOP_H
#define FAULTLINE_TUI_LOOP_H

#include "console.h"

/* The terminal is open; a `fixed` screen does not follow its size. Returns when the user quits or the terminal ends. */
void loop_run(struct console *console, bool fixed);

#endif
