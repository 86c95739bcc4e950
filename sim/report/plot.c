/* Plots through the emitter: every format but HTML and text shows the table behind them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/status.h"
#include "plot_private.h"

void report_plot(struct report *report, const char *key, const struct report_plot *plot)
{
	BUG_ON(report->in_table || plot->count == 0 || plot->series_count == 0);
	report->ops->plot(report, key, plot);
}

void plot_table(struct report *report, const char *key, const char *title, const struct report_plot *plot)
{
	struct report_column *columns = calloc(plot->series_count + 1, sizeof(*columns));
	BUG_ON(!columns);
	columns[0] = (struct report_column){"x", plot->x_title};
	for (unsigned i = 0; i < plot->series_count; i++)
		columns[i + 1] = (struct report_column){plot->series[i].name, plot->series[i].name};
	report_table_begin(report, key, title, columns, plot->series_count + 1);
	for (unsigned x = 0; x < plot->count; x++) {
		report_cell_text(report, plot->label[x]);
		for (unsigned i = 0; i < plot->series_count; i++)
			report_cell_decimal(report, plot->series[i].value[x], plot->digits);
	}
	report_table_end(report);
	free(columns);
}

void report_plot_as_table(struct report *report, const char *key, const struct report_plot *plot)
{
	plot_table(report, key, plot->title, plot);
}

double plot_highest(const struct report_plot *plot)
{
	double highest = 0;
	for (unsigned x = 0; x < plot->count; x++) {
		double sum = 0;
		for (unsigned i = 0; i < plot->series_count; i++) {
			double value = plot->series[i].value[x];
			if (isnan(value))
				continue;
			sum += value;
			if (plot->kind != REPORT_STACKED && value > highest)
				highest = value;
		}
		if (plot->kind == REPORT_STACKED && sum > highest)
			highest = sum;
	}
	return highest;
}

struct plot_number plot_number(double value)
{
	static const struct {
		double from;
		const char *letter;
	} units[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
	struct plot_number out;
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (fabs(value) < units[i].from)
			continue;
		(void)snprintf(out.text, sizeof(out.text), "%.3g%s", value / units[i].from, units[i].letter);
		return out;
	}
	(void)snprintf(out.text, sizeof(out.text), "%.3g", value);
	return out;
}

/* ---- on a terminal ---- */

enum { BAR = 40 };
static const char fills[] = "#=+-:*o%";

static unsigned widest(const struct report_plot *plot, bool labels)
{
	unsigned width = 0, count = labels ? plot->count : plot->series_count;
	for (unsigned i = 0; i < count; i++) {
		unsigned is = report_width(labels ? plot->label[i] : plot->series[i].name);
		width = is > width ? is : width;
	}
	return width;
}

static void print_padded(FILE *out, const char *text, unsigned width)
{
	unsigned is = report_width(text);
	(void)fprintf(out, "%s%*s", text, is < width ? (int)(width - is) : 0, "");
}

static void print_bar(FILE *out, double value, double highest, char fill)
{
	unsigned cells = highest > 0 && !isnan(value) ? (unsigned)lround(value * BAR / highest) : 0;
	for (unsigned i = 0; i < cells; i++)
		(void)fputc(fill, out);
}

static void print_stack(FILE *out, const struct report_plot *plot, unsigned x, double highest)
{
	double sum = 0;
	(void)fputs("    ", out);
	print_padded(out, plot->label[x], widest(plot, true));
	(void)fputs("  ", out);
	for (unsigned i = 0; i < plot->series_count; i++) {
		print_bar(out, plot->series[i].value[x], highest, fills[i % (sizeof(fills) - 1)]);
		sum += isnan(plot->series[i].value[x]) ? 0 : plot->series[i].value[x];
	}
	(void)fprintf(out, " %s\n", plot_number(sum).text);
}

static void print_group(FILE *out, const struct report_plot *plot, unsigned x, double highest)
{
	for (unsigned i = 0; i < plot->series_count; i++) {
		double value = plot->series[i].value[x];
		(void)fputs("    ", out);
		print_padded(out, i ? "" : plot->label[x], widest(plot, true));
		(void)fputs("  ", out);
		print_padded(out, plot->series[i].name, widest(plot, false));
		(void)fputs("  ", out);
		print_bar(out, value, highest, '#');
		(void)fprintf(out, " %s\n", isnan(value) ? "none" : plot_number(value).text);
	}
}

void report_plot_as_text(struct report *report, const char *key, const struct report_plot *plot)
{
	FILE *out = report->out;
	double highest = plot_highest(plot);
	(void)key;
	(void)fprintf(out, "\n  %s%s%s (%s)\n", report->colour ? "\033[1m" : "", plot->title,
		      report->colour ? "\033[0m" : "", plot->y_title);
	for (unsigned x = 0; x < plot->count; x++) {
		if (plot->kind == REPORT_STACKED)
			print_stack(out, plot, x, highest);
		else
			print_group(out, plot, x, highest);
	}
	for (unsigned i = 0; plot->kind == REPORT_STACKED && i < plot->series_count; i++)
		(void)fprintf(out, "%s%c %s%s", i ? ", " : "    ", fills[i % (sizeof(fills) - 1)], plot->series[i].name,
			      i + 1 == plot->series_count ? "\n" : "");
	report->level[report->depth].items++;
}
