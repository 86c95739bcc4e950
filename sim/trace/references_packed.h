/* A string that stays packed: the file's content, and where its blocks are in it. */
#ifndef FAULTLINE_TRACE_REFERENCES_PACKED_H
#define FAULTLINE_TRACE_REFERENCES_PACKED_H

#include "faultline/references.h"
#include "references_codec.h"

struct references_packed {
	char *content;
	struct packed_references *block;
	size_t blocks, room;
};

void references_packed_free(struct references_packed *packed); /* NULL is allowed */
/* Looks through all of it; it is the string's from then on, or, where it is not OK, still the caller's. The string is
 * empty before. */
enum status references_keep_packed(struct references *references, char *content, size_t length, const char *name,
				   struct error *error);

#endif
