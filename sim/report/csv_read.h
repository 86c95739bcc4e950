/* Reads CSV as RFC 4180 has it, in place: cells are parts of the text. */
#ifndef FAULTLINE_REPORT_CSV_READ_H
#define FAULTLINE_REPORT_CSV_READ_H

#include "faultline/status.h"

struct csv_table {
	char **cells; /* row by row, the names of the columns first */
	unsigned rows, columns;
};

/* Changes the text, which must live as long as the table. BAD_INPUT: rows of different lengths, an open quote. Release
 * it in any case. */
enum status csv_table_read(char *text, const char *name, struct csv_table *out, struct error *error);
void csv_table_release(struct csv_table *table);
const char *csv_table_at(const struct csv_table *table, unsigned row, unsigned column);

#endif
