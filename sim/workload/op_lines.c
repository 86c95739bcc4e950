#include "op_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 1 << 16 };

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
	*lines = (struct op_lines){.name = strdup(name), .buffer = malloc(BUFFER_BYTES)};
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
	lines->memory_left = length;
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

static void refill_from_memory(struct op_lines *lines)
{
	lines->filled = lines->memory_left < BUFFER_BYTES ? lines->memory_left : BUFFER_BYTES;
	if (lines->filled > 0)
		memcpy(lines->buffer, lines->memory, lines->filled);
	lines->memory += lines->filled;
	lines->memory_left -= lines->filled;
	lines->ended = lines->filled == 0;
}

static enum status refill(struct op_lines *lines, struct error *error)
{
	lines->at = 0;
	lines->filled = 0;
	if (!lines->file) {
		refill_from_memory(lines);
		return STATUS_OK;
	}
	int got = gzread(lines->file, lines->buffer, BUFFER_BYTES);
	int code = Z_OK;
	const char *why = gzerror(lines->file, &code);
	/* A file cut short is reported as Z_BUF_ERROR at its end. */
	if (got < 0 || (got == 0 && code != Z_OK && code != Z_STREAM_END))
		return error_set(error, code == Z_ERRNO ? STATUS_HOST : STATUS_BAD_INPUT,
				 "%s:%" PRIu64 ": the file is damaged or cut short behind this line: %s", lines->name,
				 lines->number, code == Z_ERRNO ? strerror(errno) : why);
	lines->filled = (size_t)got;
	lines->ended = got == 0;
	return STATUS_OK;
}

/* Only a comment may be longer than a line is kept. */
static enum status keep(struct op_lines *lines, size_t *length, char c, struct error *error)
{
	if (c == '\0')
		return op_lines_bad(lines, error, "a zero byte: this is not an op list");
	if (*length + 1 < OP_LINE_BYTES)
		lines->line[(*length)++] = c;
	else if (lines->line[0] != '#')
		return op_lines_bad(lines, error, "the line is longer than %d bytes: an operation is one short line",
				    OP_LINE_BYTES - 1);
	return STATUS_OK;
}

enum status op_lines_next(struct op_lines *lines, struct error *error)
{
	enum status status = STATUS_OK;
	size_t length = 0;
	lines->number++;
	while (status == STATUS_OK) {
		if (lines->at == lines->filled)
			status = refill(lines, error);
		if (status != STATUS_OK || lines->ended)
			break;
		char c = lines->buffer[lines->at++];
		if (c == '\n')
			break;
		status = keep(lines, &length, c, error);
	}
	/* A last line without a newline is a line. */
	if (lines->ended && length > 0)
		lines->ended = false;
	lines->line[length] = '\0';
	return status;
}
