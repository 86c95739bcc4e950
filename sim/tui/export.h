/* Everything can be taken out: the screen as text, the events so far as JSON Lines, the state as JSON. */
#ifndef FAULTLINE_TUI_EXPORT_H
#define FAULTLINE_TUI_EXPORT_H

#include "console.h"

/* `what`: screen, events or state. The file is complete or not there, and the console says when it is written: events
 * need a journey, which only begins here. No journey may be under way. */
enum status export_to(struct console *console, const char *what, const char *path, struct error *error);
/* A journey of console->exporting has ended. May begin the next one. */
void export_arrive(struct console *console, enum travel_end end);
/* Forgets what is not written yet; no journey may be under way. */
void export_release(struct console *console);

#endif
