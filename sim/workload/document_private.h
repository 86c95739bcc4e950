/* The owner of a document's memory. */
#ifndef FAULTLINE_WORKLOAD_DOCUMENT_PRIVATE_H
#define FAULTLINE_WORKLOAD_DOCUMENT_PRIVATE_H

#include "faultline/arena.h"
#include "faultline/document.h"

/* The document is the first member, so that a pointer to it is one to its owner. */
struct document_owner {
	struct document document;
	struct arena *arena;
};

/* An empty document with default settings. NULL: the host refuses the memory. */
struct document_owner *document_owner_new(size_t reserve_bytes, const char *path);

/* Name of a document without one: the file's, without folder and extension. */
const char *document_name_of_path(struct arena *arena, const char *path);

/* One file of a document; the disk has 16 GiB. */
#define DOCUMENT_MOST_FILE_BYTES (4 * GIB)

/* A document that replays the op list at path. */
enum status document_load_op_list(const char *path, struct document **out, struct error *error);

/* The bytes of a file, at most one more than JSON_MAX_BYTES; free(*text) in any case. */
enum status document_read_file(const char *path, char **text, size_t *length, struct error *error);

#endif
