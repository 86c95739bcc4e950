/* The plots that a report shows of any study that does not say what it wants. */
#include <math.h>
#include <stdio.h>

#include "study_private.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

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
