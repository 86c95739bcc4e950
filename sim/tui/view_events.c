/* The log around the moment: what happened above it, what will happen below. */
#include <inttypes.h>

#include "view.h"

static void title(const struct scene *scene, char *out, size_t room)
{
	(void)scene;
	(void)snprintf(out, room, "/ find  ] next  [ previous");
}

static enum style layer_style(const struct event *event)
{
	static const enum style styles[LAYER_COUNT] = {[LAYER_APP] = STYLE_APP,
						       [LAYER_LIBC] = STYLE_LIBC,
						       [LAYER_KERNEL] = STYLE_KERNEL,
						       [LAYER_HARDWARE] = STYLE_HARDWARE};
	return styles[event_info((enum event_kind)event->kind)->layer];
}

static bool is_fault(const struct event *event)
{
	return event->kind == EVENT_EXCEPTION || event->kind == EVENT_SIGNAL || event->kind == EVENT_OOM ||
	       event->kind == EVENT_OOM_KILL;
}

static void draw_row(const struct scene *scene, struct area area, unsigned row, const struct travel_record *record)
{
	const struct event *event = &record->event;
	bool current = event->number == scene->position;
	bool future = event->number > scene->position;
	enum style style = future ? STYLE_DIM : is_fault(event) ? STYLE_FAULT : layer_style(event);
	if (current) {
		(void)area_glyph(area, row, 0, STYLE_CURRENT, GLYPH_CURRENT);
		area.canvas->cursor_row = area.row + row;
		area.canvas->cursor_column = area.column;
	}
	unsigned column = area_text(area, row, 1, current ? STYLE_STRONG : STYLE_DIM, "%6" PRIu64 " ", event->number);
	if (event->number > scene_horizon(scene)) {
		(void)area_text(area, row, column + 1, STYLE_DIM, "%s", SCENE_SECRET);
		return;
	}
	if (is_fault(event))
		(void)area_glyph(area, row, column, STYLE_FAULT, GLYPH_FAULT);
	if (area.columns >= 70)
		column = area_text(area, row, column + 1, style, "%-8s ",
				   layer_name(event_info((enum event_kind)event->kind)->layer));
	else
		column++;
	bool marked = future && area.columns >= 40;
	struct area prose = area_part(area, row, column, 1, area.columns - column - (marked ? 9 : 0));
	(void)area_text(prose, 0, 0, current ? STYLE_STRONG : style, "%s", record->sentence);
	if (marked)
		(void)area_text(area, row, area.columns - 8, STYLE_DIM, "(future)");
}

/* Two thirds are past; a selection scrolls, within what is on record. */
static void draw(const struct scene *scene, struct area area)
{
	const struct selection *selection = &scene->selected[PANEL_EVENTS];
	uint64_t centre = selection->active ? selection->at : scene->position;
	uint64_t above = area.rows * 2 / 3;
	uint64_t first = centre > above ? centre - above : 1;
	if (!scene->event)
		(void)area_text(area, 0, 0, STYLE_DIM, "nothing yet");
	for (unsigned row = 0; row < area.rows; row++) {
		const struct travel_record *record = travel_record(scene->travel, first + row);
		unsigned below = scene->event ? 0 : 1;
		if (record && row + below < area.rows)
			draw_row(scene, area, row + below, record);
		if (selection->active && first + row == selection->at)
			area_restyle(area, row, 0, area.columns, STYLE_SELECTED);
	}
}

static bool move(struct scene *scene, enum move move)
{
	enum { ALL = TRAVEL_PAST + TRAVEL_FUTURE };
	static const int steps[] = {[MOVE_UP] = -1,       [MOVE_DOWN] = 1,       [MOVE_LEFT] = -1,   [MOVE_RIGHT] = 1,
				    [MOVE_PAGE_UP] = -10, [MOVE_PAGE_DOWN] = 10, [MOVE_HOME] = -ALL, [MOVE_END] = ALL};
	struct selection *selection = &scene->selected[PANEL_EVENTS];
	uint64_t at = selection->active ? selection->at : scene->position;
	int step = steps[move];
	while (step != 0) {
		uint64_t next = step < 0 ? at - 1 : at + 1;
		if (!travel_record(scene->travel, next))
			break;
		at = next;
		step += step < 0 ? 1 : -1;
	}
	bool moved = at != (selection->active ? selection->at : scene->position);
	*selection = (struct selection){true, at};
	return moved;
}

const struct view view_events = {.panel = PANEL_EVENTS, .title = title, .draw = draw, .move = move};
