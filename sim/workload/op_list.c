#include <stdlib.h>
#include <string.h>

#include "op_list_private.h"
#include "value.h"
#include "why.h"

/* The next line that is an operation or a tunable. */
static enum status read_meaningful_line(struct op_list *list, struct error *error)
{
	struct op_lines *lines = &list->lines;
	if (list->line_held) {
		list->line_held = false;
		return STATUS_OK;
	}
	do {
		enum status status = op_lines_next(lines, error);
		if (status != STATUS_OK)
			return status;
	} while (!lines->ended && (lines->line[0] == '#' || lines->line[0] == '\0'));
	return STATUS_OK;
}

const struct op *op_list_op(const struct op_list *list)
{
	return list->op;
}

const struct op_list_line *op_list_line(const struct op_list *list)
{
	return &list->last;
}

enum status op_list_next(struct op_list *list, const struct op **op, struct error *error)
{
	*op = NULL;
	enum status status = read_meaningful_line(list, error);
	if (status != STATUS_OK || list->lines.ended)
		return status;
	status = op_list_parse(list, error);
	if (status == STATUS_OK)
		*op = list->op;
	return status;
}

void op_list_returned(struct op_list *list, uint64_t result)
{
	if (list->ends_id != 0 && (result != 0 || !list->ends_on_success))
		live_ids_remove(&list->ids, list->ends_id);
	list->ends_id = 0;
}

struct op_list_mark {
	int64_t offset;  /* of the next line */
	uint64_t number; /* lines before it */
	struct live_ids ids;
	/* The last operation: it may go on. */
	ptrdiff_t format; /* -1: there was none */
	struct op op;
	struct op_list_line last;
	uint64_t ends_id;
	bool ends_on_success;
};

struct op_list_mark *op_list_mark(const struct op_list *list)
{
	struct op_list_mark *mark = calloc(1, sizeof(*mark));
	if (!mark)
		return NULL;
	/* A line that is held has been consumed: it will be read again. */
	const struct op_lines *lines = &list->lines;
	int64_t held = list->line_held ? lines->buffer + lines->at - lines->line : 0;
	mark->offset = op_lines_tell(lines) - held;
	mark->number = lines->number - list->line_held;
	mark->format = list->op ? list->op - list->ops : -1;
	if (list->op)
		mark->op = *list->op;
	mark->last = list->last;
	mark->ends_id = list->ends_id;
	mark->ends_on_success = list->ends_on_success;
	if (live_ids_copy(&mark->ids, &list->ids))
		return mark;
	op_list_mark_free(mark);
	return NULL;
}

enum status op_list_return(struct op_list *list, const struct op_list_mark *mark, struct error *error)
{
	struct live_ids ids;
	if (!live_ids_copy(&ids, &mark->ids))
		return error_set(error, STATUS_HOST, "%s: the host has no memory to go back in it", list->lines.name);
	live_ids_release(&list->ids);
	list->ids = ids;
	list->op = mark->format >= 0 ? &list->ops[mark->format] : NULL;
	if (list->op)
		*list->op = mark->op;
	list->last = mark->last;
	list->ends_id = mark->ends_id;
	list->ends_on_success = mark->ends_on_success;
	list->line_held = false;
	return op_lines_seek(&list->lines, mark->offset, mark->number, error);
}

size_t op_list_mark_bytes(const struct op_list_mark *mark)
{
	return sizeof(*mark) + mark->ids.capacity * sizeof(*mark->ids.places) +
	       mark->ids.free_capacity * sizeof(*mark->ids.free_slots);
}

void op_list_mark_free(struct op_list_mark *mark)
{
	if (!mark)
		return;
	live_ids_release(&mark->ids);
	free(mark);
}

uint32_t op_list_slots(const struct op_list *list)
{
	return list->ids.slots;
}

/* ---- the head of the list ---- */

static enum status read_tunable(struct op_list *list, struct error *error)
{
	uint64_t value = 0;
	char *name = list->lines.line + 2;
	char *equals = strchr(name, '=');
	if (list->lines.line[1] != ' ' || !equals || equals == name ||
	    !value_digits(equals + 1, strlen(equals + 1), &value))
		return op_lines_bad(&list->lines, error,
				    "a tunable is written G glibc.malloc.NAME=NUMBER, found \"%s\"",
				    quoted(list->lines.line).text);
	if (list->tunable_count == OP_LIST_MAX_TUNABLES)
		return op_lines_bad(&list->lines, error, "more than %d tunables", OP_LIST_MAX_TUNABLES);
	*equals = '\0';
	char *copy = strdup(name);
	if (!copy)
		return error_set(error, STATUS_HOST, "%s: the host has no memory for a tunable", list->lines.name);
	list->tunables[list->tunable_count++] = (struct tunable){copy, value};
	return STATUS_OK;
}

static enum status read_head(struct op_list *list, struct error *error)
{
	for (;;) {
		enum status status = read_meaningful_line(list, error);
		if (status != STATUS_OK || list->lines.ended)
			return status;
		if (list->lines.line[0] != 'G') {
			list->line_held = true;
			return STATUS_OK;
		}
		status = read_tunable(list, error);
		if (status != STATUS_OK)
			return status;
	}
}

static enum status begin(struct op_list *list, enum status opened, struct op_list **out, struct error *error)
{
	op_list_prepare(list);
	enum status status = opened == STATUS_OK ? read_head(list, error) : opened;
	if (status == STATUS_OK)
		*out = list;
	else
		op_list_close(list);
	return status;
}

enum status op_list_open(const char *path, struct op_list **out, struct error *error)
{
	*out = NULL;
	struct op_list *list = calloc(1, sizeof(*list));
	if (!list)
		return error_set(error, STATUS_HOST, "%s: the host has no memory to read it", path);
	return begin(list, op_lines_open(&list->lines, path, error), out, error);
}

enum status op_list_open_text(const char *text, size_t length, const char *name, struct op_list **out,
			      struct error *error)
{
	*out = NULL;
	struct op_list *list = calloc(1, sizeof(*list));
	if (!list)
		return error_set(error, STATUS_HOST, "%s: the host has no memory to read it", name);
	return begin(list, op_lines_open_text(&list->lines, text, length, name, error), out, error);
}

void op_list_close(struct op_list *list)
{
	if (!list)
		return;
	op_lines_close(&list->lines);
	for (unsigned i = 0; i < list->tunable_count; i++) {
		/* The list made the copy. */
		free((void *)(uintptr_t)list->tunables[i].name);
	}
	live_ids_release(&list->ids);
	free(list);
}

const struct tunable *op_list_tunables(const struct op_list *list, unsigned *count)
{
	*count = list->tunable_count;
	return list->tunables;
}
