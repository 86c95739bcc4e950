#include "sheet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/story.h"

enum { FRAME = 2, SENTENCE = 1024, TITLE = 96 };

/* ---- what it says ---- */

/* A note is its own reason; it may be longer than WHY, and has no sentence besides. */
void sheet_explain(const struct scene *scene, struct sheet *out)
{
	char sentence[SENTENCE];
	*out = (struct sheet){.title = "EXPLAIN", .key = "e"};
	if (!scene->event) {
		(void)snprintf(out->text, sizeof(out->text), "WHY  %s", scene->why);
		return;
	}
	if (scene->event->kind == EVENT_NOTE) {
		(void)snprintf(out->text, sizeof(out->text), "NOTE  %s", event_arg_text(scene->event, 0));
		return;
	}
	story_sentence_by(travel_fields(scene->travel), scene->event, sentence, sizeof(sentence));
	(void)snprintf(out->text, sizeof(out->text), "WHY  %s\n\nEVENT %" PRIu64 "  %s", scene->why, scene->position,
		       sentence);
}

/* ---- how it is drawn ---- */

/* The rows [first, first + area.rows) of the text; returns how many it has. */
static unsigned lay(const char *text, struct area area, unsigned first)
{
	unsigned row = 0;
	while (area.columns > 0) {
		size_t line = strcspn(text, "\n");
		do {
			size_t bytes = paragraph_row(text, line, area.columns);
			if (row >= first && row - first < area.rows)
				(void)area_text(area, row - first, 0, STYLE_TEXT, "%.*s", (int)bytes, text);
			bytes += strspn(text + bytes, " ");
			text += bytes;
			line -= bytes < line ? bytes : line;
			row++;
		} while (line > 0);
		if (*text != '\n')
			return row;
		text++;
	}
	return 1;
}

static unsigned rows_inside(struct area area)
{
	return area.rows > FRAME ? area.rows - FRAME : 1;
}

static unsigned rows_needed(const struct sheet *sheet, struct area area)
{
	return lay(sheet->text, area_part(area, 0, 1, 0, area.columns > FRAME ? area.columns - FRAME : 1), 0);
}

unsigned sheet_pages(const struct sheet *sheet, struct area area)
{
	return (rows_needed(sheet, area) + rows_inside(area) - 1) / rows_inside(area);
}

void sheet_draw(const struct sheet *sheet, struct area area)
{
	char title[TITLE];
	unsigned pages = sheet_pages(sheet, area);
	unsigned page = sheet->page < pages ? sheet->page : pages - 1;
	unsigned rows = rows_needed(sheet, area);
	if (pages > 1)
		(void)snprintf(title, sizeof(title), "%s %u/%u  %s goes on  Esc leaves", sheet->title, page + 1, pages,
			       sheet->key);
	else
		(void)snprintf(title, sizeof(title), "%s  Esc leaves", sheet->title);
	area = area_part(area, 0, 0, (pages > 1 ? rows_inside(area) : rows) + FRAME, area.columns);
	for (unsigned row = 0; row < area.rows; row++)
		area_fill(area, row, 0, area.columns, STYLE_TEXT, GLYPH_BLANK);
	(void)lay(sheet->text, area_box(area, STYLE_FOCUS, STYLE_TITLE, title), page * rows_inside(area));
}
