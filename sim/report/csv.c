/* The emitter's CSV format, RFC 4180: one record a value. */
#include <string.h>

#include "faultline/csv.h"
#include "report_private.h"

/* A name of several parts, cut at the room: a key is a short word. */
struct name {
	char text[256];
};

static void add_part(struct name *name, const char *separator, const char *part)
{
	size_t used = strlen(name->text);
	(void)snprintf(name->text + used, sizeof(name->text) - used, "%s%s", used ? separator : "", part);
}

/* Keys of the sections around; the members of a list, which have none, by their position. */
static struct name section_name(const struct report *report)
{
	struct name name = {""};
	for (unsigned i = 1; i <= report->depth; i++) {
		char position[16];
		(void)snprintf(position, sizeof(position), "%u", report->level[i - 1].items - 1);
		add_part(&name, "/", report->level[i - 1].list ? position : report->level[i].key);
	}
	return name;
}

static void print_end(struct report *report, const struct report_value *what)
{
	char room[REPORT_NUMBER_ROOM];
	(void)fputc(',', report->out);
	csv_put(report->out, report_value_text(what, room));
	(void)fputc(',', report->out);
	csv_put(report->out, what->unit);
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
	csv_put(report->out, section_name(report).text);
	(void)fputc(',', report->out);
	csv_put(report->out, key);
	print_end(report, what);
}

/* A table is a section of its own; the first column names the row. */
static void table(struct report *report, const struct report_table *what)
{
	char room[REPORT_NUMBER_ROOM];
	struct name section = section_name(report);
	add_part(&section, "/", what->key);
	for (size_t row = 0; row < report_table_rows(what); row++) {
		for (unsigned column = 1; column < what->column_count; column++) {
			struct name cell = {""};
			add_part(&cell, "", report_value_text(report_table_at(what, row, 0), room));
			add_part(&cell, ".", what->columns[column].key);
			csv_put(report->out, section.text);
			(void)fputc(',', report->out);
			csv_put(report->out, cell.text);
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
    .plot = report_plot_as_table,
};
