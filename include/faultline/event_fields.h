/* The fields of every event, taken apart once: "va:hex length:bytes" becomes names and types. */
#ifndef FAULTLINE_EVENT_FIELDS_H
#define FAULTLINE_EVENT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "faultline/event.h"

#define FIELD_TYPE_LIST(X)                                                                                             \
	X(HEX, hex)                                                                                                    \
	X(PFN, pfn)                                                                                                    \
	X(DEC, dec)                                                                                                    \
	X(BYTES, bytes)                                                                                                \
	X(RESULT, result)                                                                                              \
	X(TEXT, text)

enum field_type {
#define X(id, name) FIELD_##id,
	FIELD_TYPE_LIST(X)
#undef X
	    FIELD_TYPE_COUNT
};

struct event_field {
	char name[16];
	enum field_type type;
};

struct event_fields {
	unsigned count[EVENT_COUNT];
	struct event_field field[EVENT_COUNT][EVENT_ARGS];
};

/* A type that does not exist, or a field too many, is our bug. */
void event_fields_parse(struct event_fields *out);

/* Index of the field of this name; false when the event has none. */
bool event_fields_find(const struct event_fields *fields, enum event_kind kind, const char *name, size_t length,
		       unsigned *out);

#endif
