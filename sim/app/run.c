/* faultline run: replays a workload and reports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "format.h"
#include "session.h"

enum {
	OPTION_SET,
	OPTION_STATS,
	OPTION_STORY,
	OPTION_EVENTS,
	OPTION_PERFETTO,
	OPTION_SAMPLE,
	OPTION_SERIES,
	OPTION_CHECK,
	OPTION_TIMING,
	OPTION_OUT,
	OPTION_QUIET,
};

static const struct option options[] = {
    {"--set", OPTION_WITH_VALUE, "KEY=VALUE",
     "Override a setting of the workload: --set machine.memory=64MiB, --set libc=best-fit. May be given more than "
     "once.",
     OPTION_SET},
    {"--stats", OPTION_WITH_VALUE, "FORMAT",
     "Print the statistics as text, json, csv, markdown or html instead of the page.", OPTION_STATS},
    {"--story", OPTION_MAYBE_VALUE, "full",
     "Tell every event in one sentence, indented by layer. What repeats itself is told twice and then counted; "
     "--story=full tells it all.",
     OPTION_STORY},
    {"--events", OPTION_WITH_VALUE, "FILE", "Write every event to FILE, one JSON object a line.", OPTION_EVENTS},
    {"--perfetto", OPTION_WITH_VALUE, "FILE",
     "Write a trace for the Perfetto UI to FILE: one track a layer, slices, counters of memory, faults and swap.",
     OPTION_PERFETTO},
    {"--sample", OPTION_WITH_VALUE, "EVERY",
     "Print a time series as CSV instead of the page: memory, heap, faults, frames, swap, fragmentation. EVERY is a "
     "number and its unit: 1000ops, 5Kevents, 2Mcycles.",
     OPTION_SAMPLE},
    {"--series", OPTION_WITH_VALUE, "FILE", "Write the time series of --sample to FILE, beside what is printed.",
     OPTION_SERIES},
    {"--check", OPTION_MAYBE_VALUE, "full",
     "Check the invariants after every operation, in large worlds less often; --check=full never less often, and "
     "whenever the kernel returns to ring 3.",
     OPTION_CHECK},
    {"--timing", OPTION_FLAG, NULL, "Say on standard error how long the host took to load and to replay.",
     OPTION_TIMING},
    {"-o", OPTION_WITH_VALUE, "FILE", "Write what would be printed to FILE.", OPTION_OUT},
    {"--quiet", OPTION_FLAG, NULL, "Print nothing but errors and what other options ask for.", OPTION_QUIET},
    {0}};

/* ---- the request ---- */

/* An option that may say "=full". */
static bool take_full(const char *name, const char *value, bool *full, struct error *error)
{
	*full = value != NULL;
	if (!value || strcmp(value, "full") == 0)
		return true;
	(void)error_set(error, STATUS_BAD_INPUT, "%s=%s: write %s or %s=full", name, value, name, name);
	return false;
}

static enum status take_option(struct session_request *request, const struct option_given *given, bool *quiet,
			       struct error *error)
{
	bool full = false;
	switch (given->id) {
	case OPTION_SET:
		request->settings[request->setting_count++] = given->value;
		break;
	case OPTION_STATS:
		request->statistics = true;
		return take_format("--stats", given->value, &request->format, error);
	case OPTION_STORY:
		request->story = true;
		if (!take_full("--story", given->value, &full, error))
			return error->status;
		request->story_mode = full ? STORY_FULL : STORY_SHORT;
		break;
	case OPTION_EVENTS:
		request->events = given->value;
		break;
	case OPTION_PERFETTO:
		request->perfetto = given->value;
		break;
	case OPTION_SAMPLE:
		return series_every_parse(given->value, &request->every, error);
	case OPTION_SERIES:
		request->series = given->value;
		break;
	case OPTION_CHECK:
		if (!take_full("--check", given->value, &full, error))
			return error->status;
		request->check_mode = full ? CHECK_FULL : CHECK_SAMPLED;
		break;
	case OPTION_TIMING:
		request->timing = true;
		break;
	case OPTION_OUT:
		request->out = given->value;
		break;
	case OPTION_QUIET:
		*quiet = true;
		break;
	default:
		BUG();
	}
	return STATUS_OK;
}

/* Without a file of its own the time series is what is printed. */
static enum status settle_series(struct session_request *request, struct error *error)
{
	bool sampled = request->every.count != 0;
	if (request->series && !sampled)
		return error_set(error, STATUS_BAD_INPUT,
				 "--series %s wants to know how often: add --sample EVERY, as in --sample 1000ops",
				 request->series);
	if (!sampled || request->series)
		return STATUS_OK;
	request->series = request->out ? request->out : "-";
	request->page = false;
	if (!request->statistics && !request->story)
		request->out = NULL;
	return STATUS_OK;
}

static bool any_twice(const char *const *paths, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = i + 1; j < count; j++) {
			if (paths[i] && paths[j] && strcmp(paths[i], paths[j]) == 0)
				return true;
		}
	}
	return false;
}

/* What goes where, once all options are known. */
static enum status settle_outputs(struct session_request *request, bool quiet, struct error *error)
{
	bool named = request->out != NULL;
	request->progress = !quiet;
	request->page = !request->statistics && (!quiet || named);
	if (settle_series(request, error) != STATUS_OK)
		return error->status;
	if (!named && (request->page || request->statistics || request->story))
		request->out = "-";
	if (!any_twice((const char *const[]){request->out, request->events, request->perfetto, request->series}, 4))
		return STATUS_OK;
	return error_set(
	    error, STATUS_BAD_INPUT,
	    "two outputs go to the same place: give each a file of its own, or add --quiet to have no page");
}

static enum status read_request(struct session_request *request, const struct command *command,
				const struct command_line *line, struct error *error)
{
	bool quiet = false;
	if (line->operand_count != 1)
		return error_set(error, STATUS_BAD_INPUT, "%s one workload: faultline %s [OPTION]... %s",
				 line->operand_count ? "run replays" : "run what? It wants", command->name,
				 command->operands);
	request->workload = line->operands[0];
	for (unsigned i = 0; i < line->given_count; i++) {
		if (take_option(request, &line->given[i], &quiet, error) != STATUS_OK)
			return error->status;
	}
	return settle_outputs(request, quiet, error);
}

/* ---- the command ---- */

static enum status replay(struct session *session, struct error *error)
{
	struct error unwritten = {0};
	enum status status = session_run(session, error);
	if (status != STATUS_OK)
		(void)complain(error);
	/* Of a run that could not be read to its end nothing is kept. */
	if (status == STATUS_BAD_INPUT || status == STATUS_HOST)
		return status;
	if (session_report(session, error, &unwritten) != STATUS_OK)
		return complain(&unwritten);
	return status;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct session_request request = {.check_mode = CHECK_IDENTITIES};
	struct session session = {0};
	struct error error = {0};
	request.settings = calloc(line->given_count + 1, sizeof(*request.settings));
	BUG_ON(!request.settings);
	enum status status = read_request(&request, command, line, &error);
	if (status == STATUS_OK)
		status = session_open(&session, &request, &error);
	status = status == STATUS_OK ? replay(&session, &error) : complain(&error);
	session_close(&session);
	free(request.settings);
	return status;
}

const struct command command_run = {
    .name = "run",
    .operands = "WORKLOAD",
    .summary = "replay a workload and report what happened",
    .text =
	"Replays a workload, a JSON script (.json) or a recorded list of operations (.ops, .ops.gz), and prints a "
	"page: what ran, the way from malloc to a frame, each process in numbers, where the time went. The identities "
	"between the numbers are checked at the end of every run.",
    .options = options,
    .run = run,
};
