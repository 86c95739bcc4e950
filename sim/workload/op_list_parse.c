/* One line of an op list. */
#include <inttypes.h>
#include <string.h>

#include "faultline/units.h"
#include "op_list_private.h"
#include "value.h"
#include "why.h"

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
    {'M', OP_MMAP, "NL", "M ID LEN"},
    {'U', OP_MUNMAP, "Pol", "U ID OFF LEN"},
    {'D', OP_MADVISE, "Pol", "D ID OFF LEN"},
    {'P', OP_MPROTECT, "Polp", "P ID OFF LEN PROT"},
    {'T', OP_MALLOC_TRIM, "T", "T PAD"},
    {'O', OP_MALLOPT, "OV", "O PARAM VALUE"},
    {'w', OP_WRITE, "Pev", "w ID OFF VALUE"},
    {'C', OP_PTHREAD_CREATE, "t", "C THREAD"},
    {'J', OP_PTHREAD_JOIN, "t", "J THREAD"},
};

_Static_assert(sizeof(formats) / sizeof(*formats) == OP_LIST_FORMATS, "each format has its operation");

/* ---- numbers ---- */

/* The field at *at, up to a space or the end. False when it is no decimal number below 2^64. */
static inline bool take_digits(const char **at, uint64_t *out)
{
	uint64_t value = 0;
	const char *digit = *at;
	while (*digit == '0')
		digit++;
	const char *first = digit;
	for (; *digit >= '0' && *digit <= '9'; digit++)
		value = value * 10 + (uint64_t)(*digit - '0');
	/* 19 digits always fit, 20 may. */
	bool fits = digit - first < 20 || (digit - first == 20 && (*first == '1' && value >= 10000000000000000000u));
	bool good = digit != *at && fits && (*digit == ' ' || *digit == '\0');
	*at = digit;
	*out = value;
	return good;
}

static struct quoted field_text(const char *field)
{
	return quoted_length(field, strcspn(field, " "));
}

static enum status take_number(const struct op_list *list, const char **at, const char *what, uint64_t *out,
			       struct error *error)
{
	const char *field = *at;
	if (take_digits(at, out))
		return STATUS_OK;
	return op_lines_bad(&list->lines, error,
			    "%s is \"%s\"; allowed are decimal digits below 2^64, with one space between fields", what,
			    field_text(field).text);
}

static enum status take_signed(const struct op_list *list, const char **at, const char *what, int64_t *out,
			       struct error *error)
{
	uint64_t magnitude = 0;
	const char *field = *at;
	bool negative = *field == '-';
	*at += negative;
	if (!take_digits(at, &magnitude) || magnitude > INT64_MAX)
		return op_lines_bad(&list->lines, error,
				    "%s is \"%s\"; allowed are decimal digits, with - in front if negative", what,
				    field_text(field).text);
	*out = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return STATUS_OK;
}

/* ---- operations ---- */

static enum status new_id(struct op_list *list, uint64_t id, struct op_name *name, struct error *error)
{
	if (id == 0)
		return op_lines_bad(&list->lines, error, "a new ID cannot be 0, that is the null pointer");
	if (live_ids_find(&list->ids, id))
		return op_lines_bad(&list->lines, error,
				    "ID %" PRIu64 " is alive; allowed is an ID that was not used before", id);
	const struct live_id *made = live_ids_add(&list->ids, id);
	if (!made)
		return error_set(error, STATUS_HOST, "%s:%" PRIu64 ": the host has no memory for another live ID",
				 list->lines.name, list->lines.number);
	name->slot = made->slot;
	return STATUS_OK;
}

static enum status old_id(struct op_list *list, uint64_t id, bool may_be_null, uint32_t *slot, struct error *error)
{
	*slot = OP_NO_SLOT;
	if (id == 0 && may_be_null)
		return STATUS_OK;
	const struct live_id *live = live_ids_find(&list->ids, id);
	if (!live)
		return op_lines_bad(
		    &list->lines, error,
		    "ID %" PRIu64 " is not alive: it was never allocated, or has been freed or unmapped whole", id);
	*slot = live->slot;
	return STATUS_OK;
}

/* A field that is a number and where it goes; the others are IDs and signed numbers. */
struct number_field {
	const char *what;
	size_t field; /* in struct op */
};

static const struct number_field number_fields[128] = {
    ['s'] = {"SIZE", offsetof(struct op, size)},       ['c'] = {"N", offsetof(struct op, count)},
    ['a'] = {"ALIGN", offsetof(struct op, alignment)}, ['o'] = {"OFF", offsetof(struct op, offset)},
    ['l'] = {"LEN", offsetof(struct op, length)},      ['L'] = {"LEN", offsetof(struct op, length)},
    ['p'] = {"PROT", offsetof(struct op, prot)},       ['T'] = {"PAD", offsetof(struct op, pad)},
    ['t'] = {"THREAD", offsetof(struct op, child)},    ['v'] = {"VALUE", offsetof(struct op, value)},
};

static enum status read_signed_field(struct op_list *list, char meaning, const char **at, int64_t *out,
				     struct error *error)
{
	if (meaning == 'O')
		return take_signed(list, at, "PARAM", out, error);
	if (meaning == 'e')
		return take_signed(list, at, "OFF", out, error);
	return take_signed(list, at, meaning == 'd' ? "DELTA" : "VALUE", out, error);
}

static enum status read_id_field(struct op_list *list, char meaning, uint64_t id, struct error *error)
{
	struct op *op = list->op;
	if (meaning == 'N')
		return new_id(list, id, &op->id, error);
	if (meaning == 'M')
		return new_id(list, id, &op->new_id, error);
	if (meaning == 'P')
		return old_id(list, id, false, &op->at.slot, error);
	return old_id(list, id, true, &op->id.slot, error);
}

/* One field; *arg is its value as the line has it. */
static enum status read_field(struct op_list *list, char meaning, const char **at, uint64_t *arg, struct error *error)
{
	struct op *op = list->op;
	const struct number_field *number = &number_fields[(unsigned char)meaning];
	if (number->what) {
		enum status status = take_number(list, at, number->what, arg, error);
		*(uint64_t *)(void *)((char *)op + number->field) = *arg;
		return status;
	}
	if (strchr("dOVe", meaning)) {
		int64_t *field = meaning == 'O' ? &op->param : meaning == 'e' ? &op->offset : &op->increment;
		enum status status = read_signed_field(list, meaning, at, field, error);
		*arg = (uint64_t)*field;
		return status;
	}
	bool made = meaning == 'N' || meaning == 'M';
	enum status status = take_number(list, at, made ? "the new ID" : "the ID", arg, error);
	return status == STATUS_OK ? read_id_field(list, meaning, *arg, error) : status;
}

/* As far as a mapping can be large. */
static uint32_t pages_of(uint64_t bytes)
{
	uint64_t pages = bytes / PAGE_BYTES + (bytes % PAGE_BYTES != 0);
	return pages < UINT32_MAX ? (uint32_t)pages : UINT32_MAX;
}

/* Which ID ends when the operation has returned; a new mapping remembers its length for that. */
static void complete_op(struct op_list *list)
{
	struct op *op = list->op;
	const uint64_t *arg = list->last.arg;
	op->line = (uint32_t)list->lines.number;
	list->ends_id = 0;
	list->ends_on_success = false;
	if (op->kind == OP_MMAP) {
		live_ids_find(&list->ids, arg[0])->pages = pages_of(op->length);
	} else if (op->kind == OP_FREE) {
		list->ends_id = arg[0];
	} else if (op->kind == OP_REALLOC) {
		list->ends_id = arg[0];
		list->ends_on_success = op->size != 0;
	} else if (op->kind == OP_MUNMAP && op->offset == 0) {
		const struct live_id *live = live_ids_find(&list->ids, arg[0]);
		if (live && live->pages && pages_of(op->length) >= live->pages)
			list->ends_id = arg[0];
	}
	op->forgets = list->ends_id != 0;
}

/* What the lines of a format have in common. */
static void prepare_op(struct op *op, const struct line_format *format)
{
	op_init(op, format->kind);
	if (strchr(format->fields, 'P'))
		op->at.kind = PLACE_SLOT;
	if (format->kind == OP_READ || format->kind == OP_WRITE)
		op->stride = OP_STRIDE_PAGE;
	if (strchr(format->fields, 'v')) {
		op->stride = 0;
		op->length = sizeof(op->value);
		op->has_value = true;
	}
	op->whole_pages = format->kind == OP_MADVISE || format->kind == OP_MPROTECT;
}

void op_list_prepare(struct op_list *list)
{
	for (unsigned i = 0; i < OP_LIST_FORMATS; i++) {
		list->format_of[(unsigned char)formats[i].letter] = (uint8_t)(i + 1);
		prepare_op(&list->ops[i], &formats[i]);
	}
}

static enum status no_operation(const struct op_list *list, const char *word, struct error *error)
{
	struct quoted shown = field_text(word);
	if (strcmp(shown.text, "G") == 0)
		return op_lines_bad(&list->lines, error,
				    "a tunable behind the first operation: move the line to the beginning");
	return op_lines_bad(&list->lines, error,
			    "there is no operation \"%s\"; allowed are m c r a f t l w B M U D P T O C J and, first of "
			    "all, G",
			    shown.text);
}

static enum status wrong_count(const struct op_list *list, const struct line_format *format, const char *fields,
			       struct error *error)
{
	unsigned count = 0;
	for (const char *at = fields; *at; at++)
		count += *at == ' ';
	return op_lines_bad(&list->lines, error, "%c has %u fields, expected \"%s\"", format->letter, count,
			    format->usage);
}

/* "@THREAD " in front of an operation. */
static enum status take_thread(const struct op_list *list, const char **at, uint64_t *thread, struct error *error)
{
	const char *word = *at;
	(*at)++;
	enum status status = take_number(list, at, "the thread behind @", thread, error);
	if (status == STATUS_OK && *(*at)++ == '\0')
		return op_lines_bad(&list->lines, error, "\"%s\" without an operation behind it",
				    field_text(word).text);
	return status;
}

enum status op_list_parse(struct op_list *list, struct error *error)
{
	const char *at = list->lines.line;
	uint64_t thread = 0;
	if (*at == '@') {
		enum status status = take_thread(list, &at, &thread, error);
		if (status != STATUS_OK)
			return status;
	}
	unsigned index = list->format_of[(unsigned char)*at];
	if (index == 0 || (at[1] != ' ' && at[1] != '\0'))
		return no_operation(list, at, error);
	const struct line_format *format = &formats[index - 1];
	const char *fields = ++at;
	list->op = &list->ops[index - 1];
	list->op->thread = thread;
	list->last.letter = format->letter;
	list->last.thread = thread;
	for (unsigned i = 0; format->fields[i]; i++) {
		if (*at++ != ' ')
			return wrong_count(list, format, fields, error);
		enum status status = read_field(list, format->fields[i], &at, &list->last.arg[i], error);
		if (status != STATUS_OK)
			return status;
	}
	if (*at != '\0')
		return wrong_count(list, format, fields, error);
	complete_op(list);
	return STATUS_OK;
}
