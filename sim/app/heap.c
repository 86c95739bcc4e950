/* faultline heap: what the C library says of its heap at one moment of a run. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "faultline/heap.h"
#include "moment.h"
#include "words.h"

enum { OPTION_OUT = MOMENT_OPTION_COUNT };

static const struct option options[] = {
    MOMENT_OPTIONS, {"-o", OPTION_WITH_VALUE, "FILE", "Write to FILE in place of standard output.", OPTION_OUT}, {0}};

struct look {
	struct moment moment;
	enum heap_view view;
	const char *path;
	struct output output;
	const char *allocator; /* that has no such view; NULL: it has */
};

static void write_text(void *self, const char *text, size_t length)
{
	(void)fwrite(text, 1, length, self);
}

static void look(void *self, unsigned process)
{
	struct look *request = self;
	const struct heap *heap = world_heap(request->moment.world, process);
	if (!heap_view_print(heap, request->view, write_text, request->output.file))
		request->allocator = heap->ops->name;
}

static enum status find_view(const char *name, enum heap_view *out, struct error *error)
{
	const char *names[HEAP_VIEW_COUNT];
	if (heap_view_find(name, out))
		return STATUS_OK;
	for (unsigned i = 0; i < HEAP_VIEW_COUNT; i++)
		names[i] = heap_view_info((enum heap_view)i)->name;
	const char *nearest = nearest_word(name, names, HEAP_VIEW_COUNT);
	return error_set(error, STATUS_BAD_INPUT,
			 "there is no view \"%s\" of a heap%s%s%s; there are malloc_stats, malloc_info, mallinfo2 and "
			 "chunks",
			 name, nearest ? ": did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static enum status read_option(struct look *request, struct session_request *session, const struct option_given *given,
			       struct error *error)
{
	if (given->id == OPTION_OUT)
		request->path = given->value;
	return moment_option(&request->moment, session, given, error);
}

static enum status read_line(struct look *request, struct session_request *session, const struct command *command,
			     const struct command_line *line, struct error *error)
{
	if (line->operand_count != 2)
		return error_set(error, STATUS_BAD_INPUT,
				 "heap wants a workload and a view: faultline %s [OPTION]... %s", command->name,
				 command->operands);
	session->workload = line->operands[0];
	for (unsigned i = 0; i < line->given_count; i++) {
		if (read_option(request, session, &line->given[i], error) != STATUS_OK)
			return error->status;
	}
	return find_view(line->operands[1], &request->view, error);
}

static enum status show(struct look *request, const struct session_request *what, struct error *error)
{
	struct session session;
	enum status status = session_open(&session, what, error);
	request->moment.world = session.world;
	if (status == STATUS_OK)
		status = output_open(&request->output, request->path, error);
	if (status == STATUS_OK)
		status = moment_run(&request->moment, error);
	if (status == STATUS_OK && request->allocator)
		status = error_set(error, STATUS_BAD_INPUT,
				   "the allocator %s has no %s; the view \"chunks\" is there for all",
				   request->allocator, heap_view_info(request->view)->name);
	if (status == STATUS_OK)
		status = output_commit(&request->output, error);
	output_discard(&request->output);
	session_close(&session);
	return status;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct look request = {.moment = {.at = MOMENT_END, .look = look}, .path = "-"};
	struct session_request session = {.check_mode = CHECK_IDENTITIES};
	struct error error = {0};
	request.moment.self = &request;
	session.settings = calloc(line->given_count + 1, sizeof(*session.settings));
	BUG_ON(!session.settings);
	enum status status = read_line(&request, &session, command, line, &error);
	if (status == STATUS_OK)
		status = show(&request, &session, &error);
	free(session.settings);
	return status == STATUS_OK ? status : complain(&error);
}

const struct command command_heap = {
    .name = "heap",
    .operands = "WORKLOAD VIEW",
    .summary = "print what the C library knows of its heap at one moment",
    .text = "Runs the workload up to an event and prints a view of the heap at that moment: malloc_stats and "
	    "malloc_info in glibc's own text, mallinfo2 a field a line, or chunks, every chunk in the order of its "
	    "address with the list that holds it.",
    .options = options,
    .run = run,
};
