/* faultline tui: the visualizer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "faultline/document.h"
#include "faultline/tui.h"
#include "lessons.h"
#include "moment.h"

enum {
	OPTION_SET = 1,
	OPTION_AT,
	OPTION_BREAK,
	OPTION_KEYS,
	OPTION_DUMP,
	OPTION_STYLES,
	OPTION_THEME,
	OPTION_ASCII,
	OPTION_NO_MOUSE,
	OPTION_A11Y,
	OPTION_SIZE
};

static const struct option options[] = {
    {"--set", OPTION_WITH_VALUE, "KEY=VALUE", "override one setting, e.g. machine.memory=64MiB; may be repeated",
     OPTION_SET},
    {"--at", OPTION_WITH_VALUE, "EVENT", "begin at this event; else at the first operation", OPTION_AT},
    {"--break", OPTION_WITH_VALUE, "SPEC", "set a breakpoint, e.g. \"fault if major\"; may be repeated", OPTION_BREAK},
    {"--keys", OPTION_WITH_VALUE, "FILE", "press the keys in this file, one a line, then end", OPTION_KEYS},
    {"--dump-screen", OPTION_WITH_VALUE, "FILE", "write the last screen to this file, \"-\" for standard output",
     OPTION_DUMP},
    {"--dump-styles", OPTION_FLAG, NULL, "with the colours and attributes behind each row", OPTION_STYLES},
    {"--theme", OPTION_WITH_VALUE, "NAME", "default, safe or mono", OPTION_THEME},
    {"--ascii", OPTION_FLAG, NULL, "draw with ASCII characters only", OPTION_ASCII},
    {"--no-mouse", OPTION_FLAG, NULL, "leave the mouse to the terminal", OPTION_NO_MOUSE},
    {"--a11y", OPTION_FLAG, NULL, "one sentence an event, no boxes: for screen readers", OPTION_A11Y},
    {"--size", OPTION_WITH_VALUE, "COLUMNSxROWS", "the size of the screen, e.g. 80x24", OPTION_SIZE},
    {0}};

/* What the menu stands on at first: everything else is easier to see after it. */
#define FIRST_LESSON "first-malloc"

struct request {
	struct tui_options tui;
	const char **settings;
	unsigned setting_count;
};

static enum status read_size(const char *text, struct tui_options *tui, struct error *error)
{
	if (sscanf(text, "%ux%u", &tui->columns, &tui->rows) == 2 && tui->columns >= 1 && tui->rows >= 1 &&
	    tui->columns <= 1000 && tui->rows <= 1000)
		return STATUS_OK;
	return error_set(error, STATUS_BAD_INPUT, "--size %s: write columns and rows, at most 1000, such as 80x24",
			 text);
}

static enum status take_option(struct request *request, const struct option_given *given, struct error *error)
{
	struct tui_options *tui = &request->tui;
	switch (given->id) {
	case OPTION_SET:
		request->settings[request->setting_count++] = given->value;
		break;
	case OPTION_AT:
		if (!moment_read(given->value, &tui->at))
			return error_set(error, STATUS_BAD_INPUT, "--at %s: write a number", given->value);
		break;
	case OPTION_BREAK:
		if (tui->break_count == TUI_MAX_BREAKS)
			return error_set(error, STATUS_BAD_INPUT, "--break: at most %d breakpoints", TUI_MAX_BREAKS);
		tui->breaks[tui->break_count++] = given->value;
		break;
	case OPTION_KEYS:
		tui->keys = given->value;
		break;
	case OPTION_DUMP:
		tui->dump = given->value;
		break;
	case OPTION_STYLES:
		tui->dump_styles = true;
		break;
	case OPTION_THEME:
		tui->theme = given->value;
		break;
	case OPTION_ASCII:
		tui->ascii = true;
		break;
	case OPTION_NO_MOUSE:
		tui->no_mouse = true;
		break;
	case OPTION_A11Y:
		tui->linear = true;
		break;
	case OPTION_SIZE:
		return read_size(given->value, tui, error);
	default:
		break;
	}
	return STATUS_OK;
}

/* The workload of the line, or the lesson that is chosen; *path stays NULL when none is. */
static enum status choose(const struct command_line *line, struct request *request, struct lessons *lessons,
			  const char **path, struct error *error)
{
	*path = line->operand_count ? line->operands[0] : NULL;
	if (line->operand_count > 1)
		return error_set(error, STATUS_BAD_INPUT, "tui shows one workload, here are %u", line->operand_count);
	if (*path)
		return STATUS_OK;
	lessons_find(lessons);
	if (lessons->count == 0)
		return error_set(error, STATUS_BAD_INPUT, "there are no lessons, %s: name a workload",
				 lessons_places());
	unsigned chosen = 0;
	while (chosen < lessons->count && strcmp(lessons->list[chosen].name, FIRST_LESSON) != 0)
		chosen++;
	if (tui_choose(lessons->list, lessons->count, &request->tui, &chosen, error) == STATUS_OK &&
	    chosen < lessons->count)
		*path = lessons->list[chosen].path;
	return error->status;
}

static enum status show(const char *path, const struct request *request, struct error *error)
{
	struct document *document = NULL;
	enum status status = document_load(path, &document, error);
	for (unsigned i = 0; status == STATUS_OK && i < request->setting_count; i++)
		status = document_set(document, request->settings[i], error);
	if (status == STATUS_OK)
		status = tui_run(document, &request->tui, error);
	document_free(document);
	return status;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct request request = {.tui = {.at = TUI_AT_FIRST_OPERATION}};
	struct error error = {0};
	struct lessons lessons = {0};
	const char *path = NULL;
	enum status status = STATUS_OK;
	(void)command;
	request.settings = calloc(line->given_count + 1, sizeof(*request.settings));
	if (!request.settings)
		status = error_set(&error, STATUS_HOST, "the host has no memory for the options");
	const char *no_colour = getenv("NO_COLOR");
	request.tui.no_colour = no_colour && no_colour[0];
	for (unsigned i = 0; status == STATUS_OK && i < line->given_count; i++)
		status = take_option(&request, &line->given[i], &error);
	if (status == STATUS_OK)
		status = choose(line, &request, &lessons, &path, &error);
	if (status == STATUS_OK && path)
		status = show(path, &request, &error);
	lessons_release(&lessons);
	free(request.settings);
	return status == STATUS_OK ? status : complain(&error);
}

const struct command command_tui = {
    .name = "tui",
    .operands = "[WORKLOAD]",
    .summary = "step through a workload on the screen, forwards and backwards",
    .text =
	"Shows the machine at every event of the workload, on a terminal; every step can be taken back. Without a "
	"workload it offers the lessons that come with the program. Where there is no terminal, and with --a11y, it "
	"tells the same story a sentence at a time and reads keys by lines. The key ? lists all keys.",
    .options = options,
    .run = run,
};
