/* faultline explain: the full translation of an address at one moment of a run. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "faultline/report.h"
#include "faultline/report_translation.h"
#include "faultline/translation.h"
#include "session.h"

enum { OPTION_AT, OPTION_PID, OPTION_SET };

static const struct option options[] = {
    {"--at", OPTION_WITH_VALUE, "EVENT", "The number of the event, as --story and --events write it. Default: the end.",
     OPTION_AT},
    {"--pid", OPTION_WITH_VALUE, "N", "The process. Default: the one that the event belongs to, else process 1.",
     OPTION_PID},
    {"--set", OPTION_WITH_VALUE, "KEY=VALUE", "Override a setting of the workload. May be given more than once.",
     OPTION_SET},
    {0}};

/* A number, or a segment and an offset that only the moment can turn into one. */
struct target {
	const char *text;
	bool in_segment;
	enum segment segment;
	uint64_t offset; /* or the address itself */
};

struct explanation {
	struct world *world;
	struct target target;
	uint64_t at;  /* UINT64_MAX: the end */
	uint32_t pid; /* 0: the event's */
	bool taken;
	struct translation translation;
	char moment[256];   /* what happens there */
	struct error error; /* why it could not be taken */
};

/* ---- reading the line ---- */

static bool read_number(const char *text, uint64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 0);
	return errno == 0 && end != text && *end == '\0' && text[0] >= '0' && text[0] <= '9';
}

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
	if (read_number(text, &target->offset))
		return STATUS_OK;
	target->in_segment = find_segment(text, name, &target->segment);
	bool good = target->in_segment && (!text[name] || read_number(text + name + 1, &target->offset));
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
	uint64_t number;
	if (line->operand_count != 2)
		return error_set(error, STATUS_BAD_INPUT,
				 "explain wants an address and a workload: faultline %s [OPTION]... %s", command->name,
				 command->operands);
	request->workload = line->operands[1];
	for (unsigned i = 0; i < line->given_count; i++) {
		const struct option_given *given = &line->given[i];
		if (given->id == OPTION_SET) {
			request->settings[request->setting_count++] = given->value;
			continue;
		}
		if (!read_number(given->value, &number) || number == 0 || number > UINT32_MAX * UINT64_C(1000))
			return error_set(error, STATUS_BAD_INPUT, "%s %s: write a number from 1 up",
					 given->id == OPTION_AT ? "--at" : "--pid", given->value);
		if (given->id == OPTION_AT)
			explanation->at = number;
		else
			explanation->pid = (uint32_t)number;
	}
	return read_target(&explanation->target, line->operands[0], error);
}

/* ---- the moment ---- */

static void take(struct explanation *explanation, uint32_t pid)
{
	const struct process *process = NULL;
	unsigned index = 0;
	pid = explanation->pid ? explanation->pid : pid ? pid : 1;
	explanation->taken = true;
	while (world_kernel(explanation->world) && (process = world_process(explanation->world, index)) &&
	       process->pid != pid)
		index++;
	if (!process) {
		(void)error_set(&explanation->error, STATUS_BAD_INPUT,
				"there is no process %" PRIu32 " at that moment: --pid names another one, a later --at "
				"finds it started",
				pid);
		return;
	}
	uint64_t base = explanation->target.in_segment ? process_segment(process, explanation->target.segment).v : 0;
	translation_take(&explanation->translation, explanation->world, index,
			 vaddr(base + explanation->target.offset));
}

static void on_event(void *self, const struct event *event)
{
	struct explanation *explanation = self;
	if (event->number != explanation->at)
		return;
	take(explanation, event->pid);
	story_sentence(event, explanation->moment, sizeof(explanation->moment));
}

/* Nobody wants to know how the story went on. */
static bool goes_on(void *self, struct error *why)
{
	const struct explanation *explanation = self;
	(void)why;
	return !explanation->taken;
}

static enum status find_moment(struct explanation *explanation, struct error *error)
{
	if (explanation->at != UINT64_MAX) {
		bus_subscribe(world_bus(explanation->world), EVENT_MASK_ALL, on_event, explanation);
		world_set_check(explanation->world, goes_on, explanation);
	}
	enum status status = world_run(explanation->world, error);
	bool unread = status == STATUS_BAD_INPUT || status == STATUS_HOST;
	if (unread && !explanation->taken)
		return status;
	if (explanation->at == UINT64_MAX)
		take(explanation, 0);
	if (!explanation->taken)
		return error_set(error, STATUS_BAD_INPUT, "--at %" PRIu64 ": the run has only %" PRIu64 " events",
				 explanation->at, world_bus_const(explanation->world)->number);
	*error = explanation->error;
	return error->status;
}

static enum status explain(struct explanation *explanation, const struct session_request *request, struct error *error)
{
	struct session session;
	enum status status = session_open(&session, request, error);
	explanation->world = session.world;
	if (status == STATUS_OK)
		status = find_moment(explanation, error);
	if (status == STATUS_OK) {
		struct report *report = report_new(stdout, REPORT_TEXT);
		if (explanation->moment[0])
			report_textf(report, "event", NULL, "Event %" PRIu64 ": %s", explanation->at,
				     explanation->moment);
		report_translation(report, &explanation->translation);
		report_free(report);
	}
	session_close(&session);
	return status;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct explanation explanation = {.at = UINT64_MAX};
	struct session_request request = {.check_mode = CHECK_IDENTITIES};
	struct error error = {0};
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
