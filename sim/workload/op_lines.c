#include "op_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 1 << 16 }; /* and one for the zero behind the last line */

enum status op_lines_bad(const struct op_lines *lines, struct error *error, const char *format, ...)
{
	char message[ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return error_set(error, STATUS_BAD_INPUT, "%s:%" PRIu64 ": %s", lines->name, lines->number, message);
}

static enum status init(struct op_lines *lines, const char *name, struct error *error)
{
	*lines = (struct op_lines){.comment = "#", .name = strdup(name), .buffer = malloc(BUFFER_BYTES + 1)};
	if (lines->name && lines->buffer)
		return STATUS_OK;
	return error_set(error, STATUS_HOST, "%s: the host has no memory to read it", name);
}

enum status op_lines_open(struct op_lines *lines, const char *path, struct error *error)
{
	enum status status = init(lines, path, error);
	if (status != STATUS_OK)
		return status;
	lines->file = gzopen(path, "rb");
	if (!lines->file)
		return error_set(error, STATUS_HOST, "%s: cannot be opened: %s", path, strerror(errno));
	return STATUS_OK;
}

enum status op_lines_open_text(struct op_lines *lines, const char *text, size_t length, const char *name,
			       struct error *error)
{
	enum status status = init(lines, name, error);
	lines->memory = text;
	lines->memory_left = lines->memory_bytes = length;
	return status;
}

void op_lines_close(struct op_lines *lines)
{
	if (lines->file)
		(void)gzclose(lines->file);
	free(lines->name);
	free(lines->buffer);
	*lines = (struct op_lines){0};
}

/* ---- filling the buffer ---- */

static enum status read_memory(struct op_lines *lines, size_t room, size_t *got)
{
	*got = lines->memory_left < room ? lines->memory_left : room;
	if (*got > 0)
		memcpy(lines->buffer + lines->filled, lines->memory, *got);
	lines->memory += *got;
	lines->memory_left -= *got;
	return STATUS_OK;
}

static enum status read_file(struct op_lines *lines, size_t room, size_t *out, struct error *error)
{
	int got = gzread(lines->file, lines->buffer + lines->filled, (unsigned)room);
	int code = Z_OK;
	const char *why = gzerror(lines->file, &code);
	/* A file cut short is reported as Z_BUF_ERROR at its end. */
	if (got < 0 || (got == 0 && code != Z_OK && code != Z_STREAM_END))
		return error_set(error, code == Z_ERRNO ? STATUS_HOST : STATUS_BAD_INPUT,
				 "%s:%" PRIu64 ": the file is damaged or cut short behind this line: %s", lines->name,
				 lines->number, code == Z_ERRNO ? strerror(errno) : why);
	*out = (size_t)got;
	return STATUS_OK;
}

/* What is left moves to the front, more is read behind it. *got is 0 at the end. */
static enum status refill(struct op_lines *lines, size_t *got, struct error *error)
{
	if (lines->at > 0)
		memmove(lines->buffer, lines->buffer + lines->at, lines->filled - lines->at);
	lines->filled -= lines->at;
	lines->at = 0;
	size_t room = BUFFER_BYTES - lines->filled;
	if (!lines->file)
		return read_memory(lines, room, got);
	return read_file(lines, room, got, error);
}

/* ---- lines ---- */

static enum status check_line(struct op_lines *lines, size_t length, struct error *error)
{
	if (memchr(lines->line, '\0', length))
		return op_lines_bad(lines, error, "a zero byte: this is not an op list");
	if (length >= OP_LINE_BYTES && lines->line[0] != '#')
		return op_lines_bad(lines, error, "the line is longer than %d bytes: an operation is one short line",
				    OP_LINE_BYTES - 1);
	return STATUS_OK;
}

/* Consumes the line that ends at `length`; a newline, if there is one, stands there. */
static enum status take_line(struct op_lines *lines, size_t length, bool newline, struct error *error)
{
	lines->line = lines->buffer + lines->at;
	lines->at += length + newline;
	enum status status = check_line(lines, length, error);
	lines->line[length] = '\0';
	return status;
}

/* The rest of a comment that does not fit the buffer. */
static enum status skip_line(struct op_lines *lines, struct error *error)
{
	for (;;) {
		size_t got = 0;
		lines->at = lines->filled;
		enum status status = refill(lines, &got, error);
		if (status != STATUS_OK || got == 0)
			return status;
		const char *end = memchr(lines->buffer, '\n', got);
		lines->filled = got;
		if (end) {
			lines->at = (size_t)(end - lines->buffer) + 1;
			return STATUS_OK;
		}
	}
}

/* A line that the buffer does not hold whole. */
static enum status next_across(struct op_lines *lines, struct error *error)
{
	size_t seen = lines->filled - lines->at;
	for (;;) {
		size_t got = 0;
		enum status status = refill(lines, &got, error);
		if (status != STATUS_OK)
			return status;
		const char *end = memchr(lines->buffer + seen, '\n', got);
		lines->filled += got;
		if (end)
			return take_line(lines, (size_t)(end - lines->buffer), true, error);
		/* A last line without a newline is a line. */
		lines->ended = got == 0 && lines->filled == 0;
		if (got == 0)
			return take_line(lines, lines->filled, false, error);
		seen = lines->filled;
		if (seen < BUFFER_BYTES)
			continue;
		status = take_line(lines, OP_LINE_BYTES, false, error);
		if (status == STATUS_OK)
			status = skip_line(lines, error);
		lines->line = lines->comment;
		return status;
	}
}

enum status op_lines_next(struct op_lines *lines, struct error *error)
{
	lines->number++;
	const char *start = lines->buffer + lines->at;
	const char *end = memchr(start, '\n', lines->filled - lines->at);
	return end ? take_line(lines, (size_t)(end - start), true, error) : next_across(lines, error);
}

/* ---- places ---- */

int64_t op_lines_tell(const struct op_lines *lines)
{
	int64_t read = lines->file ? (int64_t)gztell(lines->file) : (int64_t)(lines->memory_bytes - lines->memory_left);
	return read - (int64_t)(lines->filled - lines->at);
}

enum status op_lines_seek(struct op_lines *lines, int64_t offset, uint64_t number, struct error *error)
{
	if (lines->file && gzseek(lines->file, (z_off_t)offset, SEEK_SET) != (z_off_t)offset)
		return error_set(error, STATUS_HOST, "%s: cannot be read again from byte %" PRId64 ": %s", lines->name,
				 offset, strerror(errno));
	if (!lines->file) {
		const char *start = lines->memory - (lines->memory_bytes - lines->memory_left);
		lines->memory = start + offset;
		lines->memory_left = lines->memory_bytes - (size_t)offset;
	}
	lines->at = lines->filled = 0;
	lines->number = number;
	lines->ended = false;
	return STATUS_OK;
}
