/* The emitter's CSV format, RFC 4180: one record a value. */
#include <string.h>

#include "report_private.h"

static void print_quoted(struct report *report, const char *text)
{
	for (; *text; text++) {
		if (*text == '"')
			(void)fputc('"', report->out);
		(void)fputc(*text, report->out);
	}
}

static void print_field(struct report *report, const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		(void)fputs(text, report->out);
		return;
	}
	(void)fputc('"', report->out);
	print_quoted(report, text);
	(void)fputc('"', report->out);
}

/* Keys of the sections around; the members of a list, which have none, by their position. */
static void print_section(struct report *report)
{
	(void)fputc('"', report->out);
	for (unsigned i = 1; i <= report->depth; i++) {
		if (i > 1)
			(void)fputc('/', report->out);
		if (report->level[i - 1].list)
			(void)fprintf(report->out, "%u", report->level[i - 1].items - 1);
		else
			print_quoted(report, report->level[i].key);
	}
	(void)fputc('"', report->out);
}

static void print_end(struct report *report, const struct report_value *what)
{
	char room[REPORT_NUMBER_ROOM];
	(void)fputc(',', report->out);
	print_field(report, report_value_text(what, room));
	(void)fputc(',', report->out);
	print_field(report, what->unit);
	(void)fputs("\r\n", report->out);
}

static void nothing(struct report *report)
{
	(void)report;
}

static void open(struct report *report)
{
	(void)fputs("section,name,value,unit\r\n", report->out);
}

static void value(struct report *report, const char *key, const char *title, const struct report_value *what)
{
	(void)title;
	print_section(report);
	(void)fputc(',', report->out);
	print_field(report, key);
	print_end(report, what);
}

/* The first column names the row. */
static void table(struct report *report, const struct report_table *what)
{
	char room[REPORT_NUMBER_ROOM];
	for (size_t row = 0; row < report_table_rows(what); row++) {
		for (unsigned column = 1; column < what->column_count; column++) {
			print_section(report);
			(void)fputs(",\"", report->out);
			print_quoted(report, report_value_text(report_table_at(what, row, 0), room));
			(void)fputc('.', report->out);
			print_quoted(report, what->columns[column].key);
			(void)fputc('"', report->out);
			print_end(report, report_table_at(what, row, column));
		}
	}
}

const struct report_format_ops report_csv_ops = {
    .open = open,
    .close = nothing,
    .begin = nothing,
    .end = nothing,
    .value = value,
    .table = table,
};
