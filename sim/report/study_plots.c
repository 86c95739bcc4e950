/* The plots of a study. Each says which points it shows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/measure.h"
#include "study_private.h"

#define MIB (1024.0 * 1024)

/* ---- units ---- */

/* Memory is shown in MiB, whatever it is counted in. */
struct unit {
	const char *name;
	double divisor;
	unsigned digits;
};

static struct unit unit_of(const struct study_plot *plot, const struct results *results)
{
	const char *unit = measure_unit(plot->y[0]);
	if (plot->relative)
		return (struct unit){"%", 1, 1};
	if (strcmp(plot->y[0], "percent") == 0)
		return (struct unit){"% of the blocks", 1, 1};
	if (strcmp(unit, "pages") == 0 || strcmp(unit, "frames") == 0)
		return (struct unit){"MiB", MIB / 4096, 2};
	if (strcmp(unit, "bytes") == 0)
		return (struct unit){"MiB", MIB, 2};
	if (strcmp(unit, "%") == 0)
		return (struct unit){unit, 1, 3};
	return (struct unit){unit[0] ? unit : plot->y[0], 1, results->seeds > 1};
}

/* Each measure has its own. */
static double divisor_of(const char *measure, const struct unit *unit)
{
	const char *of = measure_unit(measure);
	if (strcmp(unit->name, "MiB") != 0)
		return unit->divisor;
	return strcmp(of, "bytes") == 0 ? MIB : MIB / 4096;
}

/* ---- one plot ---- */

/* Series by x, all values in one piece. */
struct canvas {
	const struct results *results;
	const struct study_parts *parts;
	const struct study_plot *plot;
	struct study_selection selection;
	struct study_place x, series;
	struct unit unit;
	struct report_series *line;
	char (*name)[80];
	double *values, *halves; /* NULL: every point has one seed, or a plot shows no intervals */
};

static double value_at(const struct canvas *canvas, const struct study_spot *spot, const char *measure, double *half)
{
	const struct study_sample sample = study_sample(canvas->results, spot, measure);
	double divisor = divisor_of(measure, &canvas->unit);
	struct study_spot base = *spot;
	*half = sample.half / divisor;
	if (!canvas->plot->relative)
		return sample.mean / divisor;
	base.selection.value[canvas->parts->variant] = (int)canvas->parts->baseline;
	double whole = study_sample(canvas->results, &base, measure).mean;
	*half = NAN;
	return whole > 0 ? sample.mean * 100 / whole : NAN;
}

/* "glibc", "program", "glibc faults.minor". */
static void name_line(const struct canvas *canvas, unsigned line, char *out, size_t bytes)
{
	const struct study_plot *plot = canvas->plot;
	const char *value = canvas->series.labels[line / plot->y_count], *measure = plot->y[line % plot->y_count];
	if (strncmp(measure, "time.", 5) == 0)
		measure += 5;
	if (plot->y_count == 1 && plot->series)
		(void)snprintf(out, bytes, "%s", value);
	else
		(void)snprintf(out, bytes, "%s%s%s", value, *value ? " " : "", measure);
}

/* Seeds are what an interval is of: points of different machines have none. */
static bool has_spread(const struct canvas *canvas)
{
	const struct results *results = canvas->results;
	bool kind = canvas->plot->kind == REPORT_LINES || canvas->plot->kind == REPORT_BARS;
	bool all_axes = true;
	for (unsigned i = 0; i < results->axis_count; i++)
		all_axes &= canvas->selection.value[i] != STUDY_ANY || (int)i == canvas->x.axis ||
			    (int)i == canvas->series.axis;
	return kind && all_axes && results->seeds > 1 && !canvas->plot->relative && canvas->x.kind == STUDY_WHOLE;
}

static unsigned fill(struct canvas *canvas, const struct study_frame *frame)
{
	const struct study_plot *plot = canvas->plot;
	unsigned lines = canvas->series.count * plot->y_count, width = canvas->x.count;
	canvas->line = calloc(lines, sizeof(*canvas->line));
	canvas->name = calloc(lines, sizeof(*canvas->name));
	canvas->values = calloc((size_t)lines * width, sizeof(*canvas->values));
	canvas->halves = calloc((size_t)lines * width, sizeof(*canvas->halves));
	BUG_ON(!canvas->line || !canvas->name || !canvas->values || !canvas->halves);
	bool spread = has_spread(canvas);
	for (unsigned line = 0; line < lines; line++) {
		double *value = canvas->values + (size_t)line * width, *half = canvas->halves + (size_t)line * width;
		name_line(canvas, line, canvas->name[line], sizeof(canvas->name[line]));
		canvas->line[line] = (struct report_series){canvas->name[line], value, spread ? half : NULL};
		for (unsigned x = 0; x < width; x++) {
			struct study_spot spot = {.selection = frame->selection};
			study_place_enter(&canvas->series, line / plot->y_count, &spot);
			study_place_enter(&canvas->x, x, &spot);
			value[x] = value_at(canvas, &spot, plot->y[line % plot->y_count], &half[x]);
		}
	}
	return lines;
}

static bool is_empty(const struct canvas *canvas, unsigned lines)
{
	for (size_t i = 0; i < (size_t)lines * canvas->x.count; i++) {
		if (canvas->values[i] > 0)
			return false;
	}
	return true;
}

static void put_canvas(struct report *report, struct canvas *canvas, const struct study_frame *frame, unsigned number)
{
	const struct study_plot *plot = canvas->plot;
	char key[80], title[400];
	canvas->selection = frame->selection;
	unsigned lines = fill(canvas, frame);
	(void)snprintf(key, sizeof(key), "%s-%u", plot->key, number);
	(void)snprintf(title, sizeof(title), "%s%s", plot->title, frame->note);
	const struct report_plot out = {.kind = plot->kind,
					.title = title,
					.x_title = canvas->x.title,
					.y_title = canvas->unit.name,
					.label = (const char *const *)canvas->x.labels,
					.x = canvas->x.x,
					.count = canvas->x.count,
					.series = canvas->line,
					.series_count = lines,
					.digits = canvas->unit.digits};
	if (plot->wanted || !is_empty(canvas, lines))
		report_plot(report, key, &out);
	free(canvas->line);
	free(canvas->name);
	free(canvas->values);
	free(canvas->halves);
}

static void put_frame(struct report *report, struct canvas *canvas, const struct study_frame *frame, unsigned number)
{
	const struct study_plot *plot = canvas->plot;
	bool there = study_place_find(canvas->results, plot->x, &frame->selection, &canvas->x);
	there &= study_place_find(canvas->results, plot->series, &frame->selection, &canvas->series);
	if (there)
		put_canvas(report, canvas, frame, number);
	study_place_release(&canvas->x);
	study_place_release(&canvas->series);
}

void study_put_plot(struct report *report, const struct results *results, const struct study_parts *parts,
		    const struct study_plot *plot)
{
	struct canvas canvas = {.results = results, .parts = parts, .plot = plot, .unit = unit_of(plot, results)};
	struct study_selection all = study_select_all();
	struct study_place x, series;
	struct study_frame *frames = NULL;
	(void)study_place_find(results, plot->x, &all, &x);
	(void)study_place_find(results, plot->series, &all, &series);
	unsigned count = study_frames(results, parts, &x, &series, &frames);
	study_place_release(&x);
	study_place_release(&series);
	for (unsigned i = 0; i < count; i++)
		put_frame(report, &canvas, &frames[i], i);
	free(frames);
}
