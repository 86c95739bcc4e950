#include "json_source.h"

#include <string.h>

/* Reads the text once, front to back. `at` never passes `end`. */
struct scanner {
	struct json_source *source;
	const char *at;
	const char *end;
	struct error *error;
};

static bool scan_value(struct scanner *scanner, uint32_t key, unsigned depth);

void json_source_locate(const struct json_source *source, uint32_t offset, uint32_t *line, uint32_t *column)
{
	uint32_t low = 0;
	uint32_t high = source->line_count;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (source->lines[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	*line = low + 1;
	*column = offset - source->lines[low] + 1;
}

static uint32_t offset_of(const struct scanner *scanner, const char *at)
{
	return (uint32_t)(at - scanner->source->text);
}

/* A mistake of form has no JSON pointer: the document has no structure yet. */
static bool complain(struct scanner *scanner, const char *at, const char *what)
{
	uint32_t line = 0;
	uint32_t column = 0;
	json_source_locate(scanner->source, offset_of(scanner, at), &line, &column);
	error_set(scanner->error, STATUS_BAD_INPUT, "%s:%u:%u: /: %s", scanner->source->name, line, column, what);
	return false;
}

static void skip_space(struct scanner *scanner)
{
	while (scanner->at < scanner->end && strchr(" \t\r\n", *scanner->at) && *scanner->at)
		scanner->at++;
}

static bool at_char(const struct scanner *scanner, char c)
{
	return scanner->at < scanner->end && *scanner->at == c;
}

static bool at_digit(const struct scanner *scanner)
{
	return scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9';
}

static bool scan_digits(struct scanner *scanner)
{
	if (!at_digit(scanner))
		return complain(scanner, scanner->at, "a number needs a digit here");
	while (at_digit(scanner))
		scanner->at++;
	return true;
}

/* RFC 8259 section 6. */
static bool scan_number_parts(struct scanner *scanner)
{
	if (at_char(scanner, '-'))
		scanner->at++;
	if (at_char(scanner, '0')) {
		scanner->at++;
		if (at_digit(scanner))
			return complain(scanner, scanner->at - 1,
					"a number with a leading zero is not JSON: remove the zero, or write \"0x...\" "
					"for a hexadecimal number");
	} else if (!scan_digits(scanner)) {
		return false;
	}
	if (at_char(scanner, '.')) {
		scanner->at++;
		if (!scan_digits(scanner))
			return false;
	}
	if (at_char(scanner, 'e') || at_char(scanner, 'E')) {
		scanner->at++;
		if (at_char(scanner, '+') || at_char(scanner, '-'))
			scanner->at++;
		if (!scan_digits(scanner))
			return false;
	}
	return true;
}

static bool scan_number(struct scanner *scanner)
{
	enum { LONGEST = 60 }; /* the parser library copies a number into 64 bytes */
	const char *start = scanner->at;
	if (!scan_number_parts(scanner))
		return false;
	return scanner->at - start <= LONGEST ||
	       complain(scanner, start, "a number of more than 60 characters: write it shorter");
}

static bool hex4(const struct scanner *scanner, const char *at, unsigned *out)
{
	if (scanner->end - at < 4)
		return false;
	*out = 0;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		unsigned digit;
		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (unsigned)((c | 0x20) - 'a') + 10;
		else
			return false;
		*out = *out * 16 + digit;
	}
	return true;
}

/* \uXXXX, at the u. A character outside the first plane takes two of them: RFC 8259 section 7. */
static bool scan_unicode_escape(struct scanner *scanner)
{
	unsigned unit = 0;
	unsigned second = 0;
	const char *at = scanner->at;
	if (!hex4(scanner, at + 1, &unit))
		return complain(scanner, at - 1, "\\u needs four hexadecimal digits");
	if (unit == 0)
		return complain(scanner, at - 1, "a text cannot hold the character U+0000: remove \\u0000");
	scanner->at += 5;
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	bool paired = unit < 0xdc00 && scanner->end - scanner->at >= 6 && scanner->at[0] == '\\' &&
		      scanner->at[1] == 'u' && hex4(scanner, scanner->at + 2, &second) && second >= 0xdc00 &&
		      second <= 0xdfff;
	if (!paired)
		return complain(scanner, at - 1,
				"half of a surrogate pair: write both halves, or the character itself");
	scanner->at += 6;
	return true;
}

static bool scan_escape(struct scanner *scanner)
{
	const char *start = scanner->at++;
	if (at_char(scanner, 'u'))
		return scan_unicode_escape(scanner);
	if (scanner->at >= scanner->end || !*scanner->at || !strchr("\"\\/bfnrt", *scanner->at))
		return complain(scanner, start,
				"unknown escape: allowed are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX");
	scanner->at++;
	return true;
}

/* Length of the UTF-8 character at `at`, 0 if it is none: RFC 3629 section 4. */
static unsigned utf8_length(const char *at, const char *end)
{
	unsigned char first = (unsigned char)*at;
	unsigned length = first < 0x80   ? 1
			  : first < 0xc2 ? 0
			  : first < 0xe0 ? 2
			  : first < 0xf0 ? 3
			  : first < 0xf5 ? 4
					 : 0;
	if (length == 0 || end - at < (ptrdiff_t)length)
		return 0;
	for (unsigned i = 1; i < length; i++) {
		if (((unsigned char)at[i] & 0xc0) != 0x80)
			return 0;
	}
	unsigned char second = length > 1 ? (unsigned char)at[1] : 0;
	bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
	bool outside = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
	return overlong || outside ? 0 : length;
}

static bool scan_string(struct scanner *scanner)
{
	const char *start = scanner->at++;
	while (scanner->at < scanner->end && *scanner->at != '"') {
		if (*scanner->at == '\\') {
			if (!scan_escape(scanner))
				return false;
			continue;
		}
		if ((unsigned char)*scanner->at < 0x20)
			return complain(
			    scanner, scanner->at,
			    "a control character inside a text: write \\n, \\t or \\u00XX instead, or close "
			    "the text with \"");
		unsigned length = utf8_length(scanner->at, scanner->end);
		if (length == 0)
			return complain(scanner, scanner->at, "invalid UTF-8: save the file as UTF-8");
		scanner->at += length;
	}
	if (scanner->at >= scanner->end)
		return complain(scanner, start, "the text that begins here has no end: add the closing \"");
	scanner->at++;
	return true;
}

static bool scan_object(struct scanner *scanner, unsigned depth)
{
	const char *start = scanner->at++;
	skip_space(scanner);
	if (at_char(scanner, '}')) {
		scanner->at++;
		return true;
	}
	for (;;) {
		skip_space(scanner);
		uint32_t key = offset_of(scanner, scanner->at);
		if (scanner->at >= scanner->end)
			return complain(scanner, start, "the object that begins here has no end: add }");
		if (!at_char(scanner, '"'))
			return complain(scanner, scanner->at, "expected a key in quotation marks, as in \"op\": ...");
		if (!scan_string(scanner))
			return false;
		skip_space(scanner);
		if (!at_char(scanner, ':'))
			return complain(scanner, scanner->at, "expected : after the key");
		scanner->at++;
		skip_space(scanner);
		if (!scan_value(scanner, key, depth + 1))
			return false;
		skip_space(scanner);
		if (at_char(scanner, '}')) {
			scanner->at++;
			return true;
		}
		if (scanner->at >= scanner->end)
			return complain(scanner, start, "the object that begins here has no end: add }");
		if (!at_char(scanner, ','))
			return complain(scanner, scanner->at, "expected , or } after a value of an object");
		scanner->at++;
	}
}

static bool scan_array(struct scanner *scanner, unsigned depth)
{
	const char *start = scanner->at++;
	skip_space(scanner);
	if (at_char(scanner, ']')) {
		scanner->at++;
		return true;
	}
	for (;;) {
		skip_space(scanner);
		if (scanner->at >= scanner->end)
			return complain(scanner, start, "the list that begins here has no end: add ]");
		if (!scan_value(scanner, offset_of(scanner, scanner->at), depth + 1))
			return false;
		skip_space(scanner);
		if (at_char(scanner, ']')) {
			scanner->at++;
			return true;
		}
		if (scanner->at >= scanner->end)
			return complain(scanner, start, "the list that begins here has no end: add ]");
		if (!at_char(scanner, ','))
			return complain(scanner, scanner->at, "expected , or ] after a value of a list");
		scanner->at++;
	}
}

static bool scan_word(struct scanner *scanner)
{
	static const char *const words[] = {"true", "false", "null"};
	for (unsigned i = 0; i < 3; i++) {
		size_t length = strlen(words[i]);
		if ((size_t)(scanner->end - scanner->at) >= length && memcmp(scanner->at, words[i], length) == 0) {
			scanner->at += length;
			return true;
		}
	}
	return complain(scanner, scanner->at,
			scanner->at >= scanner->end
			    ? "the document ends where a value should be"
			    : "expected a value: an object, a list, a text in \"\", a number, true or false");
}

static bool scan_value(struct scanner *scanner, uint32_t key, unsigned depth)
{
	if (depth > JSON_MAX_DEPTH)
		return complain(scanner, scanner->at,
				"nested deeper than 64 levels: split the document, or use fewer repeats in repeats");
	uint32_t number = scanner->source->count++;
	scanner->source->positions[number] = (struct json_position){key, offset_of(scanner, scanner->at)};
	if (at_char(scanner, '{'))
		return scan_object(scanner, depth);
	if (at_char(scanner, '['))
		return scan_array(scanner, depth);
	if (at_char(scanner, '"'))
		return scan_string(scanner);
	if (at_char(scanner, '-') || at_digit(scanner))
		return scan_number(scanner);
	return scan_word(scanner);
}

static bool scan_document(struct scanner *scanner)
{
	const char *nul = memchr(scanner->at, '\0', (size_t)(scanner->end - scanner->at));
	if (nul)
		return complain(scanner, nul, "a zero byte: this is not a text file; a workload is JSON in UTF-8");
	if (scanner->end - scanner->at >= 3 && memcmp(scanner->at, "\xef\xbb\xbf", 3) == 0)
		return complain(scanner, scanner->at, "the file begins with a byte order mark: save it without");
	skip_space(scanner);
	if (scanner->at >= scanner->end)
		return complain(scanner, scanner->at,
				"the document is empty: the smallest one is {\"faultline\": 1, \"script\": []}");
	if (!scan_value(scanner, offset_of(scanner, scanner->at), 0))
		return false;
	skip_space(scanner);
	if (scanner->at < scanner->end)
		return complain(scanner, scanner->at, "something follows the end of the document: remove it");
	return true;
}

static void find_lines(struct json_source *source, struct arena *arena)
{
	uint32_t count = 1;
	for (size_t i = 0; i < source->length; i++)
		count += source->text[i] == '\n';
	source->lines = arena_new_array(arena, uint32_t, count);
	source->line_count = 1;
	for (size_t i = 0; i < source->length; i++) {
		if (source->text[i] == '\n')
			source->lines[source->line_count++] = (uint32_t)i + 1;
	}
}

/* Numbers the tree in the order in which the scanner met the values. A cJSON node has no field for the user; valueint,
 * the number as an int, is not needed here. */
static void number_nodes(cJSON *node, uint32_t *next)
{
	for (; node; node = node->next) {
		node->valueint = (int)(*next)++;
		number_nodes(node->child, next);
	}
}

enum status json_source_parse(struct json_source *source, struct arena *arena, const char *name, const char *text,
			      size_t length, struct error *error)
{
	*source = (struct json_source){.name = name, .text = text, .length = length};
	if (length > JSON_MAX_BYTES)
		return error_set(error, STATUS_BAD_INPUT,
				 "%s:1:1: /: the document has %zu bytes, at most %d are read: long workloads belong "
				 "into an op list or a `repeat`",
				 name, length, JSON_MAX_BYTES);
	find_lines(source, arena);
	/* Two values are at least one byte apart from each other. */
	source->positions = arena_new_array(arena, struct json_position, length / 2 + 1);
	struct scanner scanner = {source, text, text + length, error};
	if (!scan_document(&scanner))
		return STATUS_BAD_INPUT;
	source->root = cJSON_ParseWithLength(text, length);
	if (!source->root)
		return error_set(error, STATUS_HOST, "%s: the host has no memory for a document of %zu bytes", name,
				 length);
	uint32_t count = 0;
	number_nodes(source->root, &count);
	BUG_ON(count != source->count);
	return STATUS_OK;
}

void json_source_release(struct json_source *source)
{
	cJSON_Delete(source->root);
	source->root = NULL;
}

struct json_position json_source_position(const struct json_source *source, const cJSON *node)
{
	return source->positions[node->valueint];
}

const char *json_source_number(const struct json_source *source, const cJSON *node, size_t *length)
{
	const char *literal = source->text + json_source_position(source, node).value;
	size_t left = source->length - (size_t)(literal - source->text);
	size_t n = 0;
	while (n < left && literal[n] && strchr("+-.0123456789eE", literal[n]))
		n++;
	*length = n;
	return literal;
}
