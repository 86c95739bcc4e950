/* The JSON schema of the language (draft 2020-12), written from the tables that the loader reads. What no schema can
 * say stays with the loader: that a name is made before it is used, that an expression can be computed. */
#include <stdio.h>
#include <string.h>

#include "faultline/process.h"
#include "faultline/stat.h"
#include "json_writer.h"
#include "settings.h"
#include "value.h"

static void put_pattern(struct json_writer *writer, const char *pattern)
{
	json_text(writer, "type", "string");
	json_text(writer, "pattern", pattern);
}

/* {"$ref": "#/$defs/NAME", "description": TEXT} */
static void put_reference(struct json_writer *writer, const char *key, const char *definition, const char *text)
{
	char target[64];
	(void)snprintf(target, sizeof(target), "#/$defs/%s", definition);
	json_key(writer, key);
	json_open(writer, "{");
	json_text(writer, "$ref", target);
	if (*text)
		json_text(writer, "description", text);
	json_close(writer, "}");
}

/* ---- definitions: one for each type of the operations' keys ---- */

#define WHOLE "{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 9007199254740991}"
#define SIGNED "{\"type\": \"integer\", \"minimum\": -9007199254740991, \"maximum\": 9007199254740991}"

static void define_number_or_text(struct json_writer *writer, const char *name, const char *number, const char *pattern)
{
	json_key(writer, name);
	json_open(writer, "{");
	json_key(writer, "anyOf");
	json_open(writer, "[");
	json_item(writer);
	json_put(writer, number);
	json_item(writer);
	json_open(writer, "{");
	put_pattern(writer, pattern);
	json_close(writer, "}");
	json_close(writer, "]");
	json_close(writer, "}");
}

static void define_text(struct json_writer *writer, const char *name, const char *pattern)
{
	json_key(writer, name);
	json_open(writer, "{");
	put_pattern(writer, pattern);
	json_close(writer, "}");
}

/* "a|b|c" of all segments. */
static void segment_alternatives(char *out, size_t room)
{
	static const char *const words[SEGMENT_COUNT] = {
#define X(id, name, text) [SEGMENT_##id] = #name,
	    SEGMENT_LIST(X)
#undef X
	};
	size_t used = 0;
	for (unsigned i = 0; i < SEGMENT_COUNT; i++)
		used += (size_t)snprintf(out + used, room - used, "%s%s", i ? "|" : "", words[i]);
}

#define TEXT_AMOUNT "([0-9]{1,15}|" VALUE_SIZE_PATTERN ")"
#define TEXT_PLUS "\\+(" TEXT_AMOUNT "|" VALUE_FORMULA_PATTERN ")"

static void place_pattern(char *out, size_t room)
{
	char segments[256];
	segment_alternatives(segments, sizeof(segments));
	(void)snprintf(out, room, "(%s|segment:(%s)(%s|-%s)?|brk:(%s|-%s)|%s(%s)?)", VALUE_HEX_PATTERN, segments,
		       TEXT_PLUS, TEXT_AMOUNT, TEXT_PLUS, TEXT_AMOUNT, VALUE_ID_PATTERN, TEXT_PLUS);
}

enum { PATTERN_BYTES = 4096 };

static void define_place_form(struct json_writer *writer, const char *key, const char *definition, bool with_offset)
{
	json_item(writer);
	json_open(writer, "{");
	json_text(writer, "type", "object");
	json_key(writer, "properties");
	json_open(writer, "{");
	put_reference(writer, key, definition, "");
	if (with_offset)
		put_reference(writer, "offset", "integer", "");
	json_close(writer, "}");
	json_key(writer, "required");
	json_put(writer, "[");
	json_quoted(writer, key);
	json_put(writer, "]");
	json_raw(writer, "additionalProperties", "false");
	json_close(writer, "}");
}

static void define_place(struct json_writer *writer)
{
	char place[PATTERN_BYTES];
	char pattern[PATTERN_BYTES + 8];
	char segments[256];
	place_pattern(place, sizeof(place));
	(void)snprintf(pattern, sizeof(pattern), "^%s$", place);
	json_key(writer, "place");
	json_open(writer, "{");
	json_key(writer, "anyOf");
	json_open(writer, "[");
	json_item(writer);
	json_open(writer, "{");
	put_pattern(writer, pattern);
	json_close(writer, "}");
	define_place_form(writer, "block", "id", true);
	define_place_form(writer, "mapping", "id", true);
	define_place_form(writer, "addr", "address", true);
	define_place_form(writer, "segment", "segment", true);
	define_place_form(writer, "brk", "integer", false);
	json_close(writer, "]");
	json_close(writer, "}");
	segment_alternatives(segments, sizeof(segments));
	(void)snprintf(pattern, sizeof(pattern), "^(%s)$", segments);
	define_text(writer, "segment", pattern);
}

static void define_that(struct json_writer *writer)
{
	char place[PATTERN_BYTES];
	char pattern[2 * PATTERN_BYTES];
	size_t used = 0;
	static const char registers[] =
#define X(id, name) #name "|"
	    GPR_LIST(X)
#undef X
		"rip|rflags";
	place_pattern(place, sizeof(place));
	used += (size_t)snprintf(pattern, sizeof(pattern),
				 "^(result|errno|signal|(mapped|frame|content)\\(%s\\)|register\\((%s)\\)|"
				 "(op\\.|phase\\.|machine\\.)?(",
				 place, registers);
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		const char *name = stat_info((enum stat)i)->name;
		for (used += (size_t)snprintf(pattern + used, sizeof(pattern) - used, "%s", i ? "|" : ""); *name;
		     name++)
			used += (size_t)snprintf(pattern + used, sizeof(pattern) - used, *name == '.' ? "\\%c" : "%c",
						 *name);
	}
	(void)snprintf(pattern + used, sizeof(pattern) - used, "))$");
	define_text(writer, "that", pattern);
}

static void define_answer(struct json_writer *writer)
{
	json_key(writer, "answer");
	json_open(writer, "{");
	json_key(writer, "anyOf");
	json_open(writer, "[");
	json_item(writer);
	json_put(writer, SIGNED);
	json_item(writer);
	json_put(writer, "{\"type\": \"boolean\"}");
	json_item(writer);
	json_open(writer, "{");
	put_pattern(writer, "^(none|[A-Z][A-Z0-9]*|-?" VALUE_SIZE_PATTERN "|" VALUE_FORMULA_PATTERN ")$");
	json_close(writer, "}");
	json_close(writer, "]");
	json_close(writer, "}");
}

static void define_types(struct json_writer *writer)
{
	define_text(writer, "id", "^" VALUE_ID_PATTERN "$");
	define_text(writer, "name", "^" VALUE_NAME_PATTERN "$");
	define_text(writer, "process_name", "^" VALUE_PROCESS_PATTERN "$");
	define_text(writer, "address", "^" VALUE_HEX_PATTERN "$");
	define_number_or_text(writer, "size", WHOLE, "^(" VALUE_SIZE_PATTERN "|" VALUE_FORMULA_PATTERN ")$");
	define_number_or_text(writer, "plain_size", WHOLE, "^" VALUE_SIZE_PATTERN "$");
	json_raw(writer, "plain_number", WHOLE);
	json_raw(writer, "adjustment", "{\"type\": \"integer\", \"minimum\": -1000, \"maximum\": 1000}");
	define_number_or_text(writer, "stride", WHOLE, "^(page|" VALUE_SIZE_PATTERN "|" VALUE_FORMULA_PATTERN ")$");
	define_number_or_text(writer, "count", WHOLE, "^" VALUE_FORMULA_PATTERN "$");
	define_number_or_text(writer, "word", WHOLE, "^(" VALUE_HEX_PATTERN "|" VALUE_FORMULA_PATTERN ")$");
	define_number_or_text(writer, "integer", SIGNED, "^(-?" VALUE_SIZE_PATTERN "|" VALUE_FORMULA_PATTERN ")$");
	json_raw(writer, "ratio", "{\"type\": \"number\", \"minimum\": 0, \"maximum\": 1}");
	json_raw(writer, "exponent", "{\"type\": \"number\", \"exclusiveMinimum\": 0, \"maximum\": 10}");
	json_raw(writer, "flag", "{\"type\": \"boolean\"}");
	json_raw(writer, "text", "{\"type\": \"string\", \"minLength\": 1}");
	define_text(writer, "bytes", "^[0-9A-Fa-f]{2}( *[0-9A-Fa-f]{2})* *$");
	json_raw(writer, "script", "{\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/operation\"}}");
	define_place(writer);
	define_that(writer);
	define_answer(writer);
}

/* NULL: the type depends on the key's choices. */
static const char *const definitions[OP_TYPES] = {
    [OP_TYPE_NEW_ID] = "id",     [OP_TYPE_ID] = "id",         [OP_TYPE_SIZE] = "size",
    [OP_TYPE_STRIDE] = "stride", [OP_TYPE_COUNT] = "count",   [OP_TYPE_INTEGER] = "integer",
    [OP_TYPE_WORD] = "word",     [OP_TYPE_RATIO] = "ratio",   [OP_TYPE_EXPONENT] = "exponent",
    [OP_TYPE_FLAG] = "flag",     [OP_TYPE_PLACE] = "place",   [OP_TYPE_TEXT] = "text",
    [OP_TYPE_NAME] = "name",     [OP_TYPE_BODY] = "script",   [OP_TYPE_THAT] = "that",
    [OP_TYPE_BOUND] = "integer", [OP_TYPE_ANSWER] = "answer", [OP_TYPE_BYTES] = "bytes",
};

/* ---- operations ---- */

static void join_choices(const struct op_key *key, char *out, size_t room)
{
	size_t used = 0;
	for (const struct op_choice *choice = key->choices; choice->name; choice++)
		used += (size_t)snprintf(out + used, room - used, "%s%s", used ? "|" : "", choice->name);
}

static void put_choice_key(struct json_writer *writer, const struct op_key *key)
{
	char words[PATTERN_BYTES / 2];
	char pattern[PATTERN_BYTES + 64];
	join_choices(key, words, sizeof(words));
	if (key->type == OP_TYPE_FLAGS)
		(void)snprintf(pattern, sizeof(pattern), "^(%s)(\\|(%s))*$", words, words);
	else
		(void)snprintf(pattern, sizeof(pattern), "^(%s)$", words);
	if (key->type == OP_TYPE_PARAM) {
		define_number_or_text(writer, key->name, SIGNED, pattern);
		return;
	}
	json_key(writer, key->name);
	json_open(writer, "{");
	put_pattern(writer, pattern);
	json_text(writer, "description", key->text);
	json_close(writer, "}");
}

static void put_op_properties(struct json_writer *writer, enum op_kind kind)
{
	unsigned count = 0;
	const struct op_key *keys = op_keys(kind, &count);
	json_key(writer, "properties");
	json_open(writer, "{");
	json_key(writer, "op");
	json_put(writer, "{\"const\": ");
	json_quoted(writer, op_info(kind)->name);
	json_put(writer, "}");
	for (unsigned i = 0; i < count; i++) {
		if (definitions[keys[i].type])
			put_reference(writer, keys[i].name, definitions[keys[i].type], keys[i].text);
		else
			put_choice_key(writer, &keys[i]);
	}
	put_reference(writer, "note", "text", "");
	put_reference(writer, "label", "text", "");
	put_reference(writer, "thread", definitions[OP_TYPE_COUNT], "");
	json_close(writer, "}");
}

static void put_op(struct json_writer *writer, enum op_kind kind)
{
	unsigned count = 0;
	const struct op_key *keys = op_keys(kind, &count);
	json_key(writer, op_info(kind)->name);
	json_open(writer, "{");
	json_text(writer, "description", op_info(kind)->text);
	json_text(writer, "type", "object");
	put_op_properties(writer, kind);
	json_key(writer, "required");
	json_put(writer, "[\"op\"");
	for (unsigned i = 0; i < count; i++) {
		if (!keys[i].required)
			continue;
		json_put(writer, ", ");
		json_quoted(writer, keys[i].name);
	}
	json_put(writer, "]");
	if (kind == OP_EXPECT)
		json_raw(
		    writer, "anyOf",
		    "[{\"required\": [\"equals\"]}, {\"required\": [\"at_least\"]}, {\"required\": [\"at_most\"]}]");
	if (kind == OP_CODE)
		json_raw(writer, "anyOf", "[{\"required\": [\"bytes\"]}, {\"required\": [\"at\"]}]");
	json_raw(writer, "additionalProperties", "false");
	json_close(writer, "}");
}

static void define_operations(struct json_writer *writer)
{
	json_key(writer, "operation");
	json_open(writer, "{");
	json_key(writer, "oneOf");
	json_open(writer, "[");
	for (unsigned i = 0; i < OP_KIND_COUNT; i++) {
		json_item(writer);
		json_put(writer, "{\"$ref\": \"#/$defs/operations/");
		json_put(writer, op_info((enum op_kind)i)->name);
		json_put(writer, "\"}");
	}
	json_close(writer, "]");
	json_close(writer, "}");
	json_key(writer, "operations");
	json_open(writer, "{");
	for (unsigned i = 0; i < OP_KIND_COUNT; i++)
		put_op(writer, (enum op_kind)i);
	json_close(writer, "}");
}

/* ---- settings and the document ---- */

static void put_choice_setting(struct json_writer *writer, const struct setting *setting)
{
	json_key(writer, setting->name);
	json_open(writer, "{");
	json_text(writer, "description", setting->text);
	json_key(writer, "enum");
	json_put(writer, "[");
	for (unsigned i = 0; setting->choice_name(i); i++) {
		json_put(writer, i ? ", " : "");
		json_quoted(writer, setting->choice_name(i));
	}
	json_put(writer, "]");
	json_close(writer, "}");
}

static const char *const setting_definitions[] = {[SETTING_SIZE] = "plain_size",
						  [SETTING_NUMBER] = "plain_number",
						  [SETTING_ADJUSTMENT] = "adjustment",
						  [SETTING_ADDRESS] = "address"};

static void put_settings(struct json_writer *writer, enum setting_scope scope)
{
	for (unsigned i = 0; setting_at(i); i++) {
		const struct setting *setting = setting_at(i);
		if (setting->scope != scope)
			continue;
		if (setting->type == SETTING_CHOICE)
			put_choice_setting(writer, setting);
		else
			put_reference(writer, setting->name, setting_definitions[setting->type], setting->text);
	}
}

static void define_settings(struct json_writer *writer, enum setting_scope scope)
{
	json_key(writer, setting_scope_name(scope));
	json_open(writer, "{");
	json_text(writer, "type", "object");
	json_key(writer, "properties");
	json_open(writer, "{");
	if (scope == SETTING_PROCESS) {
		put_reference(writer, "name", "process_name", "");
		put_reference(writer, "script", "script", "");
		json_raw(writer, "tunables", "{\"type\": \"object\", \"additionalProperties\": " WHOLE "}");
	}
	put_settings(writer, scope);
	json_close(writer, "}");
	if (scope == SETTING_PROCESS)
		json_raw(writer, "required", "[\"name\", \"script\"]");
	json_raw(writer, "additionalProperties", "false");
	json_close(writer, "}");
}

static void put_files(struct json_writer *writer)
{
	json_key(writer, "files");
	json_open(writer, "{");
	json_text(writer, "description", "what lies on the disk before anything runs");
	json_text(writer, "type", "array");
	json_raw(writer, "maxItems", "256");
	json_key(writer, "items");
	json_open(writer, "{");
	json_text(writer, "type", "object");
	json_key(writer, "properties");
	json_open(writer, "{");
	json_raw(writer, "name", "{\"type\": \"string\", \"minLength\": 1, \"maxLength\": 255}");
	put_reference(writer, "size", "plain_size", "");
	json_key(writer, "content");
	json_put(writer, "{\"enum\": [");
	for (unsigned i = 0; i < FILE_CONTENT_COUNT; i++) {
		json_put(writer, i ? ", " : "");
		json_quoted(writer, file_content_name((enum file_content)i));
	}
	json_put(writer, "]}");
	json_close(writer, "}");
	json_raw(writer, "required", "[\"name\", \"size\"]");
	json_raw(writer, "additionalProperties", "false");
	json_close(writer, "}");
	json_close(writer, "}");
}

static void put_document(struct json_writer *writer)
{
	json_text(writer, "type", "object");
	json_key(writer, "properties");
	json_open(writer, "{");
	put_reference(writer, "$schema", "text", "");
	json_raw(writer, "faultline", "{\"const\": 1, \"description\": \"version of the language\"}");
	put_reference(writer, "name", "text", "");
	put_reference(writer, "description", "text", "");
	put_reference(writer, "machine", "machine", "");
	put_reference(writer, "kernel", "kernel", "");
	put_files(writer);
	json_raw(
	    writer, "processes",
	    "{\"type\": \"array\", \"minItems\": 1, \"maxItems\": 64, \"items\": {\"$ref\": \"#/$defs/process\"}}");
	for (unsigned i = 0; setting_at(i); i++) {
		if (strcmp(setting_at(i)->name, "libc") == 0)
			put_choice_setting(writer, setting_at(i));
	}
	put_reference(writer, "script", "script", "");
	json_close(writer, "}");
	json_raw(writer, "required", "[\"faultline\"]");
	json_raw(writer, "oneOf",
		 "[{\"required\": [\"script\"]}, {\"required\": [\"processes\"], \"properties\": {\"libc\": false}}]");
	json_raw(writer, "additionalProperties", "false");
}

_Static_assert(DOCUMENT_MAX_PROCESSES == 64 && DOCUMENT_MAX_FILES == 256 && DOCUMENT_LONGEST_PATH == 255,
	       "the schema says so in words");

bool document_write_schema(document_write_fn *write, void *self)
{
	struct json_writer writer = {.write = write, .self = self, .good = true, .first = true};
	json_open(&writer, "{");
	json_text(&writer, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_text(&writer, "title", "Faultline workload, version 1");
	json_text(
	    &writer, "$comment",
	    "Written from the tables of the loader. The loader also refuses what no schema can: names that nothing "
	    "makes, expressions that cannot be read, equal names of processes, keys given twice.");
	put_document(&writer);
	json_key(&writer, "$defs");
	json_open(&writer, "{");
	define_types(&writer);
	for (unsigned i = 0; i < SETTING_SCOPE_COUNT; i++)
		define_settings(&writer, (enum setting_scope)i);
	define_operations(&writer);
	json_close(&writer, "}");
	json_close(&writer, "}");
	json_put(&writer, "\n");
	return writer.good;
}
