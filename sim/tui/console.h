/* What a key does. The console owns the travel and the scene; it knows no terminal: keys come in by name, and the
 * screen goes out as a canvas. console_key.c takes keys, console.c acts on what is seen, console_go.c moves in time,
 * console_prompt.c reads what is typed. */
#ifndef FAULTLINE_TUI_CONSOLE_H
#define FAULTLINE_TUI_CONSOLE_H

#include "breakpoint.h"
#include "faultline/status.h"
#include "faultline/tui.h"
#include "keys.h"
#include "quiz.h"
#include "screen.h"
#include "setup.h"
#include "sheet.h"
#include "view.h"

enum { CONSOLE_TEXT = 800 };

/* A key that waits for the letter behind it. */
enum pending { PENDING_NONE, PENDING_MARK, PENDING_JUMP, PENDING_FIND_NEXT, PENDING_FIND_PREVIOUS };

/* What the line that is being typed is for. */
enum prompt { PROMPT_NONE, PROMPT_COMMAND, PROMPT_GOTO, PROMPT_BREAK, PROMPT_UNBREAK, PROMPT_SEARCH };

struct console {
	const struct document *document;
	struct travel *travel;
	struct scene scene;
	struct canvas canvas;
	struct breakpoints breakpoints;
	struct setup setup;
	enum glyph_set automatic; /* what the surroundings can show: glyphs auto */
	struct export *exporting; /* events that are being written (export.h), else NULL */
	enum pending pending;
	enum prompt prompt;
	char typed[CONSOLE_TEXT];  /* with the prompt's label in front */
	size_t typed_from;         /* where the label ends */
	char search[CONSOLE_TEXT]; /* the last one */
	char message[CONSOLE_TEXT];
	enum action repeated; /* so many times more, as soon as it arrives */
	uint64_t repeats;
	bool finding; /* an event is being looked for; without one it returns to find_from */
	uint64_t find_from;
	bool lost;   /* it is on its way back from there */
	bool begins; /* the history is being explored; then it goes to begin_at */
	uint64_t begin_at;
	struct quiz quiz;
	struct sheet sheet;
	uint64_t quiz_seed;
	bool quit;
};

enum status console_open(struct console *console, const struct document *document, const struct tui_options *options,
			 struct error *error);
void console_close(struct console *console);
/* What the surroundings can show; before, it is everything. */
void console_suit(struct console *console, enum glyph_set automatic);

/* console_key.c. May begin a journey; while one is under way only keys that interrupt it do anything. */
void console_key(struct console *console, const char *key);
/* The journey has ended: takes note and looks again. */
void console_arrive(struct console *console);
/* Waits for the journey, if one is under way. */
void console_settle(struct console *console);
/* Time for the next step when it plays. */
void console_tick(struct console *console);
/* console_key.c: a left click. */
void console_click(struct console *console, unsigned row, unsigned column);

/* Draws the scene into console->canvas; false: the host has no memory for a canvas of the new size. */
bool console_resize(struct console *console, unsigned rows, unsigned columns);
void console_draw(struct console *console);

/* The selection of the panel with the focus. */
void console_move(struct console *console, enum move move);
void console_say(struct console *console, const char *format, ...) __attribute__((format(printf, 2, 3)));
void console_complain(struct console *console, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* console_go.c: true if the action is one that moves in time. */
bool console_go(struct console *console, enum action action);
/* So many times, at least 1, as far as there is something to go to; false: it is none that looks for an event. */
bool console_go_times(struct console *console, enum action action, uint64_t times);
void console_go_to(struct console *console, uint64_t position);
/* Where a session begins: there, or at the first operation of the script. */
void console_begin(struct console *console, uint64_t position);
void console_find(struct console *console, char letter, bool forward);

/* console_quiz.c: asks, or shows the answer; takes one (false: there is no such answer); ends. */
void console_quiz_key(struct console *console);
bool console_quiz_answer(struct console *console, unsigned answer);
void console_quiz_end(struct console *console);

/* console_prompt.c */
void console_prompt_begin(struct console *console, enum prompt prompt, const char *text);
void console_prompt_key(struct console *console, const char *key);
/* Does what was typed behind the prompt; also for breakpoints from elsewhere. */
void console_command(struct console *console, const char *text);
void console_act(struct console *console, enum action action);

#endif
