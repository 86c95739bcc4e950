/* faultline convert: an op list as a JSON workload, and back. */

#include "faultline/convert.h"
#include "commands.h"
#include "faultline/output.h"

enum { OPTION_OUT };

static const struct option options[] = {
    {"-o", OPTION_WITH_VALUE, "FILE", "Write to FILE, complete or not at all. Default: standard output.", OPTION_OUT},
    {0}};

static bool write_text(void *self, const char *text, size_t length)
{
	return fwrite(text, 1, length, self) == length;
}

static enum status convert_json(const char *path, FILE *out, struct error *error)
{
	struct document *document = NULL;
	enum status status = document_load(path, &document, error);
	if (status == STATUS_OK)
		status = convert_document(document, write_text, out, error);
	document_free(document);
	return status;
}

static enum status convert(const char *path, const char *to, struct error *error)
{
	struct output output;
	enum status status = output_open(&output, to, error);
	if (status != STATUS_OK)
		return status;
	status = document_is_op_list(path) ? convert_op_list(path, write_text, output.file, error)
					   : convert_json(path, output.file, error);
	if (status == STATUS_OK)
		return output_commit(&output, error);
	output_discard(&output);
	return status;
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct error error = {0};
	const char *to = "-";
	for (unsigned i = 0; i < line->given_count; i++)
		to = line->given[i].value;
	if (line->operand_count != 1)
		(void)error_set(&error, STATUS_BAD_INPUT, "%s one workload: faultline %s [OPTION]... %s",
				line->operand_count ? "convert takes" : "convert what? It wants", command->name,
				command->operands);
	else
		(void)convert(line->operands[0], to, &error);
	return error.status == STATUS_OK ? STATUS_OK : complain(&error);
}

const struct command command_convert = {
    .name = "convert",
    .operands = "WORKLOAD",
    .summary = "turn a list of operations into a JSON workload, or back",
    .text =
	"Writes a list of operations (.ops, .ops.gz) as a JSON workload, one operation a line, with the process and "
	"the machine that the list stands for; or a JSON workload with one process as a list of operations. Repeats "
	"are unrolled; notes, phases and expects become comments. What a list has no letter for is refused with its "
	"place. A list of more than some hundred thousand operations is best run as it is: JSON workloads are "
	"limited to 16 MiB.",
    .options = options,
    .run = run,
};
