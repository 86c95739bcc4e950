/* The lines of an op list, plain or compressed with gzip, read through a buffer of fixed size. */
#ifndef FAULTLINE_WORKLOAD_OP_LINES_H
#define FAULTLINE_WORKLOAD_OP_LINES_H

#include <stdbool.h>
#include <stdint.h>
#include <zlib.h>

#include "faultline/status.h"

enum { OP_LINE_BYTES = 256 };

/* Invariant: buffer[at .. filled) has been read and not yet consumed. */
struct op_lines {
	char *name;
	gzFile file;        /* NULL: from memory */
	const char *memory; /* belongs to the caller */
	size_t memory_left, memory_bytes;
	char *buffer;
	size_t at, filled;
	bool ended;      /* there was no further line */
	char *line;      /* without its newline; lies in the buffer until the next line is read */
	char comment[2]; /* stands for a comment that does not fit there */
	uint64_t number; /* of the line, from 1 */
};

/* After a failure, too, the lines are to be closed. */
enum status op_lines_open(struct op_lines *lines, const char *path, struct error *error);
enum status op_lines_open_text(struct op_lines *lines, const char *text, size_t length, const char *name,
			       struct error *error);
void op_lines_close(struct op_lines *lines);

enum status op_lines_next(struct op_lines *lines, struct error *error);
/* Where the next line begins, in bytes of the list as it reads uncompressed; and back to such a place, which has
 * `number` lines before it. */
int64_t op_lines_tell(const struct op_lines *lines);
enum status op_lines_seek(struct op_lines *lines, int64_t offset, uint64_t number, struct error *error);
/* "NAME:NUMBER: message" */
enum status op_lines_bad(const struct op_lines *lines, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
