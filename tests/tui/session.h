/* The program in a pseudo-terminal, drawn by libvterm. Nothing here sleeps: the program says when it has answered
 * everything (FAULTLINE_IDLE_FD). */
#ifndef FAULTLINE_TESTS_TUI_SESSION_H
#define FAULTLINE_TESTS_TUI_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <vterm.h>

enum { PATIENCE_SECONDS = 20, RAW_BYTES = 1 << 20 };

enum { ROWS = 24, COLUMNS = 80 }; /* of the terminal, at first */

struct session {
	VTerm *vterm;
	VTermScreen *screen;
	int terminal, idle;
	pid_t pid;     /* of the shell */
	pid_t program; /* below it */
	int rows, columns;
	bool other_screen;   /* the one for full-screen programs */
	char raw[RAW_BYTES]; /* what the program wrote, for looking at sequences */
	size_t raw_used;
};

struct context {
	const char *program, *root, *name;
	unsigned failures;
};

/* `operand` may be NULL; variables[] are names and values, then NULL. Ends the test as skipped where there is no
 * terminal. */
struct session *start(const struct context *context, const char *operand, const char *const *variables);
/* `more` stands behind the operand on the command line. */
struct session *start_with(const struct context *context, const char *operand, const char *const more[2],
			   const char *const *variables);
void finish(struct session *session);

/* Takes what the program has written. False: the terminal has ended. */
bool take(struct session *session);
/* Until the program has answered everything, or has ended (false). */
bool settle(struct session *session);
/* A key is answered when the program is idle after it; what was idle before does not count. */
bool type(struct session *session, const char *keys);
/* False: it does not show it, or it has ended. */
bool wait_for_text(struct session *session, const char *text);
/* The wait status; negative: it does not end. */
int wait_for_end(struct session *session);
/* False: no signal has stopped it. */
bool wait_for_stop(struct session *session);

/* A row of the screen, from 0, as it stands there. */
void row_text(const struct session *session, int row, char *out, size_t room);
bool shows(const struct session *session, const char *text);
/* The number of the event in the first row; 0: none. */
unsigned long long event_shown(const struct session *session);
/* The terminal works line by line, with echo, and shows its own screen again. */
bool is_restored(const struct session *session);
/* Else counts a failure and shows the screen; `session` may be NULL. */
void expect(struct context *context, struct session *session, bool holds, const char *what);

#endif
