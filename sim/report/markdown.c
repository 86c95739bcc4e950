/* The emitter's Markdown format: CommonMark with the tables of GitHub. */
#include <string.h>

#include "report_private.h"

static void print_escaped(struct report *report, const char *text)
{
	for (; *text; text++) {
		if (strchr("\\`*_|<>[]#~", *text))
			(void)fputc('\\', report->out);
		(void)fputc((unsigned char)*text < 0x20 ? ' ' : *text, report->out);
	}
}

/* Blocks of different kinds are apart by an empty line. */
static void apart(struct report *report)
{
	for (unsigned i = 0; i <= report->depth; i++) {
		if (report->level[i].items) {
			(void)fputc('\n', report->out);
			return;
		}
	}
}

static void headline(struct report *report, const char *title, unsigned depth)
{
	apart(report);
	for (unsigned i = 0; i <= depth; i++)
		(void)fputc('#', report->out);
	(void)fputc(' ', report->out);
	print_escaped(report, title);
	(void)fputs("\n\n", report->out);
}

static void nothing(struct report *report)
{
	(void)report;
}

static void begin(struct report *report)
{
	const struct report_level *level = &report->level[report->depth];
	if (level->title)
		headline(report, level->title, report->depth);
}

static void value(struct report *report, const char *key, const char *title, const struct report_value *what)
{
	char room[REPORT_NUMBER_ROOM];
	(void)key;
	(void)fputs("- ", report->out);
	if (title) {
		(void)fputs("**", report->out);
		print_escaped(report, title);
		(void)fputs("**: ", report->out);
	}
	print_escaped(report, report_value_text(what, room));
	if (what->unit[0])
		(void)fprintf(report->out, " %s", what->unit);
	(void)fputc('\n', report->out);
}

static bool is_number_column(const struct report_table *table, unsigned column)
{
	return report_table_rows(table) && report_is_number(report_table_at(table, 0, column));
}

static void table(struct report *report, const struct report_table *what)
{
	char room[REPORT_NUMBER_ROOM];
	if (what->title)
		headline(report, what->title, report->depth + 1);
	else
		apart(report);
	for (unsigned column = 0; column < what->column_count; column++) {
		(void)fputs("| ", report->out);
		print_escaped(report, what->columns[column].title);
		(void)fputc(' ', report->out);
	}
	(void)fputs("|\n", report->out);
	for (unsigned column = 0; column < what->column_count; column++)
		(void)fputs(is_number_column(what, column) ? "| ---: " : "| --- ", report->out);
	(void)fputs("|\n", report->out);
	for (size_t row = 0; row < report_table_rows(what); row++) {
		for (unsigned column = 0; column < what->column_count; column++) {
			const struct report_value *cell = report_table_at(what, row, column);
			(void)fputs(cell->marked ? "| **" : "| ", report->out);
			print_escaped(report, report_value_text(cell, room));
			(void)fputs(cell->marked ? "** " : " ", report->out);
		}
		(void)fputs("|\n", report->out);
	}
}

const struct report_format_ops report_markdown_ops = {
    .for_people = true,
    .open = nothing,
    .close = nothing,
    .begin = begin,
    .end = nothing,
    .value = value,
    .table = table,
    .plot = report_plot_as_table,
};
