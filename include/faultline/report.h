/* One emitter for everything that the program prints: a document of nested sections with values and tables. What is
 * emitted is said once; the format makes text, JSON, CSV or Markdown of it.
 *
 *	text      sections with a headline, values in two columns, tables aligned: for a terminal
 *	json      sections are objects, lists are arrays of objects, a table is an array with one object a row
 *	csv       one record a value: section, name, value, unit (RFC 4180); a cell's name is "row.column"
 *	markdown  sections are headlines, values lists, tables tables
 *	html      one page that needs nothing else: light, dark and printed; plots are SVG
 *
 * Keys are for programs and appear in JSON and CSV, titles are for people and appear in text and Markdown. */
#ifndef FAULTLINE_REPORT_H
#define FAULTLINE_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* X(ID, "name", "text") */
#define REPORT_FORMAT_LIST(X)                                                                                          \
	X(TEXT, "text", "aligned tables for a terminal")                                                               \
	X(JSON, "json", "one JSON object")                                                                             \
	X(CSV, "csv", "one record a value, RFC 4180")                                                                  \
	X(MARKDOWN, "markdown", "headlines and tables")                                                                \
	X(HTML, "html", "one page that needs nothing else")

enum report_format {
#define X(id, name, text) REPORT_##id,
	REPORT_FORMAT_LIST(X)
#undef X
	    REPORT_FORMAT_COUNT
};

const char *report_format_name(enum report_format format);
bool report_format_find(const char *name, enum report_format *out);

struct report;

/* Writes to `out`, which stays the caller's. Never NULL: without memory on the host the program cannot go on. */
struct report *report_new(FILE *out, enum report_format format);
/* Ends the document. All sections must have ended. */
void report_free(struct report *report);
/* Headlines in bold, by ANSI sequences; only text has colours. Off at first. */
void report_set_colour(struct report *report, bool colour);
/* True when a person reads it: text and Markdown. */
bool report_is_for_people(const struct report *report);

/* A section; the title may be NULL: then people see its content as part of the section around it. */
void report_begin(struct report *report, const char *key, const char *title);
/* A list: what follows, up to report_end, are sections without keys. */
void report_begin_list(struct report *report, const char *key, const char *title);
void report_end(struct report *report);

/* One value. With a NULL title, text stands on a line of its own. `unit` may be "". Texts are copied if kept. */
void report_number(struct report *report, const char *key, const char *title, uint64_t value, const char *unit);
void report_text(struct report *report, const char *key, const char *title, const char *value);
/* With so many digits behind the point; NAN is "none". */
void report_decimal(struct report *report, const char *key, const char *title, double value, unsigned digits,
		    const char *unit);
void report_flag(struct report *report, const char *key, const char *title, bool value);
/* The same as report_text, with a format. */
void report_textf(struct report *report, const char *key, const char *title, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A column of a table. Numbers are aligned to the right. */
struct report_column {
	const char *key;
	const char *title;
};

/* Between these two only cells, row by row, each row with one cell per column. */
void report_table_begin(struct report *report, const char *key, const char *title, const struct report_column *columns,
			unsigned count);
void report_table_end(struct report *report);
void report_cell_number(struct report *report, uint64_t value);
void report_cell_decimal(struct report *report, double value, unsigned digits);
void report_cell_none(struct report *report); /* nothing is known: null in JSON */
void report_cell_text(struct report *report, const char *value);
void report_cell_textf(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A plot: the values of some series over the same places. People get a picture, with the numbers behind it; programs
 * the table alone, one row a place. */
enum report_plot_kind { REPORT_LINES, REPORT_BARS, REPORT_STACKED, REPORT_HEATMAP };

struct report_series {
	const char *name;
	const double *value; /* one for each place; NAN: none */
	const double *half;  /* of the confidence interval around each value, NAN: none; NULL: nothing is known */
};

struct report_plot {
	enum report_plot_kind kind;
	const char *title, *x_title, *y_title;
	const char *const *label; /* of the places */
	const double *x;          /* where lines have them; NULL: side by side */
	unsigned count;           /* of places, not 0 */
	const struct report_series *series;
	unsigned series_count; /* not 0 */
	unsigned digits;       /* of the values, behind the point */
};

/* Keys are unique in a document. Everything stays the caller's. */
void report_plot(struct report *report, const char *key, const struct report_plot *plot);

/* The cell just emitted is the best of its kind: people see it marked. */
void report_cell_mark(struct report *report);

#endif
