/* Plots through the emitter: every format but HTML and text shows the table behind them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/status.h"
#include "plot_private.h"

enum { KEY_BYTES = 128 };

void report_plot(struct report *report, const char *key, const struct report_plot *plot)
{
	BUG_ON(report->in_table || plot->count == 0 || plot->series_count == 0);
	report->ops->plot(report, key, plot);
}

static void put_place(struct report *report, const struct report_plot *plot, unsigned x)
{
	report_cell_text(report, plot->label[x]);
	for (unsigned i = 0; i < plot->series_count; i++) {
		report_cell_decimal(report, plot->series[i].value[x], plot->digits);
		if (plot->series[i].half)
			report_cell_decimal(report, plot->series[i].half[x], plot->digits);
	}
}

void plot_table(struct report *report, const char *key, const char *title, const struct report_plot *plot)
{
	struct report_column *columns = calloc(2 * (size_t)plot->series_count + 1, sizeof(*columns));
	char(*keys)[KEY_BYTES] = calloc(plot->series_count, sizeof(*keys));
	unsigned count = 0;
	BUG_ON(!columns || !keys);
	columns[count++] = (struct report_column){"x", plot->x_title};
	for (unsigned i = 0; i < plot->series_count; i++) {
		columns[count++] = (struct report_column){plot->series[i].name, plot->series[i].name};
		(void)snprintf(keys[i], KEY_BYTES, "%s ci95", plot->series[i].name);
		if (plot->series[i].half)
			columns[count++] = (struct report_column){keys[i], "\xc2\xb1 95 %"};
	}
	report_table_begin(report, key, title, columns, count);
	for (unsigned x = 0; x < plot->count; x++)
		put_place(report, plot, x);
	report_table_end(report);
	free(columns);
	free(keys);
}

void report_plot_as_table(struct report *report, const char *key, const struct report_plot *plot)
{
	plot_table(report, key, plot->title, plot);
}

double plot_half(const struct report_series *series, unsigned x)
{
	return series->half && !isnan(series->half[x]) ? series->half[x] : 0;
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
			if (plot->kind != REPORT_STACKED)
				highest = fmax(highest, value + plot_half(&plot->series[i], x));
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
