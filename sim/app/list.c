#include "commands.h"
static enum status run(const struct command *command, const struct command_line *line)
{
	(void)command;
	(void)line;
	return STATUS_BAD_INPUT;
}
static const struct option options[] = {{0}};
const struct command command_list = {
    .name = "list",
    .operands = "",
    .summary = "list",
    .text = "list",
    .options = options,
    .run = run,
};
