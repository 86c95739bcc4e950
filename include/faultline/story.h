/* Narrates a run: every event in one plain sentence, indented by layer, with its number in front. Runs of the same
 * shape are told twice and then counted. An observer: subscribe story_event to a bus for all events. */
#ifndef FAULTLINE_STORY_H
#define FAULTLINE_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "faultline/event.h"
#include "faultline/event_fields.h"

/* X(ID, name, text) */
#define STORY_MODE_LIST(X)                                                                                             \
	X(SHORT, short, "folds what repeats itself")                                                                   \
	X(FULL, full, "tells every event")

enum story_mode {
#define X(id, name, text) STORY_##id,
	STORY_MODE_LIST(X)
#undef X
	    STORY_MODE_COUNT
};

struct story;

/* Writes to `out`, which stays the caller's, as do its errors: ask ferror. `colour`: the layers, by ANSI sequences. */
struct story *story_new(FILE *out, enum story_mode mode, bool colour);
void story_event(void *story, const struct event *event); /* an event_fn */
/* Tells what was held back, and ends. */
void story_free(struct story *story); /* NULL is allowed */

/* One event as one sentence, without number and indentation; cut at the room. */
void story_sentence(const struct event *event, char *out, size_t room);
/* The same with the fields parsed before, for many sentences. */
void story_sentence_by(const struct event_fields *fields, const struct event *event, char *out, size_t room);
/* A template of the caller's with the values of the event: "frame {frame}". Fields of type text are read only if the
 * template names them. */
void story_fill(const struct event_fields *fields, const struct event *event, const char *template, char *out,
		size_t room);

#endif
