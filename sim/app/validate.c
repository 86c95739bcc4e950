/* faultline validate: every mistake of every file, and nothing is run. */
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "faultline/document.h"

static enum status validate_file(const char *path)
{
	struct error error = {0};
	struct document *document = NULL;
	uint64_t operations = 0;
	enum status status = document_is_op_list(path) ? document_check_op_list(path, &operations, &error)
						       : document_load(path, &document, &error);
	if (status != STATUS_OK)
		return complain(&error);
	if (document)
		(void)printf("%s: valid: %s, %u process%s\n", path, document->name, document->process_count,
			     document->process_count == 1 ? "" : "es");
	else
		(void)printf("%s: valid: %" PRIu64 " operations\n", path, operations);
	document_free(document);
	return STATUS_OK;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	enum status worst = STATUS_OK;
	struct error error;
	if (line->operand_count == 0) {
		(void)error_set(&error, STATUS_BAD_INPUT, "validate what? faultline %s %s", command->name,
				command->operands);
		return complain(&error);
	}
	for (unsigned i = 0; i < line->operand_count; i++) {
		enum status status = validate_file(line->operands[i]);
		worst = status > worst ? status : worst;
	}
	return worst;
}

static const struct option options[] = {{0}};

const struct command command_validate = {
    .name = "validate",
    .operands = "WORKLOAD...",
    .summary = "say what is wrong with workloads, without running them",
    .text = "Reads workloads (.json, .ops, .ops.gz) and reports mistakes with file, line, column, JSON pointer and "
	    "remedy. All files are read; the exit status is 2 if any of them is bad.",
    .options = options,
    .run = run,
};
