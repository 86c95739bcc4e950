/* Everything can be taken out: the screen as text, the events so far as JSON Lines, the state as JSON. */
#ifndef FAULTLINE_TUI_EXPORT_H
#define FAULTLINE_TUI_EXPORT_H

#include "console.h"

/* `what`: screen, events or state. Written to a temporary file that then takes the name. */
enum status export_to(struct console *console, const char *what, const char *path, struct error *error);

#endif
