/* faultline report: what a study found. */
#include <stdio.h>

#include "commands.h"
#include "faultline/output.h"
#include "faultline/report_study.h"
#include "format.h"

enum { OPTION_FORMAT, OPTION_BASELINE, OPTION_OUT };

static const struct option options[] = {
    {"--format", OPTION_WITH_VALUE, "FORMAT",
     "Print text, json, csv, markdown or html: one page that needs nothing else.", OPTION_FORMAT},
    {"--baseline", OPTION_WITH_VALUE, "VALUE", "Compare with this value of the setting that varies, as in glibc.",
     OPTION_BASELINE},
    {"-o", OPTION_WITH_VALUE, "FILE", "Write to FILE in place of standard output.", OPTION_OUT},
    {0}};

struct request {
	enum report_format format;
	const char *baseline, *out;
};

static enum status read_request(struct request *request, const struct command_line *line, struct error *error)
{
	enum status status = STATUS_OK;
	if (line->operand_count != 1)
		return error_set(error, STATUS_BAD_INPUT,
				 "report on what? It wants one folder that faultline batch -o has made");
	for (unsigned i = 0; i < line->given_count && status == STATUS_OK; i++) {
		const char *value = line->given[i].value;
		if (line->given[i].id == OPTION_FORMAT)
			status = take_format("--format", value, &request->format, error);
		else if (line->given[i].id == OPTION_BASELINE)
			request->baseline = value;
		else
			request->out = value;
	}
	return status;
}

static enum status write_report(const struct request *request, const struct results *results, struct error *error)
{
	struct output output = {0};
	enum status status = report_study_check(results, request->baseline, error);
	if (status == STATUS_OK)
		status = output_open(&output, request->out ? request->out : "-", error);
	if (status != STATUS_OK)
		return status;
	struct report *report = report_new(output.file, request->format);
	report_set_colour(report, wants_colour(output.file));
	report_study(report, results, request->baseline);
	report_free(report);
	return output_commit(&output, error);
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct request request = {.format = REPORT_TEXT};
	struct results *results = NULL;
	struct error error = {0};
	(void)command;
	enum status status = read_request(&request, line, &error);
	if (status == STATUS_OK)
		status = results_read(line->operands[0], &results, &error);
	if (status == STATUS_OK)
		status = write_report(&request, results, &error);
	results_free(results);
	return status == STATUS_OK ? status : complain(&error);
}

const struct command command_report = {
    .name = "report",
    .operands = "DIR",
    .summary = "tables and plots of a study",
    .text =
	"Reads the folder that faultline batch -o has made and reports what the study found: in words, in tables with "
	"the best marked and the spread over seeds, and in plots with the numbers behind them.",
    .options = options,
    .run = run,
};
