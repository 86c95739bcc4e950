/* What a study varies: workloads, settings with their values, seeds, and the combinations that are left out. Read from
 * a study file or put together from the command line; a list of numbered points is made of it by study.h. Whether
 * workloads, keys and values exist is not known here yet. */
#ifndef FAULTLINE_STUDY_PLAN_H
#define FAULTLINE_STUDY_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/document.h"
#include "faultline/status.h"

enum {
	STUDY_MAX_WORKLOADS = 4096,
	STUDY_MAX_PARAMETERS = 16,
	STUDY_MAX_VALUES = 10000, /* of a parameter */
	STUDY_MAX_SETTINGS = 64,
	STUDY_MAX_EXCLUSIONS = 256
};

/* X(ID, name): what the values of a parameter are. */
#define STUDY_TYPE_LIST(X)                                                                                             \
	X(TEXT, "text")                                                                                                \
	X(NUMBER, "number")                                                                                            \
	X(SIZE, "size")

enum study_type {
#define X(id, name) STUDY_##id,
	STUDY_TYPE_LIST(X)
#undef X
};
const char *study_type_name(enum study_type type);

/* A setting with the values that it takes, as document_set reads them. */
struct study_parameter {
	const char *key;
	enum study_type type;
	const char **values;
	unsigned count;
};

/* A combination that is left out: every key has one of its values. "workload" is a key, too. */
struct study_exclusion {
	struct study_parameter conditions[STUDY_MAX_PARAMETERS];
	unsigned count;
};

/* Lists are in the order in which they were given. Texts in JSON are as they go into study.json. */
struct study_plan {
	const char *name, *description;
	const char **workloads; /* paths */
	unsigned workload_count;
	const char **settings; /* "KEY=VALUE" for all points */
	unsigned setting_count;
	struct study_parameter parameters[STUDY_MAX_PARAMETERS];
	unsigned parameter_count;
	struct study_parameter seeds; /* numbers; count 0: no repetition */
	struct study_exclusion *exclusions;
	unsigned exclusion_count;
	bool phases, series, histograms; /* wanted besides: statistics of phases, time series, sizes and lifetimes */
	const char *baseline_json, *tables_json, *plots_json; /* for the report */
};

/* NULL: the host refuses the memory. */
struct study_plan *study_plan_new(void);
void study_plan_free(struct study_plan *plan); /* NULL is allowed */

/* BAD_INPUT: error says what is wrong and how it is written. Texts are copied. */
enum status study_plan_workload(struct study_plan *plan, const char *path, struct error *error);
enum status study_plan_setting(struct study_plan *plan, const char *assignment, struct error *error);
/* "KEY=LIST", LIST: values and ranges separated by commas; a range is A..B (by 1), A..B+STEP or A..B*FACTOR, of whole
 * numbers or of sizes, and ends before it passes B. */
enum status study_plan_sweep(struct study_plan *plan, const char *sweep, struct error *error);
/* "seeds=LIST" */
enum status study_plan_repeat(struct study_plan *plan, const char *repeat, struct error *error);
/* "KEY=VALUE,KEY=VALUE..." */
enum status study_plan_exclude(struct study_plan *plan, const char *exclusion, struct error *error);

/* True for a JSON file with the key "study" at its top; anything else, readable or not, is none. */
bool study_plan_is_file(const char *path);
/* Adds what a study file says; its workloads are relative to its folder. Every message has line, column and JSON
 * pointer. */
enum status study_plan_file(struct study_plan *plan, const char *path, struct error *error);

#endif
