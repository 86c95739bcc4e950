#include "breakpoint.h"

#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/translation.h"

/* ---- asking ---- */

static bool compares(enum comparison comparison, uint64_t a, uint64_t b)
{
	switch (comparison) {
	case COMPARE_EQUAL:
		return a == b;
	case COMPARE_UNEQUAL:
		return a != b;
	case COMPARE_LESS:
		return a < b;
	case COMPARE_AT_MOST:
		return a <= b;
	case COMPARE_GREATER:
		return a > b;
	case COMPARE_AT_LEAST:
	default:
		return a >= b;
	}
}

/* Fields of a type among the event's arguments, compared by `same`. */
typedef bool same_fn(const struct event *event, unsigned index, enum field_type type, uint64_t value, const char *text);

static bool any_field(const struct event_fields *fields, const struct event *event, same_fn *same, uint64_t value,
		      const char *text)
{
	for (unsigned i = 0; i < fields->count[event->kind]; i++) {
		if (same(event, i, fields->field[event->kind][i].type, value, text))
			return true;
	}
	return false;
}

static bool is_text(const struct event *event, unsigned index, enum field_type type, uint64_t value, const char *text)
{
	(void)value;
	return type == FIELD_TEXT && strcmp(event_arg_text(event, index), text) == 0;
}

static bool is_in_page(const struct event *event, unsigned index, enum field_type type, uint64_t value,
		       const char *text)
{
	(void)text;
	return type == FIELD_HEX && event->arg[index] / PAGE_BYTES == value / PAGE_BYTES;
}

static bool is_frame(const struct event *event, unsigned index, enum field_type type, uint64_t value, const char *text)
{
	(void)text;
	return type == FIELD_PFN && event->arg[index] == value;
}

/* A chunk is named by its header or by what is handed out behind it. */
static bool is_chunk(const struct event *event, unsigned index, enum field_type type, uint64_t value, const char *text)
{
	(void)text;
	return type == FIELD_HEX &&
	       (event->arg[index] == value || event->arg[index] == value + 16 || event->arg[index] + 16 == value);
}

static bool holds(const struct event_fields *fields, const struct event *event, const struct condition *condition)
{
	if (condition->field == EVENT_ARGS)
		return any_field(fields, event, is_text, 0, condition->text);
	if (!condition->is_text)
		return compares(condition->comparison, event->arg[condition->field], condition->number);
	bool equal = strcmp(event_arg_text(event, condition->field), condition->text) == 0;
	return equal == (condition->comparison == COMPARE_EQUAL);
}

/* Of the entry of the last level that the walk for the address reaches. */
static bool bit_of_entry(const struct breakpoint *breakpoint, const struct world *world, unsigned index)
{
	struct translation translation;
	translation_take(&translation, world, index, vaddr(breakpoint->value));
	if (!translation.alive || translation.walk.count == 0)
		return false;
	return translation.walk.step[translation.walk.count - 1].entry.word >> breakpoint->bit & 1;
}

static void note_bit(struct breakpoint *breakpoint, const struct world *world, unsigned index)
{
	const uint64_t mask = (uint64_t)1 << index;
	breakpoint->last_bits &= ~mask;
	breakpoint->last_bits |= bit_of_entry(breakpoint, world, index) ? mask : 0;
}

static void note_bits(struct breakpoint *breakpoint, const struct world *world)
{
	breakpoint->last_bits = 0;
	for (unsigned i = 0; i < BREAKPOINT_PROCESSES && world_kernel(world) && world_process(world, i); i++)
		note_bit(breakpoint, world, i);
}

/* In the tables of who runs, or of whose entry is written. After vfork a process has those of another one, too. */
static bool bit_changes(struct breakpoint *breakpoint, const struct world *world, const struct event *event)
{
	const uint32_t pid = event_subject(event);
	const uint64_t before = breakpoint->last_bits;
	const struct process *process, *other;
	if (!world_kernel(world) || pid == 0 || pid > BREAKPOINT_PROCESSES ||
	    !(process = world_process(world, pid - 1)))
		return false;
	note_bit(breakpoint, world, pid - 1);
	if (breakpoint->last_bits == before)
		return false;
	for (unsigned i = 0; i < BREAKPOINT_PROCESSES && (other = world_process(world, i)) != NULL; i++) {
		if (other->mm == process->mm)
			note_bit(breakpoint, world, i);
	}
	return true;
}

static bool hits(const struct event_fields *fields, struct breakpoint *breakpoint, const struct world *world,
		 const struct event *event)
{
	switch (breakpoint->what) {
	case BREAK_NUMBER:
		return event->number == breakpoint->value;
	case BREAK_PAGE:
		return any_field(fields, event, is_in_page, breakpoint->value, NULL);
	case BREAK_FRAME:
		return any_field(fields, event, is_frame, breakpoint->value, NULL);
	case BREAK_CHUNK:
		return event_info((enum event_kind)event->kind)->layer == LAYER_LIBC &&
		       any_field(fields, event, is_chunk, breakpoint->value, NULL);
	case BREAK_PTE:
		return bit_changes(breakpoint, world, event);
	case BREAK_EVENT:
	default:
		break;
	}
	for (unsigned i = 0; i < breakpoint->condition_count; i++) {
		if (!holds(fields, event, &breakpoint->conditions[i]))
			return false;
	}
	return true;
}

static bool any_hits(void *self, const struct world *world, const struct event *event)
{
	struct breakpoints *breakpoints = self;
	bool hit = false;
	/* All are asked: one that sees a bit change needs every event. */
	for (unsigned i = 0; i < breakpoints->count; i++) {
		struct breakpoint *breakpoint = &breakpoints->list[i];
		if ((breakpoint->kinds & EVENT_BIT(event->kind)) &&
		    hits(&breakpoints->fields, breakpoint, world, event))
			hit = true;
	}
	return hit;
}

static void begin(void *self, const struct world *world)
{
	struct breakpoints *breakpoints = self;
	for (unsigned i = 0; i < breakpoints->count; i++) {
		if (breakpoints->list[i].what == BREAK_PTE)
			note_bits(&breakpoints->list[i], world);
	}
}

struct travel_query breakpoints_query(struct breakpoints *breakpoints)
{
	struct travel_query query = {.matches = any_hits, .begin = begin, .self = breakpoints};
	for (unsigned i = 0; i < breakpoints->count; i++)
		query.kinds |= breakpoints->list[i].kinds;
	return query;
}

/* ---- the list ---- */

static void tell_all(struct breakpoints *breakpoints)
{
	breakpoints->all[0] = '\0';
	for (unsigned i = 0; i < breakpoints->count; i++) {
		size_t used = strlen(breakpoints->all);
		(void)snprintf(breakpoints->all + used, sizeof(breakpoints->all) - used, "%s%s", i ? ", " : "",
			       breakpoints->list[i].text);
	}
}

void breakpoints_init(struct breakpoints *breakpoints, const struct document *document)
{
	*breakpoints = (struct breakpoints){.document = document};
	event_fields_parse(&breakpoints->fields);
}

enum status breakpoints_add(struct breakpoints *breakpoints, const char *spec, struct error *error)
{
	if (breakpoints->count == BREAKPOINTS)
		return error_set(error, STATUS_BAD_INPUT, "there are %d breakpoints already: remove one", BREAKPOINTS);
	struct breakpoint breakpoint = {.what = BREAK_EVENT};
	(void)snprintf(breakpoint.text, sizeof(breakpoint.text), "%s", spec + strspn(spec, " \t"));
	enum status status = breakpoint_read(breakpoints, spec, &breakpoint, error);
	if (status == STATUS_OK) {
		breakpoints->list[breakpoints->count++] = breakpoint;
		tell_all(breakpoints);
	}
	return status;
}

bool breakpoints_remove(struct breakpoints *breakpoints, unsigned number)
{
	if (number < 1 || number > breakpoints->count)
		return false;
	for (unsigned i = number; i < breakpoints->count; i++)
		breakpoints->list[i - 1] = breakpoints->list[i];
	breakpoints->count--;
	tell_all(breakpoints);
	return true;
}

void breakpoints_clear(struct breakpoints *breakpoints)
{
	breakpoints->count = 0;
	tell_all(breakpoints);
}
