#include "faultline/tui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "faultline/output.h"
#include "keyfile.h"
#include "linear.h"
#include "loop.h"
#include "menu.h"
#include "terminal.h"

static bool is_scripted(const struct tui_options *options)
{
	return options->keys || options->dump;
}

/* Without a terminal that could show anything else, it talks. */
static bool is_linear(const struct tui_options *options)
{
	const char *term = getenv("TERM");
	return options->linear || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO) || !term || strcmp(term, "dumb") == 0;
}

/* The length of the history first, where it is short enough to be found out at once; then to where it begins. */
static void set_out(struct console *console, const struct tui_options *options)
{
	(void)travel_explore(console->travel);
	scene_refresh(&console->scene);
	console_begin(console, options->at);
	console_settle(console);
}

static enum status dump(struct console *console, const struct tui_options *options, struct error *error)
{
	struct output output;
	if (output_open(&output, options->dump, error) != STATUS_OK)
		return error->status;
	console_draw(console);
	canvas_write(&console->canvas, output.file, options->dump_styles ? &console->setup.theme : NULL);
	return output_commit(&output, error);
}

static enum status run_scripted(struct console *console, const struct tui_options *options, struct error *error)
{
	set_out(console, options);
	enum status status = options->keys ? keyfile_press(console, options->keys, error) : STATUS_OK;
	if (status == STATUS_OK && options->dump)
		status = dump(console, options, error);
	return status;
}

static enum status run_linear(struct console *console, const struct tui_options *options, struct error *error)
{
	set_out(console, options);
	return linear_run(console, error);
}

static enum status run_on_terminal(struct console *console, const struct tui_options *options, struct error *error)
{
	unsigned rows;
	unsigned columns;
	if (terminal_open(console->setup.mouse, error) != STATUS_OK)
		return error->status;
	terminal_size(&rows, &columns);
	(void)console_resize(console, options->rows ? options->rows : rows,
			     options->columns ? options->columns : columns);
	travel_start_explore(console->travel);
	console->begin_at = options->at;
	console->begins = true;
	loop_run(console, options->rows != 0);
	terminal_close();
	return STATUS_OK;
}

enum status tui_run(const struct document *document, const struct tui_options *options, struct error *error)
{
	struct console console;
	enum status status = console_open(&console, document, options, error);
	terminal_locale();
	/* What is pressed and dumped by a script is the same everywhere. */
	if (status == STATUS_OK && !is_scripted(options))
		console_suit(&console, terminal_glyphs());
	if (status == STATUS_OK && is_scripted(options))
		status = run_scripted(&console, options, error);
	else if (status == STATUS_OK && is_linear(options))
		status = run_linear(&console, options, error);
	else if (status == STATUS_OK)
		status = run_on_terminal(&console, options, error);
	console_close(&console);
	terminal_die();
	return status;
}

/* ---- the menu ---- */

static enum status choose_in_words(struct menu *menu, struct error *error)
{
	char line[32];
	for (unsigned i = 0; i < menu->count; i++)
		printf("%u: %s. %s\n", i + 1, menu->lessons[i].name, menu->lessons[i].description);
	printf("which one, 1 to %u?\n", menu->count);
	(void)fflush(stdout);
	unsigned long number = fgets(line, sizeof(line), stdin) ? strtoul(line, NULL, 10) : 0;
	menu->chosen = number >= 1 && number <= menu->count;
	menu->selected = menu->chosen ? (unsigned)number - 1 : 0;
	return ferror(stdout) ? error_set(error, STATUS_HOST, "standard output cannot be written") : STATUS_OK;
}

static void show_menu(const struct menu *menu, struct canvas *canvas, enum theme theme)
{
	unsigned rows;
	unsigned columns;
	terminal_size(&rows, &columns);
	if (rows != canvas->rows || columns != canvas->columns) {
		enum glyph_set glyphs = canvas->glyphs;
		canvas_release(canvas);
		if (!canvas_init(canvas, rows, columns, glyphs))
			return;
	}
	menu_draw(menu, canvas);
	terminal_show(canvas, theme);
}

static void menu_loop(struct menu *menu, struct canvas *canvas, enum theme theme)
{
	while (!menu->chosen && !menu->quit) {
		show_menu(menu, canvas, theme);
		terminal_idle();
		terminal_wait(-1, -1);
		struct terminal_event event = terminal_read();
		while (event.input != TERMINAL_NOTHING && !menu->chosen && !menu->quit) {
			if (event.input == TERMINAL_KEY)
				menu_key(menu, event.key);
			menu->quit = menu->quit || event.input == TERMINAL_GONE;
			event = terminal_read();
		}
		menu->quit = menu->quit || terminal_ended() || terminal_interrupted();
	}
}

static enum status choose_on_terminal(struct menu *menu, const struct tui_options *options, struct error *error)
{
	struct setup setup = SETUP_DEFAULT;
	struct canvas canvas = {0};
	if (setup_read(&setup, error) != STATUS_OK ||
	    (options->theme && setup_set(&setup, "theme", options->theme, error) != STATUS_OK) ||
	    terminal_open(false, error) != STATUS_OK)
		return error->status;
	if (options->ascii)
		setup.glyphs = SETUP_GLYPHS_ASCII;
	canvas.glyphs = setup_glyphs(&setup, terminal_glyphs());
	menu_loop(menu, &canvas, options->no_colour ? THEME_MONO : setup.theme);
	canvas_release(&canvas);
	terminal_close();
	terminal_die();
	return STATUS_OK;
}

enum status tui_choose(const struct tui_lesson *lessons, unsigned count, const struct tui_options *options,
		       unsigned *chosen, struct error *error)
{
	struct menu menu = {.lessons = lessons, .count = count, .selected = *chosen < count ? *chosen : 0};
	*error = (struct error){0};
	terminal_locale();
	enum status status = is_linear(options) ? choose_in_words(&menu, error)
						: choose_on_terminal(&menu, options, error);
	*chosen = menu.chosen ? menu.selected : count;
	return status;
}
