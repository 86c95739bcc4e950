/* faultline proc: a file of /proc as it is at one moment of a run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "faultline/procfs.h"
#include "faultline/report.h"
#include "moment.h"
#include "words.h"

enum { OPTION_OUT = MOMENT_OPTION_COUNT, OPTION_LIST };

static const struct option options[] = {
    MOMENT_OPTIONS,
    {"-o", OPTION_WITH_VALUE, "FILE", "Write to FILE in place of standard output.", OPTION_OUT},
    {"--list", OPTION_FLAG, NULL, "Say which files there are.", OPTION_LIST},
    {0}};

struct view {
	struct moment moment;
	enum procfs_file file;
	const char *path;
	struct output output;
};

static void write_text(void *self, const char *text, size_t length)
{
	(void)fwrite(text, 1, length, self);
}

static void look(void *self, unsigned process)
{
	struct view *view = self;
	procfs_print(world_kernel(view->moment.world), world_process(view->moment.world, process), view->file,
		     write_text, view->output.file);
}

static enum status list_files(void)
{
	static const struct report_column columns[] = {
	    {"file", "file"}, {"place", "where on Linux"}, {"text", "what it says"}};
	struct report *report = report_new(stdout, REPORT_TEXT);
	report_table_begin(report, "files", "Files", columns, sizeof(columns) / sizeof(*columns));
	for (unsigned i = 0; i < PROCFS_COUNT; i++) {
		const struct procfs_info *info = procfs_info((enum procfs_file)i);
		char place[64];
		(void)snprintf(place, sizeof(place), "/proc/%s%s", info->of_process ? "PID/" : "", info->name);
		report_cell_text(report, info->name);
		report_cell_text(report, place);
		report_cell_text(report, info->text);
	}
	report_table_end(report);
	report_free(report);
	return STATUS_OK;
}

static enum status find_file(const char *name, enum procfs_file *out, struct error *error)
{
	const char *names[PROCFS_COUNT];
	if (procfs_find(name, out))
		return STATUS_OK;
	for (unsigned i = 0; i < PROCFS_COUNT; i++)
		names[i] = procfs_info((enum procfs_file)i)->name;
	const char *nearest = nearest_word(name, names, PROCFS_COUNT);
	return error_set(error, STATUS_BAD_INPUT,
			 "there is no file \"%s\" in /proc%s%s%s; faultline proc --list says "
			 "which there are",
			 name, nearest ? ": did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static enum status read_option(struct view *view, struct session_request *request, const struct option_given *given,
			       struct error *error)
{
	if (given->id == OPTION_OUT)
		view->path = given->value;
	return moment_option(&view->moment, request, given, error);
}

static enum status read_line(struct view *view, struct session_request *request, const struct command *command,
			     const struct command_line *line, struct error *error)
{
	if (line->operand_count != 2)
		return error_set(error, STATUS_BAD_INPUT,
				 "proc wants a workload and a file: faultline %s [OPTION]... %s", command->name,
				 command->operands);
	request->workload = line->operands[0];
	for (unsigned i = 0; i < line->given_count; i++) {
		enum status status = read_option(view, request, &line->given[i], error);
		if (status != STATUS_OK)
			return status;
	}
	return find_file(line->operands[1], &view->file, error);
}

static enum status show(struct view *view, const struct session_request *request, struct error *error)
{
	struct session session;
	enum status status = session_open(&session, request, error);
	view->moment.world = session.world;
	if (status == STATUS_OK)
		status = output_open(&view->output, view->path, error);
	if (status == STATUS_OK)
		status = moment_run(&view->moment, error);
	if (status == STATUS_OK)
		status = output_commit(&view->output, error);
	output_discard(&view->output);
	session_close(&session);
	return status;
}

static bool wants_list(const struct command_line *line)
{
	for (unsigned i = 0; i < line->given_count; i++) {
		if (line->given[i].id == OPTION_LIST)
			return true;
	}
	return false;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct view view = {.moment = {.at = MOMENT_END, .look = look}, .path = "-"};
	struct session_request request = {.check_mode = CHECK_IDENTITIES};
	struct error error = {0};
	if (wants_list(line))
		return list_files();
	view.moment.self = &view;
	request.settings = calloc(line->given_count + 1, sizeof(*request.settings));
	BUG_ON(!request.settings);
	enum status status = read_line(&view, &request, command, line, &error);
	if (status == STATUS_OK)
		status = show(&view, &request, &error);
	free(request.settings);
	return status == STATUS_OK ? status : complain(&error);
}

const struct command command_proc = {
    .name = "proc",
    .operands = "WORKLOAD FILE",
    .summary = "print a file of /proc at one moment",
    .text =
	"Runs the workload up to an event and prints a file of /proc at that moment in the kernel's own format: maps, "
	"smaps, status, meminfo and others, which --list names.",
    .options = options,
    .run = run,
};
