/* One event as one plain sentence: the template of EVENT_LIST with the values of the event. */
#ifndef FAULTLINE_OBSERVE_SENTENCE_H
#define FAULTLINE_OBSERVE_SENTENCE_H

#include "faultline/event_fields.h"

struct sentence {
	size_t used;
	char text[1024]; /* longer ones are cut */
};

/* The same by a template of one's own with the fields of the event. A field that the event lacks is our bug. */
void sentence_fill(struct sentence *sentence, const struct event_fields *fields, const struct event *event,
		   const char *template);
void sentence_make(struct sentence *sentence, const struct event_fields *fields, const struct event *event);

#endif
