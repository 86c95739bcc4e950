#include "header.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "keybar.h"
#include "quiz.h"
#include "ribbon.h"
#include "utf8.h"

/* ---- the status row ---- */

/* Fields that must be read together stand without a gap between them. X(ID, rank, gap): the rank says which field goes
 * last when there is no room for all; the gap is the blanks before it. */
#define FIELD_LIST(X)                                                                                                  \
	X(PROGRAM, 11, 0)                                                                                              \
	X(DOCUMENT, 5, 1)                                                                                              \
	X(PROCESS, 3, 2)                                                                                               \
	X(NAME, 7, 1)                                                                                                  \
	X(OF, 10, 1)                                                                                                   \
	X(CPU, 6, 2)                                                                                                   \
	X(RING, 0, 1)                                                                                                  \
	X(EVENT, 1, 1)                                                                                                 \
	X(TOTAL, 4, 0)                                                                                                 \
	X(CYCLE, 9, 2)                                                                                                 \
	X(MOMENT, 2, 1)                                                                                                \
	X(STATE, 5, 1)                                                                                                 \
	X(SPEED, 8, 2)                                                                                                 \
	X(BREAKS, 12, 2)

enum field_id {
#define X(id, rank, gap) FIELD_##id,
	FIELD_LIST(X)
#undef X
	    FIELD_COUNT
};

enum { FIELD_TEXT = 120 };

struct field {
	enum style style;
	char text[FIELD_TEXT]; /* "": there is nothing to say */
};

static const struct {
	unsigned rank, gap;
} field_specs[FIELD_COUNT] = {
#define X(id, rank, gap) {rank, gap},
    FIELD_LIST(X)
#undef X
};

static void say(struct field *field, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(struct field *field, enum style style, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(field->text, sizeof(field->text), format, args);
	va_end(args);
	field->style = style;
}

static unsigned process_count(const struct scene *scene)
{
	unsigned count = 0;
	while (scene->booted && world_process(scene->world, count))
		count++;
	return count;
}

static void say_process(const struct scene *scene, struct field *fields)
{
	unsigned count = process_count(scene);
	if (!scene->shown)
		return;
	say(&fields[FIELD_PROCESS], STYLE_TEXT, "pid %" PRIu32, scene->shown->pid);
	say(&fields[FIELD_NAME], STYLE_TEXT, "%s", scene->shown->name);
	if (count > 1)
		say(&fields[FIELD_OF], STYLE_TEXT, "(%u of %u)", scene->process + 1, count);
}

/* The word of the ring stands beside its colour: reverse video alone says nothing to a reader. */
static void say_event(const struct scene *scene, struct field *fields, bool wide)
{
	const struct event *event = scene->event;
	say(&fields[FIELD_EVENT], STYLE_TEXT, "%s %" PRIu64, wide ? "event" : "ev", scene->position);
	if (travel_complete(scene->travel))
		say(&fields[FIELD_TOTAL], STYLE_TEXT, "/%" PRIu64, travel_known(scene->travel));
	say(&fields[FIELD_MOMENT], STYLE_TEXT, "start");
	if (!event)
		return;
	say(&fields[FIELD_RING], event->ring == 0 ? STYLE_RING0 : STYLE_RING3, "[RING %u %s]", event->ring,
	    event->ring == 0 ? "kernel" : "user");
	if (machine_cpu_count(world_machine(scene->world)) > 1 || wide)
		say(&fields[FIELD_CPU], STYLE_TEXT, "CPU%u", event->cpu);
	if (wide)
		say(&fields[FIELD_CYCLE], STYLE_TEXT, "cycle %" PRIu64, event->cycle);
	if (event->kind == EVENT_EXCEPTION)
		say(&fields[FIELD_MOMENT], STYLE_FAULT, "!%s", event_arg_text(event, 0));
	else
		say(&fields[FIELD_MOMENT], STYLE_TEXT, "%s", event_info((enum event_kind)event->kind)->name);
}

static void say_all(const struct scene *scene, struct field *fields, bool wide)
{
	say(&fields[FIELD_PROGRAM], STYLE_TITLE, "FAULTLINE");
	say(&fields[FIELD_DOCUMENT], STYLE_STRONG, "%s", scene->document->name);
	say_process(scene, fields);
	say_event(scene, fields, wide);
	say(&fields[FIELD_STATE], STYLE_STRONG, "%s", scene->playing ? "PLAYING" : "PAUSED");
	if (wide)
		say(&fields[FIELD_SPEED], STYLE_TEXT, "%u/s", scene->speed);
	if (wide && scene->breaks[0])
		say(&fields[FIELD_BREAKS], STYLE_DIM, "break on: %s", scene->breaks);
}

static unsigned width_of(const struct field *fields)
{
	unsigned columns = 0;
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].text[0])
			columns += field_specs[i].gap + utf8_length(fields[i].text);
	}
	return columns;
}

/* The field that is missed least goes, until the others fit whole. */
static void drop_one(struct field *fields)
{
	unsigned least = FIELD_COUNT;
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].text[0] && (least == FIELD_COUNT || field_specs[i].rank > field_specs[least].rank))
			least = i;
	}
	fields[least].text[0] = '\0';
}

static void draw_status(const struct scene *scene, struct area area)
{
	struct field fields[FIELD_COUNT] = {0};
	unsigned column = 0;
	say_all(scene, fields, area.columns >= 120);
	while (width_of(fields) > area.columns)
		drop_one(fields);
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].text[0])
			column = area_text(area, 0, column + (column ? field_specs[i].gap : 0), fields[i].style, "%s",
					   fields[i].text);
	}
}

/* ---- the rest ---- */

/* A question has a row of its own on large screens; else it stands in place of WHY, its answers in the key bar. */
static void draw_quiz(const struct scene *scene, const struct layout *layout)
{
	char text[SCENE_TEXT];
	char choices[SCENE_TEXT];
	bool one_row = layout->quiz.rows > 0;
	struct area area = one_row ? layout->quiz : layout->why;
	if (!scene->quiz)
		return;
	quiz_say(scene->quiz, text, sizeof(text));
	quiz_say_choices(scene->quiz, choices, sizeof(choices));
	area_fill(area, 0, 0, area.columns, STYLE_TEXT, GLYPH_BLANK);
	unsigned column = area_text(area, 0, 0, STYLE_TITLE, "QUIZ ");
	column = area_text(area, 0, column, STYLE_STRONG, "%s", text);
	area = one_row ? area : layout->keys;
	if (!one_row)
		area_fill(area, 0, 0, area.columns, STYLE_TEXT, GLYPH_BLANK);
	(void)area_text(area, 0, one_row ? column + 2 : 0, STYLE_STRONG, "%s", choices);
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
}

/* As many whole sentences as fit; the first one is cut if not even that does. */
static void draw_sentences(struct area area, unsigned column, const char *text)
{
	size_t room = area.columns - column;
	size_t whole = 0;
	for (size_t at = 0; at < room && text[at]; at++) {
		if (strchr(".?", text[at]) && (text[at + 1] == ' ' || !text[at + 1]))
			whole = at + 1;
	}
	if (utf8_length(text) <= room || !whole)
		whole = strlen(text);
	(void)area_text(area, 0, column, STYLE_STRONG, "%.*s", (int)whole, text);
}

void header_draw(const struct scene *scene, const struct layout *layout)
{
	bool wide = layout->why.columns >= 120;
	draw_status(scene, layout->status);
	ribbon_draw(scene, layout->story);
	unsigned column = area_text(layout->why, 0, 0, STYLE_TITLE, wide ? "WHY    " : "WHY ");
	draw_sentences(layout->why, column, scene->why);
	column = area_text(layout->next, 0, 0, STYLE_TITLE, "NEXT   ");
	(void)area_text(layout->next, 0, column, STYLE_TEXT, "%s",
			scene_has_secret(scene) ? SCENE_SECRET : scene->next);
	draw_bottom(scene, layout);
	draw_quiz(scene, layout);
}
