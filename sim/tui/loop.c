#include "loop.h"

#include <stdlib.h>
#include <time.h>

#include "terminal.h"

/* How often a journey's progress is drawn, and how long the end waits for a world that does not stop. */
enum { PROGRESS_MILLISECONDS = 50, PATIENCE_MILLISECONDS = 2000 };

static int64_t now(void)
{
	struct timespec time;
	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void tell_progress(struct console *console)
{
	uint64_t at = travel_progress(console->travel);
	console_say(console, "running: event %llu  (Space or Ctrl-C pauses)", (unsigned long long)at);
}

/* The progress that was told is over; what the arrival says stays. */
static void arrive(struct console *console)
{
	console_say(console, "%s", "");
	console_arrive(console);
}

static bool take_input(struct console *console, bool fixed)
{
	bool any = false;
	for (;;) {
		struct terminal_event event = terminal_read();
		unsigned rows;
		unsigned columns;
		if (event.input == TERMINAL_NOTHING)
			return any;
		any = true;
		if (event.input == TERMINAL_GONE)
			console->quit = true;
		if (event.input == TERMINAL_GONE)
			return any;
		if (event.input == TERMINAL_KEY)
			console_key(console, event.key);
		else if (event.input == TERMINAL_CLICK)
			console_click(console, event.row, event.column);
		terminal_size(&rows, &columns);
		if (!fixed && (rows != console->canvas.rows || columns != console->canvas.columns))
			(void)console_resize(console, rows, columns);
	}
}

static void show(struct console *console)
{
	/* What the world is doing cannot be looked at: the last picture stays, with the progress in its last row. */
	if (!travel_under_way(console->travel)) {
		console_draw(console);
	} else {
		struct layout layout = layout_make(&console->canvas, console->scene.zoomed, console->scene.focus);
		area_fill(layout.keys, 0, 0, layout.keys.columns, STYLE_TEXT, GLYPH_BLANK);
		(void)area_text(layout.keys, 0, 0, STYLE_STRONG, "%s", console->message);
	}
	terminal_show(&console->canvas, console->setup.theme);
}

static int time_to_wait(const struct console *console, int64_t next_tick)
{
	if (travel_under_way(console->travel))
		return PROGRESS_MILLISECONDS;
	if (!console->scene.playing)
		return -1;
	int64_t left = next_tick - now();
	return left < 0 ? 0 : (int)left;
}

/* A world that hangs in one long operation does not keep the user. */
static void leave(struct console *console)
{
	int64_t end = now() + PATIENCE_MILLISECONDS;
	while (travel_under_way(console->travel) && now() < end) {
		travel_interrupt(console->travel);
		terminal_wait(travel_descriptor(console->travel), PROGRESS_MILLISECONDS);
		if (travel_has_arrived(console->travel))
			arrive(console);
	}
	if (!travel_under_way(console->travel))
		return;
	terminal_close();
	terminal_die();
	_Exit(0);
}

static void take_signals(struct console *console)
{
	if (terminal_interrupted())
		console_key(console, "Ctrl-C");
	if (terminal_ended())
		console->quit = true;
}

void loop_run(struct console *console, bool fixed)
{
	int64_t next_tick = 0;
	int64_t next_progress = 0;
	bool travelled = false;
	show(console);
	while (!console->quit) {
		if (!travel_under_way(console->travel) && !console->scene.playing)
			terminal_idle();
		terminal_wait(travel_under_way(console->travel) ? travel_descriptor(console->travel) : -1,
			      time_to_wait(console, next_tick));
		bool changed = take_input(console, fixed);
		take_signals(console);
		if (travel_under_way(console->travel) && travel_has_arrived(console->travel)) {
			arrive(console);
			changed = true;
			travelled = false;
		}
		if (console->scene.playing && !travel_under_way(console->travel) && now() >= next_tick) {
			next_tick = now() + 1000 / (int64_t)console->setup.speed;
			console_tick(console);
		}
		/* A short journey is over before anybody reads of it, as is every step of playing: to tell it would
		 * only flicker. */
		if (travel_under_way(console->travel) && !travelled)
			next_progress = now() + PROGRESS_MILLISECONDS;
		travelled = travel_under_way(console->travel);
		if (travelled) {
			changed = !console->scene.playing && now() >= next_progress;
			tell_progress(console);
		}
		if (changed || !travelled)
			show(console);
		next_progress = changed ? now() + PROGRESS_MILLISECONDS : next_progress;
	}
	leave(console);
}
