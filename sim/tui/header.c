#include "header.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "keybar.h"
#include "meaning.h"
#include "quiz.h"

/* ---- the status row ---- */

static unsigned process_count(const struct scene *scene)
{
	unsigned count = 0;
	while (scene->booted && world_process(scene->world, count))
		count++;
	return count;
}

/* What kind of moment it is, in a word. */
static const char *moment_word(const struct scene *scene)
{
	if (!scene->event)
		return "start";
	if (scene->event->kind == EVENT_EXCEPTION)
		return event_arg_text(scene->event, 0);
	return event_info((enum event_kind)scene->event->kind)->name;
}

static unsigned draw_process(const struct scene *scene, struct area area, unsigned column)
{
	unsigned count = process_count(scene);
	if (!scene->shown)
		return column;
	column = area_text(area, 0, column, STYLE_TEXT, "pid %" PRIu32 " %s", scene->shown->pid, scene->shown->name);
	if (count > 1)
		column = area_text(area, 0, column, STYLE_TEXT, " (%u of %u)", scene->process + 1, count);
	return column + 2;
}

/* The word stands beside the colour: reverse video alone says nothing to a reader. */
static unsigned draw_ring(const struct scene *scene, struct area area, unsigned column)
{
	if (!scene->event)
		return column;
	bool kernel = scene->event->ring == 0;
	column = area_text(area, 0, column, kernel ? STYLE_RING0 : STYLE_RING3, "[RING %u %s]", scene->event->ring,
			   kernel ? "kernel" : "user");
	return column + 1;
}

static void draw_status(const struct scene *scene, struct area area)
{
	bool wide = area.columns >= 120;
	bool total = travel_complete(scene->travel);
	unsigned column = area_text(area, 0, 0, STYLE_TITLE, "FAULTLINE ");
	column = area_text(area_part(area, 0, 0, 1, column + 24), 0, column, STYLE_STRONG, "%s",
			   scene->document->name) +
		 2;
	column = draw_process(scene, area, column);
	if (wide && scene->event)
		column = area_text(area, 0, column, STYLE_TEXT, "CPU%u ", scene->event->cpu);
	column = draw_ring(scene, area, column);
	column = area_text(area, 0, column, STYLE_TEXT, "%s %" PRIu64, wide ? "event" : "ev", scene->position);
	if (total)
		column = area_text(area, 0, column, STYLE_TEXT, "/%" PRIu64, travel_known(scene->travel));
	if (wide && scene->event)
		column = area_text(area, 0, column + 2, STYLE_TEXT, "cycle %" PRIu64, scene->event->cycle);
	bool fault = scene->event && scene->event->kind == EVENT_EXCEPTION;
	column = area_text(area, 0, column + 1, fault ? STYLE_FAULT : STYLE_TEXT, "%s%s", fault ? "!" : "",
			   moment_word(scene));
	column = area_text(area, 0, column + 1, STYLE_STRONG, "%s", scene->playing ? "PLAYING" : "PAUSED");
	if (wide)
		column = area_text(area, 0, column + 2, STYLE_TEXT, "%u/s", scene->speed);
	if (wide && scene->breaks[0])
		(void)area_text(area, 0, column + 2, STYLE_DIM, "break on: %s", scene->breaks);
}

/* ---- the story ribbon ---- */

enum { STAGES = 2 * TRAVEL_PAST };

struct ribbon {
	struct stage stages[STAGES];
	unsigned count, current;
};

static void add_stage(struct ribbon *ribbon, const struct travel_record *record, bool is_current)
{
	struct stage stage = meaning_stage(record);
	bool repeats = ribbon->count > 0 && strcmp(ribbon->stages[ribbon->count - 1].text, stage.text) == 0;
	if (!repeats && ribbon->count < STAGES)
		ribbon->stages[ribbon->count++] = stage;
	if (is_current)
		ribbon->current = ribbon->count - 1;
}

/* The stages of the operation around the moment. An event that is no stage belongs to the one before it. */
static void collect(const struct scene *scene, struct ribbon *ribbon)
{
	uint64_t first = scene->operation_start ? scene->operation_start
						: scene->position - (scene->position > 20 ? 20 : scene->position);
	ribbon->count = 0;
	ribbon->current = 0;
	for (uint64_t number = first; number <= scene->position + TRAVEL_PAST; number++) {
		const struct travel_record *record = travel_record(scene->travel, number);
		if (!record)
			continue;
		if (number > scene->position && record->event.kind == EVENT_OP_START)
			return;
		if (meaning_is_stage(&record->event))
			add_stage(ribbon, record, number <= scene->position);
	}
}

static unsigned stage_width(const struct ribbon *ribbon, unsigned index)
{
	return (unsigned)strlen(ribbon->stages[index].text) + 1 + (index == ribbon->current ? 2 : 0);
}

/* The first stage that is shown, so that the current one stands in the middle or before. */
static unsigned first_stage(const struct ribbon *ribbon, unsigned columns)
{
	unsigned first = ribbon->current;
	unsigned used = ribbon->count ? stage_width(ribbon, first) : 0;
	while (first > 0 && used + stage_width(ribbon, first - 1) < columns * 2 / 3)
		used += stage_width(ribbon, --first);
	return first;
}

static void draw_story(const struct scene *scene, struct area area)
{
	struct ribbon ribbon;
	bool wide = area.columns >= 120;
	collect(scene, &ribbon);
	unsigned column = wide ? area_text(area, 0, 0, STYLE_TITLE, "STORY  ") : 0;
	unsigned first = first_stage(&ribbon, area.columns - column - 2);
	if (first > 0)
		column = area_glyph(area, 0, column, STYLE_DIM, GLYPH_CUT);
	for (unsigned i = first; i < ribbon.count; i++) {
		bool current = i == ribbon.current;
		if (column + stage_width(&ribbon, i) + 1 > area.columns) {
			(void)area_glyph(area, 0, column < area.columns ? column : area.columns - 1, STYLE_DIM,
					 GLYPH_CUT);
			return;
		}
		if (i > first)
			column = area_glyph(area, 0, column, STYLE_DIM, GLYPH_ARROW_RIGHT);
		column = area_text(area, 0, column,
				   current              ? STYLE_CURRENT
				   : i > ribbon.current ? STYLE_DIM
							: STYLE_TEXT,
				   current ? "[%s]" : "%s", ribbon.stages[i].text);
	}
}

/* ---- the rest ---- */

static void draw_quiz(const struct scene *scene, const struct layout *layout)
{
	char text[SCENE_TEXT];
	struct area area = layout->quiz.rows ? layout->quiz : layout->keys;
	if (!scene->quiz)
		return;
	quiz_line(scene->quiz, text, sizeof(text));
	area_fill(area, 0, 0, area.columns, STYLE_TEXT, GLYPH_BLANK);
	(void)area_text(area, 0, 0, STYLE_STRONG, "%s", text);
}

static void draw_bottom(const struct scene *scene, const struct layout *layout)
{
	if (scene->prompt) {
		unsigned column = area_text(layout->keys, 0, 0, STYLE_STRONG, "%s", scene->prompt);
		(void)area_glyph(layout->keys, 0, column, STYLE_CURRENT, GLYPH_BLANK);
	} else if (scene->message[0]) {
		(void)area_text(layout->keys, 0, 0, scene->message_is_error ? STYLE_FAULT : STYLE_STRONG, "%s%s",
				scene->message_is_error ? "! " : "", scene->message);
	} else {
		keybar_draw(layout->keys);
	}
	draw_quiz(scene, layout);
}

void header_draw(const struct scene *scene, const struct layout *layout)
{
	bool wide = layout->why.columns >= 120;
	draw_status(scene, layout->status);
	draw_story(scene, layout->story);
	unsigned column = area_text(layout->why, 0, 0, STYLE_TITLE, wide ? "WHY    " : "WHY ");
	(void)area_text(layout->why, 0, column, STYLE_STRONG, "%s", scene->why);
	column = area_text(layout->next, 0, 0, STYLE_TITLE, "NEXT   ");
	(void)area_text(layout->next, 0, column, STYLE_TEXT, "%s", scene->next);
	draw_bottom(scene, layout);
}
