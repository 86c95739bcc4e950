#include "list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Letter, number of arguments, and which of them are IDs. */
static const struct shape {
	char letter;
	unsigned arguments;
	const char *ids;
} shapes[] = {{'m', 2, "0"}, {'c', 3, "0"}, {'r', 3, "01"}, {'a', 3, "0"}, {'f', 1, "0"}, {'t', 3, "0"},
	      {'l', 3, "0"}, {'B', 1, ""},  {'M', 2, "0"},  {'U', 3, "0"}, {'D', 3, "0"}, {'P', 4, "0"},
	      {'T', 1, ""},  {'O', 2, ""},  {'C', 1, ""},   {'J', 1, ""},  {'w', 3, "0"}};

static const struct shape *find_shape(char letter)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (shapes[i].letter == letter)
			return &shapes[i];
	}
	return NULL;
}

static bool read_number(const char **at, uint64_t *out)
{
	char *end;
	bool negative = **at == '-';
	*out = strtoull(*at + negative, &end, 10);
	if (negative)
		*out = 0 - *out;
	bool good = end != *at + negative;
	*at = end;
	return good;
}

static bool read_op(const char *at, struct native_op *op, uint32_t *id_count)
{
	uint64_t thread = 0;
	if (*at == '@') {
		at++;
		if (!read_number(&at, &thread) || *at++ != ' ' || thread >= NATIVE_MAX_THREADS)
			return false;
	}
	const struct shape *shape = find_shape(*at);
	if (!shape)
		return false;
	*op = (struct native_op){.letter = *at++, .thread = (uint32_t)thread};
	for (unsigned i = 0; i < shape->arguments; i++) {
		if (*at++ != ' ' || !read_number(&at, &op->arg[i]))
			return false;
	}
	for (const char *id = shape->ids; *id; id++) {
		if (op->arg[*id - '0'] >= *id_count)
			*id_count = (uint32_t)op->arg[*id - '0'] + 1;
	}
	return *at == '\0';
}

static bool read_tunable(const char *text, struct native_list *list)
{
	size_t used = strlen(list->tunables);
	int wrote = snprintf(list->tunables + used, LIST_TUNABLES_BYTES - used, "%s%s", used ? ":" : "", text);
	return wrote > 0 && (size_t)wrote < LIST_TUNABLES_BYTES - used;
}

static bool read_line(const char *text, struct native_list *list, uint32_t number)
{
	if (text[0] == '#' || text[0] == '\0')
		return true;
	if (text[0] == 'G' && text[1] == ' ')
		return list->count == 0 && read_tunable(text + 2, list);
	struct native_op *op = &list->op[list->count];
	if (!read_op(text, op, &list->id_count))
		return false;
	op->line = number;
	list->count++;
	return true;
}

bool native_list_read(const char *text, struct native_list *list, uint32_t *line)
{
	size_t lines = 1;
	char copy[512];
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	*list = (struct native_list){.op = calloc(lines, sizeof(*list->op)), .id_count = 1};
	*line = 0;
	while (list->op && *text) {
		size_t length = strcspn(text, "\n");
		(*line)++;
		(void)snprintf(copy, sizeof(copy), "%.*s", (int)(length < sizeof(copy) ? length : sizeof(copy) - 1),
			       text);
		if (!read_line(copy, list, *line))
			return false;
		text += length + (text[length] == '\n');
	}
	return list->op != NULL;
}

void native_list_release(struct native_list *list)
{
	free(list->op);
	*list = (struct native_list){0};
}
