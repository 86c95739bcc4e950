/* The terminal: the only place that knows ncurses. Shows a canvas, names keys, and always leaves the terminal as it was
 * found, also when the program is killed or has crashed. */
#ifndef FAULTLINE_TUI_TERMINAL_H
#define FAULTLINE_TUI_TERMINAL_H

#include "canvas.h"
#include "faultline/status.h"

enum { TERMINAL_KEY_BYTES = 16 };

/* Takes the locale of the environment; and what that can show. */
void terminal_locale(void);
enum glyph_set terminal_glyphs(void);

/* HOST: standard input or output is no terminal, or TERM is not known. */
enum status terminal_open(bool mouse, struct error *error);
void terminal_close(void);
void terminal_size(unsigned *rows, unsigned *columns);
/* Writes only the cells that changed, and parks the cursor. */
void terminal_show(const struct canvas *canvas, enum theme theme);

enum terminal_input { TERMINAL_NOTHING, TERMINAL_KEY, TERMINAL_CLICK, TERMINAL_RESIZED, TERMINAL_GONE };

struct terminal_event {
	enum terminal_input input;
	char key[TERMINAL_KEY_BYTES]; /* by the names of keys.h */
	unsigned row, column;         /* of a click */
};

/* What has been typed, without waiting. */
struct terminal_event terminal_read(void);

/* Says that everything typed so far has been answered: a byte on the descriptor that FAULTLINE_IDLE_FD names, for a
 * program that drives this one. */
void terminal_idle(void);
/* Waits until something is typed, `descriptor` is readable (-1: none), a signal came, or the time is over (-1: never).
 */
void terminal_wait(int descriptor, int milliseconds);
/* SIGINT since the last call; SIGTERM or SIGHUP ever. */
bool terminal_interrupted(void);
bool terminal_ended(void);
/* Once it is closed and all is put away: dies of the signal that asked for it, if one did. */
void terminal_die(void);

#endif
