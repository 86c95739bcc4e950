#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"

/* For the line on the terminal and for nothing else. */
static uint64_t now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void ending_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGHUP);
}

void batch_watch_begin(struct batch_watch *watch)
{
	sigset_t ending;
	ending_signals(&ending);
	(void)sigprocmask(SIG_BLOCK, &ending, &watch->before);
	watch->visible = watch->visible && isatty(STDERR_FILENO);
	watch->start_ns = now_ns();
}

/* ---- the line ---- */

enum { LINE_BYTES = 512, USUAL_COLUMNS = 80 };

/* It is asked for again each time: a window changes its size. One column stays free, or some terminals would wrap. */
static int free_columns(void)
{
	struct winsize size = {0};
	int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : USUAL_COLUMNS;
	return columns < LINE_BYTES ? columns - 1 : LINE_BYTES - 1;
}

static void add(char line[LINE_BYTES], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char line[LINE_BYTES], const char *format, ...)
{
	size_t used = strlen(line);
	va_list args;
	va_start(args, format);
	(void)vsnprintf(line + used, LINE_BYTES - used, format, args);
	va_end(args);
}

static void add_time(char line[LINE_BYTES], double seconds)
{
	unsigned long whole = (unsigned long)(seconds + 0.5);
	if (whole >= 3600)
		add(line, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
	else if (whole >= 60)
		add(line, "%lu min %02lu s", whole / 60, whole % 60);
	else
		add(line, "%lu s", whole);
}

static void compose(const struct batch_watch *watch, const struct study_progress *progress, char line[LINE_BYTES])
{
	double seconds = (double)(now_ns() - watch->start_ns) / 1e9;
	double rate = seconds > 0 ? (double)(progress->done - progress->before) / seconds : 0;
	add(line, "%" PRIu64 "/%" PRIu64 " points", progress->done, progress->points);
	if (progress->failed)
		add(line, ", %" PRIu64 " failed", progress->failed);
	if (rate > 0) {
		add(line, ", %.3g/s, ", rate);
		add_time(line, (double)(progress->points - progress->done) / rate);
		add(line, " left");
	}
	if (progress->has_best) {
		char text[256];
		study_point_text(watch->study, progress->best_position, text, sizeof(text));
		add(line, "; best %s %" PRIu64 ": %s", stat_info(watch->best)->name, progress->best_value, text);
	}
}

/* No sequences: blanks over what stood there serve every terminal. */
static void print_over(const char *line)
{
	int columns = free_columns();
	(void)fprintf(stderr, "\r%-*.*s\r", columns, columns, line);
}

static void show(const struct batch_watch *watch, const struct study_progress *progress)
{
	char line[LINE_BYTES] = "";
	int columns = free_columns();
	compose(watch, progress, line);
	if (columns > 2 && strlen(line) > (size_t)columns)
		memcpy(line + columns - 2, "..", 3);
	print_over(line);
}

/* ---- signals ---- */

/* The workers never see these signals, so a second one meets only this process, which lets it end the program. */
static void look_for_signal(struct batch_watch *watch)
{
	sigset_t ending;
	sigset_t pending;
	ending_signals(&ending);
	if (watch->signal != 0 || sigpending(&pending) != 0)
		return;
	bool any = sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) || sigismember(&pending, SIGHUP);
	if (!any || sigwait(&ending, &watch->signal) != 0)
		return;
	(void)sigprocmask(SIG_SETMASK, &watch->before, NULL);
	if (watch->visible)
		print_over("");
	(void)fputs("faultline: ending after the points in progress; once more ends at once\n", stderr);
}

bool batch_watch_progress(void *self, const struct study_progress *progress)
{
	struct batch_watch *watch = self;
	look_for_signal(watch);
	if (watch->visible)
		show(watch, progress);
	return watch->signal == 0;
}

void batch_watch_end(struct batch_watch *watch)
{
	if (watch->visible)
		print_over("");
	(void)sigprocmask(SIG_SETMASK, &watch->before, NULL);
}
