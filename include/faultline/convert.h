/* An op list as a JSON workload, and a JSON workload as an op list. Both are written as they are read, an operation at
 * a time. What is converted there and back is the same list, but for comments. */
#ifndef FAULTLINE_CONVERT_H
#define FAULTLINE_CONVERT_H

#include "faultline/document.h"

/* BAD_INPUT: the list has a mistake; HOST: it cannot be read, or not be written. */
enum status convert_op_list(const char *path, document_write_fn *write, void *self, struct error *error);

/* Of a document with one process. BAD_INPUT with the place of the first operation that an op list has no letter for.
 * Notes, phases and expects become comments. */
enum status convert_document(const struct document *document, document_write_fn *write, void *self,
			     struct error *error);

#endif
