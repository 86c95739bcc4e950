/* An op list as the recorder reads it: by its own reader, so that a mistake of faultline's shows. */
#ifndef FAULTLINE_TESTS_NATIVE_LIST_H
#define FAULTLINE_TESTS_NATIVE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "shared.h"

enum { LIST_TUNABLES_BYTES = 1024 };

struct native_list {
	struct native_op *op;
	uint32_t count;
	uint32_t id_count;                  /* highest ID + 1 */
	char tunables[LIST_TUNABLES_BYTES]; /* value of GLIBC_TUNABLES, "" if none */
};

/* False: `line` is the number of the line that is none. */
bool native_list_read(const char *text, struct native_list *list, uint32_t *line);
void native_list_release(struct native_list *list);

#endif
