#include "terminal.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "signals.h"
#include "utf8.h"

enum { ESCAPE_MILLISECONDS = 25 };

/* ---- opening ---- */

void terminal_locale(void)
{
	(void)setlocale(LC_CTYPE, "");
}

enum glyph_set terminal_glyphs(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? GLYPHS_UTF8 : GLYPHS_ASCII;
}

static void make_colours(void)
{
	if (!has_colors())
		return;
	(void)start_color();
	(void)use_default_colors();
	for (int colour = 0; colour < 8 && colour < COLORS; colour++)
		(void)init_pair((short)(colour + 1), (short)colour, -1);
}

enum status terminal_open(bool mouse, struct error *error)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return error_set(error, STATUS_HOST, "this is no terminal: use --a11y, or --keys with --dump-screen");
	signals_keep_terminal();
	set_escdelay(ESCAPE_MILLISECONDS);
	if (!newterm(NULL, stdout, stdin))
		return error_set(error, STATUS_HOST, "the terminal \"%s\" is not known: set TERM, or use --a11y",
				 getenv("TERM") ? getenv("TERM") : "");
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)intrflush(stdscr, FALSE);
	make_colours();
	if (mouse)
		(void)mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	(void)mouseinterval(0);
	signals_catch();
	return STATUS_OK;
}

void terminal_close(void)
{
	(void)endwin();
	signals_release();
}

void terminal_size(unsigned *rows, unsigned *columns)
{
	*rows = (unsigned)LINES;
	*columns = (unsigned)COLS;
}

/* ---- showing ---- */

static attr_t attributes_of(struct look look)
{
	attr_t attributes = A_NORMAL;
	if (look.attributes & ATTRIBUTE_BOLD)
		attributes |= A_BOLD;
	if (look.attributes & ATTRIBUTE_REVERSE)
		attributes |= A_REVERSE;
	if (look.attributes & ATTRIBUTE_UNDERLINE)
		attributes |= A_UNDERLINE;
	if (look.attributes & ATTRIBUTE_DIM)
		attributes |= A_DIM;
	return attributes;
}

static void show_cell(const struct cell *cell, enum theme theme)
{
	cchar_t out;
	wchar_t text[2] = {(wchar_t)cell->glyph, L'\0'};
	struct look look = theme_look(theme, (enum style)cell->style);
	short pair = (short)(has_colors() && look.colour >= 0 ? look.colour + 1 : 0);
	(void)setcchar(&out, text, attributes_of(look), pair, NULL);
	(void)add_wch(&out);
}

void terminal_show(const struct canvas *canvas, enum theme theme)
{
	for (unsigned row = 0; row < canvas->rows && row < (unsigned)LINES; row++) {
		(void)move((int)row, 0);
		/* Curses scrolls or fails at the last cell of the screen; nothing stands there. */
		bool last = row + 1 == (unsigned)LINES && canvas->columns >= (unsigned)COLS;
		for (unsigned column = 0; column + last < canvas->columns && column < (unsigned)COLS; column++)
			show_cell(canvas_cell(canvas, row, column), theme);
	}
	(void)move((int)canvas->cursor_row, (int)canvas->cursor_column);
	(void)refresh();
}

/* ---- keys ---- */

static const struct {
	int code;
	const char *name;
} special_keys[] = {
    {KEY_UP, "Up"},        {KEY_DOWN, "Down"},      {KEY_LEFT, "Left"},           {KEY_RIGHT, "Right"},
    {KEY_PPAGE, "PageUp"}, {KEY_NPAGE, "PageDown"}, {KEY_HOME, "Home"},           {KEY_END, "End"},
    {KEY_BTAB, "BackTab"}, {KEY_ENTER, "Enter"},    {KEY_BACKSPACE, "Backspace"}, {KEY_DC, "Delete"},
    {KEY_F(1), "F1"},      {KEY_F(2), "F2"},        {KEY_F(10), "F10"},
};

static const struct {
	wint_t character;
	const char *name;
} control_keys[] = {{' ', "Space"}, {'\r', "Enter"},    {'\n', "Enter"},  {'\t', "Tab"},
		    {27, "Esc"},    {127, "Backspace"}, {8, "Backspace"}, {3, "Ctrl-C"}};

static void name_key(struct terminal_event *event, const char *name)
{
	event->input = TERMINAL_KEY;
	(void)strncpy(event->key, name, sizeof(event->key) - 1);
}

static void read_mouse(struct terminal_event *event)
{
	MEVENT mouse;
	if (getmouse(&mouse) != OK)
		return;
	event->row = (unsigned)mouse.y;
	event->column = (unsigned)mouse.x;
	if (mouse.bstate & BUTTON4_PRESSED)
		name_key(event, "Up");
	else if (mouse.bstate & BUTTON5_PRESSED)
		name_key(event, "Down");
	else
		event->input = TERMINAL_CLICK;
}

static void read_special(struct terminal_event *event, wint_t code)
{
	if (code == KEY_RESIZE)
		event->input = TERMINAL_RESIZED;
	if (code == KEY_MOUSE)
		read_mouse(event);
	for (unsigned i = 0; i < sizeof(special_keys) / sizeof(*special_keys); i++) {
		if ((wint_t)special_keys[i].code == code)
			name_key(event, special_keys[i].name);
	}
}

static void read_character(struct terminal_event *event, wint_t character)
{
	char text[5];
	for (unsigned i = 0; i < sizeof(control_keys) / sizeof(*control_keys); i++) {
		if (control_keys[i].character == character) {
			name_key(event, control_keys[i].name);
			return;
		}
	}
	if (character < 32)
		return;
	utf8_put((uint32_t)character, text);
	name_key(event, text);
}

/* Curses does not tell a terminal that has gone from one on which nothing is typed. */
static bool is_gone(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	return poll(&input, 1, 0) > 0 && (input.revents & (POLLHUP | POLLERR | POLLNVAL));
}

struct terminal_event terminal_read(void)
{
	struct terminal_event event = {.input = TERMINAL_NOTHING};
	wint_t character = 0;
	int kind = get_wch(&character);
	if (kind == KEY_CODE_YES)
		read_special(&event, character);
	else if (kind == OK)
		read_character(&event, character);
	else if (is_gone())
		event.input = TERMINAL_GONE;
	return event;
}

/* ---- waiting ---- */

void terminal_idle(void)
{
	const char *descriptor = getenv("FAULTLINE_IDLE_FD");
	if (descriptor)
		(void)!write(atoi(descriptor), "", 1);
}

void terminal_wait(int descriptor, int milliseconds)
{
	struct pollfd wanted[] = {{.fd = STDIN_FILENO, .events = POLLIN},
				  {.fd = signals_descriptor(), .events = POLLIN},
				  {.fd = descriptor, .events = POLLIN}};
	(void)poll(wanted, 3, milliseconds);
	signals_drain();
}

bool terminal_interrupted(void)
{
	return signals_take_interrupt();
}

bool terminal_ended(void)
{
	return signals_end();
}

void terminal_die(void)
{
	signals_die();
}
