#include "console.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "keybar.h"
#include "utf8.h"

/* ---- messages ---- */

static void say(struct console *console, bool is_error, const char *format, va_list args)
{
	(void)vsnprintf(console->message, sizeof(console->message), format, args);
	console->scene.message = console->message;
	console->scene.message_is_error = is_error;
}

void console_say(struct console *console, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(console, false, format, args);
	va_end(args);
}

/* What is longer than the row of messages. */
static void show_message(struct console *console)
{
	console->sheet = (struct sheet){.title = "NO", .key = "Space"};
	(void)snprintf(console->sheet.text, sizeof(console->sheet.text), "%s", console->message);
	console->scene.sheet = &console->sheet;
	console->scene.message = "";
}

void console_complain(struct console *console, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(console, true, format, args);
	va_end(args);
	if (utf8_length(console->message) + 2 > console->canvas.columns)
		show_message(console);
}

/* ---- opening ---- */

static enum status take_options(struct console *console, const struct tui_options *options, struct error *error)
{
	console->setup = (struct setup)SETUP_DEFAULT;
	if (setup_read(&console->setup, error) != STATUS_OK ||
	    (options->theme && setup_set(&console->setup, "theme", options->theme, error) != STATUS_OK))
		return error->status;
	if (options->no_colour)
		console->setup.theme = THEME_MONO;
	if (options->no_mouse)
		console->setup.mouse = false;
	if (options->ascii)
		console->setup.glyphs = SETUP_GLYPHS_ASCII;
	breakpoints_init(&console->breakpoints, console->document);
	for (unsigned i = 0; i < options->break_count; i++) {
		if (breakpoints_add(&console->breakpoints, options->breaks[i], error) != STATUS_OK)
			return error->status;
	}
	return STATUS_OK;
}

enum status console_open(struct console *console, const struct document *document, const struct tui_options *options,
			 struct error *error)
{
	memset(console, 0, sizeof(*console));
	console->document = document;
	if (take_options(console, options, error) != STATUS_OK)
		return error->status;
	if (!console_resize(console, options->rows ? options->rows : 24, options->columns ? options->columns : 80))
		return error_set(error, STATUS_HOST, "the host has no memory for a screen");
	if (travel_new(document, NULL, &console->travel, error) != STATUS_OK)
		return error->status;
	console->scene = (struct scene){.travel = console->travel,
					.document = document,
					.focus = PANEL_TIMELINE,
					.speed = console->setup.speed,
					.breaks = console->breakpoints.all,
					.message = "",
					.world = travel_world(console->travel)};
	console_suit(console, GLYPHS_UTF8);
	scene_refresh(&console->scene);
	return STATUS_OK;
}

void console_close(struct console *console)
{
	if (console->travel && travel_under_way(console->travel)) {
		travel_interrupt(console->travel);
		(void)travel_finish(console->travel);
	}
	export_release(console);
	travel_free(console->travel);
	canvas_release(&console->canvas);
}

/* ---- the screen ---- */

void console_suit(struct console *console, enum glyph_set automatic)
{
	console->automatic = automatic;
	console->canvas.glyphs = setup_glyphs(&console->setup, automatic);
}

/* A world under way cannot be drawn: what was on the screen stays, but for the last row, which tells the progress. */
static void keep_picture(struct canvas *canvas, const struct canvas *before)
{
	const unsigned columns = canvas->columns < before->columns ? canvas->columns : before->columns;
	for (unsigned row = 0; row + 1 < before->rows && row < canvas->rows; row++)
		memcpy(&canvas->cells[(size_t)row * canvas->columns], canvas_cell(before, row, 0),
		       columns * sizeof(*canvas->cells));
}

bool console_resize(struct console *console, unsigned rows, unsigned columns)
{
	struct canvas canvas;
	if (!canvas_init(&canvas, rows, columns, console->canvas.glyphs))
		return false;
	keep_picture(&canvas, &console->canvas);
	canvas_release(&console->canvas);
	console->canvas = canvas;
	return true;
}

void console_draw(struct console *console)
{
	console->scene.speed = console->setup.speed;
	console->scene.prompt = console->prompt != PROMPT_NONE ? console->typed : NULL;
	screen_draw(&console->scene, &console->canvas);
}

/* ---- panels ---- */

/* Tab goes round the panels that can be seen. */
static void change_focus(struct console *console, unsigned step)
{
	struct layout layout = layout_make(&console->canvas, false, console->scene.focus);
	unsigned focus = console->scene.focus;
	for (unsigned i = 0; i < PANEL_COUNT; i++) {
		focus = (focus + step) % PANEL_COUNT;
		if (layout.panels[focus].rows > 0 || focus == PANEL_TIMELINE || console->scene.zoomed)
			break;
	}
	console->scene.focus = (enum panel)focus;
}

void console_move(struct console *console, enum move move)
{
	const struct view *view = views[console->scene.focus];
	if (view->move)
		(void)view->move(&console->scene, move);
}

static void choose(struct console *console)
{
	const struct view *view = views[console->scene.focus];
	if (!view->choose || !view->choose(&console->scene))
		console_say(console, "nothing to follow here: select something with the arrows first");
}

static void change_process(struct console *console, unsigned step)
{
	unsigned count = 0;
	while (console->scene.booted && world_process(console->scene.world, count))
		count++;
	if (count == 0) {
		console_say(console, "no process has started yet");
		return;
	}
	console->scene.pinned = true;
	console->scene.process = (console->scene.process + count + step - 1) % count;
	scene_refresh(&console->scene);
}

static void watch(struct console *console)
{
	char spec[64];
	struct error error = {0};
	if (!console->scene.has_address) {
		console_complain(console, "this event is about no address");
		return;
	}
	(void)snprintf(spec, sizeof(spec), "page 0x%llx",
		       (unsigned long long)(console->scene.address.v & ~(uint64_t)(PAGE_BYTES - 1)));
	if (breakpoints_add(&console->breakpoints, spec, &error) != STATUS_OK)
		console_complain(console, "%s", error.text);
	else
		console_say(console, "watching %s: c runs to the next event that names it", spec);
}

static void show_explanation(struct console *console)
{
	sheet_explain(&console->scene, &console->sheet);
	console->scene.sheet = &console->sheet;
}

static void show_setup(struct console *console)
{
	console->sheet = (struct sheet){.title = "SETUP", .key = "F2"};
	setup_tell(&console->setup, console->sheet.text, sizeof(console->sheet.text));
	console->scene.sheet = &console->sheet;
}

static void change_speed(struct console *console, bool faster)
{
	unsigned speed = faster ? console->setup.speed * 2 : console->setup.speed / 2;
	console->setup.speed = speed < 1 ? 1 : speed > 1000 ? 1000 : speed;
	console_say(console, "%u events a second", console->setup.speed);
}

static void cancel(struct console *console)
{
	struct scene *scene = &console->scene;
	if (!scene->help && !scene->quiz && !scene->selected[scene->focus].active && !scene->zoomed)
		scene->focus = PANEL_TIMELINE;
	if (!scene->help && !scene->quiz && !scene->selected[scene->focus].active)
		scene->zoomed = false;
	scene->selected[scene->focus].active = false;
	if (scene->quiz)
		console_quiz_end(console);
	if (scene->pinned) {
		scene->pinned = false;
		scene_refresh(scene);
	}
	scene->help = 0;
	scene->playing = false;
}

static void interrupt(struct console *console)
{
	console->scene.playing = false;
	console_say(console, "paused; q quits");
}

/* Whatever does not move in time. */
static void act_here(struct console *console, enum action action)
{
	struct scene *scene = &console->scene;
	switch ((int)action) {
	case ACTION_FOCUS_NEXT:
		change_focus(console, 1);
		break;
	case ACTION_FOCUS_PREVIOUS:
		change_focus(console, PANEL_COUNT - 1);
		break;
	case ACTION_ZOOM:
		scene->zoomed = !scene->zoomed;
		break;
	case ACTION_CHOOSE:
		choose(console);
		break;
	case ACTION_WATCH:
		watch(console);
		break;
	case ACTION_PROCESS:
		change_process(console, 2);
		break;
	case ACTION_PROCESS_BACK:
		change_process(console, 0);
		break;
	case ACTION_RADIX:
		scene->decimal = !scene->decimal;
		break;
	case ACTION_EXPLAIN:
		show_explanation(console);
		break;
	case ACTION_ANSWER:
		console_quiz_key(console);
		break;
	case ACTION_SLOWER:
	case ACTION_FASTER:
		change_speed(console, action == ACTION_FASTER);
		break;
	case ACTION_SETUP:
		show_setup(console);
		break;
	case ACTION_HELP:
		scene->help = scene->help < keyhelp_pages(canvas_area(&console->canvas)) ? scene->help + 1 : 0;
		break;
	case ACTION_CANCEL:
		cancel(console);
		break;
	case ACTION_INTERRUPT:
		interrupt(console);
		break;
	case ACTION_QUIT:
		console->quit = true;
		break;
	default:
		break;
	}
}

/* Actions that begin something: a line to type, or a letter to wait for. */
static bool begin(struct console *console, enum action action)
{
	static const struct {
		enum action action;
		enum prompt prompt;
		enum pending pending;
		const char *text;
	} rows[] = {
	    {ACTION_GOTO, PROMPT_GOTO, PENDING_NONE, "event: "},
	    {ACTION_BREAK, PROMPT_BREAK, PENDING_NONE, "break on: "},
	    {ACTION_UNBREAK, PROMPT_UNBREAK, PENDING_NONE, "remove breakpoint (number, or all): "},
	    {ACTION_SEARCH, PROMPT_SEARCH, PENDING_NONE, "/"},
	    {ACTION_PROMPT, PROMPT_COMMAND, PENDING_NONE, ":"},
	    {ACTION_MARK, PROMPT_NONE, PENDING_MARK, "mark with which letter?"},
	    {ACTION_MARK_JUMP, PROMPT_NONE, PENDING_JUMP, "to the mark of which letter?"},
	    {ACTION_SEARCH_NEXT, PROMPT_NONE, PENDING_FIND_NEXT,
	     "next: f fault, r ring, v VMA, ... or ] for the last find"},
	    {ACTION_SEARCH_PREVIOUS, PROMPT_NONE, PENDING_FIND_PREVIOUS,
	     "previous: f fault, r ring, v VMA, ... or [ for the last find"},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].action != action)
			continue;
		if (rows[i].prompt != PROMPT_NONE)
			console_prompt_begin(console, rows[i].prompt, rows[i].text);
		else
			console_say(console, "%s", rows[i].text);
		console->pending = rows[i].pending;
		return true;
	}
	return false;
}

static bool moves_selection(struct console *console, enum action action)
{
	static const struct {
		enum action action;
		enum move move;
	} rows[] = {{ACTION_UP, MOVE_UP},           {ACTION_DOWN, MOVE_DOWN},
		    {ACTION_PAGE_UP, MOVE_PAGE_UP}, {ACTION_PAGE_DOWN, MOVE_PAGE_DOWN},
		    {ACTION_HOME, MOVE_HOME},       {ACTION_END, MOVE_END}};
	if (console->scene.focus == PANEL_TIMELINE)
		return false;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].action == action) {
			console_move(console, rows[i].move);
			return true;
		}
	}
	return false;
}

void console_act(struct console *console, enum action action)
{
	if (moves_selection(console, action) || begin(console, action) || console_go(console, action))
		return;
	act_here(console, action);
}
