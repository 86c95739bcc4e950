/* Study files: a plan as a JSON document. docs/study-file-1.md describes them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_private.h"
#include "loader.h"
#include "study_plan_private.h"

struct reader {
	struct loader loader;
	struct study_plan *plan;
	const char *folder; /* of the study file, with its slash; "" */
};

enum study_key {
	KEY_SCHEMA,
	KEY_STUDY,
	KEY_NAME,
	KEY_DESCRIPTION,
	KEY_WORKLOADS,
	KEY_SETTINGS,
	KEY_PARAMETERS,
	KEY_REPEAT,
	KEY_EXCLUDE,
	KEY_PHASES,
	KEY_SERIES,
	KEY_HISTOGRAMS,
	KEY_BASELINE,
	KEY_TABLES,
	KEY_PLOTS,
	KEY_COUNT
};

static const char *const study_keys[KEY_COUNT] = {"$schema",  "study",      "name",     "description", "workloads",
						  "settings", "parameters", "repeat",   "exclude",     "phases",
						  "series",   "histograms", "baseline", "tables",      "plots"};

static bool fail_why(struct reader *reader, const cJSON *node, const struct why *why)
{
	return loader_fail(&reader->loader, node, LOADER_VALUE, "%s", why->text);
}

/* A text or a number as the text that document_set reads. NULL: it is neither, and that is reported. */
static const char *value_text(struct reader *reader, const cJSON *node)
{
	size_t length = 0;
	if (cJSON_IsString(node) && *node->valuestring)
		return loader_copy(&reader->loader, node->valuestring);
	if (cJSON_IsNumber(node)) {
		const char *literal = json_source_number(&reader->loader.source, node, &length);
		return study_copy(reader->loader.arena, literal, length);
	}
	loader_fail(&reader->loader, node, LOADER_VALUE, "expected a value, a text or a number, found %s",
		    loader_found(&reader->loader, node).text);
	return NULL;
}

/* Calls read for every member of an object, or every item of a list, while the reader stands there. */
typedef bool read_fn(struct reader *reader, const cJSON *node);

static bool for_each(struct reader *reader, const cJSON *node, const char *key, bool object, const char *what,
		     read_fn *read)
{
	uint32_t index = 0;
	if (!node)
		return true;
	loader_enter_key(&reader->loader, key);
	if (object ? !cJSON_IsObject(node) : !cJSON_IsArray(node))
		return loader_fail(&reader->loader, node, LOADER_VALUE, "%s, found %s", what,
				   loader_found(&reader->loader, node).text);
	for (const cJSON *item = node->child; item; item = item->next) {
		if (object)
			loader_enter_key(&reader->loader, item->string);
		else
			loader_enter_index(&reader->loader, index++);
		if (!read(reader, item))
			return false;
		loader_leave(&reader->loader);
	}
	loader_leave(&reader->loader);
	return true;
}

/* ---- the members ---- */

static bool read_workload(struct reader *reader, const cJSON *node)
{
	const char *path;
	struct error why;
	char whole[4096];
	if (!loader_text(&reader->loader, node, &path))
		return false;
	(void)snprintf(whole, sizeof(whole), "%s%s", path[0] == '/' ? "" : reader->folder, path);
	return study_plan_workload(reader->plan, whole, &why) == STATUS_OK ||
	       loader_fail(&reader->loader, node, LOADER_VALUE, "%s", why.text);
}

static bool read_setting(struct reader *reader, const cJSON *node)
{
	char assignment[512];
	struct error why;
	const char *value = value_text(reader, node);
	if (!value)
		return false;
	(void)snprintf(assignment, sizeof(assignment), "%s=%s", node->string, value);
	return study_plan_setting(reader->plan, assignment, &why) == STATUS_OK ||
	       loader_fail(&reader->loader, node, LOADER_KEY, "%s", why.text);
}

/* A list of values, or a text with values and ranges. */
static bool read_values(struct reader *reader, const cJSON *node, struct study_parameter *parameter)
{
	struct why why;
	struct arena *arena = reader->loader.arena;
	uint32_t index = 0;
	if (cJSON_IsString(node) || cJSON_IsNumber(node)) {
		const char *list = value_text(reader, node);
		if (list && !study_values_add(arena, parameter, list, &why))
			return fail_why(reader, node, &why);
		study_values_classify(parameter);
		return list != NULL;
	}
	if (cJSON_IsArray(node) && !node->child)
		return loader_fail(&reader->loader, node, LOADER_VALUE,
				   "the list is empty, so nothing would run: give it values, or remove the key");
	if (!cJSON_IsArray(node))
		return loader_fail(&reader->loader, node, LOADER_VALUE,
				   "values are a list such as [\"glibc\", \"best-fit\"] or a text such as "
				   "\"16MiB..1GiB*2\", found %s",
				   loader_found(&reader->loader, node).text);
	for (const cJSON *item = node->child; item; item = item->next) {
		loader_enter_index(&reader->loader, index++);
		const char *text = value_text(reader, item);
		if (!text)
			return false;
		if (!study_value_add(arena, parameter, text, strlen(text), &why))
			return fail_why(reader, item, &why);
		loader_leave(&reader->loader);
	}
	study_values_classify(parameter);
	return true;
}

static bool read_parameter(struct reader *reader, const cJSON *node)
{
	struct why why;
	struct study_parameter *parameter = study_parameter_add(reader->plan, node->string, strlen(node->string), &why);
	return parameter ? read_values(reader, node, parameter)
			 : loader_fail(&reader->loader, node, LOADER_KEY, "%s", why.text);
}

static bool read_exclusion(struct reader *reader, const cJSON *node)
{
	struct why why;
	struct study_exclusion *exclusion = study_exclusion_add(reader->plan, &why);
	if (!exclusion)
		return fail_why(reader, node, &why);
	if (!cJSON_IsObject(node) || !node->child || cJSON_GetArraySize(node) > STUDY_MAX_PARAMETERS)
		return loader_fail(
		    &reader->loader, node, LOADER_VALUE,
		    "what is left out is an object such as {\"libc\": \"first-fit\", \"machine.memory\": "
		    "[\"16MiB\"]}, found %s",
		    loader_found(&reader->loader, node).text);
	for (const cJSON *member = node->child; member; member = member->next) {
		struct study_parameter *condition = &exclusion->conditions[exclusion->count++];
		condition->key = loader_copy(&reader->loader, member->string);
		loader_enter_key(&reader->loader, member->string);
		if (!read_values(reader, member, condition))
			return false;
		loader_leave(&reader->loader);
	}
	return true;
}

static bool read_repeat(struct reader *reader, const cJSON *node)
{
	static const char *const names[] = {"seeds"};
	const cJSON *seeds;
	char text[256];
	struct error why;
	if (!node)
		return true;
	loader_enter_key(&reader->loader, "repeat");
	if (!loader_members(&reader->loader, node, "repeat", names, 1, &seeds))
		return false;
	if (!cJSON_IsString(seeds))
		return loader_fail(&reader->loader, node, LOADER_VALUE,
				   "expected {\"seeds\": \"1..10\"}: seeds are a text with numbers and ranges");
	(void)snprintf(text, sizeof(text), "seeds=%s", seeds->valuestring);
	if (study_plan_repeat(reader->plan, text, &why) != STATUS_OK)
		return loader_fail(&reader->loader, seeds, LOADER_VALUE, "%s", why.text);
	loader_leave(&reader->loader);
	return true;
}

static bool read_flag(struct reader *reader, const cJSON *node, const char *key, bool *out)
{
	if (!node)
		return true;
	loader_enter_key(&reader->loader, key);
	if (!cJSON_IsBool(node))
		return loader_fail(&reader->loader, node, LOADER_VALUE, "expected true or false, found %s",
				   loader_found(&reader->loader, node).text);
	*out = cJSON_IsTrue(node);
	loader_leave(&reader->loader);
	return true;
}

/* ---- what a report should show ---- */

/* What is shown must have been kept. */
static void want_files(struct study_plan *plan, const char *place)
{
	plan->phases |= strcmp(place, "phase") == 0;
	plan->series |= strcmp(place, "operations") == 0;
	plan->histograms |= strcmp(place, "size") == 0 || strcmp(place, "lifetime") == 0;
}

static bool read_table(struct reader *reader, const cJSON *node)
{
	static const char *const names[] = {"title", "rows", "columns", "value"};
	const cJSON *members[4];
	if (!loader_members(&reader->loader, node, "a table", names, 4, members))
		return false;
	if (!cJSON_IsString(members[1]) || !cJSON_IsString(members[3]))
		return loader_fail(&reader->loader, node, LOADER_VALUE,
				   "a table wants \"rows\", what varies, and \"value\", a statistic");
	want_files(reader->plan, members[1]->valuestring);
	if (cJSON_IsString(members[2]))
		want_files(reader->plan, members[2]->valuestring);
	return true;
}

static bool read_plot(struct reader *reader, const cJSON *node)
{
	static const char *const names[] = {"title", "kind", "x", "y", "series"};
	static const char *const kinds[] = {"lines", "bars", "stacked", "heatmap"};
	const cJSON *members[5];
	if (!loader_members(&reader->loader, node, "a plot", names, 5, members))
		return false;
	if (!cJSON_IsString(members[2]) || !cJSON_IsArray(members[3]))
		return loader_fail(&reader->loader, node, LOADER_VALUE,
				   "a plot wants \"x\", what varies, and \"y\", a list of statistics");
	want_files(reader->plan, members[2]->valuestring);
	for (unsigned i = 0; i < 4; i++) {
		if (cJSON_IsString(members[1]) && strcmp(members[1]->valuestring, kinds[i]) == 0)
			return true;
	}
	return loader_fail(&reader->loader, node, LOADER_VALUE,
			   "the kind of a plot is \"lines\", \"bars\", \"stacked\" or \"heatmap\"");
}

static bool read_baseline_value(struct reader *reader, const cJSON *node)
{
	return value_text(reader, node) != NULL;
}

static void keep_json(struct reader *reader, const cJSON *node, const char **out)
{
	if (!node)
		return;
	char *text = cJSON_PrintUnformatted(node);
	BUG_ON(!text);
	*out = loader_copy(&reader->loader, text);
	cJSON_free(text);
}

static bool read_wishes(struct reader *reader, const cJSON *const *members)
{
	if (!for_each(reader, members[KEY_BASELINE], "baseline", true,
		      "the baseline is an object such as {\"libc\": \"glibc\"}", read_baseline_value) ||
	    !for_each(reader, members[KEY_TABLES], "tables", false, "tables are a list of objects", read_table) ||
	    !for_each(reader, members[KEY_PLOTS], "plots", false, "plots are a list of objects", read_plot))
		return false;
	keep_json(reader, members[KEY_BASELINE], &reader->plan->baseline_json);
	keep_json(reader, members[KEY_TABLES], &reader->plan->tables_json);
	keep_json(reader, members[KEY_PLOTS], &reader->plan->plots_json);
	return true;
}

/* ---- the document ---- */

static bool read_text(struct reader *reader, const cJSON *node, const char *key, const char **out)
{
	if (!node)
		return true;
	loader_enter_key(&reader->loader, key);
	bool good = loader_text(&reader->loader, node, out);
	loader_leave(&reader->loader);
	return good;
}

static bool read_version(struct reader *reader, const cJSON *root, const cJSON *node)
{
	if (cJSON_IsNumber(node) && node->valuedouble >= 1 && node->valuedouble <= 1)
		return true;
	return loader_fail(&reader->loader, node ? node : root, LOADER_VALUE,
			   "a study file says \"study\": 1, the version of its language");
}

static bool read_study(struct reader *reader)
{
	const cJSON *members[KEY_COUNT];
	const cJSON *root = reader->loader.source.root;
	const char *schema;
	return loader_members(&reader->loader, root, "a study", study_keys, KEY_COUNT, members) &&
	       read_version(reader, root, members[KEY_STUDY]) &&
	       read_text(reader, members[KEY_SCHEMA], "$schema", &schema) &&
	       read_text(reader, members[KEY_NAME], "name", &reader->plan->name) &&
	       read_text(reader, members[KEY_DESCRIPTION], "description", &reader->plan->description) &&
	       for_each(reader, members[KEY_WORKLOADS], "workloads", false, "workloads are a list of paths",
			read_workload) &&
	       for_each(reader, members[KEY_SETTINGS], "settings", true,
			"settings are an object such as {\"kernel.overcommit\": \"never\"}", read_setting) &&
	       for_each(reader, members[KEY_PARAMETERS], "parameters", true,
			"parameters are an object such as {\"machine.memory\": \"16MiB..1GiB*2\"}", read_parameter) &&
	       read_repeat(reader, members[KEY_REPEAT]) &&
	       for_each(reader, members[KEY_EXCLUDE], "exclude", false, "what is left out is a list of objects",
			read_exclusion) &&
	       read_flag(reader, members[KEY_PHASES], "phases", &reader->plan->phases) &&
	       read_flag(reader, members[KEY_SERIES], "series", &reader->plan->series) &&
	       read_flag(reader, members[KEY_HISTOGRAMS], "histograms", &reader->plan->histograms) &&
	       read_wishes(reader, members);
}

static const char *folder_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	return study_copy(arena, path, slash ? (size_t)(slash + 1 - path) : 0);
}

/* Arenas are emptied by their owner, so a text that turns out to be no study costs only the address space. */
static enum status parse(const char *path, const char *text, size_t length, struct study_plan *plan,
			 struct error *error)
{
	struct arena *arena = study_plan_arena(plan);
	struct reader reader = {.loader = {.arena = arena, .error = error}, .plan = plan};
	reader.folder = folder_of(arena, path);
	enum status status = json_source_parse(&reader.loader.source, arena, study_copy(arena, path, strlen(path)),
					       text, length, error);
	if (status == STATUS_OK && !read_study(&reader))
		status = STATUS_BAD_INPUT;
	json_source_release(&reader.loader.source);
	return status;
}

enum status study_plan_file(struct study_plan *plan, const char *path, struct error *error)
{
	char *text = NULL;
	size_t length = 0;
	enum status status = document_read_file(path, &text, &length, error);
	if (status == STATUS_OK)
		status = parse(path, text, length, plan, error);
	free(text);
	return status;
}

bool study_plan_is_file(const char *path)
{
	struct error error;
	char *text = NULL;
	size_t length = 0;
	const char *ending = strrchr(path, '.');
	if (!ending || strcmp(ending, ".json") != 0 || document_read_file(path, &text, &length, &error) != STATUS_OK) {
		free(text);
		return false;
	}
	cJSON *root = cJSON_ParseWithLength(text, length);
	bool is_study = cJSON_GetObjectItemCaseSensitive(root, "study") != NULL;
	cJSON_Delete(root);
	free(text);
	return is_study;
}
