/* From a plan to numbered points. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/digest.h"
#include "faultline/version.h"
#include "study_private.h"

static const char workload_key[] = "workload";

/* ---- loading ---- */

static enum status check_names(const struct study *study, unsigned last, struct error *error)
{
	for (unsigned i = 0; i < last; i++) {
		if (strcmp(study->workloads[i].document->name, study->workloads[last].document->name) == 0)
			return error_set(
			    error, STATUS_BAD_INPUT,
			    "%s and %s are both called \"%s\", so nobody could tell their rows apart: give "
			    "one of them another \"name\"",
			    study->workloads[i].path, study->workloads[last].path, study->workloads[i].document->name);
	}
	return STATUS_OK;
}

static enum status load(struct study *study, unsigned index, struct error *error)
{
	struct study_workload *workload = &study->workloads[index];
	workload->path = study->plan->workloads[index];
	if (document_load(workload->path, &workload->document, error) != STATUS_OK)
		return error->status;
	workload->digest = workload->document->digest;
	for (unsigned i = 0; i < study->plan->setting_count; i++) {
		if (document_set(workload->document, study->plan->settings[i], error) != STATUS_OK)
			return error->status;
	}
	return check_names(study, index, error);
}

/* A value that nobody understands is told before anything runs. */
static enum status try_values(const struct document *base, const struct study_parameter *parameter, struct error *error)
{
	struct document *variant;
	char assignment[512];
	enum status status = document_variant(base, &variant, error);
	for (unsigned i = 0; i < parameter->count && status == STATUS_OK; i++) {
		(void)snprintf(assignment, sizeof(assignment), "%s=%s", parameter->key, parameter->values[i]);
		status = document_set(variant, assignment, error);
	}
	document_free(variant);
	return status;
}

static enum status load_all(struct study *study, struct error *error)
{
	const struct study_plan *plan = study->plan;
	if (plan->workload_count == 0)
		return error_set(error, STATUS_BAD_INPUT, "the study has no workload: name at least one");
	study->workloads = calloc(plan->workload_count, sizeof(*study->workloads));
	if (!study->workloads)
		return error_set(error, STATUS_HOST, "the host has no memory for the study");
	for (unsigned i = 0; i < plan->workload_count; i++) {
		if (load(study, i, error) != STATUS_OK)
			return error->status;
		for (unsigned p = 0; p < plan->parameter_count; p++) {
			if (try_values(study->workloads[i].document, &plan->parameters[p], error) != STATUS_OK)
				return error->status;
		}
	}
	return STATUS_OK;
}

/* ---- combinations ---- */

static struct study_choice choice_of(const struct study_plan *plan, uint64_t combination)
{
	struct study_choice choice = {0};
	unsigned seeds = plan->seeds.count ? plan->seeds.count : 1;
	choice.seed = (unsigned)(combination % seeds);
	combination /= seeds;
	for (unsigned p = plan->parameter_count; p-- > 0;) {
		choice.value[p] = (unsigned)(combination % plan->parameters[p].count);
		combination /= plan->parameters[p].count;
	}
	choice.workload = (unsigned)combination;
	return choice;
}

struct study_choice study_choice(const struct study *study, uint64_t position)
{
	return choice_of(study->plan, study->combinations[position]);
}

const char *study_seed(const struct study *study, const struct study_choice *choice)
{
	return study->plan->seeds.count ? study->plan->seeds.values[choice->seed] : NULL;
}

/* The value that a choice gives to a key. NULL: the study has no such key. */
static const char *value_of(const struct study *study, const struct study_choice *choice, const char *key)
{
	const struct study_plan *plan = study->plan;
	if (strcmp(key, workload_key) == 0)
		return study->workloads[choice->workload].document->name;
	if (strcmp(key, "seed") == 0)
		return study_seed(study, choice);
	for (unsigned p = 0; p < plan->parameter_count; p++) {
		if (strcmp(plan->parameters[p].key, key) == 0)
			return plan->parameters[p].values[choice->value[p]];
	}
	return NULL;
}

static bool has_value(const struct study_parameter *condition, const char *value)
{
	for (unsigned i = 0; i < condition->count; i++) {
		if (strcmp(condition->values[i], value) == 0)
			return true;
	}
	return false;
}

static bool is_excluded(const struct study *study, const struct study_choice *choice)
{
	for (unsigned e = 0; e < study->plan->exclusion_count; e++) {
		const struct study_exclusion *exclusion = &study->plan->exclusions[e];
		unsigned c = 0;
		while (c < exclusion->count &&
		       has_value(&exclusion->conditions[c], value_of(study, choice, exclusion->conditions[c].key)))
			c++;
		if (c == exclusion->count)
			return true;
	}
	return false;
}

static enum status check_exclusions(const struct study *study, struct error *error)
{
	struct study_choice first = choice_of(study->plan, 0);
	for (unsigned e = 0; e < study->plan->exclusion_count; e++) {
		const struct study_exclusion *exclusion = &study->plan->exclusions[e];
		for (unsigned c = 0; c < exclusion->count; c++) {
			if (!value_of(study, &first, exclusion->conditions[c].key))
				return error_set(error, STATUS_BAD_INPUT,
						 "an exclusion speaks of \"%s\", which this study does not vary: "
						 "allowed are workload, seed and the keys that are swept",
						 exclusion->conditions[c].key);
		}
	}
	return STATUS_OK;
}

static enum status count_combinations(const struct study_plan *plan, uint64_t *out, struct error *error)
{
	uint64_t total = plan->workload_count;
	uint64_t seeds = plan->seeds.count ? plan->seeds.count : 1;
	for (unsigned p = 0; p < plan->parameter_count && total <= STUDY_MOST_POINTS; p++)
		total *= plan->parameters[p].count;
	total *= seeds;
	*out = total;
	if (total <= STUDY_MOST_POINTS)
		return STATUS_OK;
	return error_set(error, STATUS_BAD_INPUT, "the study has more than %d points: sweep less at once",
			 STUDY_MOST_POINTS);
}

static enum status number_points(struct study *study, struct error *error)
{
	uint64_t total;
	if (check_exclusions(study, error) != STATUS_OK || count_combinations(study->plan, &total, error) != STATUS_OK)
		return error->status;
	study->combinations = calloc(total / study->slice.of + 1, sizeof(*study->combinations));
	if (!study->combinations)
		return error_set(error, STATUS_HOST, "the host has no memory for the points of the study");
	for (uint64_t combination = 0; combination < total; combination++) {
		struct study_choice choice = choice_of(study->plan, combination);
		if (is_excluded(study, &choice))
			continue;
		if (study->points++ % study->slice.of == study->slice.number - 1)
			study->combinations[study->count++] = combination;
	}
	if (study->points == 0)
		return error_set(error, STATUS_BAD_INPUT, "every point of the study is excluded: exclude less");
	return STATUS_OK;
}

/* ---- identity ---- */

static uint64_t digest_word(uint64_t digest, const char *text)
{
	return digest_bytes(digest, text, strlen(text) + 1);
}

static uint64_t digest_parameter(uint64_t digest, const struct study_parameter *parameter)
{
	digest = digest_word(digest, parameter->key ? parameter->key : "");
	for (unsigned i = 0; i < parameter->count; i++)
		digest = digest_word(digest, parameter->values[i]);
	return digest_word(digest, "");
}

/* Of everything that decides a byte of the results. */
static uint64_t digest_of(const struct study *study)
{
	const struct study_plan *plan = study->plan;
	uint64_t digest = digest_word(DIGEST_START, FAULTLINE_VERSION);
	for (unsigned i = 0; i < STAT_COUNT; i++)
		digest = digest_word(digest, stat_info((enum stat)i)->name);
	for (unsigned i = 0; i < plan->workload_count; i++) {
		digest = digest_word(digest, study->workloads[i].document->name);
		digest = digest_bytes(digest, &study->workloads[i].digest, sizeof(study->workloads[i].digest));
	}
	for (unsigned i = 0; i < plan->setting_count; i++)
		digest = digest_word(digest, plan->settings[i]);
	for (unsigned i = 0; i < plan->parameter_count; i++)
		digest = digest_parameter(digest, &plan->parameters[i]);
	digest = digest_parameter(digest, &plan->seeds);
	for (unsigned e = 0; e < plan->exclusion_count; e++) {
		for (unsigned c = 0; c < plan->exclusions[e].count; c++)
			digest = digest_parameter(digest, &plan->exclusions[e].conditions[c]);
		digest = digest_word(digest, "");
	}
	digest = digest_word(digest, plan->series ? "series" : "");
	digest = digest_word(digest, plan->histograms ? "histograms" : "");
	return digest_word(digest, plan->phases ? "phases" : "");
}

/* ---- the study ---- */

enum status study_new(const struct study_plan *plan, struct study_slice slice, struct study **out, struct error *error)
{
	struct study *study = calloc(1, sizeof(*study));
	*out = study;
	if (!study)
		return error_set(error, STATUS_HOST, "the host has no memory for the study");
	study->plan = plan;
	study->slice = slice;
	enum status status = load_all(study, error);
	if (status == STATUS_OK)
		status = study_check_wishes(study, error);
	if (status == STATUS_OK)
		status = number_points(study, error);
	if (status == STATUS_OK) {
		study->digest = digest_of(study);
		return STATUS_OK;
	}
	study_free(study);
	*out = NULL;
	return status;
}

void study_free(struct study *study)
{
	if (!study)
		return;
	for (unsigned i = 0; study->workloads && i < study->plan->workload_count; i++)
		document_free(study->workloads[i].document);
	free(study->workloads);
	free(study->combinations);
	free(study);
}

uint64_t study_points(const struct study *study)
{
	return study->points;
}

uint64_t study_slice_points(const struct study *study)
{
	return study->count;
}

uint64_t study_point_number(const struct study *study, uint64_t position)
{
	return position * study->slice.of + study->slice.number;
}

void study_point_text(const struct study *study, uint64_t position, char *out, size_t bytes)
{
	const struct study_plan *plan = study->plan;
	struct study_choice choice = study_choice(study, position);
	size_t used = (size_t)snprintf(out, bytes, "%s", study->workloads[choice.workload].document->name);
	for (unsigned p = 0; p < plan->parameter_count && used < bytes; p++)
		used += (size_t)snprintf(out + used, bytes - used, ", %s=%s", plan->parameters[p].key,
					 plan->parameters[p].values[choice.value[p]]);
	if (plan->seeds.count && used < bytes)
		(void)snprintf(out + used, bytes - used, ", seed=%s", study_seed(study, &choice));
}
