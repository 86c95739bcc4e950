#include "faultline/report_study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/phrase.h"
#include "study_private.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What a ranking compares. */
static const struct report_column compared[] = {{"cycles", "time"},
						{"faults.minor", "minor faults"},
						{"faults.major", "major faults"},
						{"tlb.misses", "TLB misses"},
						{"memory.peak_rss", "peak memory"}};

enum status report_study_check(const struct results *results, const char *baseline, struct error *error)
{
	struct study_parts parts = study_parts(results, baseline);
	if (!baseline)
		return STATUS_OK;
	if (parts.variant < 0)
		return error_set(error, STATUS_BAD_INPUT, "--baseline %s: nothing varies in this study", baseline);
	const struct results_axis *axis = &results->axes[parts.variant];
	char all[256] = "";
	for (unsigned i = 0; i < axis->count; i++) {
		size_t used = strlen(all);
		if (strcmp(axis->values[i], baseline) == 0)
			return STATUS_OK;
		(void)snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "", axis->values[i]);
	}
	return error_set(error, STATUS_BAD_INPUT, "--baseline %s: %s is one of %s", baseline,
			 study_axis_name(results, parts.variant), all);
}

/* ---- in words ---- */

static unsigned count_failed(const struct results *results)
{
	unsigned failed = 0;
	for (unsigned row = 0; row < results->row_count; row++)
		failed += !results_ran(results, row);
	return failed;
}

/* They ran to their end: their numbers count. */
static unsigned count_disappointed(const struct results *results)
{
	unsigned count = 0;
	int status = results_column(results, "status");
	for (unsigned row = 0; status >= 0 && row < results->row_count; row++)
		count += strcmp(results_at(results, row, (unsigned)status)->text, "expect_failed") == 0;
	return count;
}

static void put_axes(struct report *report, const struct results *results)
{
	for (unsigned i = 0; i < results->axis_count; i++) {
		char text[900] = "";
		for (unsigned j = 0; j < results->axes[i].count; j++) {
			size_t used = strlen(text);
			(void)snprintf(text + used, sizeof(text) - used, "%s%s", j ? ", " : "",
				       results->axes[i].values[j]);
		}
		report_text(report, study_axis_name(results, (int)i), study_axis_name(results, (int)i), text);
	}
}

static void put_change(char *room, size_t bytes, double ratio, const char *baseline)
{
	double percent = (ratio - 1) * 100;
	(void)snprintf(room, bytes, "%.1f %% %s than %s", fabs(percent), percent < 0 ? "less" : "more", baseline);
}

/* The variant with the lowest ratio; -1: there is nothing to compare. */
static int best_variant(const struct results *results, const struct study_parts *parts, const char *statistic,
			double *ratio)
{
	int best = -1;
	for (unsigned i = 0; i < results->axes[parts->variant].count; i++) {
		double is = study_ratio(results, parts, i, statistic);
		if (isnan(is) || (best >= 0 && is >= *ratio))
			continue;
		best = (int)i;
		*ratio = is;
	}
	return best;
}

static void put_winners(struct report *report, const struct results *results, const struct study_parts *parts)
{
	const struct results_axis *axis = &results->axes[parts->variant];
	for (unsigned i = 0; i < COUNT_OF(compared); i++) {
		double ratio = NAN;
		char change[160], key[64];
		int best = best_variant(results, parts, compared[i].key, &ratio);
		if (best < 0)
			continue;
		(void)snprintf(key, sizeof(key), "best_%s", compared[i].key);
		put_change(change, sizeof(change), ratio, axis->values[parts->baseline]);
		if ((unsigned)best == parts->baseline || fabs(ratio - 1) < 0.0005)
			report_textf(report, key, NULL, "In %s no %s does better than %s.", compared[i].title,
				     study_axis_name(results, parts->variant), axis->values[parts->baseline]);
		else
			report_textf(report, key, NULL, "Lowest in %s is %s: %s.", compared[i].title,
				     axis->values[best], change);
	}
}

static void put_summary(struct report *report, const struct results *results, const struct study_parts *parts)
{
	unsigned failed = count_failed(results);
	char title[300];
	(void)snprintf(title, sizeof(title), "Study %s", results->name);
	report_begin(report, "study", title);
	if (results->description[0])
		report_text(report, "description", NULL, results->description);
	report_textf(report, "summary", NULL, "%s%s%s.", phrase_count(results->row_count, "point").text,
		     results->seeds > 1 ? ", each setting with several seeds" : "",
		     failed                    ? ""
		     : results->row_count == 1 ? ", which ran to its end"
					       : "; all of them ran to their end");
	if (failed)
		report_textf(report, "failed", NULL,
			     "%s did not run to the end and count nowhere below: see the column status of results.csv.",
			     phrase_count(failed, "point").text);
	unsigned disappointed = count_disappointed(results);
	if (disappointed)
		report_textf(report, "disappointed", NULL, "In %s an expectation of the workload failed.",
			     phrase_count(disappointed, "point").text);
	if (parts->variant >= 0)
		put_winners(report, results, parts);
	report_text(report, "version", "version", results->version);
	report_text(report, "digest", "digest", results->digest);
	put_axes(report, results);
	report_end(report);
}

/* ---- tables ---- */

struct ranked {
	unsigned variant;
	double key;
};

static int by_key(const void *a, const void *b)
{
	const struct ranked *one = a, *other = b;
	bool less = one->key<other->key, more = one->key> other->key;
	if (less || more)
		return less ? -1 : 1;
	return one->variant < other->variant ? -1 : 1;
}

static void put_ranking(struct report *report, const struct results *results, const struct study_parts *parts)
{
	const struct results_axis *axis = &results->axes[parts->variant];
	struct report_column columns[COUNT_OF(compared) + 1] = {{"variant", study_axis_name(results, parts->variant)}};
	char title[200];
	int best[COUNT_OF(compared)];
	struct ranked *order = calloc(axis->count, sizeof(*order));
	BUG_ON(!order);
	for (unsigned i = 0; i < COUNT_OF(compared); i++) {
		double ratio = NAN;
		columns[i + 1] = compared[i];
		best[i] = best_variant(results, parts, compared[i].key, &ratio);
	}
	for (unsigned i = 0; i < axis->count; i++) {
		double ratio = study_ratio(results, parts, i, "cycles");
		order[i] = (struct ranked){i, isnan(ratio) ? INFINITY : ratio};
	}
	qsort(order, axis->count, sizeof(*order), by_key);
	(void)snprintf(title, sizeof(title), "Relative to %s (geometric means, the fastest first)",
		       axis->values[parts->baseline]);
	report_table_begin(report, "ranking", title, columns, COUNT_OF(columns));
	for (unsigned i = 0; i < axis->count; i++) {
		report_cell_text(report, axis->values[order[i].variant]);
		for (unsigned j = 0; j < COUNT_OF(compared); j++) {
			report_cell_decimal(report, study_ratio(results, parts, order[i].variant, compared[j].key), 3);
			if (best[j] == (int)order[i].variant)
				report_cell_mark(report);
		}
	}
	report_table_end(report);
	free(order);
}

/* The next combination of values; the last axis turns fastest. False: that was the last. */
static bool next_selection(const struct results *results, struct study_selection *selection)
{
	for (unsigned i = results->axis_count; i-- > 0;) {
		if (++selection->value[i] < (int)results->axes[i].count)
			return true;
		selection->value[i] = 0;
	}
	return false;
}

/* Where all are the same none is. */
static bool is_best(const struct results *results, const struct study_parts *parts, struct study_selection selection,
		    const char *statistic)
{
	double mean = study_mean(results, &selection, statistic);
	bool worse = false;
	for (unsigned i = 0; i < results->axes[parts->variant].count; i++) {
		selection.value[parts->variant] = (int)i;
		double other = study_mean(results, &selection, statistic);
		worse |= other > mean;
		if (other < mean)
			return false;
	}
	return worse;
}

static void put_point(struct report *report, const struct results *results, const struct study_parts *parts,
		      const struct study_selection *selection, const char *statistic)
{
	const struct study_spot spot = {.selection = *selection};
	struct study_sample sample = study_sample(results, &spot, statistic);
	struct study_selection base = *selection;
	base.value[parts->variant] = (int)parts->baseline;
	double baseline = study_mean(results, &base, statistic);
	if (sample.count == 0)
		return;
	for (unsigned i = 0; i < results->axis_count; i++)
		report_cell_text(report, results->axes[i].values[selection->value[i]]);
	report_cell_decimal(report, sample.mean, sample.count > 1);
	if (is_best(results, parts, *selection, statistic))
		report_cell_mark(report);
	report_cell_decimal(report, sample.half, 1);
	report_cell_decimal(report, sample.low, 0);
	report_cell_decimal(report, sample.high, 0);
	report_cell_decimal(report, baseline > 0 ? (sample.mean / baseline - 1) * 100 : NAN, 2);
}

static void put_points(struct report *report, const struct results *results, const struct study_parts *parts,
		       const struct report_column *statistic)
{
	static const struct report_column numbers[] = {{"mean", "mean"},
						       {"ci95", "\xc2\xb1 95 %"},
						       {"low", "lowest"},
						       {"high", "highest"},
						       {"percent", "% of change"}};
	struct report_column columns[RESULTS_AXES + COUNT_OF(numbers)];
	struct study_selection selection = {{0}};
	char title[160], key[64];
	unsigned count = 0;
	for (unsigned i = 0; i < results->axis_count; i++)
		columns[count++] = (struct report_column){study_axis_name(results, (int)i),
							  study_axis_name(results, (int)i)};
	for (unsigned i = 0; i < COUNT_OF(numbers); i++)
		columns[count++] = numbers[i];
	(void)snprintf(title, sizeof(title), "%s (%s), point by point", statistic->title, statistic->key);
	(void)snprintf(key, sizeof(key), "points_%s", statistic->key);
	report_table_begin(report, key, title, columns, count);
	do
		put_point(report, results, parts, &selection, statistic->key);
	while (next_selection(results, &selection));
	report_table_end(report);
}

/* Nothing is compared: what it came to. */
static void put_numbers(struct report *report, const struct results *results)
{
	static const struct report_column columns[] = {
	    {"statistic", ""}, {"mean", "mean"}, {"ci95", "\xc2\xb1 95 %"}, {"low", "lowest"}, {"high", "highest"}};
	report_begin(report, "numbers", "In numbers");
	report_table_begin(report, "numbers", NULL, columns, COUNT_OF(columns));
	for (unsigned i = 0; i < COUNT_OF(compared); i++) {
		const struct study_spot spot = {.selection = study_select_all()};
		struct study_sample sample = study_sample(results, &spot, compared[i].key);
		report_cell_text(report, compared[i].key);
		report_cell_decimal(report, sample.mean, sample.count > 1);
		report_cell_decimal(report, sample.half, 1);
		report_cell_decimal(report, sample.low, 0);
		report_cell_decimal(report, sample.high, 0);
	}
	report_table_end(report);
	report_end(report);
}

void report_study(struct report *report, const struct results *results, const char *baseline)
{
	struct study_parts parts = study_parts(results, baseline);
	put_summary(report, results, &parts);
	if (parts.variant < 0) {
		put_numbers(report, results);
		study_put_plots(report, results, &parts);
		return;
	}
	report_begin(report, "comparison", "Comparison");
	put_ranking(report, results, &parts);
	(void)study_put_wanted_tables(report, results, &parts);
	bool wanted = study_put_wanted_plots(report, results, &parts);
	report_end(report);
	if (!wanted)
		study_put_plots(report, results, &parts);
	report_begin(report, "points", "Every point");
	for (unsigned i = 0; i < COUNT_OF(compared); i++)
		put_points(report, results, &parts, &compared[i]);
	report_end(report);
}
