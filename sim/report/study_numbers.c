/* Means, spreads and ratios of a study. */
#include <math.h>
#include <string.h>

#include "faultline/histogram.h"
#include "faultline/measure.h"
#include "study_private.h"

/* Quantiles .975 of Student's t for 1 to 30 degrees of freedom. */
static const double student[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
				 2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
				 2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};

static double quantile(unsigned freedom)
{
	return freedom <= sizeof(student) / sizeof(*student) ? student[freedom - 1] : 1.96;
}

struct study_selection study_select_all(void)
{
	struct study_selection all;
	for (unsigned i = 0; i < RESULTS_AXES; i++)
		all.value[i] = STUDY_ANY;
	return all;
}

bool study_is_selected(const struct results *results, unsigned row, const struct study_selection *selection)
{
	for (unsigned i = 0; i < results->axis_count; i++) {
		int value = selection->value[i];
		if (value != STUDY_ANY && (unsigned)value != results_axis_value(results, row, i))
			return false;
	}
	return results_ran(results, row);
}

/* ---- a spot of a point ---- */

/* A row of the points, or of one of their parts. */
struct row {
	const struct results *results;
	const struct results_part *part; /* NULL: of the points */
	unsigned number;
};

static double column_of(const void *self, const char *name)
{
	const struct row *row = self;
	int column = row->part ? results_part_column(row->part, name) : results_column(row->results, name);
	if (column < 0)
		return NAN;
	if (row->part)
		return row->part->values[(size_t)row->number * row->part->column_count + (unsigned)column];
	return results_at(row->results, row->number, (unsigned)column)->value;
}

static double phase_value(const struct results *results, unsigned point, double at, const char *measure)
{
	const struct results_part *phases = &results->phases;
	struct row row = {results, phases, phases->first[point] + (unsigned)at};
	return row.number < phases->first[point + 1] ? measure_value(measure, column_of, &row) : NAN;
}

/* What the last sample before or at this moment says; behind the end of the run there is nothing. */
static double value_at_time(const struct results *results, unsigned point, double at, const char *measure)
{
	const struct results_part *series = &results->series;
	struct row row = {results, series, series->first[point]};
	double time = NAN;
	for (unsigned i = series->first[point]; i < series->first[point + 1]; i++) {
		struct row next = {results, series, i};
		time = column_of(&next, "operations");
		if (time > at)
			break;
		row.number = i;
	}
	return time >= at ? measure_value(measure, column_of, &row) : NAN;
}

static double blocks_between(const struct results *results, unsigned point, enum histogram histogram, double bucket)
{
	const struct results_part *part = &results->histograms;
	double sum = 0;
	for (unsigned i = part->first[point]; i < part->first[point + 1]; i++) {
		struct row row = {results, part, i};
		bool here = bucket < 0 || histogram_bucket((uint64_t)column_of(&row, "first")) == (unsigned)bucket;
		if (here && strcmp(part->texts[i], histogram_name(histogram)) == 0)
			sum += column_of(&row, "count");
	}
	return sum;
}

/* The bucket behind the last one: blocks that were never freed. */
static double bucket_value(const struct results *results, unsigned point, const struct study_spot *spot,
			   const char *measure)
{
	bool sizes = spot->kind == STUDY_SIZE;
	bool never = spot->at >= HISTOGRAM_BUCKETS;
	double all = sizes ? blocks_between(results, point, HISTOGRAM_SIZE, -1)
			   : blocks_between(results, point, HISTOGRAM_LIFETIME, -1) +
				 blocks_between(results, point, HISTOGRAM_ALIVE, -1);
	double here = blocks_between(results, point,
				     sizes   ? HISTOGRAM_SIZE
				     : never ? HISTOGRAM_ALIVE
					     : HISTOGRAM_LIFETIME,
				     never ? -1 : spot->at);
	if (strcmp(measure, "percent") == 0)
		return all > 0 ? here * 100 / all : NAN;
	return here;
}

static double value_of_point(const struct results *results, unsigned point, const struct study_spot *spot,
			     const char *measure)
{
	const struct row row = {results, NULL, point};
	switch (spot->kind) {
	case STUDY_WHOLE:
		break;
	case STUDY_PHASE:
		return phase_value(results, point, spot->at, measure);
	case STUDY_TIME:
		return value_at_time(results, point, spot->at, measure);
	case STUDY_SIZE:
	case STUDY_LIFETIME:
		return bucket_value(results, point, spot, measure);
	}
	return measure_value(measure, column_of, &row);
}

struct study_sample study_sample(const struct results *results, const struct study_spot *spot, const char *measure)
{
	struct study_sample sample = {.low = INFINITY, .high = -INFINITY, .half = NAN, .mean = NAN};
	double mean = 0, squares = 0;
	for (unsigned row = 0; row < results->row_count; row++) {
		if (!study_is_selected(results, row, &spot->selection))
			continue;
		double value = value_of_point(results, row, spot, measure);
		if (isnan(value))
			continue;
		double away = value - mean;
		/* Welford: stable, and the order of the rows is that of the study. */
		mean += away / ++sample.count;
		squares += away * (value - mean);
		sample.low = fmin(sample.low, value);
		sample.high = fmax(sample.high, value);
	}
	if (sample.count)
		sample.mean = mean;
	if (sample.count > 1)
		sample.half = quantile(sample.count - 1) * sqrt(squares / (sample.count - 1) / sample.count);
	return sample;
}

double study_mean(const struct results *results, const struct study_selection *selection, const char *measure)
{
	const struct study_spot whole = {.selection = *selection};
	return study_sample(results, &whole, measure).mean;
}

/* ---- ratios ---- */

/* The axis' value in bytes differs with it. */
static bool differ_only_in(const struct results *results, unsigned a, unsigned b, const struct results_axis *axis)
{
	for (unsigned i = 0; i < results->column_count; i++) {
		if (results->columns[i].setting && i != axis->column && i != axis->value_column &&
		    strcmp(results_at(results, a, i)->text, results_at(results, b, i)->text) != 0)
			return false;
	}
	return true;
}

double study_ratio(const struct results *results, const struct study_parts *parts, unsigned variant,
		   const char *statistic)
{
	unsigned axis = (unsigned)parts->variant;
	int column = results_column(results, statistic);
	double logs = 0;
	unsigned count = 0;
	for (unsigned a = 0; column >= 0 && a < results->row_count; a++) {
		if (results_axis_value(results, a, axis) != parts->baseline)
			continue;
		for (unsigned b = 0; b < results->row_count; b++) {
			if (results_axis_value(results, b, axis) != variant ||
			    !differ_only_in(results, a, b, &results->axes[axis]) || !results_ran(results, a) ||
			    !results_ran(results, b))
				continue;
			double base = results_at(results, a, (unsigned)column)->value;
			double value = results_at(results, b, (unsigned)column)->value;
			if (base > 0 && value > 0) {
				logs += log(value / base);
				count++;
			}
		}
	}
	return count ? exp(logs / count) : NAN;
}

/* ---- parts ---- */

static int find_axis(const struct results *results, bool number)
{
	for (unsigned i = 0; i < results->axis_count; i++) {
		bool workload = strcmp(results->columns[results->axes[i].column].name, "workload") == 0;
		if (!workload && results->axes[i].is_number == number)
			return (int)i;
	}
	return -1;
}

const char *study_axis_name(const struct results *results, int axis)
{
	return axis < 0 ? "" : results->columns[results->axes[axis].column].name;
}

/* Nothing can be held against a value none of whose points ran. */
static unsigned first_that_ran(const struct results *results, int axis)
{
	struct study_selection selection = study_select_all();
	for (unsigned i = 0; i < results->axes[axis].count; i++) {
		selection.value[axis] = (int)i;
		if (!isnan(study_mean(results, &selection, "cycles")))
			return i;
	}
	return 0;
}

struct study_parts study_parts(const struct results *results, const char *baseline)
{
	struct study_parts parts = {-1, find_axis(results, false), find_axis(results, true), 0};
	for (unsigned i = 0; i < results->axis_count; i++) {
		if (strcmp(study_axis_name(results, (int)i), "workload") == 0)
			parts.workload = (int)i;
	}
	if (parts.variant < 0)
		parts.variant = parts.size >= 0 ? parts.size : parts.workload;
	if (parts.variant < 0)
		return parts;
	const struct results_axis *axis = &results->axes[parts.variant];
	parts.baseline = first_that_ran(results, parts.variant);
	const char *wanted = baseline ? baseline : results->baseline[parts.variant];
	for (unsigned i = 0; wanted && i < axis->count; i++) {
		if (strcmp(axis->values[i], wanted) == 0)
			parts.baseline = i;
	}
	return parts;
}
