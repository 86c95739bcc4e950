#include "linear.h"

#include <stdio.h>
#include <string.h>

#include "sheet.h"
#include "utf8.h"
#include "view.h"

enum { PANEL_ROWS = 60, PANEL_COLUMNS = 78, LINE_BYTES = 512 };

/* "event 9 of 140, ring 0, kernel, process 1: SENTENCE. MEANING" */
static void tell_moment(const struct scene *scene)
{
	if (!scene->event) {
		printf("%s\n", scene->why);
		return;
	}
	printf("event %llu", (unsigned long long)scene->position);
	if (travel_complete(scene->travel))
		printf(" of %llu", (unsigned long long)travel_known(scene->travel));
	printf(", ring %u, %s", scene->event->ring, layer_name(event_info((enum event_kind)scene->event->kind)->layer));
	if (scene->event->pid)
		printf(", process %u", scene->event->pid);
	printf(": %s\n", scene->why);
}

/* A row as text; returns its length, 0: it is blank. */
static size_t row_text(const struct canvas *canvas, unsigned row, char *out)
{
	size_t length = 0;
	for (unsigned column = 0; column < canvas->columns; column++) {
		out[column] = (char)canvas_cell(canvas, row, column)->glyph;
		if (out[column] != ' ')
			length = column + 1;
	}
	out[length] = '\0';
	return length;
}

/* A label and dots: nothing is there. */
static bool is_empty_row(const char *text)
{
	size_t label = strcspn(text, " ");
	size_t dots = strspn(text + label, " .");
	return label > 0 && dots > 2 && !text[label + dots];
}

/* Blank rows are silence for the eye only, and a run of empty ones is told by its first and last. */
static void tell_rows(const struct canvas *canvas)
{
	char text[PANEL_COLUMNS + 1];
	char last[PANEL_COLUMNS + 1] = "";
	unsigned run = 0;
	for (unsigned row = 0; row <= canvas->rows; row++) {
		size_t length = row < canvas->rows ? row_text(canvas, row, text) : 0;
		if (row < canvas->rows && length == 0)
			continue;
		bool empty = length > 0 && is_empty_row(text);
		if (!empty && run > 2)
			printf("... %u more such rows ...\n", run - 2);
		if (!empty && run > 1)
			printf("%s\n", last);
		run = empty ? run + 1 : 0;
		if (run <= 1 && length > 0)
			printf("%s\n", text);
		memcpy(last, text, sizeof(last));
	}
}

/* A panel as lines of text. */
static void tell_panel(const struct scene *scene, enum panel panel)
{
	struct canvas canvas;
	char more[160] = "";
	if (!canvas_init(&canvas, PANEL_ROWS, PANEL_COLUMNS, GLYPHS_ASCII))
		return;
	if (views[panel]->title)
		views[panel]->title(scene, more, sizeof(more));
	printf("panel %s %s\n", panel_title(panel), more);
	views[panel]->draw(scene, canvas_area(&canvas));
	tell_rows(&canvas);
	canvas_release(&canvas);
}

static void tell_help(void)
{
	for (unsigned i = 0; i < ACTION_COUNT; i++)
		printf("%s: %s\n", action_info((enum action)i)->keys, action_info((enum action)i)->text);
	printf("0 to 9: that panel in words\n");
}

static void tell_quiz(const struct quiz *quiz)
{
	char text[CONSOLE_TEXT + QUIZ_TEXT];
	quiz_say(quiz, text, sizeof(text));
	printf("quiz: %s\n", text);
	quiz_say_choices(quiz, text, sizeof(text));
	printf("%s\n", text);
}

static void tell_sheet(struct scene *scene)
{
	printf("%s\n", scene->sheet->text);
	scene->sheet = NULL;
}

static void press(struct console *console, const char *key)
{
	struct scene *scene = &console->scene;
	bool asked = scene->quiz && !scene->quiz->revealed;
	uint64_t before = scene->position;
	console_key(console, key);
	scene->playing = false; /* nobody waits here */
	console_settle(console);
	if (scene->position != before)
		tell_moment(scene);
	if (scene->message[0] && console->prompt == PROMPT_NONE && console->pending == PENDING_NONE)
		printf("%s\n", scene->message);
	if (scene->sheet)
		tell_sheet(scene);
	if (scene->help) {
		tell_help();
		scene->help = 0;
	}
	bool answered = asked && scene->quiz && scene->quiz->revealed;
	if (scene->quiz && (answered || strcmp(key, "a") == 0))
		tell_quiz(scene->quiz);
	else if (key[0] >= '0' && key[0] <= '9' && !key[1] && console->prompt == PROMPT_NONE)
		tell_panel(scene, scene->focus);
}

/* A line is one key by its name, a command behind ":" or "/", or single letters one after the other. */
static void do_line(struct console *console, char *line)
{
	line[strcspn(line, "\r\n")] = '\0';
	if (!line[0]) {
		press(console, "s");
	} else if (line[0] == ':') {
		console_command(console, line + 1);
		uint64_t before = console->scene.position;
		console_settle(console);
		if (console->scene.position != before)
			tell_moment(&console->scene);
		if (console->scene.message[0])
			printf("%s\n", console->scene.message);
		console->scene.message = "";
	} else if (key_is_known(line)) {
		press(console, line);
	} else {
		for (const char *at = line; *at && !console->quit;) {
			char key[5];
			uint32_t code = utf8_next(&at);
			utf8_put(code, key);
			press(console, code == ' ' ? "Space" : key);
		}
	}
	/* What was begun ends with the line. */
	if (console->prompt != PROMPT_NONE)
		press(console, "Enter");
}

enum status linear_run(struct console *console, struct error *error)
{
	char line[LINE_BYTES];
	tell_moment(&console->scene);
	(void)fflush(stdout);
	while (!console->quit && fgets(line, sizeof(line), stdin)) {
		do_line(console, line);
		(void)fflush(stdout);
	}
	return ferror(stdout) ? error_set(error, STATUS_HOST, "standard output cannot be written") : STATUS_OK;
}
