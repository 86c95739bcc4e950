/* faultline policy: replacement policies on a reference string. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "policy_course.h"
#include "policy_request.h"

enum { OPTION_COMPAT = POLICY_OPTION_COUNT, OPTION_CLOCK_BITS };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct option options[] = {
    POLICY_OPTIONS,
    {"--compat", OPTION_WITH_VALUE, "ostep",
     "Follow the rules of the simulators of \"Operating Systems: Three Easy Pieces\", access by access.",
     OPTION_COMPAT},
    {"--clock-bits", OPTION_WITH_VALUE, "N", "With --compat ostep: the most that clock counts to. Default: 2.",
     OPTION_CLOCK_BITS},
    {0}};

struct wish {
	struct policy_request request;
	const char *compat; /* NULL: none */
	uint64_t clock_bits;
};

static void print_row(struct report *report, const char *name, uint32_t frames,
		      const struct policy_engine_result *result)
{
	report_cell_text(report, name);
	report_cell_number(report, frames);
	report_cell_number(report, result->references - result->misses);
	report_cell_number(report, result->misses);
	report_cell_textf(report, "%.4f", (double)result->misses / (double)result->references);
	report_cell_number(report, result->evictions);
	report_cell_number(report, result->writebacks);
}

static void print_results(const struct policy_request *request, const struct policy_engine_result *results)
{
	static const struct report_column columns[] = {
	    {"policy", "policy"},        {"frames", "frames"},         {"hits", "hits"},
	    {"misses", "misses"},        {"miss_ratio", "miss ratio"}, {"evictions", "evictions"},
	    {"writebacks", "writebacks"}};
	struct report *report = report_new(stdout, request->format);
	report_number(report, "references", "references", request->references.count, "");
	report_number(report, "pages", "pages", request->references.pages, "");
	report_table_begin(report, "policies", "Policies", columns, COUNT_OF(columns));
	for (unsigned i = 0; i < request->policy_count; i++) {
		for (unsigned j = 0; j < request->frame_count; j++)
			print_row(report, request->policy[i]->name, request->frame[j],
				  &results[i * request->frame_count + j]);
	}
	report_table_end(report);
	report_free(report);
}

static enum status run_engines(struct policy_request *request, struct error *error)
{
	if (!request->frames)
		return error_set(error, STATUS_BAD_INPUT,
				 "how many frames? Say --frames 3, --frames 1..8 or --frames 25%%");
	enum status status = policy_request_open(request, error);
	struct policy_engine_result *results = calloc((size_t)request->policy_count * request->frame_count + 1,
						      sizeof(*results));
	BUG_ON(!results);
	if (status == STATUS_OK)
		status = policy_request_run(request, results, error);
	if (status == STATUS_OK)
		print_results(request, results);
	free(results);
	policy_request_close(request);
	return status;
}

static enum status read_option(struct wish *wish, const struct option_given *given, struct error *error)
{
	if (given->id == OPTION_COMPAT) {
		wish->compat = given->value;
		return STATUS_OK;
	}
	if (given->id == OPTION_CLOCK_BITS)
		return parse_natural("--clock-bits", given->value, &wish->clock_bits, error);
	return policy_request_option(&wish->request, given, error);
}

static enum status read_line(struct wish *wish, const struct command_line *line, struct error *error)
{
	enum status status = STATUS_OK;
	if (line->operand_count > 1)
		return error_set(error, STATUS_BAD_INPUT, "policy takes one trace or workload; there are %u",
				 line->operand_count);
	wish->request.source.path = line->operand_count ? line->operands[0] : NULL;
	for (unsigned i = 0; i < line->given_count && status == STATUS_OK; i++)
		status = read_option(wish, &line->given[i], error);
	if (status == STATUS_OK && wish->compat && strcmp(wish->compat, "ostep") != 0)
		return error_set(error, STATUS_BAD_INPUT, "--compat %s: there is only ostep", wish->compat);
	return status;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct wish wish = {.clock_bits = 2};
	struct error error = {0};
	(void)command;
	enum status status = read_line(&wish, line, &error);
	if (status == STATUS_OK)
		status = wish.compat ? policy_course_run(&wish.request, wish.clock_bits, &error)
				     : run_engines(&wish.request, &error);
	return status == STATUS_OK ? status : complain(&error);
}

const struct command command_policy = {
    .name = "policy",
    .operands = "[TRACE|WORKLOAD]",
    .summary = "compare page replacement policies on a reference string",
    .text =
	"Feeds a string of page references to replacement policies with fixed numbers of frames and prints hits and "
	"misses of each. A trace is a text of page numbers (17), addresses (0x11000), either with w behind it when "
	"it writes, and lines of valgrind's lackey that traces memory; # begins a comment, - is standard input. "
	"A workload (.json, .ops) is run and its references to memory are recorded; --save keeps a string, packed, for "
	"the "
	"next time. The string is read once for all policies and sizes.",
    .options = options,
    .run = run,
};
