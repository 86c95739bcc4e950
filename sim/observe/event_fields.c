#include "faultline/event_fields.h"

#include <string.h>

#include "faultline/status.h"

static enum field_type parse_type(const char *text, size_t length)
{
	static const char *const names[] = {
#define X(id, name) #name,
	    FIELD_TYPE_LIST(X)
#undef X
	};
	for (unsigned i = 0; i < FIELD_TYPE_COUNT; i++) {
		if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0)
			return (enum field_type)i;
	}
	BUG();
}

static void parse_event(struct event_fields *out, unsigned kind)
{
	const char *at = event_info((enum event_kind)kind)->fields;
	while (*at) {
		BUG_ON(out->count[kind] == EVENT_ARGS);
		struct event_field *field = &out->field[kind][out->count[kind]++];
		size_t name = strcspn(at, ":");
		size_t type = strcspn(at + name + 1, " ");
		BUG_ON(name >= sizeof(field->name));
		memcpy(field->name, at, name);
		field->type = parse_type(at + name + 1, type);
		at += name + 1 + type;
		at += strspn(at, " ");
	}
}

void event_fields_parse(struct event_fields *out)
{
	*out = (struct event_fields){0};
	for (unsigned kind = 0; kind < EVENT_COUNT; kind++)
		parse_event(out, kind);
}

bool event_fields_find(const struct event_fields *fields, enum event_kind kind, const char *name, size_t length,
		       unsigned *out)
{
	for (unsigned i = 0; i < fields->count[kind]; i++) {
		const char *candidate = fields->field[kind][i].name;
		if (strlen(candidate) == length && memcmp(candidate, name, length) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}
