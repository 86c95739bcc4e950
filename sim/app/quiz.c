/* faultline quiz: questions about a workload, for homework and grading. */
#include <stdio.h>

#include "commands.h"
#include "faultline/document.h"
#include "faultline/output.h"
#include "faultline/tui.h"
#include "moment.h"

enum { OPTION_SEED = 1, OPTION_COUNT, OPTION_ANSWERS, OPTION_FORMAT, OPTION_OUT, MOST_QUESTIONS = 1000 };

static const struct option options[] = {
    {"--seed", OPTION_WITH_VALUE, "N", "which questions; the same seed asks the same, 1 when left out", OPTION_SEED},
    {"--count", OPTION_WITH_VALUE, "N", "how many, 10 when left out, at most 1000", OPTION_COUNT},
    {"--answers", OPTION_FLAG, NULL, "with the answers, and the events that show them", OPTION_ANSWERS},
    {"--format", OPTION_WITH_VALUE, "FORMAT", "text, json, csv or markdown", OPTION_FORMAT},
    {"-o", OPTION_WITH_VALUE, "FILE", "write to FILE in place of standard output", OPTION_OUT},
    {0}};

static enum status take_option(struct tui_quiz *sheet, const char **path, const struct option_given *given,
			       struct error *error)
{
	uint64_t number = 0;
	bool good = true;
	switch (given->id) {
	case OPTION_SEED:
		good = moment_read(given->value, &sheet->seed);
		break;
	case OPTION_COUNT:
		good = moment_read(given->value, &number) && number >= 1 && number <= MOST_QUESTIONS;
		sheet->count = (unsigned)number;
		break;
	case OPTION_ANSWERS:
		sheet->answers = true;
		break;
	case OPTION_FORMAT:
		if (!report_format_find(given->value, &sheet->format))
			return error_set(error, STATUS_BAD_INPUT, "--format %s: write text, json, csv or markdown",
					 given->value);
		break;
	case OPTION_OUT:
		*path = given->value;
		break;
	default:
		break;
	}
	return good ? STATUS_OK
		    : error_set(error, STATUS_BAD_INPUT,
				"\"%s\" is no number that is allowed here: seeds are any, counts 1 to %d", given->value,
				MOST_QUESTIONS);
}

static enum status ask(const char *workload, const struct tui_quiz *sheet, const char *path, struct error *error)
{
	struct document *document = NULL;
	struct output output;
	enum status status = document_load(workload, &document, error);
	if (status == STATUS_OK)
		status = output_open(&output, path, error);
	if (status == STATUS_OK) {
		status = tui_quiz(document, sheet, output.file, error);
		if (status == STATUS_OK)
			status = output_commit(&output, error);
		else
			output_discard(&output);
	}
	document_free(document);
	return status;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct tui_quiz sheet = {.seed = 1, .count = 10, .format = REPORT_TEXT};
	struct error error = {0};
	const char *path = "-";
	enum status status = STATUS_OK;
	for (unsigned i = 0; status == STATUS_OK && i < line->given_count; i++)
		status = take_option(&sheet, &path, &line->given[i], &error);
	if (status == STATUS_OK && line->operand_count != 1)
		status = error_set(&error, STATUS_BAD_INPUT, "quiz wants one workload: faultline %s [OPTION]... %s",
				   command->name, command->operands);
	if (status == STATUS_OK)
		status = ask(line->operands[0], &sheet, path, &error);
	return status == STATUS_OK ? status : complain(&error);
}

const struct command command_quiz = {
    .name = "quiz",
    .operands = "WORKLOAD",
    .summary = "ask what will happen next, for homework and grading",
    .text =
	"Asks questions about moments of the workload: hit or miss, which door, which exception and error code, what "
	"malloc returns, which frame is taken away, minor or major. The answers are what the run goes on to do.",
    .options = options,
    .run = run,
};
