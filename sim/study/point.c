/* One point: a variant of its workload, a world, a row. */
#include <stdlib.h>
#include <string.h>

#include "faultline/check.h"
#include "study_private.h"

enum status study_row_init(struct study_row *row, struct error *error)
{
	*row = (struct study_row){.phases = calloc(STUDY_MOST_PHASES, sizeof(*row->phases)),
				  .samples = calloc(STUDY_MOST_SAMPLES, sizeof(*row->samples))};
	return row->phases && row->samples ? STATUS_OK
					   : error_set(error, STATUS_HOST, "the host has no memory for a point");
}

void study_row_reset(struct study_row *row)
{
	*row = (struct study_row){.phases = row->phases, .samples = row->samples};
}

void study_row_release(struct study_row *row)
{
	free(row->phases);
	free(row->samples);
	*row = (struct study_row){0};
}

const char *study_outcome_name(enum status status)
{
	static const char *const names[] = {
#define X(id, name, text) [STATUS_##id] = name,
	    STUDY_OUTCOME_LIST(X)
#undef X
	};
	return names[status];
}

static enum status apply(struct document *variant, const char *key, const char *value, struct error *error)
{
	char assignment[512];
	(void)snprintf(assignment, sizeof(assignment), "%s=%s", key, value);
	return document_set(variant, assignment, error);
}

static enum status make_variant(const struct study *study, const struct study_choice *choice, struct document **out,
				struct error *error)
{
	const struct study_plan *plan = study->plan;
	const char *seed = study_seed(study, choice);
	enum status status = document_variant(study->workloads[choice->workload].document, out, error);
	for (unsigned p = 0; p < plan->parameter_count && status == STATUS_OK; p++)
		status = apply(*out, plan->parameters[p].key, plan->parameters[p].values[choice->value[p]], error);
	if (seed && status == STATUS_OK)
		status = apply(*out, "seed", seed, error);
	if (seed && status == STATUS_OK)
		status = apply(*out, "kernel.seed", seed, error);
	return status;
}

static void take_statistics(const struct study *study, const struct world *world, struct study_row *row)
{
	row->progress = world_progress(world);
	row->booted = world_kernel(world) != NULL;
	if (!row->booted)
		return;
	world_machine_stats(world, &row->stats);
	if (!study->plan->phases)
		return;
	row->phase_count = world_phase_count(world);
	for (unsigned i = 0; i < row->phase_count; i++) {
		(void)snprintf(row->phases[i].name, STUDY_NAME_BYTES, "%s", world_phase_name(world, i));
		world_phase_stats(world, i, &row->phases[i].stats);
	}
}

/* ---- what is watched on the way ---- */

struct watchers {
	struct study_row *row;
	struct series *series;
	struct block_watch *blocks;
};

/* However long the run: when there is no more room, every second sample goes, and from then on half as many come. */
static void keep_sample(void *self, const struct series_sample *sample)
{
	struct watchers *watchers = self;
	struct study_row *row = watchers->row;
	if (sample->pid != 0)
		return;
	if (row->sample_count == STUDY_MOST_SAMPLES) {
		for (unsigned i = 0; i < STUDY_MOST_SAMPLES / 2; i++)
			row->samples[i] = row->samples[2 * i];
		row->sample_count = STUDY_MOST_SAMPLES / 2;
		series_stretch(watchers->series);
	}
	row->samples[row->sample_count] = *sample;
	row->samples[row->sample_count].process = "";
	row->sample_count++;
}

static void attach(struct watchers *watchers, const struct study_plan *plan, struct world *world, struct study_row *row)
{
	static const struct series_every every = {1, SERIES_OPERATIONS};
	struct bus *bus = world_bus(world);
	*watchers = (struct watchers){.row = row};
	row->has_histograms = plan->histograms;
	if (plan->series) {
		watchers->series = series_new(world, every, keep_sample, watchers);
		bus_subscribe(bus, series_mask(watchers->series), series_event, watchers->series);
	}
	if (plan->histograms) {
		watchers->blocks = block_watch_new(&row->histograms);
		bus_subscribe(bus, block_watch_mask(), block_watch_event, watchers->blocks);
	}
}

static void finish(struct watchers *watchers)
{
	series_free(watchers->series);
	block_watch_free(watchers->blocks);
	for (unsigned i = 0; i < watchers->row->sample_count; i++)
		watchers->row->samples[i].number = i;
}

/* ---- the world ---- */

/* The same verdict as `faultline run` gives. */
static void run_world(const struct study *study, const struct document *document, struct study_row *row)
{
	struct watchers watchers;
	struct world *world;
	struct check check;
	struct error broken = {0};
	if (world_new(document, &world, &row->why) != STATUS_OK)
		return;
	check_attach(&check, world, CHECK_IDENTITIES);
	attach(&watchers, study->plan, world, row);
	enum status status = world_run(world, &row->why);
	finish(&watchers);
	bool whole = status == STATUS_OK || status == STATUS_EXPECT_FAILED;
	if (whole && !check_finish(&check, &broken))
		row->why = broken;
	take_statistics(study, world, row);
	world_free(world);
}

enum status study_point_run(const struct study *study, uint64_t position, struct study_row *row)
{
	struct study_choice choice = study_choice(study, position);
	struct document *variant = NULL;
	study_row_reset(row);
	row->position = position;
	row->number = study_point_number(study, position);
	if (make_variant(study, &choice, &variant, &row->why) == STATUS_OK) {
		row->digest = variant->digest;
		run_world(study, variant, row);
	}
	document_free(variant);
	row->status = row->why.status;
	return row->status;
}

uint64_t study_point_digest(const struct study *study, uint64_t position)
{
	struct study_choice choice = study_choice(study, position);
	struct document *variant = NULL;
	struct error error;
	enum status status = make_variant(study, &choice, &variant, &error);
	uint64_t digest = status == STATUS_OK ? variant->digest : 0;
	document_free(variant);
	return digest;
}
