/* Moving in time: what each key looks for, in which direction. */
#include <stdio.h>
#include <string.h>

#include "console.h"
#include "export.h"
#include "faultline/bus.h"
#include "faultline/story.h"
#include "faultline/tui.h"

/* ---- what is looked for ---- */

/* Main events: the doors between the layers and what they change. The small steps of the hardware and of the library
 * lie between them. */
static const uint64_t main_events = EVENT_BIT(EVENT_BOOT) | EVENT_BIT(EVENT_PROCESS_START) |
				    EVENT_BIT(EVENT_PROCESS_EXIT) | EVENT_BIT(EVENT_OP_START) | EVENT_BIT(EVENT_NOTE) |
				    EVENT_BIT(EVENT_PHASE) | EVENT_BIT(EVENT_CODE) | EVENT_BIT(EVENT_EXPECT) |
				    EVENT_BIT(EVENT_LIBC_CALL) | EVENT_BIT(EVENT_LIBC_GROW) |
				    EVENT_BIT(EVENT_LIBC_SHRINK) | EVENT_BIT(EVENT_LIBC_ABORT) |
				    EVENT_BIT(EVENT_LIBC_RETURN) | EVENT_BIT(EVENT_SYSCALL) |
				    EVENT_BIT(EVENT_SYSCALL_RETURN) | EVENT_BIT(EVENT_VMA_ADD) |
				    EVENT_BIT(EVENT_VMA_CHANGE) | EVENT_BIT(EVENT_VMA_REMOVE) | EVENT_BIT(EVENT_BREAK) |
				    EVENT_BIT(EVENT_FAULT) | EVENT_BIT(EVENT_EXCEPTION) | EVENT_BIT(EVENT_SIGNAL) |
				    EVENT_BIT(EVENT_SWITCH) | EVENT_BIT(EVENT_OOM) | EVENT_BIT(EVENT_OOM_KILL) |
				    EVENT_BIT(EVENT_INSTRUCTION) | EVENT_BIT(EVENT_SHOOTDOWN);

static bool comes_to_ring3(void *self, const struct world *world, const struct event *event)
{
	(void)self;
	(void)world;
	return event->arg[1] == 3;
}

static bool leaves_ring3(void *self, const struct world *world, const struct event *event)
{
	(void)self;
	(void)world;
	return event->arg[0] == 3;
}

static bool has_words(void *self, const struct world *world, const struct event *event)
{
	const struct console *console = self;
	char sentence[512];
	(void)world;
	story_sentence_by(&console->breakpoints.fields, event, sentence, sizeof(sentence));
	return strstr(sentence, console->search) != NULL;
}

static struct travel_query query_of(struct console *console, enum action action)
{
	switch ((int)action) {
	case ACTION_NEXT:
	case ACTION_NEXT_BACK:
		return (struct travel_query){.kinds = main_events};
	case ACTION_FINISH:
		return (struct travel_query){.kinds = EVENT_BIT(EVENT_RING), .matches = comes_to_ring3};
	case ACTION_FINISH_BACK:
		return (struct travel_query){.kinds = EVENT_BIT(EVENT_RING), .matches = leaves_ring3};
	case ACTION_RUN:
	case ACTION_RUN_BACK:
		return breakpoints_query(&console->breakpoints);
	default:
		return (struct travel_query){.kinds = EVENT_MASK_ALL};
	}
}

/* ---- going ---- */

static void look(struct console *console, const struct travel_query *query, bool forward)
{
	if (forward)
		travel_start_forward(console->travel, query);
	else
		travel_start_backward(console->travel, query);
	console->scene.running = true;
}

void console_go_to(struct console *console, uint64_t position)
{
	travel_start_seek(console->travel, position);
	console->scene.running = true;
}

void console_begin(struct console *console, uint64_t position)
{
	if (position == TUI_AT_FIRST_OPERATION)
		position = travel_known_after(console->travel, 0, EVENT_BIT(EVENT_OP_START));
	console_go_to(console, position);
}

static void go_by(struct console *console, int64_t events)
{
	uint64_t position = console->scene.position;
	if (events < 0 && (uint64_t)-events > position)
		position = 0;
	else
		position += (uint64_t)events;
	console_go_to(console, position);
}

static void play(struct console *console)
{
	console->scene.playing = !console->scene.playing;
	if (console->scene.playing)
		console_tick(console);
}

void console_tick(struct console *console)
{
	if (console->scene.playing && !travel_under_way(console->travel))
		look(console, &(struct travel_query){.kinds = EVENT_MASK_ALL}, true);
}

/* Those that look for an event, with their direction. */
static bool looks_for(enum action action, bool *forward)
{
	static const struct {
		enum action action;
		bool forward;
	} looks[] = {{ACTION_STEP, true},   {ACTION_STEP_BACK, false},   {ACTION_NEXT, true}, {ACTION_NEXT_BACK, false},
		     {ACTION_FINISH, true}, {ACTION_FINISH_BACK, false}, {ACTION_RUN, true},  {ACTION_RUN_BACK, false}};
	for (unsigned i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
		*forward = looks[i].forward;
		if (looks[i].action == action)
			return true;
	}
	return false;
}

bool console_go_times(struct console *console, enum action action, uint64_t times)
{
	bool forward;
	if (!looks_for(action, &forward))
		return false;
	struct travel_query query = query_of(console, action);
	console->repeated = action;
	console->repeats = times - 1;
	look(console, &query, forward);
	return true;
}

bool console_go(struct console *console, enum action action)
{
	static const struct {
		enum action action;
		int64_t events;
	} jumps[] = {{ACTION_UP, -1},
		     {ACTION_DOWN, 1},
		     {ACTION_PAGE_UP, -10},
		     {ACTION_PAGE_DOWN, 10},
		     {ACTION_HOME, INT64_MIN / 2},
		     {ACTION_RESTART, INT64_MIN / 2},
		     {ACTION_END, INT64_MAX / 2}};
	if (console_go_times(console, action, 1))
		return true;
	for (unsigned i = 0; i < sizeof(jumps) / sizeof(*jumps); i++) {
		if (jumps[i].action == action) {
			go_by(console, jumps[i].events);
			return true;
		}
	}
	if (action == ACTION_PLAY)
		play(console);
	return action == ACTION_PLAY;
}

/* ---- finding ---- */

static bool kinds_of_letter(char letter, uint64_t *out)
{
	static const struct {
		char letter;
		uint64_t kinds;
	} rows[] = {
	    {'f', EVENT_BIT(EVENT_FAULT)},
	    {'r', EVENT_BIT(EVENT_RING)},
	    {'v', EVENT_BIT(EVENT_VMA_ADD) | EVENT_BIT(EVENT_VMA_CHANGE) | EVENT_BIT(EVENT_VMA_REMOVE) |
		      EVENT_BIT(EVENT_BREAK)},
	    {'t', EVENT_BIT(EVENT_TLB_MISS)},
	    {'w', EVENT_BIT(EVENT_WALK)},
	    {'a', EVENT_BIT(EVENT_ACCESS)},
	    {'s', EVENT_BIT(EVENT_SYSCALL)},
	    {'o', EVENT_BIT(EVENT_OP_START)},
	    {'x', EVENT_BIT(EVENT_EXCEPTION)},
	    {'p', EVENT_BIT(EVENT_PTE_SET) | EVENT_BIT(EVENT_PTE_CLEAR)},
	    {'k', EVENT_BIT(EVENT_FRAME_ALLOC) | EVENT_BIT(EVENT_FRAME_FREE)},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].letter == letter) {
			*out = rows[i].kinds;
			return true;
		}
	}
	return false;
}

void console_find(struct console *console, char letter, bool forward)
{
	struct travel_query query = {.kinds = EVENT_MASK_ALL, .matches = has_words, .self = console};
	bool again = letter == ']' || letter == '[';
	if (again && !console->search[0]) {
		console_complain(console, "nothing has been searched for yet: / searches");
		return;
	}
	if (!again) {
		query.matches = NULL;
		if (!kinds_of_letter(letter, &query.kinds)) {
			console_complain(console, "no kind of event has the letter %c: f r v t w a s o x p k", letter);
			return;
		}
	}
	console->finding = true;
	console->find_from = console->scene.position;
	look(console, &query, forward);
}

/* ---- arriving ---- */

static void tell_edge(struct console *console)
{
	const struct error *outcome = travel_outcome(console->travel);
	if (console->scene.position == 0)
		console_say(console, "this is the start: nothing has happened yet");
	else if (outcome->status != STATUS_OK)
		console_complain(console, "the run ends here: %s", outcome->text);
	else
		console_say(console, "this is the last event: the run ends here");
}

void console_arrive(struct console *console)
{
	enum travel_end end = travel_finish(console->travel);
	console->scene.running = false;
	scene_refresh(&console->scene);
	if (console->begins) {
		console->begins = false;
		console_begin(console, console->begin_at);
		return;
	}
	if (console->exporting) {
		export_arrive(console, end);
		return;
	}
	if (end != TRAVEL_ARRIVED)
		console->scene.playing = false;
	if (end == TRAVEL_ARRIVED && console->repeats > 0) {
		(void)console_go_times(console, console->repeated, console->repeats);
		return;
	}
	console->repeats = 0;
	bool missed = console->finding && end == TRAVEL_EDGE;
	console->finding = false;
	if (missed) {
		console->lost = true;
		console_go_to(console, console->find_from);
		return;
	}
	if (console->lost && end != TRAVEL_FAILED) {
		console->lost = false;
		console_complain(console, "not found: no such event that way");
		return;
	}
	console->lost = false;
	if (end == TRAVEL_EDGE)
		tell_edge(console);
	else if (end == TRAVEL_INTERRUPTED)
		console_say(console, "interrupted");
	else if (end == TRAVEL_FAILED)
		console_complain(console, "%s", travel_error(console->travel)->text);
}

void console_settle(struct console *console)
{
	while (travel_under_way(console->travel))
		console_arrive(console);
}
