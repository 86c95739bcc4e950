#include "faultline/study_plan.h"

#include <string.h>

#include "study_plan_private.h"

/* Address space for the texts of the longest lists; what is not used costs nothing. */
#define PLAN_BYTES ((size_t)1 << 30)

struct study_plan *study_plan_new(void)
{
	struct arena *arena = arena_new(PLAN_BYTES);
	if (!arena)
		return NULL;
	struct study_plan_owner *owner = arena_new_object(arena, struct study_plan_owner);
	struct study_plan *plan = &owner->plan;
	owner->arena = arena;
	plan->name = "study";
	plan->description = "";
	plan->workloads = arena_new_array(arena, const char *, STUDY_MAX_WORKLOADS);
	plan->settings = arena_new_array(arena, const char *, STUDY_MAX_SETTINGS);
	plan->exclusions = arena_new_array(arena, struct study_exclusion, STUDY_MAX_EXCLUSIONS);
	plan->baseline_json = "{}";
	plan->tables_json = plan->plots_json = "[]";
	return plan;
}

void study_plan_free(struct study_plan *plan)
{
	if (plan)
		arena_free(study_plan_arena(plan));
}

struct arena *study_plan_arena(struct study_plan *plan)
{
	return ((struct study_plan_owner *)plan)->arena;
}

const char *study_type_name(enum study_type type)
{
	static const char *const names[] = {
#define X(id, name) [STUDY_##id] = name,
	    STUDY_TYPE_LIST(X)
#undef X
	};
	return names[type];
}

/* ---- adding ---- */

enum status study_plan_workload(struct study_plan *plan, const char *path, struct error *error)
{
	if (plan->workload_count == STUDY_MAX_WORKLOADS)
		return error_set(error, STATUS_BAD_INPUT, "a study has at most %d workloads: divide it",
				 STUDY_MAX_WORKLOADS);
	plan->workloads[plan->workload_count++] = study_copy(study_plan_arena(plan), path, strlen(path));
	return STATUS_OK;
}

enum status study_plan_setting(struct study_plan *plan, const char *assignment, struct error *error)
{
	if (plan->setting_count == STUDY_MAX_SETTINGS)
		return error_set(error, STATUS_BAD_INPUT, "a study has at most %d settings", STUDY_MAX_SETTINGS);
	plan->settings[plan->setting_count++] = study_copy(study_plan_arena(plan), assignment, strlen(assignment));
	return STATUS_OK;
}

struct study_parameter *study_parameter_add(struct study_plan *plan, const char *key, size_t length, struct why *why)
{
	const char *copy = study_copy(study_plan_arena(plan), key, length);
	if (plan->parameter_count == STUDY_MAX_PARAMETERS) {
		why_set(why, "a study has at most %d parameters", STUDY_MAX_PARAMETERS);
		return NULL;
	}
	if (strcmp(copy, "seed") == 0) {
		why_set(why, "seeds are repetitions, not a parameter: write --repeat seeds=1..10");
		return NULL;
	}
	for (unsigned i = 0; i < plan->parameter_count; i++) {
		if (strcmp(plan->parameters[i].key, copy) == 0) {
			why_set(why, "%s is swept twice: give all its values at once", quoted(copy).text);
			return NULL;
		}
	}
	struct study_parameter *parameter = &plan->parameters[plan->parameter_count++];
	parameter->key = copy;
	return parameter;
}

struct study_exclusion *study_exclusion_add(struct study_plan *plan, struct why *why)
{
	if (plan->exclusion_count < STUDY_MAX_EXCLUSIONS)
		return &plan->exclusions[plan->exclusion_count++];
	why_set(why, "a study has at most %d exclusions", STUDY_MAX_EXCLUSIONS);
	return NULL;
}

/* ---- from the command line ---- */

static enum status refuse(struct error *error, const char *option, const char *text, const char *why)
{
	return error_set(error, STATUS_BAD_INPUT, "%s %s: %s", option, quoted(text).text, why);
}

enum status study_plan_sweep(struct study_plan *plan, const char *sweep, struct error *error)
{
	struct why why = {"expected KEY=VALUES, as in machine.memory=16MiB..1GiB*2 or libc=glibc,best-fit"};
	const char *equals = strchr(sweep, '=');
	if (!equals || equals == sweep)
		return refuse(error, "--sweep", sweep, why.text);
	struct study_parameter *parameter = study_parameter_add(plan, sweep, (size_t)(equals - sweep), &why);
	if (!parameter || !study_values_add(study_plan_arena(plan), parameter, equals + 1, &why))
		return refuse(error, "--sweep", sweep, why.text);
	study_values_classify(parameter);
	return STATUS_OK;
}

enum status study_plan_repeat(struct study_plan *plan, const char *repeat, struct error *error)
{
	struct why why = {"seeds are whole numbers from 1 up: seeds=1..10"};
	struct study_parameter *seeds = &plan->seeds;
	if (strncmp(repeat, "seeds=", 6) != 0)
		return refuse(error, "--repeat", repeat, "what is repeated is written seeds=1..10");
	if (seeds->count != 0)
		return refuse(error, "--repeat", repeat, "there are seeds already: give all of them at once");
	if (!study_values_add(study_plan_arena(plan), seeds, repeat + 6, &why))
		return refuse(error, "--repeat", repeat, why.text);
	seeds->key = "seed";
	study_values_classify(seeds);
	if (seeds->type != STUDY_NUMBER || strcmp(seeds->values[0], "0") == 0)
		return refuse(error, "--repeat", repeat, "seeds are whole numbers from 1 up: seeds=1..10");
	return STATUS_OK;
}

enum status study_plan_exclude(struct study_plan *plan, const char *text, struct error *error)
{
	struct why why = {"expected KEY=VALUE,KEY=VALUE, as in libc=first-fit,machine.memory=16MiB"};
	struct arena *arena = study_plan_arena(plan);
	struct study_exclusion *exclusion = study_exclusion_add(plan, &why);
	for (const char *at = text; exclusion; at++) {
		size_t length = strcspn(at, ",");
		const char *equals = memchr(at, '=', length);
		if (!equals || equals == at || exclusion->count == STUDY_MAX_PARAMETERS)
			break;
		size_t key = (size_t)(equals - at);
		struct study_parameter *condition = &exclusion->conditions[exclusion->count++];
		condition->key = study_copy(arena, at, key);
		if (!study_value_add(arena, condition, equals + 1, length - key - 1, &why))
			break;
		at += length;
		if (!*at)
			return STATUS_OK;
	}
	return refuse(error, "--exclude", text, why.text);
}
