/* A JSON text with the position of each of its values. The parser library gives a tree without positions, and takes
 * some texts that are not JSON; so the text is first read strictly (RFC 8259), which finds every mistake of form with
 * its line and column and notes where each value stands, in the order in which the tree holds them. */
#ifndef FAULTLINE_WORKLOAD_JSON_SOURCE_H
#define FAULTLINE_WORKLOAD_JSON_SOURCE_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline/arena.h"
#include "faultline/status.h"

enum { JSON_MAX_BYTES = 16 << 20, JSON_MAX_DEPTH = 64 };

/* Offsets in the text: of the value, and of its key's quotation mark (of the value itself where it has no key). */
struct json_position {
	uint32_t key, value;
};

struct json_source {
	const char *name; /* of the file, for messages */
	const char *text;
	size_t length;
	struct json_position *positions; /* by the number of the value, in reading order */
	uint32_t count;
	uint32_t *lines; /* offset of the start of each line */
	uint32_t line_count;
	cJSON *root; /* valueint of every node is its number */
};

/* The source keeps pointing at text and name; positions live in the arena, the tree in the library's memory. */
enum status json_source_parse(struct json_source *source, struct arena *arena, const char *name, const char *text,
			      size_t length, struct error *error);
void json_source_release(struct json_source *source);

/* Line and column, both from 1; columns count bytes. */
void json_source_locate(const struct json_source *source, uint32_t offset, uint32_t *line, uint32_t *column);
struct json_position json_source_position(const struct json_source *source, const cJSON *node);
/* The literal of a number as it is written; *length is its length. */
const char *json_source_number(const struct json_source *source, const cJSON *node, size_t *length);

#endif
