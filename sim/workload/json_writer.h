/* Writes JSON that people can read: one key a line, indented by tabs. */
#ifndef FAULTLINE_WORKLOAD_JSON_WRITER_H
#define FAULTLINE_WORKLOAD_JSON_WRITER_H

#include "faultline/document.h"

struct json_writer {
	document_write_fn *write;
	void *self;
	bool good;
	unsigned depth;
	bool first; /* nothing has been written yet at this depth */
};

void json_put(struct json_writer *writer, const char *text);    /* as it stands */
void json_quoted(struct json_writer *writer, const char *text); /* a JSON text */
void json_item(struct json_writer *writer);                     /* begins the next item of a list or object */
void json_key(struct json_writer *writer, const char *key);
void json_open(struct json_writer *writer, const char *bracket);
void json_close(struct json_writer *writer, const char *bracket);
void json_text(struct json_writer *writer, const char *key, const char *text);
/* A value that is written as it stands: a number, true, a small object. */
void json_raw(struct json_writer *writer, const char *key, const char *json);

#endif
