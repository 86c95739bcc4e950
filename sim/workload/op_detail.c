/* The keys of an operation in one line, for people: "id=buf size=100KiB". Keys at their defaults are left out. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "faultline/document.h"
#include "faultline/op.h"
#include "faultline/process.h"
#include "value.h"

struct line {
	char *text;
	size_t room;
	size_t used;
};

static void add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int written = vsnprintf(line->text + line->used, line->room - line->used, format, args);
	va_end(args);
	line->used += (size_t)written;
	if (line->used >= line->room)
		line->used = line->room - 1;
}

static void add_place(struct line *line, const struct place *place, const char *name)
{
	if (place->kind == PLACE_SLOT)
		add(line, "%s", name && *name ? name : "block");
	else if (place->kind == PLACE_ADDRESS)
		add(line, "0x%" PRIx64, place->address);
	else if (place->kind == PLACE_SEGMENT)
		add(line, "%s", segment_name((enum segment)place->segment));
	else
		add(line, "%s", place->kind == PLACE_BREAK ? "brk" : "NULL");
	if (place->offset != 0)
		add(line, "%+" PRId64, place->offset);
}

/* The word of a choice, or words joined by |. */
static void add_choices(struct line *line, const struct op_key *key, uint64_t value)
{
	bool any = false;
	for (const struct op_choice *choice = key->choices; choice->name; choice++) {
		bool holds = key->type == OP_TYPE_FLAGS && choice->value != 0 ? (value & choice->value) == choice->value
									      : value == choice->value;
		if (holds)
			add(line, "%s%s", any ? "|" : "", choice->name);
		any |= holds;
	}
	if (!any)
		add(line, "%" PRId64, (int64_t)value);
}

static void add_value(struct line *line, const struct op_key *key, const char *field)
{
	uint64_t number = 0;
	double fraction = 0;
	if (key->type == OP_TYPE_RATIO || key->type == OP_TYPE_EXPONENT)
		memcpy(&fraction, field, sizeof(fraction));
	else if (key->type != OP_TYPE_FLAG)
		memcpy(&number, field, sizeof(number));
	switch (key->type) {
	case OP_TYPE_NEW_ID:
	case OP_TYPE_ID:
		add(line, "%s", ((const struct op_name *)(const void *)field)->text);
		break;
	case OP_TYPE_TEXT:
	case OP_TYPE_NAME:
	case OP_TYPE_BYTES: /* begins with its text */
		add(line, "%s", *(const char *const *)(const void *)field);
		break;
	case OP_TYPE_PLACE:
		add_place(line, (const struct place *)(const void *)field,
			  ((const struct place *)(const void *)field)->name);
		break;
	case OP_TYPE_CHOICE:
	case OP_TYPE_FLAGS:
	case OP_TYPE_PARAM:
		add_choices(line, key, number);
		break;
	case OP_TYPE_RATIO:
	case OP_TYPE_EXPONENT:
		add(line, "%g", fraction);
		break;
	case OP_TYPE_FLAG:
		add(line, "true");
		break;
	case OP_TYPE_SIZE:
	case OP_TYPE_STRIDE:
		add(line, "%s", number == OP_STRIDE_PAGE ? "page" : value_size_text(number).text);
		break;
	case OP_TYPE_COUNT:
	case OP_TYPE_INTEGER:
		add(line, "%" PRId64, (int64_t)number);
		break;
	case OP_TYPE_WORD:
		add(line, "0x%" PRIx64, number);
		break;
	case OP_TYPE_THAT:
	case OP_TYPE_BOUND:
	case OP_TYPE_ANSWER:
	case OP_TYPE_BODY:
	case OP_TYPES:
		break;
	}
}

static size_t field_bytes(enum op_type type)
{
	switch (type) {
	case OP_TYPE_NEW_ID:
	case OP_TYPE_ID:
		return sizeof(struct op_name);
	case OP_TYPE_PLACE:
		return sizeof(struct place);
	case OP_TYPE_FLAG:
		return sizeof(bool);
	case OP_TYPE_THAT:
	case OP_TYPE_BOUND:
	case OP_TYPE_ANSWER:
	case OP_TYPE_BODY:
	case OP_TYPES:
		return 0; /* not shown: an expect has an event of its own */
	case OP_TYPE_SIZE:
	case OP_TYPE_STRIDE:
	case OP_TYPE_COUNT:
	case OP_TYPE_INTEGER:
	case OP_TYPE_WORD:
	case OP_TYPE_RATIO:
	case OP_TYPE_EXPONENT:
	case OP_TYPE_TEXT:
	case OP_TYPE_NAME:
	case OP_TYPE_BYTES:
	case OP_TYPE_CHOICE:
	case OP_TYPE_FLAGS:
	case OP_TYPE_PARAM:
		break;
	}
	return sizeof(uint64_t);
}

/* Names are empty in an op list. */
static bool is_shown(const struct op_key *key, const char *field, const char *preset)
{
	size_t bytes = field_bytes(key->type);
	if (key->type == OP_TYPE_ID || key->type == OP_TYPE_NEW_ID)
		return *((const struct op_name *)(const void *)field)->text != '\0';
	return bytes > 0 && (key->required || memcmp(field, preset, bytes) != 0);
}

/* The text of the formula that fills the field; NULL: it has its value. */
static const char *formula_of(const struct script_op *script_op, size_t field)
{
	for (unsigned i = 0; i < script_op->formula_count; i++) {
		if (script_op->formulas[i].field == field)
			return script_op->formulas[i].text;
	}
	return NULL;
}

void op_detail(const struct op *op, char *out, size_t room)
{
	const struct script_op without = {.op = *op};
	script_op_detail(&without, out, room);
}

void script_op_detail(const struct script_op *script_op, char *out, size_t room)
{
	const struct op *op = &script_op->op;
	struct op preset;
	unsigned count = 0;
	const struct op_key *keys = op_keys(op->kind, &count);
	struct line line = {out, room, 0};
	out[0] = '\0';
	op_init(&preset, op->kind);
	for (unsigned i = 0; i < count; i++) {
		const char *field = (const char *)op + keys[i].field;
		const char *formula = formula_of(script_op, keys[i].field);
		if (!formula && !is_shown(&keys[i], field, (const char *)&preset + keys[i].field))
			continue;
		add(&line, "%s%s=", line.used ? " " : "", keys[i].name);
		if (formula)
			add(&line, "%s", formula);
		else
			add_value(&line, &keys[i], field);
	}
}
