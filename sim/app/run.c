/* faultline run: replays a workload and reports. */
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "session.h"

enum { OPTION_SET };

static enum status run(const struct command *command, const struct command_line *line)
{
	struct session session;
	struct error error = {0};
	(void)command;
	if (line->operand_count != 1) {
		(void)error_set(&error, STATUS_BAD_INPUT, "run wants one workload");
		return complain(&error);
	}
	if (session_open(&session, line->operands[0], NULL, 0, &error) != STATUS_OK)
		return complain(&error);
	enum status status = world_run(session.world, &error);
	if (status != STATUS_OK)
		(void)complain(&error);
	(void)printf("%" PRIu64 " operations\n", world_progress(session.world).operations);
	session_close(&session);
	return status;
}

static const struct option options[] = {{0}};

const struct command command_run = {
    .name = "run",
    .operands = "WORKLOAD",
    .summary = "replay a workload and report what happened",
    .text = "Replays a workload.",
    .options = options,
    .run = run,
};
