/* The whole history: one column an event or more. A column that stands for several shows the most telling of them. */
#include <inttypes.h>

#include "faultline/bus.h"
#include "view.h"

/* From the most telling down. */
static const struct {
	char letter;
	enum style style;
	uint64_t kinds;
	const char *word;
} marks[] = {
    {'O', STYLE_FAULT, EVENT_BIT(EVENT_OOM) | EVENT_BIT(EVENT_OOM_KILL) | EVENT_BIT(EVENT_SIGNAL), "OOM, signal"},
    {'F', STYLE_FAULT, EVENT_BIT(EVENT_EXCEPTION) | EVENT_BIT(EVENT_FAULT), "fault"},
    {'S', STYLE_KERNEL, EVENT_BIT(EVENT_SYSCALL), "syscall"},
    {'v', STYLE_KERNEL,
     EVENT_BIT(EVENT_VMA_ADD) | EVENT_BIT(EVENT_VMA_CHANGE) | EVENT_BIT(EVENT_VMA_REMOVE) | EVENT_BIT(EVENT_BREAK),
     "VMA"},
    {'m', STYLE_LIBC, EVENT_BIT(EVENT_LIBC_CALL), "libc call"},
    {'R', STYLE_HARDWARE, EVENT_BIT(EVENT_RING), "ring"},
    {'t', STYLE_HARDWARE, EVENT_BIT(EVENT_TLB_MISS), "TLB miss"},
    {'w', STYLE_HARDWARE, EVENT_BIT(EVENT_WALK), "walk"},
    {'a', STYLE_APP, EVENT_BIT(EVENT_ACCESS), "access"},
};

enum { MARKS = sizeof(marks) / sizeof(*marks), INNER_EDGES = 8 };

static void title(const struct scene *scene, char *out, size_t room)
{
	size_t used = 0;
	(void)scene;
	for (unsigned i = 0; i < MARKS && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%c %s  ", marks[i].letter, marks[i].word);
}

/* Events (from, to] in one column. */
static void draw_column(const struct scene *scene, struct area area, unsigned column, uint64_t from, uint64_t to)
{
	bool past = to <= scene->position;
	uint64_t horizon = scene_horizon(scene);
	uint64_t told = to < horizon ? to : horizon;
	uint64_t kinds = from < told ? travel_known_kinds(scene->travel, from, told) : 0;
	for (unsigned i = 0; i < MARKS; i++) {
		if (!(kinds & marks[i].kinds))
			continue;
		(void)area_text(area, 0, column, past ? marks[i].style : STYLE_DIM, "%c", marks[i].letter);
		return;
	}
	(void)area_glyph(area, 0, column, STYLE_DIM, to > travel_known(scene->travel) ? GLYPH_BLANK : GLYPH_EMPTY);
}

static void draw_nearest(const struct scene *scene, struct area area)
{
	static const struct {
		const char *word;
		uint64_t kinds;
		bool after;
	} rows[] = {{"next fault", EVENT_BIT(EVENT_EXCEPTION) | EVENT_BIT(EVENT_FAULT), true},
		    {"next ring change", EVENT_BIT(EVENT_RING), true},
		    {"previous VMA change",
		     EVENT_BIT(EVENT_VMA_ADD) | EVENT_BIT(EVENT_VMA_CHANGE) | EVENT_BIT(EVENT_VMA_REMOVE), false}};
	uint64_t last = travel_known(scene->travel);
	unsigned column = area_text(area, 0, 0, STYLE_TEXT, "event %" PRIu64 " of %" PRIu64 " (%" PRIu64 "%%)",
				    scene->position, last, last ? scene->position * 100 / last : 0);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].after && scene_has_secret(scene)) {
			column = area_text(area, 0, column + 3, STYLE_DIM, "%s: ?", rows[i].word);
			continue;
		}
		uint64_t at = rows[i].after ? travel_known_after(scene->travel, scene->position, rows[i].kinds)
					    : travel_known_before(scene->travel, scene->position, rows[i].kinds);
		column = at ? area_text(area, 0, column + 3, STYLE_DIM, "%s: %" PRIu64, rows[i].word, at)
			    : area_text(area, 0, column + 3, STYLE_DIM, "%s: none", rows[i].word);
	}
}

static void draw(const struct scene *scene, struct area area)
{
	uint64_t last = travel_known(scene->travel);
	unsigned columns = area.columns > INNER_EDGES ? area.columns - INNER_EDGES : 0;
	if (!travel_complete(scene->travel)) {
		(void)area_text(area, 0, 0, STYLE_DIM,
				"event %" PRIu64 "; the length of the history is not known yet: End finds out",
				scene->position);
		return;
	}
	if (columns == 0 || last == 0)
		return;
	uint64_t each = (last + columns - 1) / columns;
	unsigned used = (unsigned)((last + each - 1) / each);
	(void)area_text(area, 0, 0, STYLE_DIM, "|");
	for (unsigned i = 0; i < used; i++)
		draw_column(scene, area_part(area, 0, 1, 1, columns), i, i * each, (i + 1) * each);
	(void)area_text(area, 0, used + 1, STYLE_DIM, "|%s", each > 1 ? "" : " end");
	unsigned here = scene->position ? (unsigned)((scene->position - 1) / each) + 1 : 0;
	if (area.rows > 1)
		(void)area_glyph(area, 1, here, STYLE_STRONG, GLYPH_ARROW_UP);
	else
		area_restyle(area, 0, here, 1, STYLE_CURRENT);
	unsigned room = here > area.columns / 2 ? 0 : here + 2;
	struct area below = area_part(area, area.rows > 2 ? 2 : 1, room, 1,
				      room ? area.columns - room : (here > 2 ? here - 1 : 0));
	if (area.rows > 2)
		below = area_part(area, 2, 0, 1, area.columns);
	draw_nearest(scene, below);
	if (each > 1 && area.rows > 1 && here + 24 < area.columns && area.rows > 2)
		(void)area_text(area, 1, here + 2, STYLE_DIM, "a column is %" PRIu64 " events", each);
}

const struct view view_timeline = {.panel = PANEL_TIMELINE, .title = title, .draw = draw};
