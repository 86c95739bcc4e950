#include "columns.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/version.h"

struct visitor {
	study_cell_fn *visit;
	void *self;
	bool present;
};

static void put_number(const struct visitor *visitor, const char *name, uint64_t number, const char *unit,
		       const char *about)
{
	const struct study_cell cell = {name, false, "", unit, about, visitor->present, NULL, number};
	visitor->visit(visitor->self, &cell);
}

static void put_text(const struct visitor *visitor, const char *name, const char *text, const char *about)
{
	const struct study_cell cell = {name, true, "", "", about, visitor->present, text, 0};
	visitor->visit(visitor->self, &cell);
}

/* ---- settings ---- */

/* What a setting means: machine.memory by its key, libc by that of any process. */
struct meaning {
	const char *key;
	const char *text;
};

static void find_meaning(void *self, const char *key, const char *value, const char *text)
{
	struct meaning *meaning = self;
	size_t length = strlen(key);
	size_t wanted = strlen(meaning->key);
	(void)value;
	if (length >= wanted && strcmp(key + length - wanted, meaning->key) == 0 &&
	    (length == wanted || key[length - wanted - 1] == '.'))
		meaning->text = text;
}

/* "64MiB" in bytes. Sizes of a plan are whole or have a short fraction. */
static uint64_t size_bytes(const char *text)
{
	static const char units[] = "KMGT";
	char *end;
	double value = strtod(text, &end);
	const char *unit = *end ? strchr(units, *end) : NULL;
	uint64_t scale = unit ? (uint64_t)1 << (10 * (unit - units + 1)) : 1;
	return *end ? (uint64_t)(value * (double)scale) : strtoull(text, NULL, 10);
}

static void put_parameter(const struct visitor *visitor, const struct study *study,
			  const struct study_parameter *parameter, const char *value)
{
	struct meaning meaning = {parameter->key, ""};
	char bytes[STUDY_NAME_BYTES];
	document_settings(study->workloads[0].document, find_meaning, &meaning);
	struct study_cell cell = {
	    parameter->key, parameter->type != STUDY_NUMBER, "setting", "", meaning.text, visitor->present, value, 0};
	if (!cell.is_text && value)
		cell.number = strtoull(value, NULL, 10);
	visitor->visit(visitor->self, &cell);
	if (parameter->type != STUDY_SIZE)
		return;
	(void)snprintf(bytes, sizeof(bytes), "%s.bytes", parameter->key);
	cell = (struct study_cell){bytes, false, "setting", "bytes", "the same in bytes", visitor->present, NULL, 0};
	if (value)
		cell.number = size_bytes(value);
	visitor->visit(visitor->self, &cell);
}

static void put_settings(const struct visitor *visitor, const struct study *study, const struct study_row *row)
{
	const struct study_plan *plan = study->plan;
	struct study_choice choice = {0};
	if (row)
		choice = study_choice(study, row->position);
	put_text(visitor, "workload", study->workloads[choice.workload].document->name, "the workload's name");
	for (unsigned p = 0; p < plan->parameter_count; p++)
		put_parameter(visitor, study, &plan->parameters[p], plan->parameters[p].values[choice.value[p]]);
	if (plan->seeds.count)
		put_parameter(visitor, study, &plan->seeds, plan->seeds.values[choice.seed]);
}

/* ---- rows ---- */

static void put_stats(const struct visitor *visitor, const struct stats *stats)
{
	static const char *const kinds[] = {[STAT_TOTAL] = "total", [STAT_LEVEL] = "level", [STAT_PEAK] = "peak"};
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		const struct stat_info *info = stat_info((enum stat)i);
		const struct study_cell cell = {info->name,
						false,
						kinds[info->kind],
						info->unit,
						info->text,
						visitor->present && stats,
						NULL,
						stats ? stats->value[i] : 0};
		visitor->visit(visitor->self, &cell);
	}
}

void study_visit_row(const struct study *study, const struct study_row *row, study_cell_fn *visit, void *self)
{
	const struct visitor visitor = {visit, self, row != NULL};
	static const struct study_row none;
	const struct study_row *from = row ? row : &none;
	char digest[24];
	(void)snprintf(digest, sizeof(digest), "%016" PRIx64, from->digest);
	put_number(&visitor, "point", from->number, "", "the number of the point");
	put_settings(&visitor, study, row);
	put_text(&visitor, "digest", digest, "of the document and the settings");
	put_text(&visitor, "version", FAULTLINE_VERSION, "of the program");
	put_text(&visitor, "status", study_outcome_name(from->status), "how the point ended");
	put_text(&visitor, "message", from->why.text, "what went wrong");
	put_number(&visitor, "operations", from->progress.operations, "operations", "operations done");
	put_number(&visitor, "expectations", from->progress.expectations, "expectations", "expectations checked");
	put_number(&visitor, "expectations_failed", from->progress.expectations_failed, "expectations",
		   "of these: failed");
	put_stats(&visitor, from->booted ? &from->stats : NULL);
}

void study_visit_phase(const struct study_row *row, unsigned phase, study_cell_fn *visit, void *self)
{
	const struct visitor visitor = {visit, self, row != NULL};
	put_number(&visitor, "point", row ? row->number : 0, "", "the number of the point");
	put_number(&visitor, "phase", phase, "", "from 0, the time before the first one");
	put_text(&visitor, "name", row ? row->phases[phase].name : "", "of the phase");
	put_stats(&visitor, row ? &row->phases[phase].stats : NULL);
}

void study_visit_sample(const struct study_row *row, unsigned sample, study_cell_fn *visit, void *self)
{
	static const struct series_sample none;
	const struct visitor visitor = {visit, self, row != NULL};
	const struct series_sample *from = row ? &row->samples[sample] : &none;
	put_number(&visitor, "point", row ? row->number : 0, "", "the number of the point");
	put_number(&visitor, "sample", from->number, "", "from 0");
	put_number(&visitor, "operations", from->operations, "operations", "operations done");
	put_number(&visitor, "events", from->events, "events", "events so far");
	put_number(&visitor, "cycles", from->cycles, "cycles", "simulated time");
	for (unsigned i = 0; i < SERIES_VALUES; i++)
		put_number(&visitor, series_value_name(i), from->value[i], series_value_unit(i), "");
}

/* Part: buckets of all histograms, one after the other. */
void study_visit_bucket(const struct study_row *row, unsigned part, study_cell_fn *visit, void *self)
{
	const struct visitor visitor = {visit, self, row != NULL};
	const unsigned histogram = part / HISTOGRAM_BUCKETS, bucket = part % HISTOGRAM_BUCKETS;
	put_number(&visitor, "point", row ? row->number : 0, "", "the number of the point");
	put_text(&visitor, "histogram", histogram_name((enum histogram)histogram), "of what");
	put_number(&visitor, "first", histogram_first(bucket), "bytes", "the least that is counted here");
	put_number(&visitor, "last", histogram_last(bucket), "bytes", "the most that is counted here");
	put_number(&visitor, "count", row ? row->histograms.count[histogram][bucket] : 0, "", "how many");
}
