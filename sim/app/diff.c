/* faultline diff: what changed between two runs or two studies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "diff_side.h"
#include "faultline/output.h"
#include "faultline/report_diff.h"
#include "format.h"

enum { OPTION_SET, OPTION_SET_A, OPTION_SET_B, OPTION_FAIL_IF, OPTION_FORMAT, OPTION_ALL, OPTION_OUT };

static const struct option options[] = {
    {"--set", OPTION_WITH_VALUE, "KEY=VALUE", "Override a setting of both workloads.", OPTION_SET},
    {"--set-a", OPTION_WITH_VALUE, "KEY=VALUE", "The same for A alone.", OPTION_SET_A},
    {"--set-b", OPTION_WITH_VALUE, "KEY=VALUE", "The same for B alone.", OPTION_SET_B},
    {"--fail-if", OPTION_WITH_VALUE, "CONDITION",
     "End with status 1 when it holds: 'faults.major>+5%' (a change in percent), 'cycles>+1000' (a change), "
     "'swap.out>0' (what B has), 'process app:faults.minor!=+0' (one scope), or the word differs. May be given more "
     "than once.",
     OPTION_FAIL_IF},
    {"--format", OPTION_WITH_VALUE, "FORMAT", "Print text, json, csv, markdown or html.", OPTION_FORMAT},
    {"--all", OPTION_FLAG, NULL, "Show every scope and every statistic, also those that are the same.", OPTION_ALL},
    {"-o", OPTION_WITH_VALUE, "FILE", "Write to FILE in place of standard output.", OPTION_OUT},
    {0}};

struct request {
	struct diff_side a, b;
	struct threshold *thresholds;
	unsigned threshold_count;
	bool fail_if_different, all;
	enum report_format format;
	const char *out;
};

/* ---- the request ---- */

static enum status take_condition(struct request *request, const char *text, struct error *error)
{
	if (strcmp(text, "differs") == 0) {
		request->fail_if_different = true;
		return STATUS_OK;
	}
	return threshold_parse(text, &request->thresholds[request->threshold_count++], error);
}

static enum status take_option(struct request *request, const struct option_given *given, struct error *error)
{
	switch (given->id) {
	case OPTION_SET:
		diff_side_set(&request->a, given->value);
		diff_side_set(&request->b, given->value);
		return STATUS_OK;
	case OPTION_SET_A:
		diff_side_set(&request->a, given->value);
		return STATUS_OK;
	case OPTION_SET_B:
		diff_side_set(&request->b, given->value);
		return STATUS_OK;
	case OPTION_FAIL_IF:
		return take_condition(request, given->value, error);
	case OPTION_FORMAT:
		return take_format("--format", given->value, &request->format, error);
	case OPTION_ALL:
		request->all = true;
		return STATUS_OK;
	case OPTION_OUT:
		request->out = given->value;
		return STATUS_OK;
	default:
		BUG();
	}
}

static enum status read_request(struct request *request, const struct command_line *line, struct error *error)
{
	if (line->operand_count < 1 || line->operand_count > 2)
		return error_set(error, STATUS_BAD_INPUT,
				 "diff compares two things: faultline diff A B, or faultline diff A --set-b KEY=VALUE");
	for (unsigned i = 0; i < line->given_count; i++) {
		if (take_option(request, &line->given[i], error) != STATUS_OK)
			return error->status;
	}
	if (line->operand_count == 1 && request->a.setting_count == 0 && request->b.setting_count == 0)
		return error_set(error, STATUS_BAD_INPUT,
				 "diff of %s with itself: name a second one, or what differs: --set-b KEY=VALUE",
				 line->operands[0]);
	request->a.path = line->operands[0];
	request->b.path = line->operands[line->operand_count - 1];
	return STATUS_OK;
}

/* ---- the comparison ---- */

static enum status write_report(const struct request *request, const struct event_diff *events,
				struct report_diff_verdict *verdict, struct error *error)
{
	bool numbers = request->a.has_numbers && request->b.has_numbers;
	const struct report_diff diff = {.name_a = request->a.label,
					 .name_b = request->b.label,
					 .a = numbers ? &request->a.numbers : NULL,
					 .b = numbers ? &request->b.numbers : NULL,
					 .events = events,
					 .thresholds = request->thresholds,
					 .threshold_count = request->threshold_count,
					 .all = request->all};
	struct output output;
	if (report_diff_check(&diff, error) != STATUS_OK)
		return error->status;
	enum status status = output_open(&output, request->out ? request->out : "-", error);
	if (status != STATUS_OK)
		return status;
	struct report *report = report_new(output.file, request->format);
	report_set_colour(report, wants_colour(output.file));
	report_diff(report, &diff, verdict);
	report_free(report);
	status = output_commit(&output, error);
	output_discard(&output);
	return status;
}

/* Runs of both sides go on at the same time, in step with the comparison of their events. */
static enum status compare(struct request *request, struct report_diff_verdict *verdict, struct error *error)
{
	struct event_diff events = {0};
	bool with_events = request->a.has_events && request->b.has_events;
	if (!with_events && !(request->a.has_numbers && request->b.has_numbers))
		return error_set(error, STATUS_BAD_INPUT,
				 "%s and %s have nothing in common: compare runs or statistics with each other, event "
				 "logs with runs or event logs, studies with studies",
				 request->a.path, request->b.path);
	enum status status = diff_side_start(&request->a, with_events, error);
	if (status == STATUS_OK)
		status = diff_side_start(&request->b, with_events, error);
	if (status == STATUS_OK && with_events)
		status = event_diff_read(request->a.events, request->b.events, request->a.path, request->b.path,
					 &events, error);
	struct error failed[2] = {{0}, {0}};
	(void)diff_side_finish(&request->a, &failed[0]);
	(void)diff_side_finish(&request->b, &failed[1]);
	/* A run that did not come about explains why its events cannot be read. */
	for (unsigned i = 2; i-- > 0;) {
		if (failed[i].status == STATUS_OK)
			continue;
		*error = failed[i];
		status = failed[i].status;
	}
	if (status == STATUS_OK)
		status = write_report(request, with_events ? &events : NULL, verdict, error);
	event_diff_release(&events);
	return status;
}

static enum status diff(struct request *request, struct error *error)
{
	struct report_diff_verdict verdict = {0};
	enum status status = diff_side_open(&request->a, error);
	if (status == STATUS_OK)
		status = diff_side_open(&request->b, error);
	if (status == STATUS_OK)
		status = compare(request, &verdict, error);
	if (status != STATUS_OK)
		return status;
	bool different = verdict.parted || verdict.changed;
	return verdict.exceeded || (request->fail_if_different && different) ? STATUS_EXPECT_FAILED : STATUS_OK;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct request request = {.format = REPORT_TEXT};
	struct error error = {0};
	(void)command;
	request.thresholds = calloc(line->given_count + 1, sizeof(*request.thresholds));
	BUG_ON(!request.thresholds);
	enum status status = read_request(&request, line, &error);
	if (status == STATUS_OK)
		status = diff(&request, &error);
	if (error.status != STATUS_OK)
		(void)complain(&error);
	diff_side_close(&request.a);
	diff_side_close(&request.b);
	free(request.thresholds);
	return status;
}

const struct command command_diff = {
    .name = "diff",
    .operands = "A [B]",
    .summary = "what changed between two runs or two studies",
    .text = "Compares two workloads (each is run), two files of statistics (run --stats json), two event logs (run "
	    "--events) or two folders of studies: which statistics changed and by how much, and the first event where "
	    "the two runs part, with what came before. Without B, A is compared with itself under other settings.",
    .options = options,
    .run = run,
};
