/* The visualizer: steps through the history of a workload, both ways, on a terminal or by a script of keys. */
#ifndef FAULTLINE_TUI_H
#define FAULTLINE_TUI_H

#include <stdbool.h>
#include <stdint.h>

#include <stdio.h>

#include "faultline/document.h"
#include "faultline/report.h"
#include "faultline/status.h"

enum { TUI_MAX_BREAKS = 16 };

#define TUI_AT_FIRST_OPERATION UINT64_MAX

struct tui_options {
	uint64_t at;                        /* position to begin at; TUI_AT_FIRST_OPERATION */
	const char *breaks[TUI_MAX_BREAKS]; /* breakpoints as the user writes them: "fault if major" */
	unsigned break_count;
	const char *keys;  /* file with keys, done before or instead of a terminal; NULL: none */
	const char *dump;  /* file that the screen is written to at the end, "-": standard output; NULL: none */
	bool dump_styles;  /* with the style of each cell */
	const char *theme; /* NULL: that of the configuration */
	bool ascii, no_colour, no_mouse, linear;
	unsigned rows, columns; /* 0: those of the terminal */
};

/* Returns when the user quits. BAD_INPUT: an option, or a key in the file, means nothing. HOST: no terminal, no memory.
 */
enum status tui_run(const struct document *document, const struct tui_options *options, struct error *error);

/* A workload to choose from. */
struct tui_lesson {
	char *path, *name, *description;
};

/* The start menu: on a terminal a list to move in, else numbers to type. It begins at *chosen, which afterwards is
 * `count` when the user quits. HOST: no terminal, no memory. */
enum status tui_choose(const struct tui_lesson *lessons, unsigned count, const struct tui_options *options,
		       unsigned *chosen, struct error *error);

/* The table of keys, for help and documentation: NULL behind the last row. Texts are constants. */
struct tui_key {
	const char *command; /* behind ":" */
	const char *keys;    /* separated by blanks */
	const char *text;
};
const struct tui_key *tui_key(unsigned index);

/* A sheet of questions about moments of a workload. Same seed: the same questions. */
struct tui_quiz {
	uint64_t seed;
	unsigned count;
	bool answers; /* with the answers */
	enum report_format format;
};
enum status tui_quiz(const struct document *document, const struct tui_quiz *sheet, FILE *out, struct error *error);

#endif
