/* faultline curve: misses against the number of frames. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "faultline/lru_curve.h"
#include "policy_request.h"

enum { OPTION_PLOT = POLICY_OPTION_COUNT, POINTS = 32, PLOT_WIDTH = 60 };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct option options[] = {
    POLICY_OPTIONS, {"--plot", OPTION_FLAG, NULL, "Draw the miss ratios as bars.", OPTION_PLOT}, {0}};

struct wish {
	struct policy_request request;
	bool plot;
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

/* LRU comes from one pass; with more frames than pages only first uses miss. */
static enum status lru_misses(const struct policy_request *request, struct policy_engine_result *results,
			      struct error *error)
{
	const struct references *references = &request->references;
	struct lru_curve *curve = lru_curve_new(references->pages);
	uint64_t *misses = calloc((size_t)references->pages + 1, sizeof(*misses));
	if (!curve || !misses) {
		lru_curve_free(curve);
		free(misses);
		return error_set(error, STATUS_HOST, "the host has no memory for %u pages", references->pages);
	}
	lru_curve_feed(curve, references->page, references->count);
	lru_curve_misses(curve, misses);
	for (unsigned i = 0; i < request->frame_count; i++) {
		uint32_t frames = request->frame[i] < references->pages ? request->frame[i] : references->pages;
		results[i] = (struct policy_engine_result){.references = references->count, .misses = misses[frames]};
	}
	lru_curve_free(curve);
	free(misses);
	return STATUS_OK;
}

static enum status run_one(const struct policy_request *request, unsigned policy, struct policy_engine_result *results,
			   struct error *error)
{
	struct policy_request one = *request;
	if (strcmp(request->policy[policy]->name, "lru") == 0)
		return lru_misses(request, results, error);
	one.policy[0] = request->policy[policy];
	one.policy_count = 1;
	return policy_request_run(&one, results, error);
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

static void print(const struct wish *wish, const struct policy_engine_result *results)
{
	const struct policy_request *request = &wish->request;
	struct report *report = report_new(stdout, request->format);
	report_number(report, "references", "references", request->references.count, "");
	report_number(report, "pages", "pages", request->references.pages, "");
	print_table(report, request, results);
	for (unsigned i = 0; i < request->policy_count && wish->plot; i++)
		print_plot(report, request, i, results + i * request->frame_count);
	report_free(report);
}

/* ---- the command ---- */

static enum status draw(struct wish *wish, struct error *error)
{
	struct policy_request *request = &wish->request;
	struct policy_engine_result *results = NULL;
	if (!request->policies)
		request->policies = "lru";
	enum status status = policy_request_open(request, error);
	if (status == STATUS_OK) {
		if (request->frame_count == 0)
			choose_sizes(request);
		results = calloc((size_t)request->policy_count * request->frame_count, sizeof(*results));
		BUG_ON(!results);
	}
	for (unsigned i = 0; i < request->policy_count && status == STATUS_OK; i++)
		status = run_one(request, i, results + i * request->frame_count, error);
	if (status == STATUS_OK)
		print(wish, results);
	free(results);
	policy_request_close(request);
	return status;
}

static enum status read_line(struct wish *wish, const struct command_line *line, struct error *error)
{
	enum status status = STATUS_OK;
	if (line->operand_count > 1)
		return error_set(error, STATUS_BAD_INPUT, "curve takes one trace; there are %u", line->operand_count);
	wish->request.path = line->operand_count ? line->operands[0] : NULL;
	for (unsigned i = 0; i < line->given_count && status == STATUS_OK; i++) {
		if (line->given[i].id == OPTION_PLOT)
			wish->plot = true;
		else
			status = policy_request_option(&wish->request, &line->given[i], error);
	}
	return status;
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
    .operands = "[TRACE]",
    .summary = "misses against the number of frames, for all sizes",
    .text =
	"Prints the misses of a reference string against the number of frames. LRU is found for all sizes in one pass; "
	"other policies run once a size. Without --frames: every size of a string of few pages, else sizes in even "
	"ratios. Traces are those of the command policy.",
    .options = options,
    .run = run,
};
