/* The program in a real pseudo-terminal, drawn by libvterm. Nothing here sleeps: the program says when it has answered
 * everything (FAULTLINE_IDLE_FD).
 *
 * usage: tui_terminal PROGRAM SOURCE_DIR [TEST] */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <vterm.h>

enum { ROWS = 24, COLUMNS = 80, PATIENCE_SECONDS = 20, RAW_BYTES = 1 << 20, IDLE_FD = 9, SKIPPED = 77 };

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

/* `more` stands behind the operand on the command line. */
static struct session *start_with(const struct context *context, const char *operand, const char *const more[2],
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

static struct session *start(const struct context *context, const char *operand, const char *const *variables)
{
	return start_with(context, operand, NULL, variables);
}

static void finish(struct session *session)
{
	(void)kill(session->program, SIGKILL);
	(void)kill(session->pid, SIGKILL);
	(void)waitpid(session->pid, NULL, 0);
	(void)close(session->terminal);
	(void)close(session->idle);
	vterm_free(session->vterm);
	free(session);
}

/* Takes what the program has written. False: the terminal has ended. */
static bool take(struct session *session)
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

/* Until the program has answered everything, or has ended (false). */
static bool settle(struct session *session)
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

/* A key is answered when the program is idle after it; what was idle before does not count. */
static bool type(struct session *session, const char *keys)
{
	char byte;
	while (read(session->idle, &byte, 1) == 1)
		continue;
	(void)!write(session->terminal, keys, strlen(keys));
	return settle(session);
}

static void row_text(const struct session *session, int row, char *out, size_t room)
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

static bool shows(const struct session *session, const char *text)
{
	char row[1024];
	for (int i = 0; i < session->rows; i++) {
		row_text(session, i, row, sizeof(row));
		if (strstr(row, text))
			return true;
	}
	return false;
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

static void expect(struct context *context, struct session *session, bool holds, const char *what)
{
	if (holds)
		return;
	context->failures++;
	printf("%s: %s\n", context->name, what);
	if (session)
		print_screen(session);
}

/* The terminal works line by line, with echo, and shows its own screen again. */
static bool is_restored(const struct session *session)
{
	struct termios now;
	return tcgetattr(session->terminal, &now) == 0 && (now.c_lflag & ICANON) && (now.c_lflag & ECHO) &&
	       !session->other_screen;
}

static int wait_for_end(struct session *session)
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

static bool wait_for_stop(struct session *session)
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

static const char *const plain[] = {NULL};
static const char lesson[] = "workloads/first-malloc.json";

/* ---- the tests ---- */

static void it_opens_steps_and_leaves(struct context *context)
{
	struct session *session = start(context, lesson, plain);
	expect(context, session, settle(session) && shows(session, "WHY") && shows(session, "PAGE WALK"),
	       "the screen is not there");
	expect(context, session, session->other_screen, "it draws over the user's own screen");
	expect(context, session, type(session, "]f") && shows(session, "fault"), "the next fault is not found");
	expect(context, session, type(session, "S") && type(session, "s"), "it does not step");
	expect(context, session, shows(session, "s/S step") && !shows(session, "running:"),
	       "the progress of a journey that is over stays");
	(void)!write(session->terminal, "q", 1);
	int status = wait_for_end(session);
	expect(context, session, WIFEXITED(status) && WEXITSTATUS(status) == 0, "q does not end it well");
	expect(context, session, is_restored(session), "the terminal is not as it was");
	finish(session);
}

static void it_follows_a_new_size(struct context *context)
{
	struct session *session = start(context, lesson, plain);
	struct winsize size = {.ws_row = 50, .ws_col = 160};
	char byte;
	(void)settle(session);
	while (read(session->idle, &byte, 1) == 1)
		continue;
	session->rows = 50;
	session->columns = 160;
	vterm_set_size(session->vterm, 50, 160);
	(void)ioctl(session->terminal, TIOCSWINSZ, &size);
	expect(context, session, settle(session) && shows(session, "TIMELINE") && shows(session, "0 CPU"),
	       "the full layout does not appear");
	size = (struct winsize){.ws_row = 10, .ws_col = 40};
	session->rows = 10;
	session->columns = 40;
	vterm_set_size(session->vterm, 10, 40);
	(void)ioctl(session->terminal, TIOCSWINSZ, &size);
	expect(context, session, settle(session) && shows(session, "needs 60x16"),
	       "a small terminal is not told what is needed");
	finish(session);
}

static void a_size_that_was_asked_for_stays(struct context *context)
{
	static const char *const small[] = {"--size", "60x16"};
	struct session *session = start_with(context, lesson, small, plain);
	char row[COLUMNS + 1];
	bool kept = settle(session);
	for (unsigned i = 0; i < 3 && kept; i++) {
		row_text(session, 16, row, sizeof(row));
		kept = shows(session, "PAGE WALK") && strspn(row, " ") == strlen(row) && type(session, "s");
	}
	expect(context, session, kept, "--size does not outlast a key");
	finish(session);
}

/* A step is over at once: to say that it is under way would make the screen flicker. */
static void it_plays_without_flicker(struct context *context)
{
	struct session *session = start(context, lesson, plain);
	expect(context, session, settle(session) && type(session, ":speed 20\r"), "it does not open");
	session->raw_used = 0;
	(void)!write(session->terminal, " ", 1);
	unsigned drawn = 0;
	time_t end = time(NULL) + PATIENCE_SECONDS;
	while (drawn < 10 && time(NULL) < end) {
		struct pollfd wanted = {.fd = session->terminal, .events = POLLIN};
		drawn += poll(&wanted, 1, 1000) > 0;
		(void)take(session);
	}
	session->raw[session->raw_used] = '\0';
	expect(context, session, drawn == 10 && !strstr(session->raw, "running:"), "it says that a step is under way");
	finish(session);
}

static void ctrl_c_pauses_first(struct context *context)
{
	struct session *session = start(context, lesson, plain);
	(void)settle(session);
	expect(context, session, type(session, "\003") && shows(session, "q quits"), "Ctrl-C does not say how to quit");
	expect(context, session, waitpid(session->pid, NULL, WNOHANG) == 0, "Ctrl-C ended it");
	finish(session);
}

static void it_stops_and_comes_back(struct context *context)
{
	struct session *session = start(context, lesson, plain);
	char byte;
	(void)settle(session);
	(void)kill(session->program, SIGTSTP);
	expect(context, session, wait_for_stop(session), "it does not stop");
	(void)take(session);
	expect(context, session, !session->other_screen, "stopped, it keeps the screen");
	while (read(session->idle, &byte, 1) == 1)
		continue;
	(void)kill(session->program, SIGCONT);
	expect(context, session, settle(session) && session->other_screen && shows(session, "PAGE WALK"),
	       "it does not draw again");
	finish(session);
}

static void a_signal_ends_it_cleanly(struct context *context)
{
	static const int signals[] = {SIGTERM, SIGHUP};
	for (unsigned i = 0; i < 2; i++) {
		struct session *session = start(context, lesson, plain);
		(void)settle(session);
		(void)kill(session->program, signals[i]);
		int status = wait_for_end(session);
		expect(context, session, status >= 0 && WEXITSTATUS(status) == 128 + signals[i],
		       "it does not die of the signal");
		expect(context, session, is_restored(session), "the terminal is not as it was");
		finish(session);
	}
}

static void a_crash_gives_the_terminal_back(struct context *context)
{
	struct session *session = start(context, lesson, plain);
	(void)settle(session);
	(void)kill(session->program, SIGSEGV);
	int status = wait_for_end(session);
	expect(context, session, status >= 0 && WEXITSTATUS(status) > 128, "it does not die of it");
	expect(context, session, is_restored(session), "the terminal is not as it was");
	finish(session);
}

static void it_ends_with_its_terminal(struct context *context)
{
	struct session *session = start(context, lesson, plain);
	(void)settle(session);
	(void)close(session->terminal);
	time_t end = time(NULL) + PATIENCE_SECONDS;
	pid_t ended = 0;
	while (ended == 0 && time(NULL) < end) {
		struct pollfd wanted = {.fd = session->idle, .events = POLLIN};
		(void)poll(&wanted, 1, 20);
		ended = waitpid(session->pid, NULL, WNOHANG);
	}
	expect(context, NULL, ended == session->pid, "it lives on without a terminal");
	session->terminal = -1;
	finish(session);
}

static void colours_and_characters_follow_the_surroundings(struct context *context)
{
	static const char *const no_colour[] = {"NO_COLOR", "1", NULL};
	static const char *const c_locale[] = {"LC_ALL", "C", NULL};
	static const char *const vt100[] = {"TERM", "vt100", NULL};
	struct session *session = start(context, lesson, no_colour);
	(void)settle(session);
	expect(context, session, !strstr(session->raw, "\033[3") || !strstr(session->raw, "[36m"),
	       "NO_COLOR has colours");
	finish(session);
	session = start(context, lesson, c_locale);
	(void)settle(session);
	expect(context, session, shows(session, "+- 1 PAGE WALK"), "the C locale has no ASCII boxes");
	expect(context, session, type(session, ":glyphs auto\r") && shows(session, "+- 1 PAGE WALK"),
	       "glyphs auto forgets the C locale");
	finish(session);
	session = start(context, lesson, vt100);
	expect(context, session, settle(session) && shows(session, "PAGE WALK"), "a monochrome terminal shows nothing");
	finish(session);
}

static void a_dumb_terminal_gets_sentences(struct context *context)
{
	static const char *const dumb[] = {"TERM", "dumb", NULL};
	struct session *session = start(context, lesson, dumb);
	(void)!write(session->terminal, "s\nq\n", 4);
	int status = wait_for_end(session);
	expect(context, session, WIFEXITED(status) && WEXITSTATUS(status) == 0 && shows(session, "event"),
	       "there are no sentences");
	expect(context, session, !strchr(session->raw, '\033'), "there are control sequences");
	finish(session);
}

static void the_menu_offers_the_lessons(struct context *context)
{
	struct session *session = start(context, NULL, plain);
	expect(context, session, settle(session) && shows(session, "LESSONS") && shows(session, "first-malloc"),
	       "there is no menu");
	expect(context, session, type(session, "n") && type(session, "\r") && shows(session, "PAGE WALK"),
	       "the choice does not open");
	finish(session);
}

static char *long_list(void)
{
	char *path = strdup("/tmp/tui_terminal.XXXXXX.ops");
	int file = path ? mkstemps(path, 4) : -1;
	FILE *out = file >= 0 ? fdopen(file, "w") : NULL;
	if (!out)
		abort();
	for (unsigned i = 1; i <= 300000; i++)
		(void)fprintf(out, "m %u 24\nf %u\n", i, i);
	(void)fclose(out);
	return path;
}

static void a_long_run_is_interrupted(struct context *context)
{
	char *path = long_list();
	struct session *session = start(context, path, plain);
	/* The history is still being explored when the key arrives, or has just been: both are answered. */
	(void)!write(session->terminal, " ", 1);
	expect(context, session, settle(session), "it does not come to rest");
	expect(context, session, type(session, "c") && type(session, "S"), "it does not answer after a long run");
	(void)!write(session->terminal, "q", 1);
	int status = wait_for_end(session);
	expect(context, session, WIFEXITED(status) && is_restored(session), "q does not end it well");
	finish(session);
	(void)remove(path);
	free(path);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct context *context);
	} tests[] = {
#define TEST(name) {#name, name}
	    TEST(it_opens_steps_and_leaves),
	    TEST(it_follows_a_new_size),
	    TEST(a_size_that_was_asked_for_stays),
	    TEST(it_plays_without_flicker),
	    TEST(ctrl_c_pauses_first),
	    TEST(it_stops_and_comes_back),
	    TEST(a_signal_ends_it_cleanly),
	    TEST(a_crash_gives_the_terminal_back),
	    TEST(it_ends_with_its_terminal),
	    TEST(colours_and_characters_follow_the_surroundings),
	    TEST(a_dumb_terminal_gets_sentences),
	    TEST(the_menu_offers_the_lessons),
	    TEST(a_long_run_is_interrupted),
	};
	if (argc < 3)
		return 2;
	struct context context = {.program = argv[1], .root = argv[2]};
	for (unsigned i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		unsigned before = context.failures;
		if (argc > 3 && strcmp(argv[3], tests[i].name) != 0)
			continue;
		context.name = tests[i].name;
		tests[i].run(&context);
		printf("%s %s\n", context.failures == before ? "ok    " : "FAILED", tests[i].name);
		(void)fflush(stdout);
	}
	return context.failures ? 1 : 0;
}
