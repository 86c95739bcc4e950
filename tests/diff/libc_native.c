/* Looks for differences between the simulated C library and kernel and this computer's own: random op lists run on both
 * sides; a list that differs is made as small as it goes and printed.
 *
 * usage: libc_native [--seconds N] [--seed N] [--lists N] [--threads] [--record FILE.ops] [--compare FILE.ops]
 *                   [--time FILE.ops] [--show]
 * Exit status: 0 no difference, 1 differences, 77 this computer is no glibc 2.36 on Linux. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "native/generate.h"
#include "native/record.h"
#include "native/shrink.h"
#include "replay.h"

enum { SKIPPED = 77, SIMULATED_CPU_SECONDS = 10 * NATIVE_CPU_SECONDS };

struct request {
	uint64_t seconds, seed, lists;
	bool threads, show;
	const char *record, *compare, *time;
};

/* ---- both sides of one list ---- */

/* The first line that differs. */
struct difference {
	const struct recording *native;
	size_t at;
	bool found;
	char text[1024];
};

static void compare_line(void *self, const struct replay_line *actual)
{
	struct difference *d = self;
	const char *expected = d->at < d->native->count ? d->native->line[d->at] : "";
	bool untold = actual->text[0] == '#' && expected[0] == '\0';
	d->at++;
	if (d->found || untold || strcmp(expected, actual->text) == 0)
		return;
	d->found = true;
	(void)snprintf(d->text, sizeof(d->text), "line %u: %s\n  native     %s\n  simulated  %s", actual->line,
		       actual->operation[0] ? actual->operation : "at the end", expected, actual->text);
}

static bool write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	bool good = file && fputs(text, file) >= 0;
	if (file && fclose(file) != 0)
		good = false;
	return good;
}

/* The native list ended and the simulated one does not: a difference that cannot be returned from. */
static void on_endless(int signal)
{
	static const char message[] = "the simulator goes round for ever where the native library ends\n";
	(void)signal;
	(void)!write(STDOUT_FILENO, message, sizeof(message) - 1);
	_exit(1);
}

/* Seconds of processor time from now on; 0: no bound. */
static void bound_time(unsigned seconds)
{
	const struct itimerval bound = {.it_value = {.tv_sec = seconds}};
	(void)signal(SIGVTALRM, on_endless);
	(void)setitimer(ITIMER_VIRTUAL, &bound, NULL);
}

static void simulate(const char *text, struct difference *d)
{
	struct error error = {0};
	char path[64];
	const char *folder = getenv("TMPDIR");
	char cores[32];
	(void)snprintf(cores, sizeof(cores), "cores=%d", get_nprocs());
	bool shared = host_zero_page() == ZERO_PAGE_SHARED;
	const char *const settings[] = {cores, shared ? "kernel.zero_page=shared" : "kernel.zero_page=forbidden", NULL};
	(void)snprintf(path, sizeof(path), "%.30s/libc_native.%ld.ops", folder ? folder : "/tmp", (long)getpid());
	bound_time(SIMULATED_CPU_SECONDS);
	if (!write_text(path, text) || replay_op_list(path, settings, true, compare_line, d, &error) != STATUS_OK) {
		if (!d->found)
			(void)snprintf(d->text, sizeof(d->text), "the simulator: %s", error.text);
		d->found = true;
	} else if (!d->found && d->at < d->native->count) {
		d->found = true;
		(void)snprintf(d->text, sizeof(d->text), "native only: %s", d->native->line[d->at]);
	}
	bound_time(0);
	(void)remove(path);
}

static bool same_lines(const struct recording *a, const struct recording *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->line[i], b->line[i]) != 0)
			return false;
	}
	return true;
}

/* What the computer answers differently each time cannot be compared. The key of the tcache, the one random number, is
 * fixed; this stands for what is not known. */
static bool is_stable(const char *text, const struct recording *native)
{
	bool stable = true;
	for (unsigned i = 0; i < 4 && stable; i++) {
		struct recording again;
		stable = native_record(LIBC_NATIVE_CHILD, text, true, &again) && same_lines(native, &again);
		recording_release(&again);
	}
	return stable;
}

/* True: both sides differ; how is in `how`. */
static bool differs(const char *text, char how[SHRINK_HOW_BYTES])
{
	struct recording native;
	struct difference d = {.native = &native};
	if (!native_record(LIBC_NATIVE_CHILD, text, true, &native)) {
		(void)snprintf(how, SHRINK_HOW_BYTES, "the recorder: %s", native.why);
		recording_release(&native);
		return true;
	}
	if (native.incomparable) {
		(void)snprintf(how, SHRINK_HOW_BYTES, "%s on the computer: not compared", native.incomparable);
		recording_release(&native);
		return false;
	}
	simulate(text, &d);
	d.found = d.found && is_stable(text, &native);
	(void)snprintf(how, SHRINK_HOW_BYTES, "%s", d.text);
	recording_release(&native);
	return d.found;
}

/* ---- commands ---- */

static bool examine(const char *name, const char *text)
{
	char how[SHRINK_HOW_BYTES] = "";
	if (!differs(text, how)) {
		if (how[0])
			printf("%s: %s\n", name, how);
		return true;
	}
	printf("%s differs: %s\n", name, how);
	(void)fflush(stdout);
	char *small = shrink(text, differs, how);
	printf("The smallest list that still differs, %s:\n%s\n", how, small);
	(void)fflush(stdout);
	free(small);
	return false;
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t bytes = 0;
	if (!file || getdelim(&text, &bytes, '\0', file) < 0) {
		printf("%s: cannot be read\n", path);
		free(text);
		text = NULL;
	}
	if (file)
		(void)fclose(file);
	return text;
}

static int record(const char *path)
{
	struct recording native = {0};
	char *text = read_text(path);
	bool good = text && native_record(LIBC_NATIVE_CHILD, text, false, &native);
	for (size_t i = 0; i < native.count; i++)
		printf("%s\n", native.line[i]);
	if (text && !good)
		(void)fprintf(stderr, "%s: %s\n", path, native.why);
	recording_release(&native);
	free(text);
	return good ? 0 : 1;
}

static int compare(const char *path)
{
	char *text = read_text(path);
	bool same = text && examine(path, text);
	free(text);
	return same ? 0 : 1;
}

/* "native N ns", as `faultline run --timing` says it of the simulation. */
static int time_native(const char *path)
{
	char *text = read_text(path);
	uint64_t nanoseconds = text ? native_time(LIBC_NATIVE_CHILD, text) : 0;
	printf("native %" PRIu64 " ns\n", nanoseconds);
	free(text);
	return nanoseconds ? 0 : 1;
}

/* The list of the seed. */
static int show(const struct request *request)
{
	char *text = generate_list(request->seed, request->threads && request->seed % 2);
	(void)fputs(text, stdout);
	free(text);
	return 0;
}

static int fuzz(const struct request *request)
{
	time_t end = time(NULL) + (time_t)request->seconds;
	uint64_t lists = 0, different = 0;
	while (lists < request->lists && different < 3 && time(NULL) < end) {
		char name[64];
		uint64_t seed = request->seed + lists++;
		char *text = generate_list(seed, request->threads && seed % 2);
		(void)snprintf(name, sizeof(name), "seed %" PRIu64, seed);
		different += !examine(name, text);
		free(text);
	}
	printf("%" PRIu64 " lists from seed %" PRIu64 ", %" PRIu64 " differ\n", lists, request->seed, different);
	return different ? 1 : 0;
}

static bool read_number(const char *text, uint64_t *out)
{
	char *end;
	*out = strtoull(text, &end, 10);
	return end != text && *end == '\0';
}

static bool read_arguments(int argc, char **argv, struct request *request)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(argv[i], "--threads") == 0)
			request->threads = true;
		else if (strcmp(argv[i], "--show") == 0)
			request->show = true;
		else if (strcmp(argv[i], "--record") == 0)
			request->record = argv[++i];
		else if (strcmp(argv[i], "--compare") == 0)
			request->compare = argv[++i];
		else if (strcmp(argv[i], "--time") == 0)
			request->time = argv[++i];
		else if ((strcmp(argv[i], "--seconds") == 0 && read_number(value, &request->seconds)) ||
			 (strcmp(argv[i], "--seed") == 0 && read_number(value, &request->seed)) ||
			 (strcmp(argv[i], "--lists") == 0 && read_number(value, &request->lists)))
			i++;
		else
			return false;
	}
	return true;
}

/* The first arena of a second thread asks how many processors there are. Without /sys, in a bare chroot, glibc finds
 * out otherwise, and leaves ENOENT behind. */
static bool threads_supported(void)
{
	if (access("/sys/devices/system/cpu/online", R_OK) == 0)
		return true;
	printf("SKIPPED: no /sys here; lists with threads were NOT compared\n");
	return false;
}

int main(int argc, char **argv)
{
	struct request request = {.seconds = 20, .seed = 1, .lists = UINT64_MAX};
	char why[NATIVE_WHY_BYTES];
	if (!read_arguments(argc, argv, &request)) {
		(void)fprintf(stderr, "usage: libc_native [--seconds N] [--seed N] [--lists N] [--threads] "
				      "[--record FILE.ops] [--compare FILE.ops] [--time FILE.ops] [--show]\n");
		return 2;
	}
	if (request.show)
		return show(&request);
	if (!native_supported(why)) {
		printf("SKIPPED: %s; the simulator was NOT compared with this computer\n", why);
		return SKIPPED;
	}
	request.threads = request.threads && threads_supported();
	if (request.record)
		return record(request.record);
	if (request.compare)
		return compare(request.compare);
	if (request.time)
		return time_native(request.time);
	return fuzz(&request);
}
