/* Reference strings as text. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/references.h"
#include "references_packed.h"

/* More than any access, and than any page. A line that says more is a mistake, and would fill the host's memory. */
enum { ACCESS_MOST_BYTES = 1 << 30 };

struct reader {
	struct references *references;
	const char *at, *end;
	const char *name;
	uint64_t line;
	struct error *error;
};

static enum status refuse(const struct reader *reader, const char *why)
{
	return error_set(reader->error, STATUS_BAD_INPUT, "%s:%llu: %s", reader->name, (unsigned long long)reader->line,
			 why);
}

static enum status add(struct reader *reader, uint64_t page, bool writes)
{
	if (reader->references->count >= REFERENCES_MOST)
		return refuse(reader, "more than 2^32 - 2 references; cut the string into parts");
	if (reader->references->pages >= REFERENCES_MOST_PAGES)
		return refuse(reader, "more than 2^30 pages; cut the string into parts");
	references_add(reader->references, page, writes);
	return STATUS_OK;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == ',' || c == '\n';
}

static void skip_line(struct reader *reader)
{
	while (reader->at < reader->end && *reader->at != '\n')
		reader->at++;
}

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && (is_blank(*reader->at) || *reader->at == '#')) {
		if (*reader->at == '#') {
			skip_line(reader);
			continue;
		}
		reader->line += *reader->at == '\n';
		reader->at++;
	}
}

static int digit(char c, int base)
{
	int value = isdigit((unsigned char)c)    ? c - '0'
		    : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
						 : base;
	return value < base ? value : -1;
}

/* False: no digits, or more than 64 bits. */
static bool read_number(struct reader *reader, int base, uint64_t *out)
{
	const char *start = reader->at;
	*out = 0;
	for (; reader->at < reader->end && digit(*reader->at, base) >= 0; reader->at++) {
		unsigned next = (unsigned)digit(*reader->at, base);
		if (*out > (UINT64_MAX - next) / (unsigned)base)
			return false;
		*out = *out * (unsigned)base + next;
	}
	return reader->at > start;
}

static bool read_any_number(struct reader *reader, uint64_t *page)
{
	bool address = reader->end - reader->at > 2 && reader->at[0] == '0' && reader->at[1] == 'x';
	reader->at += address ? 2 : 0;
	bool good = read_number(reader, address ? 16 : 10, page);
	if (address)
		*page >>= REFERENCES_PAGE_SHIFT;
	return good;
}

/* ---- lackey ---- */

/* "I  04001090,3", " L 1ffeffe7e0,8", " S …", " M …" */
static bool is_lackey(const struct reader *reader)
{
	const char *at = reader->at;
	return reader->end - at > 2 && strchr("ILSM", at[0]) && at[1] == ' ' && (digit(at[2], 16) >= 0 || at[2] == ' ');
}

static enum status not_understood(const struct reader *reader, const char *word)
{
	int length = 0;
	while (word + length < reader->end && !is_blank(word[length]) && length < 40)
		length++;
	return error_set(reader->error, STATUS_BAD_INPUT,
			 "%s:%llu: \"%.*s\" is no reference; write a page number (17), an address (0x11000), either "
			 "with w behind it when it writes (17w), or lines of valgrind --tool=lackey --trace-mem=yes",
			 reader->name, (unsigned long long)reader->line, length, word);
}

/* An access across a page's end uses both. */
static enum status read_lackey(struct reader *reader)
{
	const char *word = reader->at;
	bool writes = *reader->at == 'S' || *reader->at == 'M';
	uint64_t address;
	uint64_t bytes;
	reader->at++;
	while (reader->at < reader->end && *reader->at == ' ')
		reader->at++;
	if (!read_number(reader, 16, &address) || reader->at == reader->end || *reader->at++ != ',' ||
	    !read_number(reader, 10, &bytes) || bytes == 0)
		return not_understood(reader, word);
	if (bytes > ACCESS_MOST_BYTES)
		return refuse(reader, "an access of more than 1073741824 bytes; allowed are 1 to 1073741824");
	if (bytes - 1 > UINT64_MAX - address)
		return refuse(reader, "an access beyond the last address, ffffffffffffffff");
	uint64_t last = (address + bytes - 1) >> REFERENCES_PAGE_SHIFT;
	enum status status = STATUS_OK;
	for (uint64_t page = address >> REFERENCES_PAGE_SHIFT; status == STATUS_OK && page <= last; page++)
		status = add(reader, page, writes);
	return status;
}

/* ---- a text ---- */

static enum status read_word(struct reader *reader)
{
	const char *word = reader->at;
	uint64_t page;
	if (is_lackey(reader))
		return read_lackey(reader);
	if (!read_any_number(reader, &page))
		return not_understood(reader, word);
	bool writes = reader->at < reader->end && *reader->at == 'w';
	reader->at += writes;
	return add(reader, page, writes);
}

enum status references_read_text(struct references *references, const char *text, size_t length, const char *name,
				 struct error *error)
{
	struct reader reader = {references, text, text + length, name, 1, error};
	for (skip_blanks(&reader); reader.at < reader.end; skip_blanks(&reader)) {
		const char *word = reader.at;
		/* Valgrind's own lines. */
		if (reader.end - word > 2 && word[0] == '=' && word[1] == '=') {
			skip_line(&reader);
			continue;
		}
		enum status status = read_word(&reader);
		if (status != STATUS_OK)
			return status;
		if (reader.at < reader.end && !is_blank(*reader.at) && *reader.at != '#')
			return not_understood(&reader, word);
	}
	return STATUS_OK;
}

/* ---- a file ---- */

static char *read_all(FILE *file, size_t *length)
{
	size_t room = 1 << 16;
	char *content = malloc(room);
	*length = 0;
	while (content) {
		size_t got = fread(content + *length, 1, room - *length, file);
		*length += got;
		if (*length < room)
			break;
		room *= 2;
		char *larger = realloc(content, room);
		if (!larger)
			free(content);
		content = larger;
	}
	return content;
}

enum status references_read_file(struct references *references, const char *path, struct error *error)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	size_t length;
	if (!file)
		return error_set(error, STATUS_HOST, "%s: %s", path, strerror(errno));
	char *content = read_all(file, &length);
	bool failed = !content || ferror(file);
	if (file != stdin)
		(void)fclose(file);
	enum status status = failed ? error_set(error, STATUS_HOST, "%s: cannot be read", path)
			     : references_is_packed(content, length)
				 ? references_keep_packed(references, content, length, path, error)
				 : references_read_text(references, content, length, path, error);
	if (!references->packed)
		free(content);
	return status;
}
