/* Plots on a terminal: bars, and lines as letters on a grid. */
#include <math.h>
#include <string.h>

#include "plot_private.h"

enum { BAR = 40, CHART_WIDTH = 64, CHART_HEIGHT = 12, FEW_PLACES = 16 };
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
		(void)fprintf(out, " %s", isnan(value) ? "none" : plot_number(value).text);
		if (plot_half(&plot->series[i], x) > 0)
			(void)fprintf(out, " \xc2\xb1 %s", plot_number(plot_half(&plot->series[i], x)).text);
		(void)fputc('\n', out);
	}
}

/* ---- lines with many places: letters on a grid ---- */

static double place_of(const struct report_plot *plot, unsigned x)
{
	double low = plot->x ? plot->x[0] : 0, high = plot->x ? plot->x[plot->count - 1] : plot->count - 1;
	double is = plot->x ? plot->x[x] : x;
	return high > low ? (is - low) / (high - low) : 0;
}

static void draw_line(const struct report_plot *plot, unsigned series, double highest,
		      char grid[CHART_HEIGHT][CHART_WIDTH])
{
	char letter = (char)('a' + series % 26);
	for (unsigned x = 0; x < plot->count; x++) {
		double value = plot->series[series].value[x];
		if (isnan(value) || highest <= 0)
			continue;
		unsigned column = (unsigned)lround(place_of(plot, x) * (CHART_WIDTH - 1));
		unsigned row = CHART_HEIGHT - 1 - (unsigned)lround(value / highest * (CHART_HEIGHT - 1));
		char *cell = &grid[row][column];
		*cell = *cell == ' ' || *cell == letter ? letter : '*';
	}
}

static void print_chart(FILE *out, const struct report_plot *plot, double highest)
{
	char grid[CHART_HEIGHT][CHART_WIDTH];
	memset(grid, ' ', sizeof(grid));
	for (unsigned i = 0; i < plot->series_count; i++)
		draw_line(plot, i, highest, grid);
	for (unsigned row = 0; row < CHART_HEIGHT; row++) {
		unsigned used = CHART_WIDTH;
		while (used > 0 && grid[row][used - 1] == ' ')
			used--;
		double value = highest * (CHART_HEIGHT - 1 - row) / (CHART_HEIGHT - 1);
		(void)fprintf(out, "  %7s |%.*s\n", row % 3 == 2 || row == 0 ? plot_number(value).text : "", (int)used,
			      grid[row]);
	}
	const char *first = plot->label[0], *last = plot->label[plot->count - 1];
	int between = CHART_WIDTH - (int)report_width(first) - (int)report_width(last);
	(void)fprintf(out, "          +%.*s\n           %s%*s%s  %s\n", CHART_WIDTH,
		      "----------------------------------------------------------------", first,
		      between > 1 ? between : 1, "", last, plot->x_title);
	for (unsigned i = 0; i < plot->series_count; i++)
		(void)fprintf(out, "%s%c %s", i ? ", " : "    ", 'a' + i % 26, plot->series[i].name);
	(void)fprintf(out, "%s\n", plot->series_count > 1 ? "; * several" : "");
}

static void print_stack_legend(FILE *out, const struct report_plot *plot)
{
	for (unsigned i = 0; i < plot->series_count; i++)
		(void)fprintf(out, "%s%c %s", i ? ", " : "    ", fills[i % (sizeof(fills) - 1)], plot->series[i].name);
	(void)fputc('\n', out);
}

void report_plot_as_text(struct report *report, const char *key, const struct report_plot *plot)
{
	FILE *out = report->out;
	double highest = plot_highest(plot);
	bool chart = plot->kind == REPORT_LINES && plot->count > FEW_PLACES;
	(void)key;
	(void)fprintf(out, "\n  %s%s%s (%s)\n", report->colour ? "\033[1m" : "", plot->title,
		      report->colour ? "\033[0m" : "", plot->y_title);
	for (unsigned x = 0; !chart && x < plot->count; x++) {
		if (plot->kind == REPORT_STACKED)
			print_stack(out, plot, x, highest);
		else
			print_group(out, plot, x, highest);
	}
	if (chart)
		print_chart(out, plot, highest);
	if (plot->kind == REPORT_STACKED)
		print_stack_legend(out, plot);
	report->level[report->depth].items++;
}
