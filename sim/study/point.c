/* One point: a variant of its workload, a world, a row. */
#include <stdlib.h>
#include <string.h>

#include "faultline/check.h"
#include "study_private.h"

enum status study_row_init(struct study_row *row, struct error *error)
{
	*row = (struct study_row){.phases = calloc(STUDY_MOST_PHASES, sizeof(*row->phases))};
	return row->phases ? STATUS_OK : error_set(error, STATUS_HOST, "the host has no memory for a point");
}

void study_row_release(struct study_row *row)
{
	free(row->phases);
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

/* The same verdict as `faultline run` gives. */
static void run_world(const struct study *study, const struct document *document, struct study_row *row)
{
	struct world *world;
	struct check check;
	struct error broken = {0};
	if (world_new(document, &world, &row->why) != STATUS_OK)
		return;
	check_attach(&check, world, CHECK_IDENTITIES);
	enum status status = world_run(world, &row->why);
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
	*row = (struct study_row){
	    .position = position, .number = study_point_number(study, position), .phases = row->phases};
	if (make_variant(study, &choice, &variant, &row->why) == STATUS_OK) {
		row->digest = variant->digest;
		run_world(study, variant, row);
	}
	document_free(variant);
	row->status = row->why.status;
	return row->status;
}
