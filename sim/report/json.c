/* The emitter's JSON format, RFC 8259. */
#include <inttypes.h>

#include "report_private.h"

static void print_string(struct report *report, const char *text)
{
	(void)fputc('"', report->out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			(void)fprintf(report->out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			(void)fprintf(report->out, "\\u%04x", c);
		else
			(void)fputc(c, report->out);
	}
	(void)fputc('"', report->out);
}

static void new_line(struct report *report, unsigned depth)
{
	(void)fprintf(report->out, "\n%*s", (int)(2 * depth), "");
}

/* Comma, line and key of the next member of the level. */
static void member(struct report *report, unsigned level, const char *key)
{
	if (report->level[level].items)
		(void)fputc(',', report->out);
	new_line(report, level + 1);
	if (report->level[level].list)
		return;
	print_string(report, key);
	(void)fputs(": ", report->out);
}

static void print_value(struct report *report, const struct report_value *what)
{
	switch (what->kind) {
	case REPORT_KIND_NUMBER:
		(void)fprintf(report->out, "%" PRIu64, what->number);
		break;
	case REPORT_KIND_DECIMAL:
		(void)fprintf(report->out, "%.*f", (int)what->digits, what->decimal);
		break;
	case REPORT_KIND_NONE:
		(void)fputs("null", report->out);
		break;
	case REPORT_KIND_FLAG:
		(void)fputs(what->number ? "true" : "false", report->out);
		break;
	case REPORT_KIND_TEXT:
		print_string(report, what->text);
		break;
	}
}

static void open(struct report *report)
{
	(void)fputc('{', report->out);
}

static void close(struct report *report)
{
	(void)fputs(report->level[0].items ? "\n}\n" : "}\n", report->out);
}

static void begin(struct report *report)
{
	const struct report_level *level = &report->level[report->depth];
	member(report, report->depth - 1, level->key);
	(void)fputc(level->list ? '[' : '{', report->out);
}

static void end(struct report *report)
{
	const struct report_level *level = &report->level[report->depth];
	if (level->items)
		new_line(report, report->depth);
	(void)fputc(level->list ? ']' : '}', report->out);
}

static void value(struct report *report, const char *key, const char *title, const struct report_value *what)
{
	(void)title;
	member(report, report->depth, key);
	print_value(report, what);
}

static void table(struct report *report, const struct report_table *what)
{
	member(report, report->depth, what->key);
	(void)fputc('[', report->out);
	for (size_t row = 0; row < report_table_rows(what); row++) {
		if (row)
			(void)fputc(',', report->out);
		new_line(report, report->depth + 2);
		for (unsigned column = 0; column < what->column_count; column++) {
			(void)fputs(column ? ", " : "{", report->out);
			print_string(report, what->columns[column].key);
			(void)fputs(": ", report->out);
			print_value(report, report_table_at(what, row, column));
		}
		(void)fputc('}', report->out);
	}
	if (report_table_rows(what))
		new_line(report, report->depth + 1);
	(void)fputc(']', report->out);
}

const struct report_format_ops report_json_ops = {
    .open = open,
    .close = close,
    .begin = begin,
    .end = end,
    .value = value,
    .table = table,
    .plot = report_plot_as_table,
};
