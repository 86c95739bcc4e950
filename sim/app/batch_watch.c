#include <inttypes.h>
#include <stdio.h>
#include <string.h>
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
	(void)fprintf(stderr, "%sfaultline: ending after the points in progress; once more ends at once\n",
		      watch->visible ? "\r\033[K" : "");
}

static void put_time(double seconds)
{
	unsigned long whole = (unsigned long)(seconds + 0.5);
	if (whole >= 3600)
		(void)fprintf(stderr, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
	else if (whole >= 60)
		(void)fprintf(stderr, "%lu min %02lu s", whole / 60, whole % 60);
	else
		(void)fprintf(stderr, "%lu s", whole);
}

static void show(const struct batch_watch *watch, const struct study_progress *progress)
{
	double seconds = (double)(now_ns() - watch->start_ns) / 1e9;
	double rate = seconds > 0 ? (double)(progress->done - progress->before) / seconds : 0;
	(void)fprintf(stderr, "\r\033[K%" PRIu64 "/%" PRIu64 " points", progress->done, progress->points);
	if (progress->failed)
		(void)fprintf(stderr, ", %" PRIu64 " failed", progress->failed);
	if (rate > 0) {
		(void)fprintf(stderr, ", %.3g/s, ", rate);
		put_time((double)(progress->points - progress->done) / rate);
		(void)fputs(" left", stderr);
	}
	if (progress->has_best) {
		char text[256];
		study_point_text(watch->study, progress->best_position, text, sizeof(text));
		(void)fprintf(stderr, "; best %s %" PRIu64 ": %.60s", stat_info(watch->best)->name,
			      progress->best_value, text);
	}
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
		(void)fputs("\r\033[K", stderr);
	(void)sigprocmask(SIG_SETMASK, &watch->before, NULL);
}
