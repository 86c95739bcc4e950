/* faultline batch: many workloads, many settings, one folder of results. */
#include "batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "faultline/parallel.h"
#include "faultline/phrase.h"
#include "words.h"

enum {
	OPTION_SWEEP,
	OPTION_SET,
	OPTION_REPEAT,
	OPTION_EXCLUDE,
	OPTION_JOBS,
	OPTION_OUT,
	OPTION_RESUME,
	OPTION_POINT,
	OPTION_MERGE,
	OPTION_SQLITE,
	OPTION_PHASES,
	OPTION_SERIES,
	OPTION_HISTOGRAMS,
	OPTION_BEST,
	OPTION_DRY_RUN,
	OPTION_QUIET,
};

static const struct option options[] = {
    {"--sweep", OPTION_WITH_VALUE, "KEY=LIST",
     "Run with each of the values: --sweep libc=glibc,best-fit, --sweep machine.memory=16MiB..1GiB*2, "
     "--sweep machine.cpus=1..8. Several sweeps are combined, each value with each.",
     OPTION_SWEEP},
    {"--set", OPTION_WITH_VALUE, "KEY=VALUE", "Override a setting at all points. May be given more than once.",
     OPTION_SET},
    {"--repeat", OPTION_WITH_VALUE, "seeds=LIST",
     "Run every point once with each seed: --repeat seeds=1..10. A seed changes the random numbers of access patterns "
     "and of replacement policies.",
     OPTION_REPEAT},
    {"--exclude", OPTION_WITH_VALUE, "KEY=VALUE,...",
     "Leave out the points that have all these values. KEY may be workload, too.", OPTION_EXCLUDE},
    {"--jobs", OPTION_WITH_VALUE, "N", "Run N points at a time; without it, one on each processor of the host.",
     OPTION_JOBS},
    {"-o", OPTION_WITH_VALUE, "DIR", "Write the results to this folder; it is made if it is not there.", OPTION_OUT},
    {"--resume", OPTION_FLAG, NULL, "Go on with the study in the folder: points that are finished are kept.",
     OPTION_RESUME},
    {"--point", OPTION_WITH_VALUE, "K/N",
     "Run only slice K of N, every Nth point from the Kth on: for the jobs of a cluster.", OPTION_POINT},
    {"--merge", OPTION_FLAG, NULL, "Run nothing: join the folders of all slices, which are the operands.",
     OPTION_MERGE},
    {"--sqlite", OPTION_WITH_VALUE, "FILE", "Write the results to an SQLite database as well.", OPTION_SQLITE},
    {"--phases", OPTION_FLAG, NULL, "Keep the statistics of every phase, too: phases.csv.", OPTION_PHASES},
    {"--series", OPTION_FLAG, NULL, "Keep a time series of every point, too: series.csv.", OPTION_SERIES},
    {"--histograms", OPTION_FLAG, NULL, "Keep sizes and lifetimes of the blocks of every point, too: histograms.csv.",
     OPTION_HISTOGRAMS},
    {"--best", OPTION_WITH_VALUE, "STATISTIC",
     "The best point, for the line on the terminal, is the one with the least of it; without it, cycles.", OPTION_BEST},
    {"--dry-run", OPTION_FLAG, NULL, "Run nothing: print the points.", OPTION_DRY_RUN},
    {"--quiet", OPTION_FLAG, NULL, "Print nothing but errors.", OPTION_QUIET},
    {0}};

/* What was asked for. */
struct batch {
	struct study_plan *plan;
	struct study_slice slice;
	struct study_request request;
	const char *sqlite;
	bool merge, dry_run, quiet;
};

/* ---- the request ---- */

static enum status take_jobs(struct batch *batch, const char *value, struct error *error)
{
	char *end;
	unsigned long jobs = strtoul(value, &end, 10);
	if (end == value || *end || value[0] == '-' || jobs == 0 || jobs > 1024)
		return error_set(error, STATUS_BAD_INPUT, "--jobs %s: write a number from 1 to 1024", value);
	batch->request.jobs = (unsigned)jobs;
	return STATUS_OK;
}

static enum status take_slice(struct batch *batch, const char *value, struct error *error)
{
	unsigned number = 0;
	unsigned of = 0;
	char more;
	if (strchr(value, '-') || sscanf(value, "%u/%u%c", &number, &of, &more) != 2 || number == 0 || number > of)
		return error_set(error, STATUS_BAD_INPUT,
				 "--point %s: write K/N, slice K of N, counted from 1: --point 3/8", value);
	batch->slice = (struct study_slice){number, of};
	return STATUS_OK;
}

static enum status take_best(struct batch *batch, const char *value, struct error *error)
{
	const char *names[STAT_COUNT];
	if (stat_find(value, &batch->request.best))
		return STATUS_OK;
	for (unsigned i = 0; i < STAT_COUNT; i++)
		names[i] = stat_info((enum stat)i)->name;
	const char *nearest = nearest_word(value, names, STAT_COUNT);
	return error_set(error, STATUS_BAD_INPUT, "--best %s: there is no such statistic%s%s: see faultline list stats",
			 value, nearest ? "; did you mean " : "", nearest ? nearest : "");
}

/* Options that shape the plan. */
static enum status take_plan_option(struct batch *batch, const struct option_given *given, struct error *error)
{
	switch (given->id) {
	case OPTION_SWEEP:
		return study_plan_sweep(batch->plan, given->value, error);
	case OPTION_SET:
		return study_plan_setting(batch->plan, given->value, error);
	case OPTION_REPEAT:
		return study_plan_repeat(batch->plan, given->value, error);
	case OPTION_EXCLUDE:
		return study_plan_exclude(batch->plan, given->value, error);
	case OPTION_PHASES:
		batch->plan->phases = true;
		return STATUS_OK;
	case OPTION_SERIES:
		batch->plan->series = true;
		return STATUS_OK;
	case OPTION_HISTOGRAMS:
		batch->plan->histograms = true;
		return STATUS_OK;
	default:
		BUG();
	}
}

static enum status take_option(struct batch *batch, const struct option_given *given, struct error *error)
{
	switch (given->id) {
	case OPTION_JOBS:
		return take_jobs(batch, given->value, error);
	case OPTION_POINT:
		return take_slice(batch, given->value, error);
	case OPTION_BEST:
		return take_best(batch, given->value, error);
	case OPTION_OUT:
		batch->request.folder = given->value;
		return STATUS_OK;
	case OPTION_SQLITE:
		batch->sqlite = given->value;
		return STATUS_OK;
	case OPTION_RESUME:
		batch->request.resume = true;
		return STATUS_OK;
	case OPTION_MERGE:
		batch->merge = true;
		return STATUS_OK;
	case OPTION_DRY_RUN:
		batch->dry_run = true;
		return STATUS_OK;
	case OPTION_QUIET:
		batch->quiet = true;
		return STATUS_OK;
	default:
		return take_plan_option(batch, given, error);
	}
}

static enum status take_operand(struct batch *batch, const char *path, struct error *error)
{
	return study_plan_is_file(path) ? study_plan_file(batch->plan, path, error)
					: study_plan_workload(batch->plan, path, error);
}

static enum status read_request(struct batch *batch, const struct command_line *line, struct error *error)
{
	enum status status = STATUS_OK;
	for (unsigned i = 0; i < line->operand_count && status == STATUS_OK; i++)
		status = take_operand(batch, line->operands[i], error);
	for (unsigned i = 0; i < line->given_count && status == STATUS_OK; i++)
		status = take_option(batch, &line->given[i], error);
	if (status != STATUS_OK)
		return status;
	if (line->operand_count == 0)
		return error_set(error, STATUS_BAD_INPUT,
				 "batch what? Name workloads or a study file: faultline batch W.json --sweep "
				 "libc=glibc,best-fit -o DIR");
	if (!batch->request.folder && !batch->dry_run)
		return error_set(error, STATUS_BAD_INPUT, "where do the results go? Name a folder: -o DIR");
	return STATUS_OK;
}

static enum status read_merge(struct batch *batch, const struct command_line *line, struct error *error)
{
	for (unsigned i = 0; i < line->given_count; i++) {
		int id = line->given[i].id;
		if (id != OPTION_MERGE && id != OPTION_OUT && id != OPTION_SQLITE && id != OPTION_QUIET)
			return error_set(error, STATUS_BAD_INPUT,
					 "--merge joins folders of finished slices and runs nothing: the only other "
					 "options are -o, --sqlite and --quiet");
		(void)take_option(batch, &line->given[i], error);
	}
	if (!batch->request.folder)
		return error_set(error, STATUS_BAD_INPUT, "where do the results go? Name a new folder: -o DIR");
	return STATUS_OK;
}

/* ---- doing it ---- */

static void print_points(const struct study *study)
{
	for (uint64_t position = 0; position < study_slice_points(study); position++) {
		char text[1024];
		study_point_text(study, position, text, sizeof(text));
		(void)printf("%" PRIu64 "\t%s\n", study_point_number(study, position), text);
	}
}

static enum status say_end(const struct batch *batch, const struct study_summary *summary)
{
	if (!summary->complete) {
		(void)fprintf(stderr,
			      "faultline: %" PRIu64 " of %" PRIu64
			      " points are saved in %s: the same command with --resume goes on\n",
			      summary->done, summary->points, batch->request.folder);
		return STATUS_OK;
	}
	if (!batch->quiet)
		(void)printf("%s, %" PRIu64 " failed: %s/results.csv; \"faultline report %s\" says what they show\n",
			     phrase_count(summary->points, "point").text, summary->failed, batch->request.folder,
			     batch->request.folder);
	if (summary->failed > 0)
		(void)fprintf(stderr,
			      "faultline: %" PRIu64 " of %" PRIu64
			      " points failed, see the columns status and message; the first is point %" PRIu64
			      ": %s\n",
			      summary->failed, summary->points, summary->first_failed, summary->first_why.text);
	return summary->worst;
}

/* A program that a signal has ended ends by that signal. */
static void end_by_signal(int number)
{
	if (number == 0)
		return;
	(void)fflush(stdout);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static enum status run_study(struct batch *batch, const struct study *study, struct error *error)
{
	struct study_summary summary;
	struct batch_watch watch = {.study = study, .best = batch->request.best, .visible = !batch->quiet};
	batch->request.progress = batch_watch_progress;
	batch->request.self = &watch;
	batch_watch_begin(&watch);
	enum status status = study_run(study, &batch->request, &summary, error);
	batch_watch_end(&watch);
	if (status != STATUS_OK)
		return complain(error);
	if (summary.complete && batch->sqlite && batch_sqlite(batch->request.folder, batch->sqlite, error) != STATUS_OK)
		return complain(error);
	status = say_end(batch, &summary);
	end_by_signal(watch.signal);
	return status;
}

static enum status run_plan(struct batch *batch, const struct command_line *line, struct error *error)
{
	struct study *study;
	if (read_request(batch, line, error) != STATUS_OK ||
	    study_new(batch->plan, batch->slice, &study, error) != STATUS_OK)
		return complain(error);
	enum status status = STATUS_OK;
	if (batch->dry_run)
		print_points(study);
	else
		status = run_study(batch, study, error);
	study_free(study);
	return status;
}

static enum status run_merge(struct batch *batch, const struct command_line *line, struct error *error)
{
	if (read_merge(batch, line, error) != STATUS_OK ||
	    study_merge(line->operands, line->operand_count, batch->request.folder, error) != STATUS_OK ||
	    (batch->sqlite && batch_sqlite(batch->request.folder, batch->sqlite, error) != STATUS_OK))
		return complain(error);
	if (!batch->quiet)
		(void)printf("%s joined: %s/results.csv\n", phrase_count(line->operand_count, "slice").text,
			     batch->request.folder);
	return STATUS_OK;
}

static bool is_given(const struct command_line *line, int id)
{
	for (unsigned i = 0; i < line->given_count; i++) {
		if (line->given[i].id == id)
			return true;
	}
	return false;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct error error = {0};
	struct batch batch = {
	    .plan = study_plan_new(), .slice = {1, 1}, .request = {.jobs = parallel_jobs(), .best = STAT_CYCLES}};
	(void)command;
	BUG_ON(!batch.plan);
	enum status status = is_given(line, OPTION_MERGE) ? run_merge(&batch, line, &error)
							  : run_plan(&batch, line, &error);
	study_plan_free(batch.plan);
	return status;
}

const struct command command_batch = {
    .name = "batch",
    .operands = "WORKLOAD...|STUDY|DIR...",
    .summary = "run many workloads with many settings, on all processors",
    .text =
	"Runs workloads with every combination of the swept values, each a numbered point with a world of its own, "
	"and leaves a folder: study.json, results.csv, results.jsonl. A study may be a JSON file instead. The results "
	"are the same bytes however many jobs there were. A study that was interrupted loses no finished point and "
	"goes on with --resume; a point that fails is told in its row and stops no other. The exit status is that of "
	"the worst point.",
    .options = options,
    .run = run,
};
