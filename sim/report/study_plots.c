/* The plots of a study. Each says what it is a mean of. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study_private.h"

enum { MAX_SERIES = 16 };

/* A plot in the making: series by x, all values in one piece. */
struct canvas {
	struct report_plot plot;
	struct report_series series[MAX_SERIES];
	char title[256], key[64];
	double *values;
};

typedef double value_fn(const struct results *results, const struct study_selection *selection, const char *what);

static double mean_of(const struct results *results, const struct study_selection *selection, const char *statistic)
{
	return study_sample(results, selection, statistic).mean;
}

static double miss_percent(const struct results *results, const struct study_selection *selection, const char *what)
{
	double misses = mean_of(results, selection, what);
	double hits = mean_of(results, selection, "tlb.l1_hits") + mean_of(results, selection, "tlb.l2_hits");
	return misses + hits > 0 ? misses * 100 / (misses + hits) : NAN;
}

static double page_mebibytes(const struct results *results, const struct study_selection *selection, const char *what)
{
	return mean_of(results, selection, what) / 256;
}

/* One plot with a series for each value of one axis, over the values of another. */
static void put_crossed(struct report *report, const struct results *results, struct canvas *canvas, int series_axis,
			int x_axis, struct study_selection selection, value_fn *value, const char *what)
{
	const struct results_axis *rows = &results->axes[series_axis], *xs = &results->axes[x_axis];
	unsigned series_count = rows->count < MAX_SERIES ? rows->count : MAX_SERIES;
	double *x_values = calloc(xs->count, sizeof(double));
	canvas->values = calloc((size_t)series_count * xs->count, sizeof(double));
	BUG_ON(!canvas->values || !x_values);
	for (unsigned i = 0; i < series_count; i++) {
		canvas->series[i] = (struct report_series){rows->values[i], canvas->values + (size_t)i * xs->count};
		for (unsigned x = 0; x < xs->count; x++) {
			selection.value[series_axis] = (int)i;
			selection.value[x_axis] = (int)x;
			canvas->values[(size_t)i * xs->count + x] = value(results, &selection, what);
		}
	}
	for (unsigned row = 0; xs->is_number && row < results->row_count; row++) {
		for (unsigned x = 0; x < xs->count; x++) {
			if (strcmp(results_at(results, row, xs->column)->text, xs->values[x]) == 0)
				x_values[x] = results_at(results, row, xs->value_column)->value;
		}
	}
	canvas->plot.title = canvas->title;
	canvas->plot.label = (const char *const *)xs->values;
	canvas->plot.x = xs->is_number ? x_values : NULL;
	canvas->plot.x_title = study_axis_name(results, x_axis);
	canvas->plot.count = xs->count;
	canvas->plot.series = canvas->series;
	canvas->plot.series_count = series_count;
	report_plot(report, canvas->key, &canvas->plot);
	free(canvas->values);
	free(x_values);
}

/* Workloads one by one; all of them in one when there is but one. */
typedef void each_fn(struct report *report, const struct results *results, const struct study_parts *parts,
		     struct study_selection selection, unsigned number, const char *of);

static void each_workload(struct report *report, const struct results *results, const struct study_parts *parts,
			  each_fn *put)
{
	struct study_selection selection = study_select_all();
	if (parts->workload < 0 || parts->workload == parts->variant) {
		put(report, results, parts, selection, 0, "");
		return;
	}
	for (unsigned i = 0; i < results->axes[parts->workload].count; i++) {
		char of[160];
		(void)snprintf(of, sizeof(of), ": %s", results->axes[parts->workload].values[i]);
		selection.value[parts->workload] = (int)i;
		put(report, results, parts, selection, i, of);
	}
}

/* ---- against the size ---- */

static bool any_major(const struct results *results, const struct study_selection *selection)
{
	return mean_of(results, selection, "faults.major") > 0;
}

static void put_faults(struct report *report, const struct results *results, const struct study_parts *parts,
		       struct study_selection selection, unsigned number, const char *of)
{
	const char *statistic = any_major(results, &selection) ? "faults.major" : "faults.minor";
	struct canvas canvas = {.plot = {.kind = REPORT_LINES, .y_title = statistic}};
	(void)snprintf(canvas.title, sizeof(canvas.title), "Faults against %s%s", study_axis_name(results, parts->size),
		       of);
	(void)snprintf(canvas.key, sizeof(canvas.key), "faults-%u", number);
	put_crossed(report, results, &canvas, parts->variant, parts->size, selection, mean_of, statistic);
}

static void put_map(struct report *report, const struct results *results, const struct study_parts *parts,
		    struct study_selection selection, unsigned number, const char *of)
{
	const char *statistic = any_major(results, &selection) ? "faults.major" : "faults.minor";
	struct canvas canvas = {.plot = {.kind = REPORT_HEATMAP, .y_title = statistic}};
	(void)snprintf(canvas.title, sizeof(canvas.title), "Faults by %s and %s%s",
		       study_axis_name(results, parts->variant), study_axis_name(results, parts->size), of);
	(void)snprintf(canvas.key, sizeof(canvas.key), "map-%u", number);
	put_crossed(report, results, &canvas, parts->variant, parts->size, selection, mean_of, statistic);
}

/* ---- where the time goes ---- */

/* Time in ring 0 is split by whether a device was waited for. Walks are part of all layers: they have no share of their
 * own in a stack that adds up. */
static const char *const layers[] = {"program", "libc", "kernel", "disk"};
enum { LAYERS = sizeof(layers) / sizeof(*layers) };

static void fill_layers(const struct results *results, const struct study_selection *selection, double *value,
			unsigned stride)
{
	double wait = mean_of(results, selection, "cycles.wait");
	value[0] = mean_of(results, selection, "cycles.app");
	value[stride] = mean_of(results, selection, "cycles.libc");
	value[2 * stride] = mean_of(results, selection, "cycles.kernel") - wait;
	value[3 * stride] = wait;
}

static void put_time(struct report *report, const struct results *results, const struct study_parts *parts,
		     struct study_selection selection, unsigned number, const char *of)
{
	const struct results_axis *axis = &results->axes[parts->variant];
	struct report_series series[LAYERS];
	char title[256], key[32];
	double *values = calloc((size_t)LAYERS * axis->count, sizeof(double));
	BUG_ON(!values);
	for (unsigned i = 0; i < LAYERS; i++)
		series[i] = (struct report_series){layers[i], values + (size_t)i * axis->count};
	for (unsigned x = 0; x < axis->count; x++) {
		selection.value[parts->variant] = (int)x;
		fill_layers(results, &selection, values + x, axis->count);
	}
	(void)snprintf(title, sizeof(title), "Where the time goes%s", of);
	(void)snprintf(key, sizeof(key), "time-%u", number);
	const struct report_plot plot = {.kind = REPORT_STACKED,
					 .title = title,
					 .x_title = study_axis_name(results, parts->variant),
					 .y_title = "cycles",
					 .label = (const char *const *)axis->values,
					 .count = axis->count,
					 .series = series,
					 .series_count = LAYERS};
	report_plot(report, key, &plot);
	free(values);
}

/* ---- variants over workloads ---- */

static void put_variants(struct report *report, const struct results *results, const struct study_parts *parts)
{
	static const struct {
		const char *key, *title, *unit, *what;
		value_fn *value;
		unsigned digits;
	} plots[] = {{"memory", "Peak resident memory", "MiB", "memory.peak_rss", page_mebibytes, 2},
		     {"tlb", "TLB miss ratio", "% of translations", "tlb.misses", miss_percent, 3}};
	for (unsigned i = 0; i < sizeof(plots) / sizeof(*plots); i++) {
		struct canvas canvas = {
		    .plot = {.kind = REPORT_BARS, .y_title = plots[i].unit, .digits = plots[i].digits}};
		(void)snprintf(canvas.title, sizeof(canvas.title), "%s", plots[i].title);
		(void)snprintf(canvas.key, sizeof(canvas.key), "%s", plots[i].key);
		put_crossed(report, results, &canvas, parts->variant, parts->workload, study_select_all(),
			    plots[i].value, plots[i].what);
	}
}

void study_put_plots(struct report *report, const struct results *results, const struct study_parts *parts)
{
	if (parts->size >= 0 && parts->size != parts->variant) {
		each_workload(report, results, parts, put_faults);
		each_workload(report, results, parts, put_map);
	}
	each_workload(report, results, parts, put_time);
	if (parts->workload >= 0 && parts->workload != parts->variant)
		put_variants(report, results, parts);
}
