/* A plan from the inside: reading the values of one parameter. */
#ifndef FAULTLINE_WORKLOAD_STUDY_PLAN_PRIVATE_H
#define FAULTLINE_WORKLOAD_STUDY_PLAN_PRIVATE_H

#include "faultline/arena.h"
#include "faultline/study_plan.h"
#include "why.h"

/* The plan is the first member, so that a pointer to it is one to its owner. */
struct study_plan_owner {
	struct study_plan plan;
	struct arena *arena;
};

struct arena *study_plan_arena(struct study_plan *plan);
char *study_copy(struct arena *arena, const char *text, size_t length);

/* Adds the values of "16MiB..1GiB*2,4GiB", each once. */
bool study_values_add(struct arena *arena, struct study_parameter *parameter, const char *list, struct why *why);
/* Adds one value as it stands. */
bool study_value_add(struct arena *arena, struct study_parameter *parameter, const char *text, size_t length,
		     struct why *why);
/* Says what they are, once all are there. */
void study_values_classify(struct study_parameter *parameter);

/* Room for another parameter whose key is new. NULL: why says why not. */
struct study_parameter *study_parameter_add(struct study_plan *plan, const char *key, size_t length, struct why *why);
struct study_exclusion *study_exclusion_add(struct study_plan *plan, struct why *why);

#endif
