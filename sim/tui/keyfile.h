/* A script of keys, for tests and for pictures: words separated by blanks or newlines. A word is a key by name ("s",
 * "Enter", "Ctrl-C"); "text" in quotes is typed letter by letter; @COLUMNSxROWS changes the size; N*KEY presses it N
 * times; # begins a comment. */
#ifndef FAULTLINE_TUI_KEYFILE_H
#define FAULTLINE_TUI_KEYFILE_H

#include "console.h"

/* Presses all of them, each when the journey of the one before has ended. BAD_INPUT with file and line. */
enum status keyfile_press(struct console *console, const char *path, struct error *error);

#endif
