/* A breakpoint as it is written, in words. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "breakpoint.h"
#include "event_words.h"
#include "faultline/bus.h"
#include "faultline/document.h"

enum { WORDS_TEXT = 480 };

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

/* ---- words ---- */

/* " it is a, b, c": as many as there is room for. */
static void list_words(enum event_kind kind, unsigned field, char *out, size_t room)
{
	size_t used = strlen(out);
	for (unsigned i = 0; event_word(kind, field, i); i++) {
		const char *word = event_word(kind, field, i);
		if (used + strlen(word) + 8 > room) {
			(void)snprintf(out + used, room - used, " ...");
			return;
		}
		used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "", word);
	}
}

static bool is_word(enum event_kind kind, unsigned field, const char *text)
{
	for (unsigned i = 0; event_word(kind, field, i); i++) {
		if (strcmp(event_word(kind, field, i), text) == 0)
			return true;
	}
	return event_word(kind, field, 0) == NULL;
}

static enum status check_word(struct reader *reader, enum event_kind kind, unsigned field, const char *text)
{
	char words[WORDS_TEXT] = "";
	if (is_word(kind, field, text))
		return STATUS_OK;
	list_words(kind, field, words, sizeof(words));
	return error_set(reader->error, STATUS_BAD_INPUT, "\"%s\": the %s of %s is one of %s", text,
			 reader->breakpoints->fields.field[kind][field].name, event_info(kind)->name, words);
}

/* A word alone may be any of the texts that the event has. */
static enum status check_any_word(struct reader *reader, enum event_kind kind, const char *text)
{
	char words[WORDS_TEXT] = "";
	const struct event_fields *fields = &reader->breakpoints->fields;
	for (unsigned i = 0; i < fields->count[kind]; i++) {
		if (fields->field[kind][i].type != FIELD_TEXT)
			continue;
		if (is_word(kind, i, text))
			return STATUS_OK;
		(void)snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s is one of ",
			       words[0] ? "; " : "", fields->field[kind][i].name);
		list_words(kind, i, words, sizeof(words));
	}
	return error_set(reader->error, STATUS_BAD_INPUT, "\"%s\" is no word of %s: %s", text, event_info(kind)->name,
			 words[0] ? words : "it has no texts");
}

/* ---- conditions ---- */

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
		return check_any_word(reader, kind, name);
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
	return check_word(reader, kind, out->field, out->text);
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
		if (check_any_word(reader, kind, reader->word) != STATUS_OK)
			return reader->error->status;
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

typedef enum status check_fn(struct reader *reader, uint64_t number);

/* "ring N" and "line N": a kind of event whose second or third argument is the number. */
static enum status read_numbered(struct reader *reader, struct breakpoint *out, enum event_kind kind, unsigned field,
				 check_fn *check)
{
	struct condition *condition = &out->conditions[out->condition_count++];
	out->kinds = EVENT_BIT(kind);
	*condition = (struct condition){.field = field, .comparison = COMPARE_EQUAL};
	enum status status = want_number(reader, &condition->number);
	if (status == STATUS_OK)
		status = check(reader, condition->number);
	return status == STATUS_OK && next_word(reader) ? refuse(reader, "nothing more is wanted here") : status;
}

static enum status check_ring(struct reader *reader, uint64_t ring)
{
	if (ring == 0 || ring == 3)
		return STATUS_OK;
	return error_set(reader->error, STATUS_BAD_INPUT, "ring %" PRIu64 ": the processor is in ring 0 or in ring 3",
			 ring);
}

/* A list of operations is read while it runs: how long it is, nobody knows before. */
static enum status check_line(struct reader *reader, uint64_t line)
{
	const struct document *document = reader->breakpoints->document;
	uint64_t first = UINT64_MAX, last = 0;
	for (unsigned i = 0; document && i < document->process_count; i++) {
		const struct document_process *process = &document->processes[i];
		for (uint32_t op = 0; op < process->script.count; op++) {
			uint64_t at = process->script.ops[op].op.line;
			first = at < first ? at : first;
			last = at > last ? at : last;
			if (at == line)
				return STATUS_OK;
		}
		if (process->op_list)
			return STATUS_OK;
	}
	if (!document)
		return STATUS_OK;
	return error_set(reader->error, STATUS_BAD_INPUT,
			 "line %" PRIu64 ": no operation stands there; the first is in line %" PRIu64
			 ", the last in line %" PRIu64,
			 line, first, last);
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
		return read_numbered(reader, out, EVENT_OP_START, 2, check_line);
	if (strcmp(reader->word, "ring") == 0)
		return read_numbered(reader, out, EVENT_RING, 1, check_ring);
	if (reader->word[0] == '#') {
		any_text_is(&out->conditions[out->condition_count++], reader->word);
		kind = EVENT_EXCEPTION;
		if (check_word(reader, kind, 0, reader->word) != STATUS_OK)
			return reader->error->status;
	} else if (!find_kind(reader->word, &kind)) {
		return refuse(reader, "there is no such event");
	}
	out->kinds = EVENT_BIT(kind);
	enum status status = read_conditions(reader, out, kind);
	/* Memory runs out for the kernel, or it finds somebody to kill: whoever waits for the one waits for both. */
	if (kind == EVENT_OOM && out->condition_count == 0)
		out->kinds |= EVENT_BIT(EVENT_OOM_KILL);
	return status;
}

enum status breakpoint_read(const struct breakpoints *breakpoints, const char *spec, struct breakpoint *out,
			    struct error *error)
{
	struct reader reader = {.breakpoints = breakpoints, .at = spec, .error = error};
	return read_spec(&reader, out);
}
