/* Operations of a script: each object is read by the keys of its row in the table, every key by the reader of its
 * type. */
#include "script.h"

#include <string.h>

#include "value.h"

static void *field_at(struct script_reader *reader, size_t offset)
{
	return (char *)reader->op + offset;
}

static bool refuse(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	return loader_fail(reader->loader, node, LOADER_VALUE, "\"%s\" cannot be %s; allowed is %s", key->name,
			   loader_found(reader->loader, node).text, op_type_text(key->type));
}

bool script_refuse_why(struct script_reader *reader, const cJSON *node, const struct why *why)
{
	return loader_fail(reader->loader, node, LOADER_VALUE, "%s", why->text);
}

/* A {…} expression fills the field when the operation runs. */
bool script_add_formula(struct script_reader *reader, const cJSON *node, const char *text, enum op_type type,
			size_t field)
{
	struct why why;
	struct op_formula formula = {.type = type, .field = field};
	const char *copy = loader_copy(reader->loader, text);
	bool is_name = type == OP_TYPE_ID || type == OP_TYPE_NEW_ID;
	bool good = is_name ? formula_compile_name(reader->loader->arena, &reader->scope, copy, &formula, &why)
			    : formula_compile_expression(reader->loader->arena, &reader->scope, copy, &formula, &why);
	if (!good)
		return script_refuse_why(reader, node, &why);
	BUG_ON(reader->formula_count == SCRIPT_MAX_FORMULAS);
	reader->formulas[reader->formula_count++] = formula;
	return true;
}

static bool read_number(struct script_reader *reader, const cJSON *node, const struct op_key *key, int64_t least,
			int64_t *out)
{
	struct why why;
	size_t length = 0;
	const char *literal = json_source_number(&reader->loader->source, node, &length);
	if (!value_whole(literal, length, out, &why))
		return script_refuse_why(reader, node, &why);
	if (*out < least)
		return loader_fail(reader->loader, node, LOADER_VALUE,
				   "\"%s\" cannot be negative, found %s; allowed is %s", key->name,
				   loader_found(reader->loader, node).text, op_type_text(key->type));
	return true;
}

/* What the types of whole numbers have in common. */
static bool read_unsigned(struct script_reader *reader, const cJSON *node, const struct op_key *key,
			  bool (*parse)(const char *, size_t, uint64_t *, struct why *))
{
	struct why why;
	uint64_t *out = field_at(reader, key->field);
	if (cJSON_IsNumber(node)) {
		int64_t number = 0;
		bool good = read_number(reader, node, key, 0, &number);
		*out = (uint64_t)number;
		return good;
	}
	if (!cJSON_IsString(node))
		return refuse(reader, node, key);
	if (formula_is_expression(node->valuestring))
		return script_add_formula(reader, node, node->valuestring, key->type, key->field);
	if (!parse)
		return refuse(reader, node, key);
	return parse(node->valuestring, strlen(node->valuestring), out, &why) || script_refuse_why(reader, node, &why);
}

static bool read_size(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	return read_unsigned(reader, node, key, value_size);
}

static bool read_stride(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	if (cJSON_IsString(node) && strcmp(node->valuestring, "page") == 0) {
		*(uint64_t *)field_at(reader, key->field) = OP_STRIDE_PAGE;
		return true;
	}
	return read_size(reader, node, key);
}

static bool read_count(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	return read_unsigned(reader, node, key, NULL);
}

static bool read_word(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	return read_unsigned(reader, node, key, value_hex);
}

/* Also the texts "-4KiB". */
static bool read_signed(struct script_reader *reader, const cJSON *node, const struct op_key *key, size_t field,
			int64_t *out)
{
	struct why why;
	if (cJSON_IsNumber(node))
		return read_number(reader, node, key, INT64_MIN, out);
	if (!cJSON_IsString(node))
		return refuse(reader, node, key);
	const char *text = node->valuestring;
	if (formula_is_expression(text))
		return script_add_formula(reader, node, text, OP_TYPE_INTEGER, field);
	bool negative = *text == '-';
	uint64_t magnitude = 0;
	if (!value_size(text + negative, strlen(text + negative), &magnitude, &why))
		return script_refuse_why(reader, node, &why);
	*out = (int64_t)(negative ? 0 - magnitude : magnitude);
	return true;
}

static bool read_integer(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	return read_signed(reader, node, key, key->field, field_at(reader, key->field));
}

static bool read_fraction(struct script_reader *reader, const cJSON *node, const struct op_key *key, bool zero,
			  double most)
{
	double *out = field_at(reader, key->field);
	if (!cJSON_IsNumber(node) || !(node->valuedouble >= 0 && node->valuedouble <= most) ||
	    (!zero && !(node->valuedouble > 0)))
		return refuse(reader, node, key);
	*out = node->valuedouble;
	return true;
}

static bool read_ratio(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	return read_fraction(reader, node, key, true, 1);
}

static bool read_exponent(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	return read_fraction(reader, node, key, false, 10);
}

static bool read_flag(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	if (!cJSON_IsBool(node))
		return refuse(reader, node, key);
	*(bool *)field_at(reader, key->field) = cJSON_IsTrue(node);
	return true;
}

static bool read_text(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	return loader_text(reader->loader, node, field_at(reader, key->field));
}

static bool read_name(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	if (!cJSON_IsString(node) || !value_is_name(node->valuestring))
		return refuse(reader, node, key);
	return read_text(reader, node, key);
}

bool script_read_slot(struct script_reader *reader, const cJSON *node, const char *text, enum op_type type,
		      size_t field)
{
	uint32_t *slot = field_at(reader, field);
	if (formula_is_template(text)) {
		reader->template_ids |= type == OP_TYPE_NEW_ID;
		*slot = OP_NO_SLOT;
		return script_add_formula(reader, node, text, type, field);
	}
	if (strcmp(text, "NULL") == 0) {
		*slot = OP_NO_SLOT;
		return true;
	}
	*slot = names_number(&reader->names, text);
	return true;
}

static bool read_id(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	if (!cJSON_IsString(node) || !value_is_id(node->valuestring))
		return refuse(reader, node, key);
	struct op_name *name = field_at(reader, key->field);
	name->text = loader_copy(reader->loader, node->valuestring);
	return script_read_slot(reader, node, node->valuestring, key->type,
				key->field + offsetof(struct op_name, slot));
}

static bool unknown_choice(struct script_reader *reader, const cJSON *node, const struct op_key *key, const char *word)
{
	enum { MOST = 64 };
	const char *names[MOST];
	unsigned count = 0;
	for (const struct op_choice *choice = key->choices; choice->name && count < MOST; choice++)
		names[count++] = choice->name;
	struct why all = {""};
	for (unsigned i = 0; i < count; i++)
		why_add(&all, "%s%s", i ? ", " : "", names[i]);
	return loader_fail(reader->loader, node, LOADER_VALUE,
			   "\"%s\" is no value of \"%s\"; did you mean \"%s\"? Allowed: %s", quoted(word).text,
			   key->name, names[nearest_name(word, names, count)], all.text);
}

static const struct op_choice *find_choice(const struct op_key *key, const char *word, size_t length)
{
	for (const struct op_choice *choice = key->choices; choice->name; choice++) {
		if (strlen(choice->name) == length && memcmp(choice->name, word, length) == 0)
			return choice;
	}
	return NULL;
}

static bool read_choice(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	if (!cJSON_IsString(node))
		return refuse(reader, node, key);
	const struct op_choice *choice = find_choice(key, node->valuestring, strlen(node->valuestring));
	if (!choice)
		return unknown_choice(reader, node, key, node->valuestring);
	*(uint64_t *)field_at(reader, key->field) = choice->value;
	return true;
}

static bool read_flags(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	if (!cJSON_IsString(node))
		return refuse(reader, node, key);
	uint64_t flags = 0;
	const char *at = node->valuestring;
	for (;;) {
		size_t length = strcspn(at, "|");
		const struct op_choice *choice = find_choice(key, at, length);
		if (!choice)
			return unknown_choice(reader, node, key, quoted_length(at, length).text);
		flags |= choice->value;
		if (!at[length])
			break;
		at += length + 1;
	}
	*(uint64_t *)field_at(reader, key->field) = flags;
	return true;
}

static bool read_param(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	if (cJSON_IsNumber(node))
		return read_number(reader, node, key, INT64_MIN, field_at(reader, key->field));
	return read_choice(reader, node, key);
}

static bool read_place(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	return script_read_place(reader, node, key);
}

static bool read_body(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	/* The operations of a body are read when the repeat itself is complete. */
	return cJSON_IsArray(node) || refuse(reader, node, key);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Pairs of digits; blanks only between them. */
static bool read_bytes(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	struct op_code *code = field_at(reader, key->field);
	if (!cJSON_IsString(node))
		return refuse(reader, node, key);
	code->text = loader_copy(reader->loader, node->valuestring);
	uint8_t *bytes = arena_alloc(reader->loader->arena, strlen(code->text) / 2 + 1, 1);
	const char *at = code->text;
	while (*at) {
		if (*at == ' ' && code->count > 0) {
			at++;
			continue;
		}
		int high = hex_digit(at[0]);
		int low = high < 0 ? -1 : hex_digit(at[1]);
		if (low < 0)
			return refuse(reader, node, key);
		bytes[code->count++] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	code->bytes = bytes;
	return code->count > 0 || refuse(reader, node, key);
}

static bool read_that(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	return cJSON_IsString(node) ? script_read_that(reader, node, key) : refuse(reader, node, key);
}

static bool is_word(const char *text)
{
	if (strcmp(text, "none") == 0)
		return true;
	bool good = *text >= 'A' && *text <= 'Z';
	for (const char *at = text; good && *at; at++)
		good = (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
	return good;
}

static bool read_bound(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	struct answer *answer = field_at(reader, key->field);
	int64_t number = 0;
	answer->given = true;
	bool good = read_signed(reader, node, key, key->field + offsetof(struct answer, number), &number);
	answer->number = (uint64_t)number;
	return good;
}

static bool read_answer(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	struct answer *answer = field_at(reader, key->field);
	if (cJSON_IsBool(node)) {
		*answer = (struct answer){.given = true, .number = cJSON_IsTrue(node) ? 1 : 0};
		return true;
	}
	if (cJSON_IsString(node) && is_word(node->valuestring)) {
		*answer = (struct answer){.given = true, .text = loader_copy(reader->loader, node->valuestring)};
		return true;
	}
	return read_bound(reader, node, key);
}

typedef bool read_fn(struct script_reader *reader, const cJSON *node, const struct op_key *key);

static read_fn *const readers[OP_TYPES] = {
    [OP_TYPE_NEW_ID] = read_id,     [OP_TYPE_ID] = read_id,         [OP_TYPE_SIZE] = read_size,
    [OP_TYPE_STRIDE] = read_stride, [OP_TYPE_COUNT] = read_count,   [OP_TYPE_INTEGER] = read_integer,
    [OP_TYPE_WORD] = read_word,     [OP_TYPE_RATIO] = read_ratio,   [OP_TYPE_EXPONENT] = read_exponent,
    [OP_TYPE_FLAG] = read_flag,     [OP_TYPE_PLACE] = read_place,   [OP_TYPE_TEXT] = read_text,
    [OP_TYPE_NAME] = read_name,     [OP_TYPE_CHOICE] = read_choice, [OP_TYPE_FLAGS] = read_flags,
    [OP_TYPE_PARAM] = read_param,   [OP_TYPE_BODY] = read_body,     [OP_TYPE_THAT] = read_that,
    [OP_TYPE_ANSWER] = read_answer, [OP_TYPE_BOUND] = read_bound,   [OP_TYPE_BYTES] = read_bytes,
};

bool script_read_key(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	return readers[key->type](reader, node, key);
}
