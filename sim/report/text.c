/* The emitter's text format. */
#include <string.h>

#include "report_private.h"

enum { TITLE_WIDTH = 16, COLUMN_GAP = 2 };

/* What would disturb a terminal becomes a blank. */
static void print_plain(struct report *report, const char *text)
{
	for (; *text; text++)
		(void)fputc((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text, report->out);
}

static void print_blanks(struct report *report, unsigned count)
{
	(void)fprintf(report->out, "%*s", (int)count, "");
}

/* Sections without a title do not count: their content belongs to what is around them. */
static unsigned indent(const struct report *report, unsigned depth)
{
	unsigned titled = 0;
	for (unsigned i = 1; i <= depth; i++)
		titled += report->level[i].title != NULL;
	return 2 * titled;
}

static bool anything_above(const struct report *report)
{
	for (unsigned i = 0; i < report->depth; i++) {
		if (report->level[i].items)
			return true;
	}
	return false;
}

static void print_title(struct report *report, const char *title, unsigned depth)
{
	if (depth == 1 && anything_above(report))
		(void)fputc('\n', report->out);
	print_blanks(report, indent(report, depth - 1));
	(void)fputs(report->colour ? "\033[1m" : "", report->out);
	print_plain(report, title);
	(void)fputs(report->colour ? "\033[0m\n" : "\n", report->out);
}

static void nothing(struct report *report)
{
	(void)report;
}

static void begin(struct report *report)
{
	const struct report_level *level = &report->level[report->depth];
	if (level->title)
		print_title(report, level->title, report->depth);
}

static void value(struct report *report, const char *key, const char *title, const struct report_value *what)
{
	char room[REPORT_NUMBER_ROOM];
	const char *text = report_value_text(what, room);
	(void)key;
	print_blanks(report, indent(report, report->depth));
	if (title) {
		unsigned width = report_width(title);
		print_plain(report, title);
		/* A line does not end in blanks. */
		if (text[0])
			print_blanks(report, width < TITLE_WIDTH ? TITLE_WIDTH - width : 1);
	}
	print_plain(report, text);
	if (what->unit[0])
		(void)fprintf(report->out, " %s", what->unit);
	(void)fputc('\n', report->out);
}

/* ---- tables ---- */

static unsigned column_width(const struct report_table *table, unsigned column)
{
	char room[REPORT_NUMBER_ROOM];
	unsigned width = report_width(table->columns[column].title);
	for (size_t row = 0; row < report_table_rows(table); row++) {
		const struct report_value *value = report_table_at(table, row, column);
		unsigned cell = report_width(report_value_text(value, room)) + value->marked;
		width = cell > width ? cell : width;
	}
	return width;
}

/* A column of numbers, its title included, is aligned to the right. */
static bool is_number_column(const struct report_table *table, unsigned column)
{
	for (size_t row = 0; row < report_table_rows(table); row++) {
		if (report_is_number(report_table_at(table, row, column)))
			return true;
	}
	return false;
}

/* Blanks are owed until something follows them, so that no line ends in them. */
static void print_row(struct report *report, const struct report_table *table, size_t row, bool header)
{
	char room[REPORT_NUMBER_ROOM];
	unsigned owed = indent(report, report->depth) + (table->title ? 2 : 0);
	for (unsigned column = 0; column < table->column_count; column++) {
		const char *text = header ? table->columns[column].title
					  : report_value_text(report_table_at(table, row, column), room);
		bool marked = !header && report_table_at(table, row, column)->marked;
		unsigned padding = column_width(table, column) - report_width(text) - marked;
		bool right = is_number_column(table, column);
		owed += right ? padding : 0;
		if (text[0]) {
			print_blanks(report, owed);
			(void)fputs(marked ? "*" : "", report->out);
			print_plain(report, text);
			owed = 0;
		}
		owed += (right ? 0 : padding) + COLUMN_GAP;
	}
	(void)fputc('\n', report->out);
}

static bool has_header(const struct report_table *table)
{
	for (unsigned column = 0; column < table->column_count; column++) {
		if (table->columns[column].title[0])
			return true;
	}
	return false;
}

static void table(struct report *report, const struct report_table *what)
{
	if (what->title) {
		report->depth++;
		report->level[report->depth] = (struct report_level){.title = what->title};
		print_title(report, what->title, report->depth);
		report->depth--;
	}
	if (has_header(what))
		print_row(report, what, 0, true);
	for (size_t row = 0; row < report_table_rows(what); row++)
		print_row(report, what, row, false);
}

const struct report_format_ops report_text_ops = {
    .for_people = true,
    .open = nothing,
    .close = nothing,
    .begin = begin,
    .end = nothing,
    .value = value,
    .table = table,
    .plot = report_plot_as_text,
};
