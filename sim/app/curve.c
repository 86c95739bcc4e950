/* faultline curve: misses against the number of frames, or of a TLB's entries. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "curve_sizes.h"
#include "curve_tlb.h"
#include "faultline/sampled_curve.h"
#include "policy_request.h"

enum { OPTION_PLOT = POLICY_OPTION_COUNT, OPTION_SAMPLE, OPTION_TLB, POINTS = 32, PLOT_WIDTH = 60 };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct option options[] = {
    POLICY_OPTIONS,
    {"--plot", OPTION_FLAG, NULL, "Draw the miss ratios as bars.", OPTION_PLOT},
    {"--sample", OPTION_WITH_VALUE, "SHARE",
     "Estimate LRU from a share of the pages (0.01 or 1%), with its error: for strings too long to follow whole.",
     OPTION_SAMPLE},
    {"--tlb", OPTION_FLAG, NULL,
     "Misses of a TLB against its entries and ways, in place of memory's: pages are those of virtual addresses.",
     OPTION_TLB},
    {0}};

struct wish {
	struct policy_request request;
	bool plot, tlb;
	double sample; /* 0: follow all */
};

/* Every size of a small string; of a large one, sizes in even ratios up to all of its pages. */
static void choose_sizes(struct policy_request *request)
{
	const uint64_t pages = request->references.pages;
	uint64_t frames = 1;
	while (frames <= pages && request->frame_count < FRAMES_MOST) {
		request->frame[request->frame_count++] = (uint32_t)frames;
		uint64_t step = pages <= POINTS ? 1 : frames / 4;
		frames += step ? step : 1;
	}
	if (request->frame[request->frame_count - 1] != pages && request->frame_count < FRAMES_MOST)
		request->frame[request->frame_count++] = (uint32_t)pages;
}

/* ---- misses ---- */

static enum status run_one(const struct policy_request *request, unsigned policy, struct policy_engine_result *results,
			   struct error *error)
{
	const struct references *references = &request->references;
	const char *name = request->policy[policy]->name;
	struct policy_request one = *request;
	uint64_t *misses = NULL;
	one.policy[0] = request->policy[policy];
	one.policy_count = 1;
	enum status status = strcmp(name, "lru") == 0 ? lru_for_all_sizes(references, &misses, error)
			     : strcmp(name, "opt") == 0
				 ? opt_for_all_sizes(references, request->next_use, &misses, error)
				 : policy_request_run(&one, results, error);
	for (unsigned i = 0; i < request->frame_count && misses; i++)
		results[i] = (struct policy_engine_result){
		    .references = references->count, .misses = misses_with(references, misses, request->frame[i])};
	free(misses);
	return status;
}

/* ---- printing ---- */

static double ratio(const struct policy_engine_result *result)
{
	return (double)result->misses / (double)result->references;
}

static void print_table(struct report *report, const struct policy_request *request,
			const struct policy_engine_result *results)
{
	struct report_column columns[POLICY_MOST + 1] = {{"frames", "frames"}};
	for (unsigned i = 0; i < request->policy_count; i++)
		columns[i + 1] = (struct report_column){request->policy[i]->name, request->policy[i]->name};
	report_table_begin(report, "misses", "Misses", columns, request->policy_count + 1);
	for (unsigned j = 0; j < request->frame_count; j++) {
		report_cell_number(report, request->frame[j]);
		for (unsigned i = 0; i < request->policy_count; i++)
			report_cell_number(report, results[i * request->frame_count + j].misses);
	}
	report_table_end(report);
}

static void print_plot(struct report *report, const struct policy_request *request, unsigned policy,
		       const struct policy_engine_result *results)
{
	static const struct report_column columns[] = {{"frames", "frames"}, {"ratio", "miss ratio"}, {"bar", ""}};
	char title[64];
	(void)snprintf(title, sizeof(title), "Miss ratio of %s", request->policy[policy]->name);
	report_table_begin(report, request->policy[policy]->name, title, columns, COUNT_OF(columns));
	for (unsigned j = 0; j < request->frame_count; j++) {
		char bar[PLOT_WIDTH + 1];
		unsigned length = (unsigned)(ratio(&results[j]) * PLOT_WIDTH + 0.5);
		memset(bar, '#', length);
		bar[length] = '\0';
		report_cell_number(report, request->frame[j]);
		report_cell_textf(report, "%.4f", ratio(&results[j]));
		report_cell_text(report, bar);
	}
	report_table_end(report);
}

/* What every table begins with. */
static struct report *begin_report(const struct policy_request *request)
{
	struct report *report = report_new(stdout, request->format);
	report_number(report, "references", "references", request->references.count, "");
	report_number(report, "pages", "pages", request->references.pages, "");
	return report;
}

static void print(const struct wish *wish, const struct policy_engine_result *results)
{
	const struct policy_request *request = &wish->request;
	struct report *report = begin_report(request);
	print_table(report, request, results);
	for (unsigned i = 0; i < request->policy_count && wish->plot; i++)
		print_plot(report, request, i, results + i * request->frame_count);
	report_free(report);
}

/* ---- a sample ---- */

static void print_sample(const struct policy_request *request, uint64_t sampled, const struct sampled_point *points)
{
	static const struct report_column columns[] = {
	    {"frames", "frames"}, {"ratio", "miss ratio"}, {"error", "standard error"}};
	struct report *report = begin_report(request);
	report_number(report, "sampled", "references in the sample", sampled, "");
	report_table_begin(report, "lru", "Miss ratio of lru, estimated", columns, COUNT_OF(columns));
	for (unsigned i = 0; i < request->frame_count; i++) {
		report_cell_number(report, request->frame[i]);
		report_cell_textf(report, "%.4f", points[i].ratio);
		report_cell_textf(report, "%.4f", points[i].error);
	}
	report_table_end(report);
	report_free(report);
}

static void feed_sample(struct sampled_curve *curve, const struct references *references)
{
	struct references_reader *reader = references_reader_new(references);
	const uint32_t *block;
	size_t count;
	while ((count = references_next(reader, &block)) > 0)
		sampled_curve_feed(curve, block, count);
	references_reader_free(reader);
}

static enum status estimate(const struct wish *wish, struct error *error)
{
	const struct policy_request *request = &wish->request;
	const struct references *references = &request->references;
	struct sampled_curve *curve = sampled_curve_new(references->pages, wish->sample, request->engine.seed);
	struct sampled_point points[FRAMES_MOST];
	if (curve)
		feed_sample(curve, references);
	if (!curve || !sampled_curve_points(curve, request->frame, request->frame_count, points)) {
		sampled_curve_free(curve);
		return error_set(error, STATUS_HOST, "the host has no memory for %u pages", references->pages);
	}
	print_sample(request, sampled_curve_references(curve), points);
	sampled_curve_free(curve);
	return STATUS_OK;
}

/* ---- the command ---- */

static enum status follow_all(const struct wish *wish, struct error *error)
{
	const struct policy_request *request = &wish->request;
	enum status status = STATUS_OK;
	struct policy_engine_result *results = calloc((size_t)request->policy_count * request->frame_count,
						      sizeof(*results));
	BUG_ON(!results);
	for (unsigned i = 0; i < request->policy_count && status == STATUS_OK; i++)
		status = run_one(request, i, results + i * request->frame_count, error);
	if (status == STATUS_OK)
		print(wish, results);
	free(results);
	return status;
}

static enum status draw(struct wish *wish, struct error *error)
{
	struct policy_request *request = &wish->request;
	if (!request->policies)
		request->policies = "lru";
	enum status status = policy_request_open(request, error);
	if (status == STATUS_OK && request->frame_count == 0)
		choose_sizes(request);
	if (status == STATUS_OK)
		status = wish->tlb          ? curve_tlb_print(&request->references, request->format, error)
			 : wish->sample > 0 ? estimate(wish, error)
					    : follow_all(wish, error);
	policy_request_close(request);
	return status;
}

/* "0.01" or "1%" */
static enum status read_share(const char *text, double *out, struct error *error)
{
	char *end;
	*out = strtod(text, &end);
	if (end != text && strcmp(end, "%") == 0) {
		*out /= 100;
		end++;
	}
	if (end != text && *end == '\0' && *out > 0 && *out <= 1)
		return STATUS_OK;
	return error_set(error, STATUS_BAD_INPUT, "--sample %s: write a share above 0 and up to 1, as in 0.01 or 1%%",
			 text);
}

/* What cannot go together. */
static enum status settle(struct wish *wish, struct error *error)
{
	struct policy_request *request = &wish->request;
	if (wish->sample > 0 && request->policies && strcmp(request->policies, "lru") != 0)
		return error_set(error, STATUS_BAD_INPUT, "--sample estimates lru only; leave out --policy %s",
				 request->policies);
	if (wish->tlb && (wish->sample > 0 || request->policies || request->frames || wish->plot))
		return error_set(error, STATUS_BAD_INPUT,
				 "--tlb is about LRU and all sizes; --policy, --frames, --sample and --plot are about "
				 "memory");
	if (wish->tlb)
		request->source.pages = RECORDER_ADDRESSES;
	return STATUS_OK;
}

static enum status take_option(struct wish *wish, const struct option_given *given, struct error *error)
{
	if (given->id == OPTION_PLOT)
		wish->plot = true;
	else if (given->id == OPTION_TLB)
		wish->tlb = true;
	else if (given->id == OPTION_SAMPLE)
		return read_share(given->value, &wish->sample, error);
	else
		return policy_request_option(&wish->request, given, error);
	return STATUS_OK;
}

static enum status read_line(struct wish *wish, const struct command_line *line, struct error *error)
{
	enum status status = STATUS_OK;
	if (line->operand_count > 1)
		return error_set(error, STATUS_BAD_INPUT, "curve takes one trace or workload; there are %u",
				 line->operand_count);
	wish->request.source.path = line->operand_count ? line->operands[0] : NULL;
	for (unsigned i = 0; i < line->given_count && status == STATUS_OK; i++)
		status = take_option(wish, &line->given[i], error);
	return status == STATUS_OK ? settle(wish, error) : status;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct wish wish = {0};
	struct error error = {0};
	(void)command;
	enum status status = read_line(&wish, line, &error);
	if (status == STATUS_OK)
		status = draw(&wish, &error);
	return status == STATUS_OK ? status : complain(&error);
}

const struct command command_curve = {
    .name = "curve",
    .operands = "[TRACE|WORKLOAD]",
    .summary = "misses against the number of frames, for all sizes",
    .text =
	"Prints the misses of a reference string against the number of frames. LRU and OPT are found for all sizes in "
	"one pass; other policies run once a size, several at a time. Without --frames: every size of a string of few "
	"pages, else sizes in even ratios. --tlb does the same for TLBs of all sizes and ways. Traces and workloads "
	"are "
	"those of the command policy.",
    .options = options,
    .run = run,
};
