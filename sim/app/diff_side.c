#include "diff_side.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faultline/report_stats.h"
#include "faultline/results.h"
#include "session.h"

void diff_side_set(struct diff_side *side, const char *setting)
{
	if (side->setting_count < DIFF_SETTINGS)
		side->settings[side->setting_count] = setting;
	side->setting_count++;
}

/* ---- what it is ---- */

static void name_side(struct diff_side *side)
{
	size_t used = (size_t)snprintf(side->label, sizeof(side->label), "%s", side->path);
	for (unsigned i = 0; i < side->setting_count && used < sizeof(side->label); i++)
		used += (size_t)snprintf(side->label + used, sizeof(side->label) - used, " %s", side->settings[i]);
}

static enum status open_study(struct diff_side *side, struct error *error)
{
	struct results *results;
	if (results_read(side->path, &results, error) != STATUS_OK)
		return error->status;
	numbers_of_results(results, &side->numbers);
	results_free(results);
	side->has_numbers = true;
	return STATUS_OK;
}

static enum status open_events(struct diff_side *side, struct error *error)
{
	side->events = fopen(side->path, "re");
	if (!side->events)
		return error_set(error, STATUS_HOST, "%s: cannot be read: %s", side->path, strerror(errno));
	side->has_events = true;
	return STATUS_OK;
}

/* Without stat(2), whose struct has the name of our enum. */
static bool is_folder(const char *path)
{
	DIR *folder = opendir(path);
	if (folder)
		(void)closedir(folder);
	return folder != NULL;
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);
	return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Statistics or a workload: both are JSON. */
static enum status open_json(struct diff_side *side, struct error *error)
{
	char *text;
	struct error none;
	if (results_read_file(side->path, &text, error) != STATUS_OK)
		return error->status;
	side->has_numbers = true;
	side->is_run = numbers_of_stats(text, side->path, &side->numbers, &none) != STATUS_OK;
	side->has_events = side->is_run;
	free(text);
	return STATUS_OK;
}

enum status diff_side_open(struct diff_side *side, struct error *error)
{
	enum status status;
	name_side(side);
	if (side->setting_count > DIFF_SETTINGS)
		return error_set(error, STATUS_BAD_INPUT, "--set: more than %d settings for one side", DIFF_SETTINGS);
	if (is_folder(side->path))
		status = open_study(side, error);
	else if (ends_in(side->path, ".jsonl"))
		status = open_events(side, error);
	else
		status = open_json(side, error);
	if (status == STATUS_OK && side->setting_count && !side->is_run)
		return error_set(error, STATUS_BAD_INPUT,
				 "%s: settings are for workloads, and this is the result of a run that is over",
				 side->path);
	return status;
}

/* ---- a run, in the child ---- */

static void write_numbers(const struct session *session, const struct error *how, FILE *out)
{
	struct report *report = report_new(out, REPORT_JSON);
	report_stats(report, session->world, how);
	report_free(report);
}

/* Events go into the descriptor, unless it is -1; then the result file holds how it ended, and the statistics. What a
 * failed expectation or a stopped machine says is in the statistics. */
static void run_in_child(struct diff_side *side, int events)
{
	char path[32];
	struct session session;
	struct error error = {0};
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", events);
	const struct session_request request = {.workload = side->path,
						.settings = side->settings,
						.setting_count = side->setting_count,
						.events = events >= 0 ? path : NULL};
	enum status status = session_open(&session, &request, &error);
	if (status == STATUS_OK)
		status = session_run(&session, &error);
	if (status == STATUS_EXPECT_FAILED || status == STATUS_MACHINE_STOPPED)
		status = STATUS_OK;
	struct error told = error;
	told.status = status;
	(void)fwrite(&told, sizeof(told), 1, side->result);
	if (status == STATUS_OK)
		write_numbers(&session, &error, side->result);
	(void)fflush(side->result);
	session_close(&session);
}

/* ---- and in the parent ---- */

static enum status no_process(const struct diff_side *side, struct error *error)
{
	return error_set(error, STATUS_HOST, "the host has no process for the run of %s: %s", side->path,
			 strerror(errno));
}

enum status diff_side_start(struct diff_side *side, bool with_events, struct error *error)
{
	int ends[2] = {-1, -1};
	if (!side->is_run)
		return STATUS_OK;
	side->result = tmpfile();
	if (!side->result || (with_events && pipe(ends) != 0))
		return no_process(side, error);
	(void)fflush(NULL);
	side->child = fork();
	if (side->child == 0) {
		run_in_child(side, ends[1]);
		_exit(0);
	}
	if (with_events) {
		(void)close(ends[1]);
		side->events = fdopen(ends[0], "r");
		BUG_ON(!side->events);
	}
	if (side->child > 0)
		return STATUS_OK;
	side->child = 0;
	return no_process(side, error);
}

/* Whoever has not read everything lets the child come to its end. */
static void drain(FILE *events)
{
	char block[4096];
	while (events && fread(block, 1, sizeof(block), events) > 0)
		;
}

static enum status read_result(struct diff_side *side, struct error *error)
{
	char *text = NULL;
	size_t length = 0;
	rewind(side->result);
	if (fread(error, sizeof(*error), 1, side->result) != 1)
		return error_set(error, STATUS_HOST, "the run of %s ended without a result", side->path);
	if (error->status != STATUS_OK)
		return error->status;
	if (getdelim(&text, &length, '\0', side->result) < 0)
		text = NULL;
	numbers_release(&side->numbers);
	enum status status = numbers_of_stats(text ? text : "", side->path, &side->numbers, error);
	free(text);
	return status;
}

enum status diff_side_finish(struct diff_side *side, struct error *error)
{
	int how;
	if (!side->child)
		return STATUS_OK;
	drain(side->events);
	while (waitpid(side->child, &how, 0) < 0 && errno == EINTR)
		;
	side->child = 0;
	return read_result(side, error);
}

void diff_side_close(struct diff_side *side)
{
	if (side->events)
		(void)fclose(side->events);
	if (side->result)
		(void)fclose(side->result);
	side->events = side->result = NULL;
	numbers_release(&side->numbers);
}
