#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "words.h"

enum { MAX_WORDS = 32, TEXT_COLUMN = 22, PAGE_COLUMNS = 78 };

static const struct option help_option = {"--help", OPTION_FLAG, NULL, "Print this text.", 0};

/* ---- finding ---- */

/* Length of the name in "--name=value". */
static size_t name_length(const char *word)
{
	const char *equals = strchr(word, '=');
	return strncmp(word, "--", 2) == 0 && equals ? (size_t)(equals - word) : strlen(word);
}

static bool is_named(const struct option *option, const char *word)
{
	size_t length = name_length(word);
	return strlen(option->name) == length && strncmp(option->name, word, length) == 0;
}

static const struct option *find_option(const struct command *command, const char *word)
{
	for (const struct option *option = command->options; option->name; option++) {
		if (is_named(option, word))
			return option;
	}
	return is_named(&help_option, word) ? &help_option : NULL;
}

static enum status unknown_option(const struct command *command, const char *word, struct error *error)
{
	const char *names[MAX_WORDS];
	unsigned count = 0;
	for (const struct option *option = command->options; option->name && count + 1 < MAX_WORDS; option++)
		names[count++] = option->name;
	names[count++] = help_option.name;
	char name[64];
	(void)snprintf(name, sizeof(name), "%.*s", (int)name_length(word), word);
	const char *nearest = nearest_word(name, names, count);
	if (nearest)
		return error_set(error, STATUS_BAD_INPUT, "faultline %s has no option %s: did you mean %s?",
				 command->name, name, nearest);
	return error_set(error, STATUS_BAD_INPUT, "faultline %s has no option %s: see faultline %s --help",
			 command->name, name, command->name);
}

const struct command *command_find(const struct command *commands, const char *name, struct error *error)
{
	const char *names[MAX_WORDS];
	unsigned count = 0;
	for (const struct command *command = commands; command->name; command++) {
		if (strcmp(command->name, name) == 0)
			return command;
		if (count < MAX_WORDS)
			names[count++] = command->name;
	}
	const char *nearest = nearest_word(name, names, count);
	if (nearest)
		error_set(error, STATUS_BAD_INPUT, "there is no command \"%s\": did you mean %s?", name, nearest);
	else
		error_set(error, STATUS_BAD_INPUT, "there is no command \"%s\": see faultline --help", name);
	return NULL;
}

/* ---- parsing ---- */

/* The value of an option: behind its =, or the next word. `next` is moved over what was used. */
static enum status take_value(const struct command *command, const struct option *option, char *const *words,
			      unsigned count, unsigned *next, const char **value, struct error *error)
{
	const char *word = words[*next];
	const char *behind = word[name_length(word)] == '=' ? word + name_length(word) + 1 : NULL;
	(*next)++;
	*value = behind;
	switch (option->value) {
	case OPTION_FLAG:
		return behind ? error_set(error, STATUS_BAD_INPUT, "%s takes no value: write %s alone", option->name,
					  option->name)
			      : STATUS_OK;
	case OPTION_WITH_VALUE:
		if (!behind && *next == count)
			return error_set(error, STATUS_BAD_INPUT, "%s wants a value: %s %s (see faultline %s --help)",
					 option->name, option->name, option->argument, command->name);
		if (!behind)
			*value = words[(*next)++];
		return STATUS_OK;
	case OPTION_MAYBE_VALUE:
		return STATUS_OK;
	}
	BUG();
}

static bool is_operand(const char *word)
{
	return word[0] != '-' || word[1] == '\0';
}

enum status command_line_parse(const struct command *command, char *const *words, unsigned count,
			       struct command_line *out, struct error *error)
{
	*out = (struct command_line){0};
	out->given = calloc(count + 1, sizeof(*out->given));
	out->operands = calloc(count + 1, sizeof(*out->operands));
	if (!out->given || !out->operands)
		return error_set(error, STATUS_HOST, "the host has no memory for the command line");
	bool only_operands = false;
	for (unsigned next = 0; next < count;) {
		const char *word = words[next];
		if (only_operands || is_operand(word)) {
			out->operands[out->operand_count++] = word;
			next++;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			only_operands = true;
			next++;
			continue;
		}
		const struct option *option = find_option(command, word);
		if (!option)
			return unknown_option(command, word, error);
		const char *value;
		if (take_value(command, option, words, count, &next, &value, error) != STATUS_OK)
			return error->status;
		if (option == &help_option)
			out->help = true;
		else
			out->given[out->given_count++] = (struct option_given){option->id, value};
	}
	return STATUS_OK;
}

void command_line_release(struct command_line *line)
{
	free(line->given);
	free(line->operands);
	*line = (struct command_line){0};
}

/* ---- help ---- */

/* Prints the text in lines of PAGE_COLUMNS; each but the first begins at `indent`. */
static void print_wrapped(FILE *out, const char *text, unsigned indent)
{
	unsigned column = indent;
	while (*text) {
		size_t word = strcspn(text, " ");
		if (column > indent && column + 1 + word > PAGE_COLUMNS) {
			(void)fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		}
		(void)fprintf(out, "%s%.*s", column > indent ? " " : "", (int)word, text);
		column += (unsigned)word + (column > indent);
		text += word;
		text += strspn(text, " ");
	}
	(void)fputc('\n', out);
}

static void print_option(const struct option *option, FILE *out)
{
	char head[64];
	if (option->value == OPTION_FLAG)
		(void)snprintf(head, sizeof(head), "%s", option->name);
	else if (option->value == OPTION_WITH_VALUE)
		(void)snprintf(head, sizeof(head), "%s %s", option->name, option->argument);
	else
		(void)snprintf(head, sizeof(head), "%s[=%s]", option->name, option->argument);
	(void)fprintf(out, "  %-*s", TEXT_COLUMN - 2, head);
	if (strlen(head) + 3 > TEXT_COLUMN)
		(void)fprintf(out, "\n%*s", TEXT_COLUMN, "");
	print_wrapped(out, option->text, TEXT_COLUMN);
}

void command_help(const struct command *command, FILE *out)
{
	(void)fprintf(out, "usage: faultline %s [OPTION]... %s\n\n", command->name, command->operands);
	print_wrapped(out, command->text, 0);
	(void)fputs("\nOptions:\n", out);
	for (const struct option *option = command->options; option->name; option++)
		print_option(option, out);
	print_option(&help_option, out);
}

void command_overview(const struct command *commands, FILE *out)
{
	(void)fputs("usage: faultline COMMAND [OPTION]... [OPERAND]...\n\n"
		    "What really happens between malloc and a frame of RAM: a full-system virtual\n"
		    "memory simulator.\n\nCommands:\n",
		    out);
	for (const struct command *command = commands; command->name; command++)
		(void)fprintf(out, "  %-12s%s\n", command->name, command->summary);
	(void)fputs("\nfaultline COMMAND --help explains one of them, faultline --version says which\n"
		    "version this is. Exit status:\n",
		    out);
#define X(id, code, text) (void)fprintf(out, " %d %s\n", code, text);
	STATUS_LIST(X)
#undef X
}
