/* Physical frames: whose they are, one cell a frame; the selected one with all that maps it; the page cache. */
#include "view.h"

#include <inttypes.h>
#include <string.h>

#include "faultline/pages.h"
#include "faultline/phrase.h"
#include "pressure.h"

enum { MOST_MAPPINGS = 64, MAPPING_STEPS = 100000, OVERVIEW_STEPS = 20000, MARK = 1 };

static const struct frame_pool *pool_of(const struct scene *scene)
{
	return kernel_frames(world_kernel(scene->world));
}

static void title(const struct scene *scene, char *out, size_t room)
{
	out[0] = '\0';
	if (!scene->booted)
		return;
	uint64_t total = frame_pool_total(pool_of(scene));
	(void)snprintf(out, room, "%" PRIu64 "/%" PRIu64, total - frame_pool_free(pool_of(scene)), total);
}

/* ---- which frame this is about ---- */

/* Which argument of an event is a frame. */
static bool frame_of_event(const struct event *event, uint64_t *frame)
{
	static const struct {
		enum event_kind kind;
		unsigned index;
	} frames[] = {{EVENT_FRAME_ALLOC, 0}, {EVENT_FRAME_FREE, 0}, {EVENT_EVICT, 0},  {EVENT_SWAP_OUT, 0},
		      {EVENT_SWAP_IN, 1},     {EVENT_FILE_OUT, 0},   {EVENT_FILE_IN, 0}};
	for (unsigned i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
		if (frames[i].kind == (enum event_kind)event->kind) {
			*frame = event->arg[frames[i].index];
			return true;
		}
	}
	return false;
}

static uint64_t frame_of(const struct scene *scene)
{
	const struct selection *selection = &scene->selected[PANEL_FRAMES];
	uint64_t last = frame_pool_total(pool_of(scene)) - 1;
	uint64_t frame = 0;
	if (selection->active)
		frame = selection->at;
	else if (frame_of_event(scene->event, &frame))
		return frame < last ? frame : last;
	else if (scene->has_address && scene->translation.has_frame)
		frame = scene->translation.pa.v >> PAGE_SHIFT;
	else if (scene->has_address && scene->translation.walk.count)
		frame = scene->translation.walk.step[scene->translation.walk.count - 1].pa.v >> PAGE_SHIFT;
	return frame < last ? frame : last;
}

static enum frame_use use_of(const struct scene *scene, uint64_t frame)
{
	struct frame_block block;
	if (!frame_block_of(world_kernel(scene->world), pfn(frame), &block))
		return FRAME_FREE;
	return (enum frame_use)block.record.use;
}

/* ---- the grid ---- */

struct grid {
	unsigned rows, per_row, width; /* width: columns of a cell */
	unsigned label;                /* columns of the numbers at the left, with the mark behind them */
	uint64_t first;
};

/* A power of two of frames a row, and the rows around the frame that matters. */
static struct grid grid_of(const struct scene *scene, struct area area, unsigned rows, uint64_t frame, uint64_t total)
{
	struct grid grid = {.rows = rows, .per_row = 8};
	grid.label = (unsigned)strlen(scene_number(scene, total - 1).text) + MARK;
	grid.width = area.columns >= grid.label + 2 * 16 ? 2 : 1;
	while (grid.label + grid.per_row * 2 * grid.width + 1 <= area.columns)
		grid.per_row *= 2;
	uint64_t row = frame / grid.per_row;
	uint64_t all = (total + grid.per_row - 1) / grid.per_row;
	uint64_t top = row < rows ? 0 : row - rows / 2;
	if (top + rows > all)
		top = all > rows ? all - rows : 0;
	grid.first = top * grid.per_row;
	return grid;
}

static void draw_cell(const struct scene *scene, struct area area, unsigned row, unsigned column, uint64_t frame,
		      bool current)
{
	enum frame_use use = use_of(scene, frame);
	enum style style = current ? STYLE_CURRENT : use == FRAME_FREE ? STYLE_DIM : STYLE_TEXT;
	(void)area_text(area, row, column, style, "%c", frame_use_glyph(use));
}

static void draw_grid(const struct scene *scene, struct area area, unsigned row, const struct grid *grid,
		      uint64_t current)
{
	uint64_t total = frame_pool_total(pool_of(scene));
	for (unsigned r = 0; r < grid->rows; r++) {
		uint64_t first = grid->first + (uint64_t)r * grid->per_row;
		if (first >= total)
			return;
		bool here = current >= first && current < first + grid->per_row;
		(void)area_whole(area, row + r, 0, here ? STYLE_STRONG : STYLE_DIM, "%s",
				 scene_number(scene, first).text);
		if (here)
			(void)area_glyph(area, row + r, grid->label - MARK, STYLE_STRONG, GLYPH_CURRENT);
		for (unsigned i = 0; i < grid->per_row && first + i < total; i++) {
			unsigned column = grid->label + i * grid->width;
			draw_cell(scene, area, row + r, column, first + i, first + i == current);
			if (grid->width > 1 && first + i == current) {
				(void)area_text(area, row + r, column - 1, STYLE_CURRENT, "[");
				(void)area_text(area, row + r, column + 1, STYLE_CURRENT, "]");
			}
		}
	}
}

/* All of RAM in one row: a cell is the same glyph throughout, or PARTLY. */
static void draw_overview(const struct scene *scene, struct area area, unsigned row)
{
	uint64_t total = frame_pool_total(pool_of(scene));
	unsigned left = 4;
	unsigned cells = area.columns - left;
	uint64_t steps = OVERVIEW_STEPS;
	(void)area_text(area, row, 0, STYLE_DIM, "RAM");
	for (unsigned i = 0; i < cells; i++) {
		uint64_t frame = total / cells * i + total % cells * i / cells;
		uint64_t end = total / cells * (i + 1) + total % cells * (i + 1) / cells;
		unsigned seen = 0;
		while (frame < end && steps > 0) {
			struct frame_block block;
			bool known = frame_block_of(world_kernel(scene->world), pfn(frame), &block);
			seen |= 1u << (known ? block.record.use : FRAME_FREE);
			/* Frames from the first one without a record on have never been used. */
			frame = known ? block.first.v + ((uint64_t)1 << block.record.order) : end;
			steps--;
		}
		if (frame < end)
			(void)area_text(area, row, left + i, STYLE_DIM, "?");
		else if (seen & (seen - 1))
			(void)area_glyph(area, row, left + i, STYLE_TEXT, GLYPH_PARTLY);
		else
			for (unsigned use = 0; use < FRAME_USE_COUNT; use++) {
				if (seen == 1u << use)
					(void)area_text(area, row, left + i, use == FRAME_FREE ? STYLE_DIM : STYLE_TEXT,
							"%c", frame_use_glyph((enum frame_use)use));
			}
	}
}

/* ---- counts and legend: a word for each use that there is ---- */

static unsigned draw_counts(const struct scene *scene, struct area area, unsigned row, unsigned end)
{
	const struct frame_pool *pool = pool_of(scene);
	unsigned column = 0;
	for (unsigned use = 0; use <= FRAME_USE_COUNT && row < end; use++) {
		char text[64];
		bool water = use == FRAME_USE_COUNT;
		uint64_t count = use == FRAME_FREE ? frame_pool_free(pool)
				 : water           ? frame_pool_low_water(pool)
						   : frame_pool_used(pool, (enum frame_use)use);
		if (count == 0)
			continue;
		if (water)
			(void)snprintf(text, sizeof(text), "lowest free %" PRIu64, count);
		else
			(void)snprintf(text, sizeof(text), "%c %s %" PRIu64, frame_use_glyph((enum frame_use)use),
				       frame_use_name((enum frame_use)use), count);
		if (column + strlen(text) > area.columns) {
			column = 0;
			if (++row >= end)
				return row;
		}
		if (column + strlen(text) <= area.columns)
			column = area_whole(area, row, column, STYLE_DIM, "%s", text) + 2;
	}
	return column > 0 ? row + 1 : row;
}

/* ---- one frame ---- */

static unsigned take_mappings(const struct scene *scene, uint64_t frame, struct mapping *out, bool *complete)
{
	uint64_t steps = MAPPING_STEPS;
	return frame_mappings(world_kernel(scene->world), pfn(frame), out, MOST_MAPPINGS, &steps, complete);
}

static unsigned draw_frame(const struct scene *scene, struct area area, unsigned row, uint64_t frame)
{
	struct frame_block block;
	unsigned at = area_whole(area, row, 0, STYLE_STRONG, "%s", scene_number(scene, frame).text);
	if (!frame_block_of(world_kernel(scene->world), pfn(frame), &block)) {
		(void)area_text(area, row, at, STYLE_TEXT, ": free, never used");
		return row + 1;
	}
	const struct frame *record = &block.record;
	at = area_text(area, row, at, STYLE_TEXT, ": %s", frame_use_name((enum frame_use)record->use));
	if (record->order)
		at = area_text(area, row, at, STYLE_TEXT, ", of a block of %u", 1u << record->order);
	if (record->use == FRAME_TABLE)
		at = area_text(area, row, at, STYLE_TEXT, ", %u entries used", record->mappings);
	else if (record->use != FRAME_FREE && record->use != FRAME_KERNEL)
		at = area_text(area, row, at, STYLE_TEXT, ", mapped %u", record->mappings);
	if (record->use == FRAME_ANON && record->swap)
		at = area_text(area, row, at, STYLE_TEXT, ", swap slot %u", record->swap);
	if (record->dirty)
		(void)area_text(area, row, at, STYLE_TEXT, ", dirty");
	return row + 1;
}

static void draw_mapping(struct area area, unsigned row, const struct mapping *mapping)
{
	unsigned at = area_text(area, row, 1, STYLE_DIM, "<-");
	at = area_whole(area, row, at + 1, STYLE_TEXT, "pid %u", mapping->process->pid);
	if (mapping->at.v == 0) {
		(void)area_text(area, row, at + 1, STYLE_TEXT, "CR3");
		return;
	}
	at = area_whole(area, row, at + 1, STYLE_TEXT, "%" PRIx64, mapping->va.v);
	at = area_text(area, row, at + 1, STYLE_DIM, "%s", walk_level_name(mapping->level));
	if (at + 18 <= area.columns)
		at = area_whole(area, row, at + 1, STYLE_TEXT, "%" PRIx64, mapping->entry.word);
	if (at + 4 < area.columns)
		(void)area_text(area, row, at + 1, STYLE_DIM, "%s", phrase_entry(mapping->entry, mapping->level).text);
}

static unsigned draw_mappings(const struct scene *scene, struct area area, unsigned row, unsigned end, uint64_t frame)
{
	struct mapping list[MOST_MAPPINGS];
	bool complete;
	unsigned found = take_mappings(scene, frame, list, &complete);
	unsigned shown = found < MOST_MAPPINGS ? found : MOST_MAPPINGS;
	for (unsigned i = 0; i < shown && row < end; i++, row++) {
		if (row + 1 == end && i + 1 < found) {
			(void)area_text(area, row, 1, STYLE_DIM, "<- %s%u %s%s", complete ? "" : "at least ", found - i,
					i ? "more" : "entries map it", scene->zoomed ? "" : ": 4 4 lists");
			return end;
		}
		draw_mapping(area, row, &list[i]);
	}
	if (!complete && row < end)
		(void)area_text(area, row++, 1, STYLE_DIM, "there may be others: too many tables to read");
	return row;
}

static unsigned draw_cache(const struct scene *scene, struct area area, unsigned row)
{
	struct cached_file file;
	for (unsigned i = 0; row < area.rows && kernel_cached_file(world_kernel(scene->world), i, &file); i++, row++)
		(void)area_text(area, row, 0, STYLE_DIM,
				"cache %" PRIu64 "/%" PRIu64 " pages of %s, in %" PRIu64 " VMAs", file.pages,
				file.bytes / PAGE_BYTES, file.path, file.areas);
	return row;
}

static void draw_buddies(const struct scene *scene, struct area area, unsigned row)
{
	unsigned at = 0;
	if (row >= area.rows || area.columns < 60)
		return;
	const struct free_blocks free = frame_pool_blocks(pool_of(scene));
	at = area_text(area, row, at, STYLE_DIM, "free blocks by order:");
	for (unsigned order = 0; order <= FRAME_MAX_ORDER && at + 12 < area.columns; order++)
		at = area_whole(area, row, at + 1, STYLE_DIM, "%u:%" PRIu64, order, free.of[order]);
}

/* The frame and its mappings, pressure, the legend; what is left is the grid. */
static unsigned grid_rows(unsigned rows, unsigned pressure)
{
	unsigned below = (rows >= 8 ? 5 : 3) + (rows < 14 ? pressure : 0);
	if (rows >= 14 && pressure)
		return rows / 3;
	if (rows >= 10)
		return rows / 2 - 1;
	return rows > below + 1 ? rows - below : 1;
}

static void draw(const struct scene *scene, struct area area)
{
	if (!scene->booted) {
		(void)area_paragraph(area, 0, 0, STYLE_DIM, "Nobody manages the frames before the kernel has booted.");
		return;
	}
	uint64_t frame = frame_of(scene);
	uint64_t total = frame_pool_total(pool_of(scene));
	bool brief = area.rows < 14;
	unsigned pressure = pressure_rows(scene, brief);
	unsigned rows = grid_rows(area.rows, pressure);
	struct grid grid = grid_of(scene, area, rows, frame, total);
	if ((uint64_t)grid.rows * grid.per_row > total)
		grid.rows = (unsigned)((total + grid.per_row - 1) / grid.per_row);
	unsigned row = 0;
	draw_grid(scene, area, row, &grid, frame);
	row += grid.rows;
	if (area.rows >= 8 && (uint64_t)grid.rows * grid.per_row < total)
		draw_overview(scene, area, row++);
	if (row < area.rows)
		row = draw_frame(scene, area, row, frame);
	unsigned left = area.rows > row ? area.rows - row : 0;
	unsigned legend = left >= 6 ? 2 : left >= 2 ? 1 : 0;
	if (pressure + 1 < left)
		legend += pressure;
	row = draw_mappings(scene, area, row, area.rows - legend, frame);
	row = pressure_draw(scene, area, row, area.rows, brief);
	row = draw_counts(scene, area, row, area.rows);
	row = draw_cache(scene, area, row);
	draw_buddies(scene, area, row);
}

/* ---- the selection: a frame ---- */

static bool move(struct scene *scene, enum move move)
{
	static const int64_t steps[] = {
	    [MOVE_UP] = -16,       [MOVE_DOWN] = 16,       [MOVE_LEFT] = -1, [MOVE_RIGHT] = 1,
	    [MOVE_PAGE_UP] = -160, [MOVE_PAGE_DOWN] = 160, [MOVE_HOME] = 0,  [MOVE_END] = 0};
	struct selection *selection = &scene->selected[PANEL_FRAMES];
	if (!scene->booted)
		return false;
	int64_t last = (int64_t)frame_pool_total(pool_of(scene)) - 1;
	int64_t before = (int64_t)frame_of(scene);
	int64_t at = move == MOVE_HOME ? 0 : move == MOVE_END ? last : before + steps[move];
	if (move == MOVE_PAGE_UP || move == MOVE_PAGE_DOWN)
		at = at < 0 ? 0 : at > last ? last : at;
	if (at < 0 || at > last)
		return false;
	bool moved = !selection->active || at != before;
	*selection = (struct selection){true, (uint64_t)at};
	return moved;
}

/* To a page that maps it; again: to the next one. */
static bool choose(struct scene *scene)
{
	struct mapping list[MOST_MAPPINGS];
	bool complete;
	if (!scene->booted)
		return false;
	unsigned found = take_mappings(scene, frame_of(scene), list, &complete);
	unsigned count = found < MOST_MAPPINGS ? found : MOST_MAPPINGS;
	const struct selection *space = &scene->selected[PANEL_SPACE];
	unsigned to = 0;
	for (unsigned i = 0; i < count; i++) {
		if (space->active && space->at == list[i].va.v && scene->process == list[i].index)
			to = (i + 1) % count;
	}
	if (count == 0)
		return false;
	scene->selected[PANEL_FRAMES] = (struct selection){true, frame_of(scene)};
	scene->selected[PANEL_SPACE] = (struct selection){true, list[to].va.v};
	scene->focus = PANEL_SPACE;
	if (scene->process != list[to].index) {
		scene->process = list[to].index;
		scene->pinned = true;
		scene_refresh(scene);
	}
	return true;
}

const struct view view_frames = {.panel = PANEL_FRAMES, .title = title, .draw = draw, .move = move, .choose = choose};
