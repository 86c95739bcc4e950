/* What can stand on the command line: a table of commands, each with a table of its options. Parsing, `--help` and the
 * suggestions for misspelt words are expansions of these tables. */
#ifndef FAULTLINE_APP_OPTIONS_H
#define FAULTLINE_APP_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "faultline/status.h"

enum option_value { OPTION_FLAG, OPTION_WITH_VALUE, OPTION_MAYBE_VALUE };

/* One option; a table of them ends with a NULL name. */
struct option {
	const char *name; /* with its dashes */
	enum option_value value;
	const char *argument; /* how the value is called in the help; NULL for a flag */
	const char *text;
	int id; /* for the command */
};

struct command_line;

struct command {
	const char *name;
	const char *operands; /* as the synopsis writes them */
	const char *summary;  /* one line for the overview */
	const char *text;     /* the paragraph of its own help */
	const struct option *options;
	/* Returns the exit code. */
	enum status (*run)(const struct command *command, const struct command_line *line);
};

/* An option that was given, with its value or NULL. */
struct option_given {
	int id;
	const char *value;
};

/* The words behind the command, sorted into options and operands, both in their order. */
struct command_line {
	struct option_given *given;
	unsigned given_count;
	const char **operands;
	unsigned operand_count;
	bool help;
};

/* Commands end with a NULL name. The texts point into argv. Frees nothing on failure: call command_line_release. */
enum status command_line_parse(const struct command *command, char *const *words, unsigned count,
			       struct command_line *out, struct error *error);
void command_line_release(struct command_line *line);

/* NULL: no such command; error names the nearest one. */
const struct command *command_find(const struct command *commands, const char *name, struct error *error);

void command_help(const struct command *command, FILE *out);
void command_overview(const struct command *commands, FILE *out);

#endif
