/* The line that is typed behind a prompt, and what it says. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "export.h"
#include "utf8.h"

/* ---- typing ---- */

void console_prompt_begin(struct console *console, enum prompt prompt, const char *text)
{
	console->prompt = prompt;
	(void)snprintf(console->typed, sizeof(console->typed), "%s", text);
	console->typed_from = strlen(console->typed);
}

static void take_back(struct console *console)
{
	size_t length = strlen(console->typed);
	while (length > console->typed_from && ((unsigned char)console->typed[length - 1] & 0xc0) == 0x80)
		length--;
	if (length > console->typed_from)
		console->typed[length - 1] = '\0';
	else
		console->prompt = PROMPT_NONE;
}

/* Rounded down; no less than nothing, no more than all. */
static uint64_t part_of(uint64_t all, long long percent)
{
	uint64_t part = percent < 0 ? 0 : percent > 100 ? 100 : (uint64_t)percent;
	return all / 100 * part + all % 100 * part / 100;
}

static void go_to_typed(struct console *console, const char *text)
{
	char *end;
	bool relative = text[0] == '+' || text[0] == '-';
	errno = 0;
	long long number = strtoll(text, &end, 0);
	bool percent = *end == '%';
	if (text[0] == '\'' && text[1] >= 'a' && text[1] <= 'z' && !text[2] && console->scene.marks[text[1] - 'a']) {
		console_go_to(console, console->scene.marks[text[1] - 'a']);
	} else if (end == text || errno || end[percent ? 1 : 0] || (percent && !travel_complete(console->travel))) {
		console_complain(console, "\"%s\" is no event: write a number, +N, -N, N%%, or 'LETTER", text);
	} else if (percent) {
		console_go_to(console, part_of(travel_known(console->travel), number));
	} else if (relative) {
		bool back = number < 0 && -(uint64_t)number > console->scene.position;
		console_go_to(console, back ? 0 : console->scene.position + (uint64_t)number);
	} else {
		console_go_to(console, (uint64_t)number);
	}
}

static void add_break(struct console *console, const char *text)
{
	struct error error = {0};
	if (breakpoints_add(&console->breakpoints, text, &error) != STATUS_OK)
		console_complain(console, "%s", error.text);
	else
		console_say(console, "breakpoint %u: %s.  c runs to it, C runs back to it", console->breakpoints.count,
			    text);
}

static void remove_break(struct console *console, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);
	if (strcmp(text, "all") == 0)
		breakpoints_clear(&console->breakpoints);
	else if (text[0] == '-' || end[strspn(end, " ")] || number > UINT_MAX ||
		 !breakpoints_remove(&console->breakpoints, (unsigned)number))
		console_complain(console, "\"%s\" is no breakpoint; there are %u", text, console->breakpoints.count);
}

static void search(struct console *console, const char *text)
{
	if (text[0])
		(void)snprintf(console->search, sizeof(console->search), "%s", text);
	console_find(console, ']', true);
}

/* ---- commands ---- */

static void save(struct console *console)
{
	char path[1024];
	struct error error = {0};
	if (setup_write(&console->setup, path, sizeof(path), &error) != STATUS_OK)
		console_complain(console, "%s", error.text);
	else
		console_say(console, "the setup is kept in %s", path);
}

static void change_setup(struct console *console, const char *name, const char *value)
{
	struct error error = {0};
	if (setup_set(&console->setup, name, value, &error) != STATUS_OK) {
		console_complain(console, "%s", error.text);
		return;
	}
	console_suit(console, console->automatic);
}

static void write_out(struct console *console, const char *words)
{
	char what[16] = "";
	char path[CONSOLE_TEXT] = "";
	struct error error = {0};
	if (sscanf(words, "%15s %255[^\n]", what, path) != 2)
		console_complain(console, "write export and what, screen, events or state, and a file");
	else if (export_to(console, what, path, &error) != STATUS_OK)
		console_complain(console, "%s", error.text);
}

/* Behind the name of what moves in time may stand how often. */
static void act(struct console *console, enum action action, const char *rest)
{
	char *end;
	errno = 0;
	unsigned long long times = strtoull(rest, &end, 10);
	bool counted = errno == 0 && end != rest && !*end && rest[0] != '-' && times > 0;
	if (!rest[0])
		console_act(console, action);
	else if (!counted)
		console_complain(console, "\"%s\" is no number of times", rest);
	else if (!console_go_times(console, action, times))
		console_complain(console, "%s is done once: no number behind it", action_info(action)->command);
}

void console_command(struct console *console, const char *text)
{
	char name[32];
	enum action action;
	size_t length = strcspn(text, " ");
	const char *rest = text + length + strspn(text + length, " ");
	(void)snprintf(name, sizeof(name), "%.*s", (int)length, text);
	if (strcmp(name, "export") == 0)
		write_out(console, rest);
	else if (strcmp(name, "save") == 0)
		save(console);
	else if (strcmp(name, "goto") == 0 && rest[0])
		go_to_typed(console, rest);
	else if (strcmp(name, "break") == 0 && rest[0])
		add_break(console, rest);
	else if (strcmp(name, "unbreak") == 0 && rest[0])
		remove_break(console, rest);
	else if (strcmp(name, "search") == 0 && rest[0])
		search(console, rest);
	else if (action_of_command(name, &action))
		act(console, action, rest);
	else
		change_setup(console, name, rest);
}

static void submit(struct console *console)
{
	enum prompt prompt = console->prompt;
	const char *text = console->typed + console->typed_from;
	text += strspn(text, " ");
	console->prompt = PROMPT_NONE;
	switch (prompt) {
	case PROMPT_COMMAND:
		if (text[0])
			console_command(console, text);
		break;
	case PROMPT_GOTO:
		go_to_typed(console, text);
		break;
	case PROMPT_BREAK:
		add_break(console, text);
		break;
	case PROMPT_UNBREAK:
		remove_break(console, text);
		break;
	case PROMPT_SEARCH:
		search(console, text);
		break;
	case PROMPT_NONE:
	default:
		break;
	}
}

void console_prompt_key(struct console *console, const char *key)
{
	size_t length = strlen(console->typed);
	if (strcmp(key, "Enter") == 0)
		submit(console);
	else if (strcmp(key, "Esc") == 0 || strcmp(key, "Ctrl-C") == 0)
		console->prompt = PROMPT_NONE;
	else if (strcmp(key, "Backspace") == 0)
		take_back(console);
	else if (strcmp(key, "Space") == 0)
		key = " ";
	if ((key[0] == ' ' || utf8_length(key) == 1) && length + strlen(key) < sizeof(console->typed) &&
	    console->prompt != PROMPT_NONE)
		memcpy(console->typed + length, key, strlen(key) + 1);
}
