/* The program in a real pseudo-terminal.
 *
 * usage: tui_terminal PROGRAM SOURCE_DIR [TEST] */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "session.h"

static const char *const plain[] = {NULL};
static const char lesson[] = "workloads/first-malloc.json";

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

/* The exploration of its history would take minutes. */
static char *endless_document(void)
{
	char *path = strdup("/tmp/tui_terminal.XXXXXX.json");
	int file = path ? mkstemps(path, 5) : -1;
	FILE *out = file >= 0 ? fdopen(file, "w") : NULL;
	if (!out)
		abort();
	(void)fprintf(out, "{\"faultline\": 1, \"script\": [{\"op\": \"repeat\", \"times\": 100000000, \"body\": ["
			   "{\"op\": \"malloc\", \"id\": \"b\", \"size\": 24}, {\"op\": \"free\", \"id\": \"b\"}]}]}");
	(void)fclose(out);
	return path;
}

/* Presses Space while the journey that the keys begin is under way. */
static bool interrupt(struct session *session, const char *keys)
{
	(void)!write(session->terminal, keys, strlen(keys));
	return wait_for_text(session, "running: event") && type(session, " ");
}

static void a_long_run_is_interrupted(struct context *context)
{
	static const char *const journeys[] = {"c", "\033OF" /* End */, "g999999999\r"};
	char *path = endless_document();
	struct session *session = start(context, path, plain);
	expect(context, session, interrupt(session, "") && shows(session, "PAGE WALK"), "the exploration is not ended");
	for (unsigned i = 0; i < sizeof(journeys) / sizeof(*journeys); i++) {
		unsigned long long before = event_shown(session);
		expect(context, session, interrupt(session, journeys[i]) && shows(session, "interrupted"),
		       "it is not interrupted");
		expect(context, session, event_shown(session) > before, "it does not stand where it was interrupted");
	}
	unsigned long long before = event_shown(session);
	expect(context, session, type(session, "S") && event_shown(session) == before - 1, "it does not step back");
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
