/* Which action a key or a click is: it may also turn a page, be typed, or belong to the key before it. */
#include <string.h>

#include "console.h"

/* The same key again shows the next page, and behind the last one none. Any other key closes the sheet. */
static bool turn_page(struct console *console, const char *key)
{
	struct layout layout = layout_make(&console->canvas, console->scene.zoomed, console->scene.focus);
	bool again = strcmp(key, console->sheet.key) == 0;
	if (again && ++console->sheet.page < sheet_pages(&console->sheet, layout.body))
		return true;
	console->scene.sheet = NULL;
	return again || strcmp(key, "Esc") == 0;
}

static void pending_key(struct console *console, const char *key)
{
	enum pending pending = console->pending;
	char letter = key[0];
	bool is_letter = key[1] == '\0' && letter >= 'a' && letter <= 'z';
	enum action action;
	console->pending = PENDING_NONE;
	if (action_of_key(key, &action) && action == ACTION_CANCEL)
		console_say(console, "%s", "");
	else if (pending == PENDING_FIND_NEXT || pending == PENDING_FIND_PREVIOUS) {
		if (key[1] == '\0')
			console_find(console, letter, pending == PENDING_FIND_NEXT);
	} else if (!is_letter) {
		console_complain(console, "a mark is a letter from a to z");
	} else if (pending == PENDING_MARK) {
		console->scene.marks[letter - 'a'] = console->scene.position;
		console_say(console, "event %llu is marked '%c'", (unsigned long long)console->scene.position, letter);
	} else if (console->scene.marks[letter - 'a']) {
		console_go_to(console, console->scene.marks[letter - 'a']);
	} else {
		console_complain(console, "nothing is marked '%c'", letter);
	}
}

/* A digit answers a question, else it gives a panel the focus; the same again zooms it. */
static void digit_key(struct console *console, int digit)
{
	if (console->scene.quiz && console_quiz_answer(console, (unsigned)digit))
		return;
	for (unsigned i = 0; i < PANEL_COUNT; i++) {
		if (panel_digit((enum panel)i) != digit)
			continue;
		struct layout layout = layout_make(&console->canvas, false, PANEL_COUNT);
		bool folded = layout.panels[i].rows == 0;
		bool again = console->scene.focus == (enum panel)i;
		console->scene.zoomed = folded || (again ? !console->scene.zoomed : console->scene.zoomed);
		console->scene.focus = (enum panel)i;
	}
}

static void key_under_way(struct console *console, const char *key)
{
	enum action action;
	if (!action_of_key(key, &action))
		return;
	if (action == ACTION_QUIT)
		console->quit = true;
	if (action != ACTION_QUIT && action != ACTION_PLAY && action != ACTION_INTERRUPT && action != ACTION_CANCEL)
		return;
	travel_interrupt(console->travel);
	console->scene.playing = false; /* also when the step that is under way arrives first */
}

void console_key(struct console *console, const char *key)
{
	enum action action;
	bool left = strcmp(key, "Left") == 0;
	bool right = strcmp(key, "Right") == 0;
	if (travel_under_way(console->travel)) {
		key_under_way(console, key);
		return;
	}
	if (console->prompt != PROMPT_NONE) {
		console_prompt_key(console, key);
		return;
	}
	console->scene.message = "";
	if (console->scene.sheet && turn_page(console, key))
		return;
	if (console->pending != PENDING_NONE)
		pending_key(console, key);
	else if (key[0] >= '0' && key[0] <= '9' && key[1] == '\0')
		digit_key(console, key[0] - '0');
	else if ((left || right) && console->scene.focus != PANEL_TIMELINE && views[console->scene.focus]->move)
		console_move(console, left ? MOVE_LEFT : MOVE_RIGHT);
	else if (action_of_key(key, &action))
		console_act(console, action);
}

void console_click(struct console *console, unsigned row, unsigned column)
{
	if (travel_under_way(console->travel))
		return;
	enum panel panel = screen_panel_at(&console->canvas, &console->scene, row, column);
	enum action action;
	if (panel != PANEL_COUNT)
		console->scene.focus = panel;
	else if (screen_action_at(&console->canvas, &console->scene, row, column, &action))
		console_act(console, action);
}
