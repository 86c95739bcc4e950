/* Three layouts: compact from 80x24 (and, with less of everything, from 60x16), wide from 132x36, full from 160x50.
 * Sizes between them give what is left to the panels. */
#include "screen.h"

#include <string.h>

enum { COLUMN_PANELS = 5, LAYOUT_COLUMNS = 3 };

/* A panel of a column of panels: so many rows at least, and a share of what is left over. */
struct row_spec {
	enum panel panel;
	unsigned rows, share;
};

struct column_spec {
	unsigned columns; /* in parts of all columns of the layout */
	struct row_spec rows[COLUMN_PANELS];
	unsigned count;
};

struct layout_spec {
	unsigned rows, columns; /* the least size */
	unsigned next_rows;     /* of NEXT */
	unsigned timeline_rows, quiz_rows;
	struct column_spec columns_of[LAYOUT_COLUMNS];
	unsigned column_count;
	unsigned base_rows; /* of the panels at the least size */
};

static const struct layout_spec wide_specs[] = {
    {.rows = 50,
     .columns = 160,
     .next_rows = 1,
     .timeline_rows = 4,
     .quiz_rows = 1,
     .base_rows = 40,
     .column_count = 3,
     .columns_of = {{52, {{PANEL_CPU, 18, 0}, {PANEL_SCRIPT, 9, 2}, {PANEL_EVENTS, 13, 3}}, 3},
		    {55, {{PANEL_WALK, 16, 0}, {PANEL_TLB, 10, 2}, {PANEL_HEAP, 14, 2}}, 3},
		    {53, {{PANEL_SPACE, 14, 2}, {PANEL_FRAMES, 13, 3}, {PANEL_STATS, 7, 0}, {PANEL_LAYERS, 6, 0}}, 4}}},
    {.rows = 36,
     .columns = 132,
     .next_rows = 1,
     .timeline_rows = 3,
     .base_rows = 28,
     .column_count = 3,
     .columns_of = {{44, {{PANEL_CPU, 12, 0}, {PANEL_SCRIPT, 6, 1}, {PANEL_EVENTS, 10, 2}}, 3},
		    {45, {{PANEL_WALK, 12, 0}, {PANEL_TLB, 6, 1}, {PANEL_HEAP, 10, 1}}, 3},
		    {43, {{PANEL_SPACE, 11, 1}, {PANEL_FRAMES, 10, 1}, {PANEL_STATS, 7, 0}}, 3}}},
};

/* The bands of the compact layout: two panels side by side, or one over the whole width. */
struct band_spec {
	enum panel left, right; /* PANEL_COUNT: none */
	unsigned rows;          /* of 20 */
};

static const struct band_spec bands[] = {
    {PANEL_WALK, PANEL_SPACE, 8}, {PANEL_HEAP, PANEL_FRAMES, 7}, {PANEL_EVENTS, PANEL_COUNT, 5}};

enum { BANDS = sizeof(bands) / sizeof(*bands), COMPACT_ROWS = 20, COMPACT_LEFT = 46, COMPACT_COLUMNS = 80 };

static void place_column(struct layout *layout, struct area area, const struct column_spec *column, unsigned extra)
{
	unsigned shares = 0;
	unsigned row = 0;
	for (unsigned i = 0; i < column->count; i++)
		shares += column->rows[i].share;
	for (unsigned i = 0; i < column->count; i++) {
		const struct row_spec *spec = &column->rows[i];
		unsigned rows = spec->rows + (shares ? extra * spec->share / shares : 0);
		if (i + 1 == column->count)
			rows = area.rows - row;
		layout->panels[spec->panel] = area_part(area, row, 0, rows, area.columns);
		row += rows;
	}
}

static void place_wide(struct layout *layout, struct area area, const struct layout_spec *spec)
{
	unsigned from = 0;
	unsigned parts = 0;
	for (unsigned i = 0; i < spec->column_count; i++) {
		parts += spec->columns_of[i].columns;
		unsigned to = area.columns * parts / spec->columns;
		struct area column = area_part(area, 0, from, area.rows, to - from);
		place_column(layout, column, &spec->columns_of[i], area.rows - spec->base_rows);
		from = to;
	}
}

static void place_compact(struct layout *layout, struct area area)
{
	unsigned left = area.columns * COMPACT_LEFT / COMPACT_COLUMNS;
	unsigned row = 0;
	unsigned total = 0;
	for (unsigned i = 0; i < BANDS; i++) {
		total += bands[i].rows;
		unsigned end = area.rows * total / COMPACT_ROWS;
		bool pair = bands[i].right != PANEL_COUNT;
		layout->panels[bands[i].left] = area_part(area, row, 0, end - row, pair ? left : area.columns);
		if (pair)
			layout->panels[bands[i].right] = area_part(area, row, left, end - row, area.columns - left);
		row = end;
	}
}

static const struct layout_spec *wide_spec(struct area all)
{
	for (unsigned i = 0; i < sizeof(wide_specs) / sizeof(*wide_specs); i++) {
		if (all.rows >= wide_specs[i].rows && all.columns >= wide_specs[i].columns)
			return &wide_specs[i];
	}
	return NULL;
}

struct layout layout_make(struct canvas *canvas, bool zoomed, enum panel focus)
{
	struct layout layout;
	memset(&layout, 0, sizeof(layout));
	struct area all = canvas_area(canvas);
	const struct layout_spec *spec = wide_spec(all);
	unsigned top = 3 + (spec ? spec->next_rows : 0);
	unsigned bottom = all.rows - 1;
	layout.status = area_part(all, 0, 0, 1, all.columns);
	layout.story = area_part(all, 1, 0, 1, all.columns);
	layout.why = area_part(all, 2, 0, 1, all.columns);
	if (spec)
		layout.next = area_part(all, 3, 0, 1, all.columns);
	layout.keys = area_part(all, bottom, 0, 1, all.columns);
	if (spec && spec->quiz_rows)
		layout.quiz = area_part(all, --bottom, 0, 1, all.columns);
	if (spec && !zoomed) {
		bottom -= spec->timeline_rows;
		layout.panels[PANEL_TIMELINE] = area_part(all, bottom, 0, spec->timeline_rows, all.columns);
	}
	struct area panels = area_part(all, top, 0, bottom - top, all.columns);
	layout.body = panels;
	if (zoomed)
		layout.panels[focus] = panels;
	else if (spec)
		place_wide(&layout, panels, spec);
	else
		place_compact(&layout, panels);
	return layout;
}

enum panel screen_panel_at(struct canvas *canvas, const struct scene *scene, unsigned row, unsigned column)
{
	struct layout layout = layout_make(canvas, scene->zoomed, scene->focus);
	for (unsigned i = 0; i < PANEL_COUNT; i++) {
		const struct area *area = &layout.panels[i];
		if (row >= area->row && row < area->row + area->rows && column >= area->column &&
		    column < area->column + area->columns)
			return (enum panel)i;
	}
	return PANEL_COUNT;
}
