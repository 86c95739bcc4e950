/* An op list from the inside: op_list.c reads it, op_list_parse.c makes an operation of a line. */
#ifndef FAULTLINE_WORKLOAD_OP_LIST_PRIVATE_H
#define FAULTLINE_WORKLOAD_OP_LIST_PRIVATE_H

#include "live_ids.h"
#include "op_lines.h"
#include "op_list.h"

enum { OP_LIST_FORMATS = 17 };

struct op_list {
	struct op_lines lines;
	bool line_held; /* the first operation has been read with the tunables */

	struct tunable tunables[OP_LIST_MAX_TUNABLES];
	unsigned tunable_count;

	struct live_ids ids;
	uint8_t format_of[256]; /* index in formats + 1 by letter; 0: no operation */
	/* One operation for each format: whatever differs between two lines of a format is set by its fields. */
	struct op ops[OP_LIST_FORMATS];
	struct op *op; /* the last one */
	struct op_list_line last;
	uint64_t ends_id; /* the ID that ends when the operation has returned; 0: none */
	bool ends_on_success;
};

/* Before the first line. */
void op_list_prepare(struct op_list *list);
/* Makes list->op and list->last of the line that has been read. */
enum status op_list_parse(struct op_list *list, struct error *error);

#endif
