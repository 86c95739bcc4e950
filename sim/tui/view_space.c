/* The address space from top to bottom: what was promised, and what of it has a frame. */
#include "view.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "faultline/phrase.h"
#include "page_glyphs.h"

enum { LIST_ROOM = 4096, VMA_STEPS = 100000, TITLE_ROOM = 11, NARROW = 44, WIDE = 70 };

/* What is shown, from the top of the address space down. */
struct list {
	const struct vma *row[LIST_ROOM];
	unsigned count;
	bool more; /* of them than are in here */
	unsigned current;
};

static void title(const struct scene *scene, char *out, size_t room)
{
	const struct process *process = scene->shown;
	out[0] = '\0';
	if (process && process->mm)
		(void)snprintf(out, room, "rss %" PRIu64 "/%" PRIu64, process_resident_pages(process),
			       process_virtual_bytes(process) / PAGE_BYTES);
	/* A number is not cut: all of the promises are left out where they are long. */
	if (strlen(out) > TITLE_ROOM)
		(void)snprintf(out, room, "rss %" PRIu64, process_resident_pages(process));
	size_t used = strlen(out);
	if (used > 0)
		(void)snprintf(out + used, room - used, "  of pid %u", process->pid);
}

/* The VMA of the selected address, or else of that which the moment is about. */
static bool is_current(const struct scene *scene, const struct vma *vma)
{
	const struct selection *selection = &scene->selected[PANEL_SPACE];
	if (selection->active)
		return selection->at >= vma->start.v && selection->at < vma->end.v;
	return scene->has_address && scene->address.v >= vma->start.v && scene->address.v < vma->end.v;
}

static void take_list(const struct scene *scene, struct list *list)
{
	const struct vma *vma = process_vma_after(scene->shown, vaddr(0));
	list->count = 0;
	list->current = LIST_ROOM;
	for (; vma && list->count < LIST_ROOM; vma = vma->next)
		list->row[list->count++] = vma;
	list->more = vma != NULL;
	for (unsigned i = 0; i < list->count / 2; i++) {
		const struct vma *other = list->row[i];
		list->row[i] = list->row[list->count - 1 - i];
		list->row[list->count - 1 - i] = other;
	}
	for (unsigned i = 0; i < list->count; i++) {
		if (is_current(scene, list->row[i]))
			list->current = i;
	}
}

/* ---- a row ---- */

static const char *name_of(const struct vma *vma)
{
	return vma->name[0] ? vma->name : "(anon)";
}

/* Resident pages of all: the bound of steps may leave a lower bound. */
static void count_text(const struct scene *scene, const struct vma *vma, char *out, size_t room)
{
	struct census census;
	uint64_t steps = VMA_STEPS;
	census_take(scene->shown, vma, vma->start, vma->end, &steps, &census);
	(void)snprintf(out, room, "%s%" PRIu64 "/%" PRIu64, census.seen < census.pages ? ">=" : "", census.resident,
		       census.pages);
}

static enum style style_of(const struct scene *scene, const struct vma *vma)
{
	const struct event *event = scene->event;
	bool changed = event && (event->kind == EVENT_VMA_ADD || event->kind == EVENT_VMA_CHANGE) &&
		       event->arg[0] == vma->start.v;
	return changed ? STYLE_CHANGED : STYLE_TEXT;
}

static void draw_vma(const struct scene *scene, struct area area, unsigned row, const struct vma *vma)
{
	char count[64];
	enum style style = style_of(scene, vma);
	bool current = is_current(scene, vma);
	count_text(scene, vma, count, sizeof(count));
	if (style == STYLE_CHANGED)
		(void)area_glyph(area, row, 0, style, GLYPH_CHANGED);
	else if (current)
		(void)area_glyph(area, row, 0, STYLE_STRONG, GLYPH_CURRENT);
	unsigned at = area_whole(area, row, 1, style, "%" PRIx64, vma->start.v);
	unsigned right = area.columns - (unsigned)strlen(count);
	at = area_text(area_part(area, 0, 0, area.rows, right - 1), row, at + 1, style, "%s %s",
		       vma_prot_text(vma->flags), name_of(vma));
	(void)area_whole(area, row, right, style, "%s", count);
	const struct page_bar bar = {scene->shown, vma, scene->has_address && current, scene->address};
	unsigned column = 36;
	if (!current && area.columns >= NARROW && right > column + 6 && at + 1 < right) {
		column = at + 1 > column ? at + 1 : column;
		unsigned cells = right - column > 1 ? right - column - 1 : 0;
		if (cells >= 4)
			(void)page_bar_draw(&bar, area, row, column, cells);
	}
	if (current && scene->selected[PANEL_SPACE].active)
		area_restyle(area, row, 0, area.columns, STYLE_SELECTED);
}

/* The bar of the current VMA over the whole width, where its own row has no room for one. */
static unsigned draw_bar(const struct scene *scene, struct area area, unsigned row, const struct vma *vma)
{
	const struct page_bar bar = {scene->shown, vma, scene->has_address && is_current(scene, vma), scene->address};
	uint64_t pages = vma_bytes(vma) / PAGE_BYTES;
	unsigned cells = page_bar_draw(&bar, area, row, 2, area.columns - 2);
	if (pages > cells && area.columns >= WIDE && row + 1 < area.rows) {
		(void)area_text(area, row + 1, 2, STYLE_DIM, "a cell is %s pages",
				phrase_number((pages + cells - 1) / cells).text);
		return row + 2;
	}
	return row + 1;
}

static void draw_gap(struct area area, unsigned row, uint64_t bytes)
{
	(void)area_text(area, row, 1, STYLE_DIM, "...  %s not promised", phrase_size(bytes).text);
}

static void draw_break(const struct scene *scene, struct area area, unsigned row)
{
	uint64_t now = process_break(scene->shown).v;
	const struct event *event = scene->event;
	bool moved = event && event->kind == EVENT_BREAK && event->arg[1] == now;
	unsigned at = area_whole(area, row, 0, moved ? STYLE_CHANGED : STYLE_STRONG, "=%" PRIx64, now);
	at = area_text(area, row, at, moved ? STYLE_CHANGED : STYLE_DIM, "%s brk", moved ? "*" : "");
	if (moved && at + 20 < area.columns)
		(void)area_whole(area, row, at, STYLE_CHANGED, " was %" PRIx64, event->arg[0]);
}

static unsigned draw_legend(struct area area, unsigned row)
{
	static const enum glyph glyphs[] = {GLYPH_EMPTY, GLYPH_RESIDENT, GLYPH_FILE,    GLYPH_COW,    GLYPH_ZERO,
					    GLYPH_HUGE,  GLYPH_SHARED,   GLYPH_SWAPPED, GLYPH_PARTLY, GLYPH_FAULT};
	static const char *const words[] = {"no frame", "own",    "file",    "copy on write", "zero page",
					    "huge",     "shared", "swapped", "mixed",         "here, no frame"};
	unsigned column = 0;
	for (unsigned i = 0; i < sizeof(glyphs) / sizeof(*glyphs); i++) {
		if (column + 3 + strlen(words[i]) > area.columns)
			break;
		(void)area_glyph(area, row, column, STYLE_DIM, glyphs[i]);
		column = area_text(area, row, column + 2, STYLE_DIM, "%s", words[i]) + 1;
	}
	return row + 1;
}

/* ---- all of them ---- */

/* Rows of one VMA: a gap above, the break above, itself, its bar. */
static unsigned draw_one(const struct scene *scene, struct area area, unsigned row, const struct vma *vma, bool gaps)
{
	uint64_t brk = process_break(scene->shown).v;
	bool heap = brk > vma->start.v && brk <= vma->end.v &&
		    vma->start.v >= process_segment(scene->shown, SEGMENT_HEAP).v;
	uint64_t gap = vma->next ? vma->next->start.v - vma->end.v : 0;
	if (gap && gaps && row < area.rows)
		draw_gap(area, row++, gap);
	if (heap && row < area.rows)
		draw_break(scene, area, row++);
	if (row < area.rows)
		draw_vma(scene, area, row++, vma);
	if (is_current(scene, vma) && row < area.rows)
		row = draw_bar(scene, area, row, vma);
	return row;
}

/* The first row of the list to draw, so that the current one is seen. */
static unsigned first_of(const struct list *list, unsigned rows, bool gaps)
{
	unsigned each = gaps ? 2 : 1;
	unsigned fit = rows / each > 3 ? rows / each - 2 : 1;
	if (list->current >= list->count || list->current < fit)
		return 0;
	return list->current - fit + 1;
}

static void draw(const struct scene *scene, struct area area)
{
	struct list list;
	if (!scene->shown || !scene->shown->mm) {
		(void)area_paragraph(area, 0, 0, STYLE_DIM,
				     scene->shown ? "The process is dead: its address space is gone."
						  : "No process yet, and no address space.");
		return;
	}
	take_list(scene, &list);
	bool legend = area.rows > list.count + 8 && area.columns >= NARROW;
	bool gaps = area.rows >= 2 * list.count + 3;
	struct area body = area_part(area, 0, 0, area.rows - (legend ? 1 : 0), area.columns);
	unsigned row = 0;
	if (list.more && row < body.rows)
		(void)area_text(body, row++, 0, STYLE_DIM, "first %u VMAs", (unsigned)LIST_ROOM);
	for (unsigned i = first_of(&list, body.rows, gaps); i < list.count && row < body.rows; i++)
		row = draw_one(scene, body, row, list.row[i], gaps);
	if (legend)
		(void)draw_legend(area, area.rows - 1);
}

/* ---- the selection: an address ---- */

/* That of the address, the next one above it, or the last one; NULL: there is none at all. */
static const struct vma *nearest(const struct process *process, uint64_t at)
{
	const struct vma *vma = process_vma_after(process, vaddr(at));
	if (vma)
		return vma;
	for (vma = process_vma_after(process, vaddr(0)); vma && vma->next; vma = vma->next)
		continue;
	return vma;
}

/* So many VMAs up, which is where addresses grow; as far as there are any. */
static const struct vma *further(const struct vma *vma, int steps)
{
	for (; steps > 0 && vma->next; steps--)
		vma = vma->next;
	for (; steps < 0 && vma->prev; steps++)
		vma = vma->prev;
	return vma;
}

static bool move(struct scene *scene, enum move move)
{
	static const int vmas[] = {
	    [MOVE_UP] = 1,       [MOVE_DOWN] = -1,       [MOVE_LEFT] = 0,       [MOVE_RIGHT] = 0,
	    [MOVE_PAGE_UP] = 10, [MOVE_PAGE_DOWN] = -10, [MOVE_HOME] = INT_MAX, [MOVE_END] = -INT_MAX};
	struct selection *selection = &scene->selected[PANEL_SPACE];
	uint64_t at = selection->active ? selection->at : scene->has_address ? scene->address.v : 0;
	const struct vma *vma = scene->shown ? nearest(scene->shown, at) : NULL;
	if (!vma)
		return false;
	const struct vma *to = further(vma, vmas[move]);
	uint64_t beside = move == MOVE_RIGHT ? at + PAGE_BYTES : move == MOVE_LEFT ? at - PAGE_BYTES : at;
	if (to != vma || at < vma->start.v || at >= vma->end.v)
		at = to->start.v;
	else if (beside >= vma->start.v && beside < vma->end.v)
		at = beside;
	bool moved = !selection->active || selection->at != at;
	*selection = (struct selection){true, at};
	return moved;
}

/* From a page to its frame. */
static bool choose(struct scene *scene)
{
	const struct selection *selection = &scene->selected[PANEL_SPACE];
	struct translation translation;
	if (!scene->shown || !scene->shown->mm || !(selection->active || scene->has_address))
		return false;
	translation_take(&translation, scene->world, scene->process,
			 selection->active ? vaddr(selection->at) : scene->address);
	if (translation.walk.outcome != WALK_MAPPED)
		return false;
	scene->selected[PANEL_FRAMES] = (struct selection){true, translation.pa.v >> PAGE_SHIFT};
	scene->focus = PANEL_FRAMES;
	return true;
}

const struct view view_space = {.panel = PANEL_SPACE, .title = title, .draw = draw, .move = move, .choose = choose};
