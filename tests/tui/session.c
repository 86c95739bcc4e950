#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { IDLE_FD = 9, SKIPPED = 77 };

/* ---- the terminal ---- */

static int on_property(VTermProp property, VTermValue *value, void *self)
{
	struct session *session = self;
	if (property == VTERM_PROP_ALTSCREEN)
		session->other_screen = value->boolean;
	return 1;
}

static void open_screen(struct session *session)
{
	static const VTermScreenCallbacks callbacks = {.settermprop = on_property};
	session->vterm = vterm_new(session->rows, session->columns);
	vterm_set_utf8(session->vterm, 1);
	session->screen = vterm_obtain_screen(session->vterm);
	vterm_screen_enable_altscreen(session->screen, 1);
	vterm_screen_set_callbacks(session->screen, &callbacks, session);
	vterm_screen_reset(session->screen, 1);
}

/* A stop by the terminal needs a shell: without a parent in its session a program is not stopped. This is the least of
 * one: the program gets a process group of its own, its number goes to `told`. */
static void be_a_shell(int told)
{
	(void)signal(SIGTTOU, SIG_IGN);
	pid_t pid = fork();
	if (pid == 0) {
		(void)setpgid(0, 0);
		(void)tcsetpgrp(STDIN_FILENO, getpid());
		(void)signal(SIGTTOU, SIG_DFL);
		return;
	}
	(void)!write(told, &pid, sizeof(pid));
	int status;
	while (waitpid(pid, &status, 0) == pid && !WIFEXITED(status) && !WIFSIGNALED(status))
		continue;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static _Noreturn void become(const struct context *context, int idle, char *const *arguments,
			     const char *const *variables)
{
	char descriptor[] = "FAULTLINE_IDLE_FD=9";
	if (dup2(idle, IDLE_FD) < 0 || chdir(context->root) != 0)
		_exit(97);
	(void)putenv(descriptor);
	(void)unsetenv("NO_COLOR");
	(void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	(void)setenv("TERM", "xterm-256color", 1);
	(void)setenv("LC_ALL", "C.UTF-8", 1);
	for (unsigned i = 0; variables[i]; i += 2)
		(void)setenv(variables[i], variables[i + 1], 1);
	(void)execv(context->program, arguments);
	_exit(98);
}

struct session *start_with(const struct context *context, const char *operand, const char *const more[2],
			   const char *const *variables)
{
	struct session *session = calloc(1, sizeof(*session));
	struct winsize size = {.ws_row = ROWS, .ws_col = COLUMNS};
	int idle[2];
	int told[2];
	char program[] = "faultline";
	char command[] = "tui";
	char *arguments[] = {program, command, operand ? strdup(operand) : NULL, NULL, NULL, NULL};
	for (unsigned i = 0; more && i < 2; i++)
		arguments[3 + i] = strdup(more[i]);
	if (!session || pipe(idle) != 0 || pipe(told) != 0)
		abort();
	session->rows = ROWS;
	session->columns = COLUMNS;
	open_screen(session);
	session->pid = forkpty(&session->terminal, NULL, NULL, &size);
	if (session->pid < 0) {
		printf("SKIPPED: no terminal can be had here (is devpts mounted?), the program was NOT tried in one\n");
		exit(SKIPPED);
	}
	if (session->pid == 0) {
		be_a_shell(told[1]);
		become(context, idle[1], arguments, variables);
	}
	(void)close(idle[1]);
	(void)close(told[1]);
	if (read(told[0], &session->program, sizeof(session->program)) != (ssize_t)sizeof(session->program))
		abort();
	(void)close(told[0]);
	for (unsigned i = 2; i < 5; i++)
		free(arguments[i]);
	session->idle = idle[0];
	(void)fcntl(session->idle, F_SETFL, O_NONBLOCK);
	(void)fcntl(session->terminal, F_SETFL, O_NONBLOCK);
	return session;
}

struct session *start(const struct context *context, const char *operand, const char *const *variables)
{
	return start_with(context, operand, NULL, variables);
}

void finish(struct session *session)
{
	(void)kill(session->program, SIGKILL);
	(void)kill(session->pid, SIGKILL);
	(void)waitpid(session->pid, NULL, 0);
	(void)close(session->terminal);
	(void)close(session->idle);
	vterm_free(session->vterm);
	free(session);
}

bool take(struct session *session)
{
	char bytes[4096];
	ssize_t got;
	while ((got = read(session->terminal, bytes, sizeof(bytes))) > 0) {
		(void)vterm_input_write(session->vterm, bytes, (size_t)got);
		for (ssize_t i = 0; i < got && session->raw_used < RAW_BYTES - 1; i++)
			session->raw[session->raw_used++] = bytes[i];
	}
	return got < 0 && errno == EAGAIN;
}

bool settle(struct session *session)
{
	time_t end = time(NULL) + PATIENCE_SECONDS;
	for (bool idle = false; time(NULL) < end;) {
		char byte;
		struct pollfd wanted[] = {{.fd = session->terminal, .events = POLLIN},
					  {.fd = session->idle, .events = POLLIN}};
		(void)poll(wanted, 2, idle ? 0 : 1000);
		if (!take(session))
			return false;
		if (idle)
			return true;
		while (read(session->idle, &byte, 1) == 1)
			idle = true;
	}
	printf("the program does not settle\n");
	return false;
}

bool type(struct session *session, const char *keys)
{
	char byte;
	while (read(session->idle, &byte, 1) == 1)
		continue;
	(void)!write(session->terminal, keys, strlen(keys));
	return settle(session);
}

void row_text(const struct session *session, int row, char *out, size_t room)
{
	size_t used = 0;
	for (int column = 0; column < session->columns; column++) {
		VTermScreenCell cell;
		VTermPos at = {row, column};
		(void)vterm_screen_get_cell(session->screen, at, &cell);
		if (used + 1 < room)
			out[used++] = cell.chars[0] == 0 || cell.chars[0] > 126 ? (cell.chars[0] ? '?' : ' ')
										: (char)cell.chars[0];
	}
	out[used] = '\0';
}

bool shows(const struct session *session, const char *text)
{
	char row[1024];
	for (int i = 0; i < session->rows; i++) {
		row_text(session, i, row, sizeof(row));
		if (strstr(row, text))
			return true;
	}
	return false;
}

bool wait_for_text(struct session *session, const char *text)
{
	time_t end = time(NULL) + PATIENCE_SECONDS;
	while (!shows(session, text) && time(NULL) < end) {
		struct pollfd wanted = {.fd = session->terminal, .events = POLLIN};
		(void)poll(&wanted, 1, 1000);
		if (!take(session))
			return false;
	}
	return shows(session, text);
}

unsigned long long event_shown(const struct session *session)
{
	char row[1024];
	row_text(session, 0, row, sizeof(row));
	const char *event = strstr(row, "ev ");
	return event ? strtoull(event + 3, NULL, 10) : 0;
}

static void print_screen(const struct session *session)
{
	char row[1024];
	for (int i = 0; i < session->rows; i++) {
		row_text(session, i, row, sizeof(row));
		printf("  %s\n", row);
	}
}

/* ---- what is expected ---- */

void expect(struct context *context, struct session *session, bool holds, const char *what)
{
	if (holds)
		return;
	context->failures++;
	printf("%s: %s\n", context->name, what);
	if (session)
		print_screen(session);
}

bool is_restored(const struct session *session)
{
	struct termios now;
	return tcgetattr(session->terminal, &now) == 0 && (now.c_lflag & ICANON) && (now.c_lflag & ECHO) &&
	       !session->other_screen;
}

int wait_for_end(struct session *session)
{
	int status = 0;
	time_t end = time(NULL) + PATIENCE_SECONDS;
	while (waitpid(session->pid, &status, WNOHANG) == 0) {
		if (time(NULL) > end)
			return -1;
		struct pollfd wanted = {.fd = session->terminal, .events = POLLIN};
		(void)poll(&wanted, 1, 20);
		(void)take(session);
	}
	(void)take(session);
	return status;
}

/* The letter of its state in /proc/PID/stat. */
static char state_of(pid_t pid)
{
	char path[64];
	char text[256] = "";
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "r");
	if (file)
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	if (file)
		(void)fclose(file);
	const char *behind = strrchr(text, ')');
	return behind ? behind[2] : '?';
}

bool wait_for_stop(struct session *session)
{
	time_t end = time(NULL) + PATIENCE_SECONDS;
	while (state_of(session->program) != 'T' && time(NULL) < end) {
		struct pollfd wanted = {.fd = session->terminal, .events = POLLIN};
		(void)poll(&wanted, 1, 20);
		(void)take(session);
	}
	(void)take(session);
	return state_of(session->program) == 'T';
}
