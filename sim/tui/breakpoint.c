#include "breakpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/translation.h"

/* ---- reading ---- */

struct reader {
	const struct breakpoints *breakpoints;
	const char *at;
	char word[40]; /* the last one read */
	struct error *error;
};

/* The next word; false at the end. Operators are words of their own. */
static bool next_word(struct reader *reader)
{
	static const char operators[] = "=!<>";
	reader->at += strspn(reader->at, " \t");
	size_t length = strspn(reader->at, operators);
	if (length == 0)
		length = strcspn(reader->at, " \t=!<>");
	(void)snprintf(reader->word, sizeof(reader->word), "%.*s", (int)length, reader->at);
	reader->at += length;
	return length > 0;
}

static bool read_number(const char *text, uint64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 0);
	return errno == 0 && end != text && *end == '\0' && text[0] != '-';
}

static enum status refuse(struct reader *reader, const char *what)
{
	return error_set(
	    reader->error, STATUS_BAD_INPUT,
	    "\"%s\": %s; write an event (faultline list events) with a word or \"if FIELD = VALUE\", or #PF, "
	    "ring N, line N, event N, page ADDRESS, frame N, chunk ADDRESS, pte ADDRESS BIT",
	    reader->word, what);
}

static enum status want_number(struct reader *reader, uint64_t *out)
{
	if (!next_word(reader) || !read_number(reader->word, out))
		return refuse(reader, "a number is wanted here");
	return STATUS_OK;
}

static bool find_kind(const char *name, enum event_kind *out)
{
	for (unsigned i = 0; i < EVENT_COUNT; i++) {
		if (strcmp(event_info((enum event_kind)i)->name, name) == 0) {
			*out = (enum event_kind)i;
			return true;
		}
	}
	return false;
}

static bool find_comparison(const char *word, enum comparison *out)
{
	static const struct {
		const char *word;
		enum comparison comparison;
	} rows[] = {{"=", COMPARE_EQUAL},    {"==", COMPARE_EQUAL},  {"!=", COMPARE_UNEQUAL}, {"<", COMPARE_LESS},
		    {"<=", COMPARE_AT_MOST}, {">", COMPARE_GREATER}, {">=", COMPARE_AT_LEAST}};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(rows[i].word, word) == 0) {
			*out = rows[i].comparison;
			return true;
		}
	}
	return false;
}

static void any_text_is(struct condition *condition, const char *word)
{
	*condition = (struct condition){.field = EVENT_ARGS, .comparison = COMPARE_EQUAL, .is_text = true};
	(void)snprintf(condition->text, sizeof(condition->text), "%s", word);
}

/* FIELD OP VALUE, or a word alone. */
static enum status read_condition(struct reader *reader, enum event_kind kind, struct condition *out)
{
	char name[sizeof(reader->word)];
	if (!next_word(reader))
		return refuse(reader, "a condition is wanted behind \"if\"");
	memcpy(name, reader->word, sizeof(name));
	const char *behind = reader->at;
	if (!next_word(reader) || !find_comparison(reader->word, &out->comparison)) {
		reader->at = behind;
		any_text_is(out, name);
		return STATUS_OK;
	}
	enum comparison comparison = out->comparison;
	if (!event_fields_find(&reader->breakpoints->fields, kind, name, strlen(name), &out->field)) {
		memcpy(reader->word, name, sizeof(name));
		return refuse(reader, "the event has no such field");
	}
	enum field_type type = reader->breakpoints->fields.field[kind][out->field].type;
	out->comparison = comparison;
	out->is_text = type == FIELD_TEXT;
	if (!out->is_text)
		return want_number(reader, &out->number);
	if (comparison != COMPARE_EQUAL && comparison != COMPARE_UNEQUAL)
		return refuse(reader, "a word is compared by = or !=");
	if (!next_word(reader))
		return refuse(reader, "a word is wanted here");
	memcpy(out->text, reader->word, sizeof(out->text));
	return STATUS_OK;
}

static enum status read_conditions(struct reader *reader, struct breakpoint *out, enum event_kind kind)
{
	if (!next_word(reader))
		return STATUS_OK;
	enum comparison comparison;
	if (find_comparison(reader->word, &comparison))
		return refuse(reader, "\"if\" and a field are wanted before a comparison");
	if (strcmp(reader->word, "if") != 0) {
		any_text_is(&out->conditions[out->condition_count++], reader->word);
		if (!next_word(reader))
			return STATUS_OK;
	}
	if (strcmp(reader->word, "if") != 0)
		return refuse(reader, "\"if\" is wanted here");
	do {
		if (out->condition_count == BREAKPOINT_CONDITIONS)
			return refuse(reader, "these are too many conditions");
		enum status status = read_condition(reader, kind, &out->conditions[out->condition_count++]);
		if (status != STATUS_OK)
			return status;
	} while (next_word(reader) && strcmp(reader->word, "and") == 0);
	return reader->word[0] ? refuse(reader, "\"and\" or the end is wanted here") : STATUS_OK;
}

static enum status read_bit(struct reader *reader, struct breakpoint *out)
{
	static const struct {
		const char *name;
		unsigned bit;
	} bits[] = {{"P", 0}, {"W", 1}, {"RW", 1}, {"U", 2}, {"US", 2}, {"A", 5}, {"D", 6}, {"G", 8}, {"NX", 63}};
	if (!next_word(reader))
		return refuse(reader, "a bit is wanted here: P W U A D G NX");
	for (unsigned i = 0; i < sizeof(bits) / sizeof(*bits); i++) {
		if (strcmp(bits[i].name, reader->word) == 0) {
			out->bit = bits[i].bit;
			return STATUS_OK;
		}
	}
	return refuse(reader, "there is no such bit: P W U A D G NX");
}

/* The forms that begin with a word of their own: X(word, what, kinds) */
static const struct form {
	const char *word;
	enum breakpoint_what what;
	uint64_t kinds;
} forms[] = {
    {"event", BREAK_NUMBER, EVENT_MASK_ALL}, {"page", BREAK_PAGE, EVENT_MASK_ALL},
    {"frame", BREAK_FRAME, EVENT_MASK_ALL},  {"chunk", BREAK_CHUNK, EVENT_MASK_ALL},
    {"pte", BREAK_PTE, EVENT_MASK_ALL},
};

static enum status read_form(struct reader *reader, const struct form *form, struct breakpoint *out)
{
	out->what = form->what;
	out->kinds = form->kinds;
	enum status status = want_number(reader, &out->value);
	if (status == STATUS_OK && form->what == BREAK_PTE)
		status = read_bit(reader, out);
	if (status == STATUS_OK && next_word(reader))
		status = refuse(reader, "nothing more is wanted here");
	return status;
}

/* "ring N" and "line N": a kind of event whose second or third argument is the number. */
static enum status read_numbered(struct reader *reader, struct breakpoint *out, enum event_kind kind, unsigned field)
{
	struct condition *condition = &out->conditions[out->condition_count++];
	out->kinds = EVENT_BIT(kind);
	*condition = (struct condition){.field = field, .comparison = COMPARE_EQUAL};
	enum status status = want_number(reader, &condition->number);
	return status == STATUS_OK && next_word(reader) ? refuse(reader, "nothing more is wanted here") : status;
}

static enum status read_spec(struct reader *reader, struct breakpoint *out)
{
	enum event_kind kind;
	if (!next_word(reader))
		return refuse(reader, "there is nothing");
	for (unsigned i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (strcmp(forms[i].word, reader->word) == 0)
			return read_form(reader, &forms[i], out);
	}
	if (strcmp(reader->word, "line") == 0)
		return read_numbered(reader, out, EVENT_OP_START, 2);
	if (strcmp(reader->word, "ring") == 0)
		return read_numbered(reader, out, EVENT_RING, 1);
	if (reader->word[0] == '#') {
		any_text_is(&out->conditions[out->condition_count++], reader->word);
		kind = EVENT_EXCEPTION;
	} else if (!find_kind(reader->word, &kind)) {
		return refuse(reader, "there is no such event");
	}
	out->kinds = EVENT_BIT(kind);
	return read_conditions(reader, out, kind);
}

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

/* The entry of the last level that the walk for the address reaches, of the process that runs. */
static bool bit_of_entry(const struct breakpoint *breakpoint, const struct world *world, const struct event *event)
{
	struct translation translation;
	const struct process *process;
	unsigned index = 0;
	while (world_kernel(world) && (process = world_process(world, index)) && process->pid != event->pid)
		index++;
	if (!world_kernel(world) || !world_process(world, index))
		return false;
	translation_take(&translation, world, index, vaddr(breakpoint->value));
	if (!translation.alive || translation.walk.count == 0)
		return false;
	return translation.walk.step[translation.walk.count - 1].entry.word >> breakpoint->bit & 1;
}

/* At the first event after a gap nothing has changed yet: it begins an operation. */
static bool bit_changes(struct breakpoint *breakpoint, const struct world *world, const struct event *event)
{
	bool bit = bit_of_entry(breakpoint, world, event);
	bool changes = breakpoint->last_number + 1 == event->number && bit != breakpoint->last_bit;
	breakpoint->last_number = event->number;
	breakpoint->last_bit = bit;
	return changes;
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

struct travel_query breakpoints_query(struct breakpoints *breakpoints)
{
	struct travel_query query = {.matches = any_hits, .self = breakpoints};
	for (unsigned i = 0; i < breakpoints->count; i++) {
		query.kinds |= breakpoints->list[i].kinds;
		breakpoints->list[i].last_number = 0;
	}
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

void breakpoints_init(struct breakpoints *breakpoints)
{
	*breakpoints = (struct breakpoints){0};
	event_fields_parse(&breakpoints->fields);
}

enum status breakpoints_add(struct breakpoints *breakpoints, const char *spec, struct error *error)
{
	if (breakpoints->count == BREAKPOINTS)
		return error_set(error, STATUS_BAD_INPUT, "there are %d breakpoints already: remove one", BREAKPOINTS);
	struct breakpoint breakpoint = {.what = BREAK_EVENT};
	struct reader reader = {.breakpoints = breakpoints, .at = spec, .error = error};
	(void)snprintf(breakpoint.text, sizeof(breakpoint.text), "%s", spec + strspn(spec, " \t"));
	enum status status = read_spec(&reader, &breakpoint);
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
