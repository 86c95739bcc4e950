/* Places and the questions of `expect`, from JSON. */
#include <string.h>

#include "faultline/cpu.h"
#include "faultline/process.h"
#include "faultline/stat.h"
#include "script.h"
#include "value.h"

static const char *const segment_words[SEGMENT_COUNT] = {
#define X(id, name, text) [SEGMENT_##id] = #name,
    SEGMENT_LIST(X)
#undef X
};

static struct place *place_at(struct script_reader *reader, size_t field)
{
	return (struct place *)(void *)((char *)reader->op + field);
}

static bool find_segment(const char *name, size_t length, uint32_t *out)
{
	for (uint32_t i = 0; i < SEGMENT_COUNT; i++) {
		if (strlen(segment_words[i]) == length && memcmp(segment_words[i], name, length) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool bad_segment(struct script_reader *reader, const cJSON *node, const char *name, size_t length)
{
	struct quoted word = quoted_length(name, length);
	struct why all = {""};
	for (unsigned i = 0; i < SEGMENT_COUNT; i++)
		why_add(&all, "%s%s", i ? ", " : "", segment_words[i]);
	return loader_fail(reader->loader, node, LOADER_VALUE, "\"%s\" is no segment; did you mean \"%s\"? Allowed: %s",
			   word.text, segment_words[nearest_name(word.text, segment_words, SEGMENT_COUNT)], all.text);
}

static bool bad_place(struct script_reader *reader, const cJSON *node, const char *text)
{
	return loader_fail(reader->loader, node, LOADER_VALUE,
			   "\"%s\" is no place; allowed are \"id\", \"id+4096\", \"0x1000\", \"segment:heap+8\", "
			   "\"brk:-1\", or an object with block, mapping, addr, segment or brk",
			   quoted(text).text);
}

/* "+4096", "-8", "+{i*8}" behind a base; "" is 0. */
static bool read_text_offset(struct script_reader *reader, const cJSON *node, const char *text, bool may_be_negative,
			     size_t field)
{
	struct why why;
	struct place *place = place_at(reader, field);
	uint64_t magnitude = 0;
	if (!*text)
		return true;
	if (*text != '+' && !(*text == '-' && may_be_negative))
		return bad_place(reader, node, node->valuestring);
	const char *number = text + 1;
	if (*text == '+' && formula_is_expression(number))
		return script_add_formula(reader, node, number, OP_TYPE_INTEGER,
					  field + offsetof(struct place, offset));
	bool digits = strlen(number) <= 15 && value_digits(number, strlen(number), &magnitude);
	if (!digits && !value_size(number, strlen(number), &magnitude, &why))
		return script_refuse_why(reader, node, &why);
	place->offset = (int64_t)(*text == '-' ? 0 - magnitude : magnitude);
	return true;
}

/* Length of the id in front of an offset; a + inside {…} belongs to the id. */
static size_t id_length(const char *text)
{
	size_t length = 0;
	bool braces = false;
	for (; text[length] && (braces || text[length] != '+'); length++)
		braces = text[length] == '{' || (braces && text[length] != '}');
	return length;
}

static bool read_block_text(struct script_reader *reader, const cJSON *node, const char *text, size_t field)
{
	size_t length = id_length(text);
	char *id = loader_copy(reader->loader, text);
	id[length] = '\0';
	if (!value_is_id(id))
		return bad_place(reader, node, text);
	place_at(reader, field)->kind = PLACE_SLOT;
	place_at(reader, field)->name = id;
	return script_read_slot(reader, node, id, OP_TYPE_ID, field + offsetof(struct place, slot)) &&
	       read_text_offset(reader, node, text + length, false, field);
}

static bool read_place_text(struct script_reader *reader, const cJSON *node, const char *text, size_t field)
{
	struct why why;
	struct place *place = place_at(reader, field);
	if (strncmp(text, "0x", 2) == 0) {
		place->kind = PLACE_ADDRESS;
		return value_hex(text, strlen(text), &place->address, &why) || script_refuse_why(reader, node, &why);
	}
	if (strncmp(text, "segment:", 8) == 0) {
		size_t length = strcspn(text + 8, "+-");
		place->kind = PLACE_SEGMENT;
		if (!find_segment(text + 8, length, &place->segment))
			return bad_segment(reader, node, text + 8, length);
		return read_text_offset(reader, node, text + 8 + length, true, field);
	}
	if (strncmp(text, "brk:", 4) == 0 && text[4]) {
		place->kind = PLACE_BREAK;
		return read_text_offset(reader, node, text + 4, true, field);
	}
	return read_block_text(reader, node, text, field);
}

enum place_key {
	PLACE_KEY_BLOCK,
	PLACE_KEY_MAPPING,
	PLACE_KEY_ADDR,
	PLACE_KEY_SEGMENT,
	PLACE_KEY_BRK,
	PLACE_KEY_OFFSET
};
enum { PLACE_KEY_COUNT = PLACE_KEY_OFFSET + 1 };

static const char *const place_keys[PLACE_KEY_COUNT] = {"block", "mapping", "addr", "segment", "brk", "offset"};

static bool read_base(struct script_reader *reader, const cJSON *node, enum place_key which, size_t field)
{
	struct why why;
	struct place *place = place_at(reader, field);
	const char *text = cJSON_IsString(node) ? node->valuestring : "";
	switch (which) {
	case PLACE_KEY_BLOCK:
	case PLACE_KEY_MAPPING:
		place->kind = PLACE_SLOT;
		if (!value_is_id(text))
			return loader_fail(reader->loader, node, LOADER_VALUE, "expected %s, found %s",
					   op_type_text(OP_TYPE_ID), loader_found(reader->loader, node).text);
		place->name = loader_copy(reader->loader, text);
		return script_read_slot(reader, node, text, OP_TYPE_ID, field + offsetof(struct place, slot));
	case PLACE_KEY_ADDR:
		place->kind = PLACE_ADDRESS;
		if (!cJSON_IsString(node))
			return loader_fail(reader->loader, node, LOADER_VALUE,
					   "an address is a text such as \"0x7f0000000000\", found %s",
					   loader_found(reader->loader, node).text);
		return value_hex(text, strlen(text), &place->address, &why) || script_refuse_why(reader, node, &why);
	case PLACE_KEY_SEGMENT:
		place->kind = PLACE_SEGMENT;
		return find_segment(text, strlen(text), &place->segment) ||
		       bad_segment(reader, node, text, strlen(text));
	case PLACE_KEY_BRK:
		place->kind = PLACE_BREAK;
		break;
	case PLACE_KEY_OFFSET:
		break;
	}
	struct op_key key = {
	    .name = place_keys[which], .type = OP_TYPE_INTEGER, .field = field + offsetof(struct place, offset)};
	return script_read_key(reader, node, &key);
}

static bool read_place_object(struct script_reader *reader, const cJSON *node, size_t field)
{
	const cJSON *members[PLACE_KEY_COUNT];
	unsigned bases = 0;
	if (!loader_members(reader->loader, node, "a place", place_keys, PLACE_KEY_COUNT, members))
		return false;
	for (unsigned i = 0; i < PLACE_KEY_OFFSET; i++)
		bases += members[i] != NULL;
	if (bases != 1 || (members[PLACE_KEY_BRK] && members[PLACE_KEY_OFFSET]))
		return loader_fail(reader->loader, node, LOADER_VALUE,
				   "a place needs exactly one of block, mapping, addr, segment (each may have an "
				   "offset) or brk, found %u",
				   bases);
	for (unsigned i = 0; i < PLACE_KEY_COUNT; i++) {
		if (!members[i])
			continue;
		loader_enter_key(reader->loader, place_keys[i]);
		if (!read_base(reader, members[i], (enum place_key)i, field))
			return false;
		loader_leave(reader->loader);
	}
	return true;
}

bool script_read_place(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	if (cJSON_IsString(node))
		return read_place_text(reader, node, node->valuestring, key->field);
	if (cJSON_IsObject(node))
		return read_place_object(reader, node, key->field);
	return loader_fail(reader->loader, node, LOADER_VALUE, "\"%s\" cannot be %s; allowed is %s", key->name,
			   loader_found(reader->loader, node).text, op_type_text(key->type));
}

struct that_word {
	const char *name;
	enum that_kind kind;
};

static const struct that_word plain_words[] = {{"result", THAT_RESULT}, {"errno", THAT_ERRNO}, {"signal", THAT_SIGNAL}};
static const struct that_word queries[] = {
    {"mapped(", THAT_MAPPED}, {"frame(", THAT_FRAME}, {"content(", THAT_CONTENT}, {"register(", THAT_REGISTER}};
static const struct that_word scopes[] = {
    {"op.", THAT_OP}, {"phase.", THAT_PHASE}, {"machine.", THAT_MACHINE}, {"", THAT_STAT}};

/* register(rax) */
static bool read_register(struct script_reader *reader, const cJSON *node, const char *name, struct that *that)
{
	static const char *const names[] = {
#define X(id, name) #name,
	    GPR_LIST(X)
#undef X
		"rip",
	    "rflags"};
	enum { COUNT = sizeof(names) / sizeof(names[0]) };
	for (that->reg = 0; that->reg < COUNT; that->reg++) {
		if (strcmp(names[that->reg], name) == 0)
			return true;
	}
	return loader_fail(reader->loader, node, LOADER_VALUE,
			   "\"%s\" is no register; did you mean \"%s\"? Allowed: rax to r15, rip and rflags",
			   quoted(name).text, names[nearest_name(name, names, COUNT)]);
}

static bool read_query(struct script_reader *reader, const cJSON *node, const struct that_word *query, size_t field)
{
	size_t head = strlen(query->name);
	size_t length = strlen(node->valuestring);
	if (node->valuestring[length - 1] != ')')
		return loader_fail(reader->loader, node, LOADER_VALUE, "\"%s\" has no closing )",
				   quoted(node->valuestring).text);
	char *place = loader_copy(reader->loader, node->valuestring + head);
	place[length - head - 1] = '\0';
	if (query->kind == THAT_REGISTER)
		return read_register(reader, node, place, (struct that *)(void *)((char *)reader->op + field));
	return read_place_text(reader, node, place, field + offsetof(struct that, place));
}

static bool unknown_that(struct script_reader *reader, const cJSON *node, const char *prefix, const char *word)
{
	const char *names[STAT_COUNT + 3];
	unsigned count = 0;
	for (; count < STAT_COUNT; count++)
		names[count] = stat_info((enum stat)count)->name;
	for (unsigned i = 0; i < 3 && !*prefix; i++)
		names[count++] = plain_words[i].name;
	return loader_fail(reader->loader, node, LOADER_VALUE,
			   "\"%s\" is no statistic and no query; did you mean \"%s%s\"? Allowed are the names of `list "
			   "stats`, alone or behind op., phase. or machine., and result, errno, signal, mapped(PLACE), "
			   "frame(PLACE), content(PLACE), register(NAME)",
			   quoted(node->valuestring).text, prefix, names[nearest_name(word, names, count)]);
}

bool script_read_that(struct script_reader *reader, const cJSON *node, const struct op_key *key)
{
	const char *text = node->valuestring;
	struct that *that = (struct that *)(void *)((char *)reader->op + key->field);
	that->text = loader_copy(reader->loader, text);
	for (unsigned i = 0; i < sizeof(plain_words) / sizeof(*plain_words); i++) {
		that->kind = plain_words[i].kind;
		if (strcmp(text, plain_words[i].name) == 0)
			return true;
	}
	for (unsigned i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
		that->kind = queries[i].kind;
		if (strncmp(text, queries[i].name, strlen(queries[i].name)) == 0)
			return read_query(reader, node, &queries[i], key->field);
	}
	unsigned scope = 0;
	while (strncmp(text, scopes[scope].name, strlen(scopes[scope].name)) != 0)
		scope++;
	const char *name = text + strlen(scopes[scope].name);
	enum stat stat = STAT_COUNT;
	that->kind = scopes[scope].kind;
	if (!stat_find(name, &stat))
		return unknown_that(reader, node, scopes[scope].name, name);
	that->stat = stat;
	return true;
}
