/* The emitter's HTML format: one file that needs nothing else, no network, no script to be read. */
#include <stdlib.h>
#include <string.h>

#include "html_style.h"
#include "plot_private.h"

void html_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		const char *entity = *text == '&'   ? "&amp;"
				     : *text == '<' ? "&lt;"
				     : *text == '>' ? "&gt;"
				     : *text == '"' ? "&quot;"
						    : NULL;
		if (entity)
			(void)fputs(entity, out);
		else
			(void)fputc(*text, out);
	}
}

static void open_page(struct report *report)
{
	(void)fputs(
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
	    "script-src 'unsafe-inline'; img-src data:\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n"
	    "<title>Faultline report</title>\n<style>\n",
	    report->out);
	html_put_style(report->out);
	(void)fputs("</style>\n</head>\n<body>\n<main>\n", report->out);
}

/* Values in a row make one list. */
static void end_list(struct report *report)
{
	if (report->in_values)
		(void)fputs("</dl>\n", report->out);
	report->in_values = false;
}

static void close_page(struct report *report)
{
	end_list(report);
	(void)fputs("</main>\n<div id=\"tip\" hidden></div>\n<script>\n", report->out);
	html_put_script(report->out);
	(void)fputs("</script>\n</body>\n</html>\n", report->out);
}

static void begin(struct report *report)
{
	const struct report_level *level = &report->level[report->depth];
	end_list(report);
	(void)fputs("<section>\n", report->out);
	if (!level->title)
		return;
	/* A page has one headline of the first rank. */
	unsigned rank = report->depth + (report->level[0].items > 0);
	(void)fprintf(report->out, "<h%u>", rank);
	html_text(report->out, level->title);
	(void)fprintf(report->out, "</h%u>\n", rank);
}

static void end(struct report *report)
{
	end_list(report);
	(void)fputs("</section>\n", report->out);
}

static void value(struct report *report, const char *key, const char *title, const struct report_value *what)
{
	char room[REPORT_NUMBER_ROOM];
	FILE *out = report->out;
	(void)key;
	if (!title)
		end_list(report);
	else if (!report->in_values)
		(void)fputs("<dl>\n", out);
	report->in_values = title != NULL;
	(void)fputs(title ? "<dt>" : "<p>", out);
	html_text(out, title ? title : "");
	(void)fputs(title ? "</dt><dd>" : "", out);
	html_text(out, report_value_text(what, room));
	(void)fputs(what->unit[0] ? " " : "", out);
	html_text(out, what->unit);
	(void)fputs(title ? "</dd>\n" : "</p>\n", out);
}

/* ---- tables ---- */

static void put_cell(struct report *report, const struct report_value *what, bool head)
{
	char room[REPORT_NUMBER_ROOM];
	const char *kind = what->marked ? " class=\"number best\"" : report_is_number(what) ? " class=\"number\"" : "";
	(void)fprintf(report->out, head ? "<th scope=\"row\"%s>" : "<td%s>", kind);
	html_text(report->out, report_value_text(what, room));
	(void)fputs(what->marked ? "<span class=\"star\" title=\"best\"> \xe2\x98\x85</span>" : "", report->out);
	(void)fputs(head ? "</th>" : "</td>", report->out);
}

static void table(struct report *report, const struct report_table *what)
{
	FILE *out = report->out;
	end_list(report);
	(void)fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", out);
	html_text(out, what->title ? what->title : "table");
	(void)fputs("\">\n<table>\n", out);
	if (what->title) {
		(void)fputs("<caption>", out);
		html_text(out, what->title);
		(void)fputs("</caption>\n", out);
	}
	(void)fputs("<thead><tr>", out);
	for (unsigned column = 0; column < what->column_count; column++) {
		bool number = report_table_rows(what) && report_is_number(report_table_at(what, 0, column));
		(void)fprintf(out, "<th scope=\"col\"%s>", number ? " class=\"number\"" : "");
		html_text(out, what->columns[column].title);
		(void)fputs("</th>", out);
	}
	(void)fputs("</tr></thead>\n<tbody>\n", out);
	for (size_t row = 0; row < report_table_rows(what); row++) {
		(void)fputs("<tr>", out);
		for (unsigned column = 0; column < what->column_count; column++)
			put_cell(report, report_table_at(what, row, column), column == 0);
		(void)fputs("</tr>\n", out);
	}
	(void)fputs("</tbody>\n</table>\n</div>\n", out);
}

/* ---- plots ---- */

static void put_legend(FILE *out, const struct report_plot *plot)
{
	if (plot->kind == REPORT_HEATMAP || plot->series_count == 1)
		return;
	(void)fputs("<ul class=\"legend\">", out);
	for (unsigned i = 0; i < plot->series_count; i++) {
		(void)fprintf(out, "<li><span class=\"swatch c%u\"></span>", i % 10);
		html_text(out, plot->series[i].name);
		(void)fputs("</li>", out);
	}
	(void)fputs("</ul>\n", out);
}

static void plot(struct report *report, const char *key, const struct report_plot *what)
{
	FILE *out = report->out;
	end_list(report);
	(void)fputs("<figure>\n<figcaption id=\"", out);
	html_text(out, key);
	(void)fputs("-title\"><strong>", out);
	html_text(out, what->title);
	(void)fputs("</strong> <span class=\"unit\">", out);
	html_text(out, what->y_title);
	(void)fputs("</span></figcaption>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"plot\">\n",
		    out);
	svg_plot(out, key, what);
	(void)fputs("</div>\n", out);
	put_legend(out, what);
	(void)fputs("<details><summary>The numbers behind it</summary>\n", out);
	plot_table(report, key, what->title, what);
	(void)fputs("</details>\n</figure>\n", out);
}

const struct report_format_ops report_html_ops = {
    .for_people = true,
    .open = open_page,
    .close = close_page,
    .begin = begin,
    .end = end,
    .value = value,
    .table = table,
    .plot = plot,
};
