/* A console that is worked by keys, as a person does it: what the tests of the keys begin with. */
#ifndef FAULTLINE_TEST_TUI_DESK_H
#define FAULTLINE_TEST_TUI_DESK_H

#include "console.h"
#include "stage.h"

enum { SCREEN_TEXT = 100000 };

struct desk {
	struct document *document;
	struct console console;
	char screen[SCREEN_TEXT]; /* of the last look */
};

/* At the first operation, the length of the history known. The caller calls desk_end. */
static inline struct desk *desk_begin(const char *script, unsigned columns, unsigned rows)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	struct error error;
	const struct tui_options options = {.rows = rows, .columns = columns, .ascii = true};
	assert_non_null(desk);
	if (document_parse(script, strlen(script), "test.json", &desk->document, &error) != STATUS_OK ||
	    console_open(&desk->console, desk->document, &options, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	(void)travel_explore(desk->console.travel);
	scene_refresh(&desk->console.scene);
	console_begin(&desk->console, TUI_AT_FIRST_OPERATION);
	console_settle(&desk->console);
	return desk;
}

static inline void desk_end(struct desk *desk)
{
	console_close(&desk->console);
	document_free(desk->document);
	free(desk);
}

static inline void desk_press(struct desk *desk, const char *key)
{
	console_key(&desk->console, key);
	console_settle(&desk->console);
}

/* Types the letters, then Enter. */
static inline void desk_type(struct desk *desk, const char *text)
{
	for (; *text; text++) {
		const char key[2] = {*text, '\0'};
		desk_press(desk, *text == ' ' ? "Space" : key);
	}
	desk_press(desk, "Enter");
}

static inline void desk_go(struct desk *desk, uint64_t position)
{
	console_go_to(&desk->console, position);
	console_settle(&desk->console);
}

/* The screen as text, until the next look. */
static inline const char *desk_look(struct desk *desk)
{
	FILE *out = fmemopen(desk->screen, sizeof(desk->screen), "w");
	assert_non_null(out);
	console_draw(&desk->console);
	canvas_write(&desk->console.canvas, out, NULL);
	(void)fclose(out);
	return desk->screen;
}

#endif
