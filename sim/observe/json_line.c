#include "json_line.h"

#include <stdbool.h>
#include <string.h>

void json_line_flush(struct json_line *line)
{
	(void)fwrite(line->bytes, 1, line->used, line->out);
	line->used = 0;
}

static void add_bytes(struct json_line *line, const char *bytes, size_t count)
{
	if (count > JSON_LINE_BYTES - line->used)
		json_line_flush(line);
	if (count > JSON_LINE_BYTES) {
		(void)fwrite(bytes, 1, count, line->out);
		return;
	}
	memcpy(line->bytes + line->used, bytes, count);
	line->used += count;
}

void json_line_text(struct json_line *line, const char *text)
{
	add_bytes(line, text, strlen(text));
}

/* Digits from the last to the first. */
static void add_digits(struct json_line *line, uint64_t number, unsigned base)
{
	char digits[24];
	size_t at = sizeof(digits);
	do {
		digits[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	add_bytes(line, digits + at, sizeof(digits) - at);
}

void json_line_number(struct json_line *line, uint64_t number)
{
	add_digits(line, number, 10);
}

void json_line_hex(struct json_line *line, uint64_t number)
{
	json_line_text(line, "\"0x");
	add_digits(line, number, 16);
	json_line_text(line, "\"");
}

/* Bytes of the well-formed UTF-8 character at text, 0 when it is none. RFC 3629; overlong forms and surrogates, which
 * only the second byte shows, are told by the ranges of the Unicode standard's table 3-7. */
static size_t utf8_length(const unsigned char *text)
{
	size_t length = text[0] < 0x80                       ? 1
			: text[0] >= 0xc2 && text[0] <= 0xdf ? 2
			: text[0] >= 0xe0 && text[0] <= 0xef ? 3
			: text[0] >= 0xf0 && text[0] <= 0xf4 ? 4
							     : 0;
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	bool refused = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
		       (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f);
	return refused ? 0 : length;
}

static void add_escaped(struct json_line *line, unsigned char c)
{
	char escape[8];
	if (c == '"' || c == '\\')
		(void)snprintf(escape, sizeof(escape), "\\%c", c);
	else
		(void)snprintf(escape, sizeof(escape), "\\u%04x", c);
	json_line_text(line, escape);
}

void json_line_string(struct json_line *line, const char *text)
{
	json_line_text(line, "\"");
	while (*text) {
		unsigned char c = (unsigned char)*text;
		size_t length = utf8_length((const unsigned char *)text);
		if (length == 0)
			json_line_text(line, "\\ufffd");
		else if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
			add_escaped(line, c);
		else
			add_bytes(line, text, length);
		text += length ? length : 1;
	}
	json_line_text(line, "\"");
}
