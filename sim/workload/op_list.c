#include "op_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "live_ids.h"
#include "op_lines.h"
#include "value.h"
#include "why.h"

enum { MAX_FIELDS = 6 };

/* A line, cut at its spaces. */
struct fields {
	char *text[MAX_FIELDS];
	unsigned count;
};

struct op_list {
	struct op_lines lines;
	bool line_held; /* the first operation has been read with the tunables */

	struct tunable tunables[OP_LIST_MAX_TUNABLES];
	unsigned tunable_count;

	struct live_ids ids;
	struct op op;
	uint64_t ends_id; /* the ID that ends when the operation has returned; 0: none */
	bool ends_on_success;
};

/* The next line that is an operation or a tunable. */
static enum status read_meaningful_line(struct op_list *list, struct error *error)
{
	struct op_lines *lines = &list->lines;
	if (list->line_held) {
		list->line_held = false;
		return STATUS_OK;
	}
	do {
		enum status status = op_lines_next(lines, error);
		if (status != STATUS_OK)
			return status;
	} while (!lines->ended && (lines->line[0] == '#' || lines->line[0] == '\0'));
	return STATUS_OK;
}

/* ---- numbers ---- */

static enum status split(struct op_list *list, struct fields *fields, struct error *error)
{
	char *at = list->lines.line;
	fields->count = 0;
	for (;;) {
		if (fields->count == MAX_FIELDS)
			return op_lines_bad(&list->lines, error, "too many fields in \"%s\"",
					    quoted(list->lines.line).text);
		fields->text[fields->count++] = at;
		at = strchr(at, ' ');
		if (!at)
			return STATUS_OK;
		*at++ = '\0';
	}
}

static enum status number_field(const struct op_list *list, const char *text, const char *what, uint64_t *out,
				struct error *error)
{
	if (value_digits(text, strlen(text), out))
		return STATUS_OK;
	return op_lines_bad(&list->lines, error,
			    "%s is \"%s\"; allowed are decimal digits below 2^64, with one space between fields", what,
			    quoted(text).text);
}

static enum status signed_field(const struct op_list *list, const char *text, const char *what, int64_t *out,
				struct error *error)
{
	uint64_t magnitude = 0;
	bool negative = *text == '-';
	if (!value_digits(text + negative, strlen(text + negative), &magnitude) || magnitude > INT64_MAX)
		return op_lines_bad(&list->lines, error,
				    "%s is \"%s\"; allowed are decimal digits, with - in front if negative", what,
				    quoted(text).text);
	*out = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return STATUS_OK;
}

/* ---- operations ---- */

/* What the fields of an operation mean, in order: N a new ID, I a live ID, i a live ID or 0, other letters a number. */
struct line_format {
	char letter;
	enum op_kind kind;
	const char *fields;
	const char *usage;
};

static const struct line_format formats[] = {
    {'m', OP_MALLOC, "Ns", "m ID SIZE"},
    {'c', OP_CALLOC, "Ncs", "c ID N SIZE"},
    {'r', OP_REALLOC, "iMs", "r ID NEWID SIZE"},
    {'a', OP_ALIGNED_ALLOC, "Nas", "a ID ALIGN SIZE"},
    {'f', OP_FREE, "i", "f ID"},
    {'t', OP_WRITE, "Pol", "t ID OFF LEN"},
    {'l', OP_READ, "Pol", "l ID OFF LEN"},
    {'B', OP_SBRK, "d", "B DELTA"},
    {'M', OP_MMAP, "Nl", "M ID LEN"},
    {'U', OP_MUNMAP, "Pol", "U ID OFF LEN"},
    {'D', OP_MADVISE, "Pol", "D ID OFF LEN"},
    {'P', OP_MPROTECT, "Polp", "P ID OFF LEN PROT"},
    {'T', OP_MALLOC_TRIM, "T", "T PAD"},
    {'O', OP_MALLOPT, "OV", "O PARAM VALUE"},
    {'w', OP_WRITE, "Pev", "w ID OFF VALUE"},
    {'C', OP_PTHREAD_CREATE, "t", "C THREAD"},
    {'J', OP_PTHREAD_JOIN, "t", "J THREAD"},
};

static const struct line_format *find_format(const char *word)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (word[0] == formats[i].letter && word[1] == '\0')
			return &formats[i];
	}
	return NULL;
}

static enum status new_id(struct op_list *list, const char *text, struct op_name *name, struct error *error)
{
	uint64_t id = 0;
	enum status status = number_field(list, text, "the new ID", &id, error);
	if (status != STATUS_OK)
		return status;
	if (id == 0)
		return op_lines_bad(&list->lines, error, "a new ID cannot be 0, that is the null pointer");
	if (live_ids_find(&list->ids, id))
		return op_lines_bad(&list->lines, error,
				    "ID %" PRIu64 " is alive; allowed is an ID that was not used before", id);
	const struct live_id *made = live_ids_add(&list->ids, id, 0);
	if (!made)
		return error_set(error, STATUS_HOST, "%s:%" PRIu64 ": the host has no memory for another live ID",
				 list->lines.name, list->lines.number);
	name->slot = made->slot;
	return STATUS_OK;
}

static enum status old_id(struct op_list *list, const char *text, bool may_be_null, uint32_t *slot, uint64_t *id,
			  struct error *error)
{
	enum status status = number_field(list, text, "the ID", id, error);
	*slot = OP_NO_SLOT;
	if (status != STATUS_OK || (*id == 0 && may_be_null))
		return status;
	const struct live_id *live = live_ids_find(&list->ids, *id);
	if (!live)
		return op_lines_bad(
		    &list->lines, error,
		    "ID %" PRIu64 " is not alive: it was never allocated, or has been freed or unmapped whole", *id);
	*slot = live->slot;
	return STATUS_OK;
}

static enum status read_field(struct op_list *list, char meaning, const char *text, uint64_t *id, struct error *error)
{
	struct op *op = &list->op;
	uint64_t number = 0;
	enum status status = STATUS_OK;
	switch (meaning) {
	case 'N':
		return new_id(list, text, &op->id, error);
	case 'M':
		return new_id(list, text, &op->new_id, error);
	case 'i':
		return old_id(list, text, true, &op->id.slot, id, error);
	case 'P':
		op->at.kind = PLACE_SLOT;
		return old_id(list, text, false, &op->at.slot, id, error);
	case 's':
		return number_field(list, text, "SIZE", &op->size, error);
	case 'c':
		return number_field(list, text, "N", &op->count, error);
	case 'a':
		return number_field(list, text, "ALIGN", &op->alignment, error);
	case 'o':
		status = number_field(list, text, "OFF", &number, error);
		op->offset = (int64_t)number;
		return status;
	case 'l':
		return number_field(list, text, "LEN", &op->length, error);
	case 'p':
		return number_field(list, text, "PROT", &op->prot, error);
	case 'T':
		return number_field(list, text, "PAD", &op->pad, error);
	case 't':
		return number_field(list, text, "THREAD", &op->child, error);
	case 'e':
		return signed_field(list, text, "OFF", &op->offset, error);
	case 'v':
		op->has_value = true;
		op->length = sizeof(op->value);
		return number_field(list, text, "VALUE", &op->value, error);
	case 'O':
		return signed_field(list, text, "PARAM", &op->param, error);
	default:
		return signed_field(list, text, meaning == 'd' ? "DELTA" : "VALUE", &op->increment, error);
	}
}

/* What the letters imply beyond their fields. */
static void complete_op(struct op_list *list, uint64_t id)
{
	struct op *op = &list->op;
	struct live_id *live = live_ids_find(&list->ids, id);
	op->line = (uint32_t)list->lines.number;
	list->ends_id = 0;
	list->ends_on_success = false;
	if ((op->kind == OP_READ || op->kind == OP_WRITE) && !op->has_value) {
		op->stride = OP_STRIDE_PAGE;
	} else if (op->kind == OP_MADVISE || op->kind == OP_MPROTECT) {
		op->whole_pages = true;
	} else if (op->kind == OP_FREE) {
		list->ends_id = id;
	} else if (op->kind == OP_REALLOC) {
		list->ends_id = id;
		list->ends_on_success = op->size != 0;
	} else if (op->kind == OP_MUNMAP && op->offset == 0 && live && live->bytes && op->length >= live->bytes) {
		list->ends_id = id;
	}
	op->forgets = list->ends_id != 0;
}

/* A new mapping remembers its length, so that its ID ends when it is unmapped whole. */
static void remember_mapping(struct op_list *list, const char *id_text)
{
	uint64_t id = 0;
	(void)value_digits(id_text, strlen(id_text), &id);
	live_ids_find(&list->ids, id)->bytes = list->op.length;
}

/* "@THREAD " in front of an operation. */
static enum status take_thread(struct op_list *list, struct fields *fields, uint64_t *thread, struct error *error)
{
	*thread = 0;
	if (fields->text[0][0] != '@')
		return STATUS_OK;
	if (fields->count == 1)
		return op_lines_bad(&list->lines, error, "\"%s\" without an operation behind it",
				    quoted(fields->text[0]).text);
	const char *number = fields->text[0] + 1;
	fields->count--;
	memmove(fields->text, fields->text + 1, fields->count * sizeof(*fields->text));
	return number_field(list, number, "the thread behind @", thread, error);
}

static enum status parse_op(struct op_list *list, struct error *error)
{
	struct fields fields;
	uint64_t id = 0;
	uint64_t thread = 0;
	enum status status = split(list, &fields, error);
	if (status == STATUS_OK)
		status = take_thread(list, &fields, &thread, error);
	if (status != STATUS_OK)
		return status;
	const struct line_format *format = find_format(fields.text[0]);
	if (!format && strcmp(fields.text[0], "G") == 0)
		return op_lines_bad(&list->lines, error,
				    "a tunable behind the first operation: move the line to the beginning");
	if (!format)
		return op_lines_bad(
		    &list->lines, error,
		    "there is no operation \"%s\"; allowed are m c r a f t l w B M U D P T O C J and, first of "
		    "all, G",
		    quoted(fields.text[0]).text);
	if (fields.count != strlen(format->fields) + 1)
		return op_lines_bad(&list->lines, error, "%c has %u fields, expected \"%s\"", format->letter,
				    fields.count - 1, format->usage);
	op_init(&list->op, format->kind);
	list->op.thread = thread;
	for (unsigned i = 0; format->fields[i]; i++) {
		status = read_field(list, format->fields[i], fields.text[i + 1], &id, error);
		if (status != STATUS_OK)
			return status;
	}
	if (format->kind == OP_MMAP)
		remember_mapping(list, fields.text[1]);
	complete_op(list, id);
	return STATUS_OK;
}

enum status op_list_next(struct op_list *list, const struct op **op, struct error *error)
{
	*op = NULL;
	enum status status = read_meaningful_line(list, error);
	if (status != STATUS_OK || list->lines.ended)
		return status;
	status = parse_op(list, error);
	if (status == STATUS_OK)
		*op = &list->op;
	return status;
}

void op_list_returned(struct op_list *list, uint64_t result)
{
	if (list->ends_id != 0 && (result != 0 || !list->ends_on_success))
		live_ids_remove(&list->ids, list->ends_id);
	list->ends_id = 0;
}

uint32_t op_list_slots(const struct op_list *list)
{
	return list->ids.slots;
}

/* ---- the head of the list ---- */

static enum status read_tunable(struct op_list *list, struct error *error)
{
	uint64_t value = 0;
	char *name = list->lines.line + 2;
	char *equals = strchr(name, '=');
	if (list->lines.line[1] != ' ' || !equals || equals == name ||
	    !value_digits(equals + 1, strlen(equals + 1), &value))
		return op_lines_bad(&list->lines, error,
				    "a tunable is written G glibc.malloc.NAME=NUMBER, found \"%s\"",
				    quoted(list->lines.line).text);
	if (list->tunable_count == OP_LIST_MAX_TUNABLES)
		return op_lines_bad(&list->lines, error, "more than %d tunables", OP_LIST_MAX_TUNABLES);
	*equals = '\0';
	char *copy = strdup(name);
	if (!copy)
		return error_set(error, STATUS_HOST, "%s: the host has no memory for a tunable", list->lines.name);
	list->tunables[list->tunable_count++] = (struct tunable){copy, value};
	return STATUS_OK;
}

static enum status read_head(struct op_list *list, struct error *error)
{
	for (;;) {
		enum status status = read_meaningful_line(list, error);
		if (status != STATUS_OK || list->lines.ended)
			return status;
		if (list->lines.line[0] != 'G') {
			list->line_held = true;
			return STATUS_OK;
		}
		status = read_tunable(list, error);
		if (status != STATUS_OK)
			return status;
	}
}

static enum status begin(struct op_list *list, enum status opened, struct op_list **out, struct error *error)
{
	enum status status = opened == STATUS_OK ? read_head(list, error) : opened;
	if (status == STATUS_OK)
		*out = list;
	else
		op_list_close(list);
	return status;
}

enum status op_list_open(const char *path, struct op_list **out, struct error *error)
{
	*out = NULL;
	struct op_list *list = calloc(1, sizeof(*list));
	if (!list)
		return error_set(error, STATUS_HOST, "%s: the host has no memory to read it", path);
	return begin(list, op_lines_open(&list->lines, path, error), out, error);
}

enum status op_list_open_text(const char *text, size_t length, const char *name, struct op_list **out,
			      struct error *error)
{
	*out = NULL;
	struct op_list *list = calloc(1, sizeof(*list));
	if (!list)
		return error_set(error, STATUS_HOST, "%s: the host has no memory to read it", name);
	return begin(list, op_lines_open_text(&list->lines, text, length, name, error), out, error);
}

void op_list_close(struct op_list *list)
{
	if (!list)
		return;
	op_lines_close(&list->lines);
	for (unsigned i = 0; i < list->tunable_count; i++) {
		/* The list made the copy. */
		free((void *)(uintptr_t)list->tunables[i].name);
	}
	live_ids_release(&list->ids);
	free(list);
}

const struct tunable *op_list_tunables(const struct op_list *list, unsigned *count)
{
	*count = list->tunable_count;
	return list->tunables;
}
