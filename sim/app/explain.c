/* faultline explain: the full translation of an address at one moment of a run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "faultline/report.h"
#include "faultline/report_translation.h"
#include "faultline/translation.h"
#include "moment.h"

static const struct option options[] = {MOMENT_OPTIONS, {0}};

/* A number, or a segment and an offset that only the moment can turn into one. */
struct target {
	const char *text;
	bool in_segment;
	enum segment segment;
	uint64_t offset; /* or the address itself */
};

struct explanation {
	struct moment moment;
	struct target target;
	struct translation translation;
};

/* ---- reading the line ---- */

static bool find_segment(const char *name, size_t length, enum segment *out)
{
	for (unsigned i = 0; i < SEGMENT_COUNT; i++) {
		const char *candidate = segment_name((enum segment)i);
		if (strlen(candidate) == length && strncmp(candidate, name, length) == 0) {
			*out = (enum segment)i;
			return true;
		}
	}
	return false;
}

static enum status read_target(struct target *target, const char *text, struct error *error)
{
	size_t name = strcspn(text, "+-");
	*target = (struct target){.text = text};
	if (moment_read(text, &target->offset))
		return STATUS_OK;
	target->in_segment = find_segment(text, name, &target->segment);
	bool good = target->in_segment && (!text[name] || moment_read(text + name + 1, &target->offset));
	if (text[name] == '-')
		target->offset = 0 - target->offset;
	if (good)
		return STATUS_OK;
	return error_set(
	    error, STATUS_BAD_INPUT,
	    "\"%s\" is no address: write a number such as 0x555555560000, or a segment and an offset such as "
	    "heap+4096 or stack-8",
	    text);
}

static enum status read_line(struct explanation *explanation, struct session_request *request,
			     const struct command *command, const struct command_line *line, struct error *error)
{
	if (line->operand_count != 2)
		return error_set(error, STATUS_BAD_INPUT,
				 "explain wants an address and a workload: faultline %s [OPTION]... %s", command->name,
				 command->operands);
	request->workload = line->operands[1];
	for (unsigned i = 0; i < line->given_count; i++) {
		enum status status = moment_option(&explanation->moment, request, &line->given[i], error);
		if (status != STATUS_OK)
			return status;
	}
	return read_target(&explanation->target, line->operands[0], error);
}

static void look(void *self, unsigned process)
{
	struct explanation *explanation = self;
	struct world *world = explanation->moment.world;
	const struct target *target = &explanation->target;
	uint64_t base = target->in_segment ? process_segment(world_process(world, process), target->segment).v : 0;
	translation_take(&explanation->translation, world, process, vaddr(base + target->offset));
}

static enum status explain(struct explanation *explanation, const struct session_request *request, struct error *error)
{
	struct session session;
	enum status status = session_open(&session, request, error);
	explanation->moment.world = session.world;
	if (status == STATUS_OK)
		status = moment_run(&explanation->moment, error);
	if (status == STATUS_OK) {
		struct report *report = report_new(stdout, REPORT_TEXT);
		if (explanation->moment.what[0])
			report_textf(report, "event", NULL, "Event %" PRIu64 ": %s", explanation->moment.at,
				     explanation->moment.what);
		report_translation(report, &explanation->translation);
		report_free(report);
	}
	session_close(&session);
	return status;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct explanation explanation = {.moment = {.at = MOMENT_END, .look = look}};
	struct session_request request = {.check_mode = CHECK_IDENTITIES};
	struct error error = {0};
	explanation.moment.self = &explanation;
	request.settings = calloc(line->given_count + 1, sizeof(*request.settings));
	BUG_ON(!request.settings);
	enum status status = read_line(&explanation, &request, command, line, &error);
	if (status == STATUS_OK)
		status = explain(&explanation, &request, &error);
	free(request.settings);
	return status == STATUS_OK ? status : complain(&error);
}

const struct command command_explain = {
    .name = "explain",
    .operands = "ADDRESS WORKLOAD",
    .summary = "print the full translation of an address at one moment",
    .text =
	"Runs the workload up to an event and prints the translation of an address at that moment: CR3, every entry "
	"of the page walk with every bit named, the TLBs, the VMA, the frame, and what an access would meet. ADDRESS "
	"is a number, or a segment and an offset: heap+4096, stack-8.",
    .options = options,
    .run = run,
};
