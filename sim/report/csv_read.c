#include "csv_read.h"

#include <stdlib.h>
#include <string.h>

static void add_cell(struct csv_table *table, char *cell, size_t *count, size_t *room)
{
	if (*count == *room) {
		*room = *room ? 2 * *room : 1024;
		table->cells = realloc(table->cells, *room * sizeof(*table->cells));
		BUG_ON(!table->cells);
	}
	table->cells[(*count)++] = cell;
}

/* Ends the cell that begins at `at` with a zero. Returns the character that ended it, and moves `at` behind it; '"'
 * when its quote is never closed. */
static char cut_cell(char **at, char **cell)
{
	char *from = *at;
	*cell = from;
	if (*from != '"') {
		from += strcspn(from, ",\r\n");
	} else {
		char *to = *cell = from + 1;
		for (from++; *from && (*from != '"' || from[1] == '"'); from++) {
			from += *from == '"';
			*to++ = *from;
		}
		if (!*from)
			return '"';
		from++;
		*to = '\0';
	}
	char end = *from;
	*from = '\0';
	if (end == '\r' && from[1] == '\n')
		from++;
	*at = from + (end != '\0');
	return end == '\r' ? '\n' : end;
}

enum status csv_table_read(char *text, const char *name, struct csv_table *out, struct error *error)
{
	size_t count = 0, room = 0;
	unsigned in_row = 0;
	*out = (struct csv_table){0};
	while (*text) {
		char *cell;
		char end = cut_cell(&text, &cell);
		if (end == '"')
			return error_set(error, STATUS_BAD_INPUT, "%s: row %u: a quote is never closed", name,
					 out->rows + 1);
		add_cell(out, cell, &count, &room);
		in_row++;
		if (end == ',' && *text)
			continue;
		out->columns = out->rows ? out->columns : in_row;
		if (in_row != out->columns)
			return error_set(error, STATUS_BAD_INPUT,
					 "%s: row %u has %u cells, the first has %u: is the file whole?", name,
					 out->rows + 1, in_row, out->columns);
		out->rows++;
		in_row = 0;
	}
	return STATUS_OK;
}

void csv_table_release(struct csv_table *table)
{
	free(table->cells);
	*table = (struct csv_table){0};
}

const char *csv_table_at(const struct csv_table *table, unsigned row, unsigned column)
{
	return table->cells[(size_t)row * table->columns + column];
}
