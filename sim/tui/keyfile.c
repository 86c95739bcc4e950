#include "keyfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { LINE_BYTES = 1024, MOST_TIMES = 1000000 };

static void press(struct console *console, const char *key)
{
	console_key(console, key);
	console_settle(console);
}

static void type(struct console *console, const char *text)
{
	while (*text) {
		char key[5];
		uint32_t code = utf8_next(&text);
		utf8_put(code, key);
		press(console, code == ' ' ? "Space" : key);
	}
}

static bool resize(struct console *console, const char *size)
{
	unsigned columns;
	unsigned rows;
	char behind;
	return sscanf(size, "%ux%u%c", &columns, &rows, &behind) == 2 && columns > 0 && rows > 0 && columns <= 1000 &&
	       rows <= 1000 && console_resize(console, rows, columns);
}

/* "]f", "ma": a key that waits for a letter, and the letter. */
static bool press_pair(struct console *console, const char *word)
{
	char key[2] = {word[0], '\0'};
	if (!strchr("]['m", word[0]) || strlen(word) != 2)
		return false;
	press(console, key);
	press(console, word + 1);
	return true;
}

/* False: the word means nothing. */
static bool do_word(struct console *console, char *word)
{
	char *behind;
	unsigned long times = strtoul(word, &behind, 10);
	if (word[0] == '@')
		return resize(console, word + 1);
	if (behind == word || *behind != '*' || !behind[1]) {
		times = 1;
		behind = word;
	} else {
		behind++;
	}
	if (times > MOST_TIMES)
		return false;
	if (!key_is_known(behind))
		return press_pair(console, behind);
	for (unsigned long i = 0; i < times && !console->quit; i++)
		press(console, behind);
	return true;
}

/* Cuts the next word off; quoted text is typed at once. NULL: the end of the line. */
static char *next_word(struct console *console, char **at)
{
	for (;;) {
		*at += strspn(*at, " \t\r\n");
		if (**at == '\0' || (**at == '#' && ((*at)[1] == ' ' || (*at)[1] == '\n' || (*at)[1] == '\0')))
			return NULL;
		char *word = *at;
		char *quote = *word == '"' ? strchr(word + 1, '"') : NULL;
		*at += quote ? (size_t)(quote - word) + 1 : strcspn(word, " \t\r\n");
		if (**at)
			*(*at)++ = '\0';
		if (!quote)
			return word;
		*quote = '\0';
		type(console, word + 1);
	}
}

enum status keyfile_press(struct console *console, const char *path, struct error *error)
{
	char line[LINE_BYTES];
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	if (!file)
		return error_set(error, STATUS_HOST, "%s: cannot be opened: %s", path, strerror(errno));
	*error = (struct error){0};
	for (unsigned number = 1; error->status == STATUS_OK && fgets(line, sizeof(line), file); number++) {
		char *at = line;
		char *word;
		while (!console->quit && (word = next_word(console, &at)) != NULL) {
			if (do_word(console, word))
				continue;
			(void)error_set(
			    error, STATUS_BAD_INPUT,
			    "%s:%u: \"%s\" is no key; write a key such as s, Enter or Ctrl-C, 10*s, \"text\", or "
			    "@80x24 for the size",
			    path, number, word);
			break;
		}
	}
	if (error->status == STATUS_OK && ferror(file))
		(void)error_set(error, STATUS_HOST, "%s: cannot be read: %s", path, strerror(errno));
	if (file != stdin)
		(void)fclose(file);
	return error->status;
}
