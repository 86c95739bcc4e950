#include "faultline/report_diff.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "diff_private.h"
#include "faultline/phrase.h"
#include "faultline/stat.h"
#include "faultline/version.h"

enum { FEW_CHANGES = 40 }; /* that people are shown one by one */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- numbers ---- */

double diff_percent(double a, double b)
{
	return a != 0 ? (b - a) * 100 / a : b == a ? 0 : NAN;
}

static bool differ(double a, double b)
{
	return a < b || a > b;
}

/* Calls visit for every number of a main scope that both have; all: of every scope. */
typedef void pair_fn(void *self, const struct numbers_scope *scope, const struct number *a, const struct number *b);

static void visit_pairs(const struct report_diff *diff, bool all, pair_fn *visit, void *self)
{
	for (size_t i = 0; i < diff->a->count; i++) {
		const struct numbers_scope *scope = &diff->a->scope[i];
		const struct numbers_scope *other = numbers_find_scope(diff->b, scope->name, i);
		for (size_t j = 0; other && (all || scope->main) && j < scope->count; j++) {
			const struct number *a = &scope->number[j], *b = numbers_find(other, a->name, j);
			if (b)
				visit(self, scope, a, b);
		}
	}
}

struct changes {
	struct report *report;
	uint64_t count;
	bool all;
};

static void count_change(void *self, const struct numbers_scope *scope, const struct number *a, const struct number *b)
{
	struct changes *changes = self;
	(void)scope;
	changes->count += differ(a->value, b->value);
}

static void put_change(void *self, const struct numbers_scope *scope, const struct number *a, const struct number *b)
{
	struct changes *changes = self;
	enum stat stat;
	if (!changes->all && !differ(a->value, b->value))
		return;
	report_cell_text(changes->report, scope->name);
	report_cell_text(changes->report, a->name);
	report_cell_decimal(changes->report, a->value, 0);
	report_cell_decimal(changes->report, b->value, 0);
	report_cell_decimal(changes->report, b->value - a->value, 0);
	report_cell_decimal(changes->report, diff_percent(a->value, b->value), 2);
	report_cell_text(changes->report, stat_find(a->name, &stat) ? stat_info(stat)->unit : "");
}

static void put_changes(struct report *report, const struct report_diff *diff, bool everywhere)
{
	static const struct report_column columns[] = {
	    {"scope", "scope"},   {"statistic", "statistic"}, {"a", "A"},       {"b", "B"},
	    {"change", "change"}, {"percent", "%"},           {"unit", "unit"},
	};
	struct changes changes = {.report = report, .all = diff->all};
	report_table_begin(report, "changes", "Statistics that changed", columns, COUNT_OF(columns));
	visit_pairs(diff, everywhere, put_change, &changes);
	report_table_end(report);
}

/* ---- many points ---- */

/* What became of one statistic over all points. */
struct overview {
	uint64_t points, changed, ratios;
	double logs, low, high;
};

static void look(void *self, const struct numbers_scope *scope, const struct number *a, const struct number *b)
{
	struct overview *overviews = self;
	enum stat stat;
	(void)scope;
	if (!stat_find(a->name, &stat))
		return;
	struct overview *overview = &overviews[stat];
	overview->points++;
	overview->changed += differ(a->value, b->value);
	if (a->value <= 0 || b->value <= 0)
		return;
	double percent = diff_percent(a->value, b->value);
	overview->low = overview->ratios ? fmin(overview->low, percent) : percent;
	overview->high = overview->ratios ? fmax(overview->high, percent) : percent;
	overview->logs += log(b->value / a->value);
	overview->ratios++;
}

static void put_overview(struct report *report, const struct report_diff *diff)
{
	static const struct report_column columns[] = {
	    {"statistic", "statistic"}, {"changed", "changed"}, {"points", "of points"},
	    {"mean", "mean %"},         {"low", "lowest %"},    {"high", "highest %"},
	};
	struct overview overviews[STAT_COUNT] = {{0}};
	visit_pairs(diff, false, look, overviews);
	report_table_begin(report, "overview", "Over all points (geometric means)", columns, COUNT_OF(columns));
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		const struct overview *overview = &overviews[i];
		double ratio = overview->ratios ? exp(overview->logs / (double)overview->ratios) : NAN;
		if (overview->changed == 0)
			continue;
		report_cell_text(report, stat_info((enum stat)i)->name);
		report_cell_number(report, overview->changed);
		report_cell_number(report, overview->points);
		report_cell_decimal(report, (ratio - 1) * 100, 2);
		report_cell_decimal(report, overview->ratios ? overview->low : NAN, 2);
		report_cell_decimal(report, overview->ratios ? overview->high : NAN, 2);
	}
	report_table_end(report);
}

static unsigned main_scopes(const struct numbers *numbers)
{
	unsigned count = 0;
	for (size_t i = 0; i < numbers->count; i++)
		count += numbers->scope[i].main;
	return count;
}

/* ---- what is not there ---- */

/* Scopes that only one side has: nothing in them can be compared. */
static uint64_t put_missing(struct report *report, const struct numbers *one, const struct numbers *other,
			    const char *side)
{
	uint64_t missing = 0;
	for (size_t i = 0; i < one->count; i++) {
		if (numbers_find_scope(other, one->scope[i].name, i))
			continue;
		missing++;
		if (report) {
			report_cell_text(report, one->scope[i].name);
			report_cell_text(report, side);
		}
	}
	return missing;
}

static uint64_t put_lonely(struct report *report, const struct report_diff *diff)
{
	static const struct report_column columns[] = {{"scope", "scope"}, {"side", "only in"}};
	uint64_t lonely = put_missing(NULL, diff->a, diff->b, "A") + put_missing(NULL, diff->b, diff->a, "B");
	if (lonely == 0)
		return 0;
	report_table_begin(report, "unpaired", "On one side only", columns, COUNT_OF(columns));
	(void)put_missing(report, diff->a, diff->b, "A");
	(void)put_missing(report, diff->b, diff->a, "B");
	report_table_end(report);
	return lonely;
}

/* ---- thresholds ---- */

struct judging {
	struct report *report; /* NULL: only count */
	const struct threshold *threshold;
	uint64_t judged, exceeded;
};

static bool is_meant(const struct threshold *threshold, const struct numbers_scope *scope)
{
	return threshold->scope[0] ? strcmp(threshold->scope, scope->name) == 0 : scope->main;
}

static void judge(void *self, const struct numbers_scope *scope, const struct number *a, const struct number *b)
{
	struct judging *judging = self;
	if (strcmp(judging->threshold->name, a->name) != 0 || !is_meant(judging->threshold, scope))
		return;
	bool exceeded = threshold_exceeded(judging->threshold, a->value, b->value);
	judging->judged++;
	judging->exceeded += exceeded;
	if (!judging->report)
		return;
	report_cell_text(judging->report, judging->threshold->text);
	report_cell_text(judging->report, scope->name);
	report_cell_decimal(judging->report, a->value, 0);
	report_cell_decimal(judging->report, b->value, 0);
	report_cell_decimal(judging->report, diff_percent(a->value, b->value), 2);
	report_cell_text(judging->report, exceeded ? "FAILED" : "holds");
}

enum status report_diff_check(const struct report_diff *diff, struct error *error)
{
	for (unsigned i = 0; i < diff->threshold_count; i++) {
		struct judging judging = {.threshold = &diff->thresholds[i]};
		if (diff->a)
			visit_pairs(diff, true, judge, &judging);
		if (judging.judged == 0)
			return error_set(error, STATUS_BAD_INPUT,
					 "--fail-if \"%s\": %s: scopes are machine, \"process NAME\", \"phase NAME\" "
					 "and, of a study, all the settings of a point",
					 judging.threshold->text,
					 diff->a ? "there is no such number on both sides"
						 : "there are no statistics on both sides, only events");
	}
	return STATUS_OK;
}

static uint64_t put_thresholds(struct report *report, const struct report_diff *diff)
{
	static const struct report_column columns[] = {
	    {"condition", "fail if"}, {"scope", "scope"}, {"a", "A"}, {"b", "B"}, {"percent", "%"}, {"verdict", ""}};
	uint64_t exceeded = 0;
	if (diff->threshold_count == 0)
		return 0;
	report_table_begin(report, "thresholds", "Thresholds", columns, COUNT_OF(columns));
	for (unsigned i = 0; i < diff->threshold_count; i++) {
		struct judging judging = {.report = report, .threshold = &diff->thresholds[i]};
		visit_pairs(diff, true, judge, &judging);
		exceeded += judging.exceeded;
	}
	report_table_end(report);
	return exceeded;
}

/* ---- the whole ---- */

static void put_summary(struct report *report, const struct report_diff *diff, uint64_t changed)
{
	report_begin(report, "comparison", "Comparison");
	report_text(report, "version", "version", FAULTLINE_VERSION);
	report_text(report, "a", "A", diff->name_a);
	report_text(report, "b", "B", diff->name_b);
	if (diff->a)
		report_number(report, "changed", "changed", changed, "statistics");
	if (diff->events)
		diff_put_verdict(report, diff->events);
	report_end(report);
}

void report_diff(struct report *report, const struct report_diff *diff, struct report_diff_verdict *out)
{
	/* People read of the whole first; what repeats it for a process or a phase is for programs, or on demand. */
	bool everywhere = diff->all || !report_is_for_people(report);
	struct changes changes = {0}, shown = {0};
	*out = (struct report_diff_verdict){0};
	if (diff->a) {
		visit_pairs(diff, true, count_change, &changes);
		visit_pairs(diff, everywhere, count_change, &shown);
	}
	put_summary(report, diff, shown.count);
	if (diff->events && (diff->events->parted || diff->events->time_parted))
		diff_put_events(report, diff->events);
	out->changed = changes.count;
	bool many = diff->a && main_scopes(diff->a) > 1 && shown.count > 0;
	if (many)
		put_overview(report, diff);
	if (many && !everywhere && shown.count > FEW_CHANGES)
		report_text(report, "more", NULL, "Point by point: --all, or another format.");
	else if (diff->a && (shown.count || diff->all))
		put_changes(report, diff, everywhere);
	if (diff->a)
		out->changed += put_lonely(report, diff);
	out->exceeded = put_thresholds(report, diff);
	out->parted = diff->events && (diff->events->parted || diff->events->time_parted);
}
