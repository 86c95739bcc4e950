/* The plots of a study. Each says which points it shows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/measure.h"
#include "study_private.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
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
	struct study_place x, series;
	struct unit unit;
	struct report_series *line;
	char (*name)[80];
	double *values;
};

static double value_at(const struct canvas *canvas, const struct study_spot *spot, const char *measure)
{
	double value = study_sample(canvas->results, spot, measure).mean;
	struct study_spot base = *spot;
	if (!canvas->plot->relative)
		return value / divisor_of(measure, &canvas->unit);
	base.selection.value[canvas->parts->variant] = (int)canvas->parts->baseline;
	double whole = study_sample(canvas->results, &base, measure).mean;
	return whole > 0 ? value * 100 / whole : NAN;
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

static unsigned fill(struct canvas *canvas, const struct study_frame *frame)
{
	const struct study_plot *plot = canvas->plot;
	unsigned lines = canvas->series.count * plot->y_count, width = canvas->x.count;
	canvas->line = calloc(lines, sizeof(*canvas->line));
	canvas->name = calloc(lines, sizeof(*canvas->name));
	canvas->values = calloc((size_t)lines * width, sizeof(*canvas->values));
	BUG_ON(!canvas->line || !canvas->name || !canvas->values);
	for (unsigned line = 0; line < lines; line++) {
		double *value = canvas->values + (size_t)line * width;
		name_line(canvas, line, canvas->name[line], sizeof(canvas->name[line]));
		canvas->line[line] = (struct report_series){canvas->name[line], value};
		for (unsigned x = 0; x < width; x++) {
			struct study_spot spot = {.selection = frame->selection};
			study_place_enter(&canvas->series, line / plot->y_count, &spot);
			study_place_enter(&canvas->x, x, &spot);
			value[x] = value_at(canvas, &spot, plot->y[line % plot->y_count]);
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

/* ---- those of any study ---- */

#define TIME_LAYERS                                                                                                    \
	{                                                                                                              \
		"time.program", "time.libc", "time.kernel", "time.walk", "time.disk"                                   \
	}

static void put_all(struct report *report, const struct results *results, const struct study_parts *parts,
		    const struct study_plot *plots, size_t count)
{
	for (size_t i = 0; i < count; i++)
		study_put_plot(report, results, parts, &plots[i]);
}

static bool is_compared(const struct results *results, const struct study_parts *parts)
{
	(void)results;
	return parts->variant >= 0;
}

static bool has_size(const struct results *results, const struct study_parts *parts)
{
	(void)results;
	return parts->size >= 0 && parts->size != parts->variant;
}

static bool has_phases(const struct results *results, const struct study_parts *parts)
{
	(void)parts;
	return results->phases.row_count > 0;
}

static bool has_series(const struct results *results, const struct study_parts *parts)
{
	(void)parts;
	return results->series.row_count > 0;
}

static bool has_histograms(const struct results *results, const struct study_parts *parts)
{
	(void)parts;
	return results->histograms.row_count > 0;
}

/* Nothing to put side by side: the layers alone. */
static bool is_alone(const struct results *results, const struct study_parts *parts)
{
	(void)results;
	return parts->variant < 0;
}

static void put_layers(struct report *report, const struct results *results, const struct study_parts *parts)
{
	const struct study_plot plot = {
	    .key = "time", .title = "Where the time goes", .kind = REPORT_STACKED, .y = TIME_LAYERS, .y_count = 5};
	study_put_plot(report, results, parts, &plot);
}

static void put_against_size(struct report *report, const struct results *results, const struct study_parts *parts)
{
	const char *size = study_axis_name(results, parts->size), *variant = study_axis_name(results, parts->variant);
	struct study_selection all = study_select_all();
	const char *faults = study_mean(results, &all, "faults.major") > 0 ? "faults.major" : "faults.minor";
	char against[160], by[200];
	(void)snprintf(against, sizeof(against), "%s against %s", faults, size);
	(void)snprintf(by, sizeof(by), "%s by %s and %s", faults, variant, size);
	const struct study_plot plots[] = {
	    {.key = "faults",
	     .title = against,
	     .kind = REPORT_LINES,
	     .x = size,
	     .y = {faults},
	     .y_count = 1,
	     .series = variant},
	    {.key = "map",
	     .title = by,
	     .kind = REPORT_HEATMAP,
	     .x = size,
	     .y = {faults},
	     .y_count = 1,
	     .series = variant},
	};
	put_all(report, results, parts, plots, COUNT_OF(plots));
}

/* Variants side by side for each workload; without workloads, each by itself. */
static void put_comparison(struct report *report, const struct results *results, const struct study_parts *parts)
{
	const char *variant = study_axis_name(results, parts->variant);
	bool crossed = parts->workload >= 0 && parts->workload != parts->variant;
	const char *x = crossed ? study_axis_name(results, parts->workload) : variant;
	const char *series = crossed ? variant : NULL;
	char relative[200];
	(void)snprintf(relative, sizeof(relative), "Time relative to %s",
		       results->axes[parts->variant].values[parts->baseline]);
	const struct study_plot plots[] = {
	    {.key = "relative",
	     .title = relative,
	     .kind = REPORT_BARS,
	     .x = x,
	     .y = {"cycles"},
	     .y_count = 1,
	     .series = series,
	     .relative = true},
	    {.key = "memory",
	     .title = "Peak resident memory",
	     .kind = REPORT_BARS,
	     .x = x,
	     .y = {"memory.peak_rss"},
	     .y_count = 1,
	     .series = series},
	    {.key = "tlb",
	     .title = "TLB miss ratio",
	     .kind = REPORT_BARS,
	     .x = x,
	     .y = {"tlb.miss_ratio"},
	     .y_count = 1,
	     .series = series},
	    {.key = "time",
	     .title = "Where the time goes",
	     .kind = REPORT_STACKED,
	     .x = variant,
	     .y = TIME_LAYERS,
	     .y_count = 5},
	};
	put_all(report, results, parts, plots, COUNT_OF(plots));
}

static void put_course(struct report *report, const struct results *results, const struct study_parts *parts)
{
	const char *time = "operations";
	const char *variant = parts->variant >= 0 ? study_axis_name(results, parts->variant) : NULL;
	const struct study_plot plots[] = {
	    {.key = "course",
	     .title = "Promised, resident and heap memory over time",
	     .kind = REPORT_LINES,
	     .x = time,
	     .y = {"memory.virtual", "memory.rss", "heap.bytes", "heap.live_bytes"},
	     .y_count = 4},
	    {.key = "resident",
	     .title = "Resident memory over time",
	     .kind = REPORT_LINES,
	     .x = time,
	     .y = {"memory.rss"},
	     .y_count = 1,
	     .series = variant},
	    {.key = "heap",
	     .title = "Heap over time",
	     .kind = REPORT_LINES,
	     .x = time,
	     .y = {"heap.bytes"},
	     .y_count = 1,
	     .series = variant},
	    {.key = "heap-fragmentation",
	     .title = "Fragmentation of the heap over time",
	     .kind = REPORT_LINES,
	     .x = time,
	     .y = {"heap.fragmentation"},
	     .y_count = 1,
	     .series = variant},
	    {.key = "frame-fragmentation",
	     .title = "Fragmentation of free frames over time",
	     .kind = REPORT_LINES,
	     .x = time,
	     .y = {"frames.fragmentation"},
	     .y_count = 1,
	     .series = variant},
	};
	put_all(report, results, parts, plots, COUNT_OF(plots));
}

static void put_blocks(struct report *report, const struct results *results, const struct study_parts *parts)
{
	const char *series = parts->workload >= 0 ? study_axis_name(results, parts->workload) : NULL;
	const struct study_plot plots[] = {
	    {.key = "sizes",
	     .title = "Sizes of requests",
	     .kind = REPORT_BARS,
	     .x = "size",
	     .y = {"percent"},
	     .y_count = 1,
	     .series = series},
	    {.key = "lifetimes",
	     .title = "Lifetimes of blocks",
	     .kind = REPORT_BARS,
	     .x = "lifetime",
	     .y = {"percent"},
	     .y_count = 1,
	     .series = series},
	};
	put_all(report, results, parts, plots, COUNT_OF(plots));
}

static void put_phases(struct report *report, const struct results *results, const struct study_parts *parts)
{
	const struct study_plot plot = {
	    "phases", "Time of each phase", REPORT_STACKED, "phase", TIME_LAYERS, NULL, 5, false, false};
	study_put_plot(report, results, parts, &plot);
}

void study_put_plots(struct report *report, const struct results *results, const struct study_parts *parts)
{
	static const struct {
		const char *key, *title;
		bool (*is_there)(const struct results *results, const struct study_parts *parts);
		void (*put)(struct report *report, const struct results *results, const struct study_parts *parts);
	} groups[] = {
	    {"variants", "Side by side", is_compared, put_comparison},
	    {"layers", "Layer by layer", is_alone, put_layers},
	    {"against", "Against the size", has_size, put_against_size},
	    {"phases", "Phase by phase", has_phases, put_phases},
	    {"course", "Over time", has_series, put_course},
	    {"blocks", "Sizes and lifetimes of blocks", has_histograms, put_blocks},
	};
	for (unsigned i = 0; i < COUNT_OF(groups); i++) {
		if (!groups[i].is_there(results, parts))
			continue;
		report_begin(report, groups[i].key, groups[i].title);
		groups[i].put(report, results, parts);
		report_end(report);
	}
}
