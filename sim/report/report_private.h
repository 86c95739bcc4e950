/* What the core of the emitter hands to a format. */
#ifndef FAULTLINE_REPORT_PRIVATE_H
#define FAULTLINE_REPORT_PRIVATE_H

#include "faultline/report.h"

enum { REPORT_DEPTH = 8 };

enum report_kind { REPORT_KIND_NUMBER, REPORT_KIND_DECIMAL, REPORT_KIND_TEXT, REPORT_KIND_FLAG, REPORT_KIND_NONE };

struct report_value {
	enum report_kind kind;
	uint64_t number; /* a flag: 0 or 1 */
	double decimal;
	unsigned digits; /* of it, behind the point */
	bool marked;     /* the best of its kind */
	const char *text;
	const char *unit;
};

struct report_level {
	const char *key;
	const char *title;
	bool list;
	unsigned items; /* emitted directly in it so far */
};

struct report_cell {
	struct report_value value;
	char *owned; /* its text */
};

struct report_table {
	const char *key;
	const char *title;
	const struct report_column *columns;
	unsigned column_count;
	struct report_cell *cells; /* row by row */
	size_t cell_count, cell_room;
};

struct report {
	FILE *out;
	const struct report_format_ops *ops;
	struct report_level level[REPORT_DEPTH + 1]; /* level 0 is the document */
	unsigned depth;
	bool in_table;
	bool colour;
	bool in_values; /* HTML: a list of values is open */
	struct report_table table;
};

/* One format. A section that begins is already the innermost level; one that ends still is. */
struct report_format_ops {
	bool for_people;
	void (*open)(struct report *report);
	void (*close)(struct report *report);
	void (*begin)(struct report *report);
	void (*end)(struct report *report);
	void (*value)(struct report *report, const char *key, const char *title, const struct report_value *value);
	void (*table)(struct report *report, const struct report_table *table);
	void (*plot)(struct report *report, const char *key, const struct report_plot *plot);
};

extern const struct report_format_ops report_text_ops;
extern const struct report_format_ops report_json_ops;
extern const struct report_format_ops report_csv_ops;
extern const struct report_format_ops report_markdown_ops;
extern const struct report_format_ops report_html_ops;

/* For formats without pictures. */
void report_plot_as_table(struct report *report, const char *key, const struct report_plot *plot);
void report_plot_as_text(struct report *report, const char *key, const struct report_plot *plot);

static inline size_t report_table_rows(const struct report_table *table)
{
	return table->cell_count / table->column_count;
}

static inline const struct report_value *report_table_at(const struct report_table *table, size_t row, unsigned column)
{
	return &table->cells[row * table->column_count + column].value;
}

/* The value as characters, without quotes or escapes. `room` holds a number. */
enum { REPORT_NUMBER_ROOM = 48 };
const char *report_value_text(const struct report_value *value, char room[REPORT_NUMBER_ROOM]);

/* Aligned to the right: numbers. */
bool report_is_number(const struct report_value *value);

/* Columns on a terminal: one for each character of UTF-8. */
unsigned report_width(const char *text);

#endif
