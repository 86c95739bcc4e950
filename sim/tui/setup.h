/* How somebody likes it: theme, glyphs, speed, mouse. Kept in $XDG_CONFIG_HOME/faultline/tui, read at the start,
 * written only when asked. Lines "NAME = VALUE"; # begins a comment. */
#ifndef FAULTLINE_TUI_SETUP_H
#define FAULTLINE_TUI_SETUP_H

#include <stddef.h>

#include "faultline/status.h"
#include "style.h"

/* X(name, values, text) */
#define SETUP_LIST(X)                                                                                                  \
	X(theme, "default, safe or mono", "the colours")                                                               \
	X(glyphs, "ascii, unicode or auto", "the characters that pictures are made of")                                \
	X(speed, "1 to 1000", "events a second when it plays")                                                         \
	X(mouse, "yes or no", "whether clicks and the wheel are for the program")

struct setup {
	enum theme theme;
	enum { SETUP_GLYPHS_AUTO, SETUP_GLYPHS_ASCII, SETUP_GLYPHS_UNICODE } glyphs;
	unsigned speed;
	bool mouse;
};

#define SETUP_DEFAULT                                                                                                  \
	{                                                                                                              \
		.speed = 4, .mouse = true                                                                              \
	}

/* BAD_INPUT: error says what is allowed. */
enum status setup_set(struct setup *setup, const char *name, const char *value, struct error *error);
/* What to draw with; `automatic` is what the surroundings can show. */
enum glyph_set setup_glyphs(const struct setup *setup, enum glyph_set automatic);
/* What the file says; no file is no error. */
enum status setup_read(struct setup *setup, struct error *error);
/* Writes the file, complete or not at all; `path` gets its name. */
enum status setup_write(const struct setup *setup, char *path, size_t room, struct error *error);
/* All settings with what they mean and how to change them, in lines. */
void setup_tell(const struct setup *setup, char *out, size_t room);

#endif
