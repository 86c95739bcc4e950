/* faultline(1): finds the command and hands it the rest of the line. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "faultline/version.h"
#include "options.h"

enum status complain(const struct error *error)
{
	(void)fprintf(stderr, "faultline: %s\n", error->text);
	return error->status;
}

/* What was printed on standard output must have arrived. */
static enum status flush_stdout(enum status status)
{
	struct error error;
	bool arrived = fflush(stdout) == 0 && !ferror(stdout);
	/* A command that found out has already said so. */
	if (arrived || status == STATUS_HOST)
		return status;
	(void)error_set(&error, STATUS_HOST, "standard output cannot be written");
	return complain(&error);
}

static enum status run_command(const struct command *command, char *const *words, unsigned count)
{
	struct command_line line;
	struct error error = {0};
	enum status status = command_line_parse(command, words, count, &line, &error);
	if (status != STATUS_OK)
		(void)complain(&error);
	else if (line.help)
		command_help(command, stdout);
	else
		status = command->run(command, &line);
	command_line_release(&line);
	return status;
}

int main(int argc, char **argv)
{
#define X(name) command_##name,
	const struct command commands[] = {COMMAND_LIST(X){0}};
#undef X
	struct error error = {0};
	/* A reader that has gone is a write error, not a death. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		command_overview(commands, stderr);
		return STATUS_BAD_INPUT;
	}
	if (strcmp(argv[1], "--help") == 0) {
		command_overview(commands, stdout);
		return (int)flush_stdout(STATUS_OK);
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("faultline %s\n", FAULTLINE_VERSION);
		return (int)flush_stdout(STATUS_OK);
	}
	const struct command *command = command_find(commands, argv[1], &error);
	if (!command)
		return (int)complain(&error);
	return (int)flush_stdout(run_command(command, argv + 2, (unsigned)argc - 2));
}
