/* Means, spreads and ratios of a study. */
#include <math.h>
#include <string.h>

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

static bool is_selected(const struct results *results, unsigned row, const struct study_selection *selection)
{
	for (unsigned i = 0; i < results->axis_count; i++) {
		const struct results_axis *axis = &results->axes[i];
		int value = selection->value[i];
		if (value != STUDY_ANY &&
		    strcmp(results_at(results, row, axis->column)->text, axis->values[value]) != 0)
			return false;
	}
	return results_ran(results, row);
}

struct study_sample study_sample(const struct results *results, const struct study_selection *selection,
				 const char *statistic)
{
	struct study_sample sample = {.low = INFINITY, .high = -INFINITY, .half = NAN, .mean = NAN};
	int column = results_column(results, statistic);
	double mean = 0, squares = 0;
	for (unsigned row = 0; column >= 0 && row < results->row_count; row++) {
		if (!is_selected(results, row, selection))
			continue;
		double value = results_at(results, row, (unsigned)column)->value;
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

/* ---- ratios ---- */

static bool differ_only_in(const struct results *results, unsigned a, unsigned b, unsigned column)
{
	for (unsigned i = 0; i < results->column_count; i++) {
		if (results->columns[i].setting && i != column &&
		    strcmp(results_at(results, a, i)->text, results_at(results, b, i)->text) != 0)
			return false;
	}
	return true;
}

double study_ratio(const struct results *results, const struct study_parts *parts, unsigned variant,
		   const char *statistic)
{
	const struct results_axis *axis = &results->axes[parts->variant];
	int column = results_column(results, statistic);
	double logs = 0;
	unsigned count = 0;
	for (unsigned a = 0; column >= 0 && a < results->row_count; a++) {
		if (strcmp(results_at(results, a, axis->column)->text, axis->values[parts->baseline]) != 0)
			continue;
		for (unsigned b = 0; b < results->row_count; b++) {
			if (strcmp(results_at(results, b, axis->column)->text, axis->values[variant]) != 0 ||
			    !differ_only_in(results, a, b, axis->column) || !results_ran(results, a) ||
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
		if (study_sample(results, &selection, "cycles").count)
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
