/* The tables and plots that a study wants are looked at before anything runs: a report of the finished study that has
 * no such column comes too late. */
#include <cjson/cJSON.h>
#include <string.h>

#include "faultline/measure.h"
#include "study_private.h"

struct wish {
	const struct study *study;
	const char *list; /* "tables" or "plots" */
	const cJSON *object;
	struct error *error;
};

static const char *text_of(const struct wish *wish, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(wish->object, key));
}

static bool is_one_of(const char *text, const char *const *words, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(words[i], text) == 0)
			return true;
	}
	return false;
}

static bool varies(const struct study *study, const char *key)
{
	for (unsigned p = 0; p < study->plan->parameter_count; p++) {
		if (strcmp(study->plan->parameters[p].key, key) == 0)
			return true;
	}
	return strcmp(key, "workload") == 0;
}

/* Where a table or a plot is laid out along. */
static bool check_place(const struct wish *wish, const char *key, const char *const *besides, unsigned count)
{
	const char *name = text_of(wish, key);
	char all[512] = "workload";
	if (!name || varies(wish->study, name) || is_one_of(name, besides, count))
		return true;
	for (unsigned i = 0; i < wish->study->plan->parameter_count + count; i++) {
		size_t used = strlen(all);
		bool swept = i < wish->study->plan->parameter_count;
		(void)snprintf(all + used, sizeof(all) - used, ", %s",
			       swept ? wish->study->plan->parameters[i].key
				     : besides[i - wish->study->plan->parameter_count]);
	}
	(void)error_set(
	    wish->error, STATUS_BAD_INPUT,
	    "one of the \"%s\" of the study has \"%s\": \"%s\", which this study does not vary: allowed are %s",
	    wish->list, key, name, all);
	return false;
}

static bool is_in_series(const char *name)
{
	for (unsigned i = 0; i < SERIES_VALUES; i++) {
		if (strcmp(series_value_name(i), name) == 0)
			return true;
	}
	return false;
}

static bool fail_value(const struct wish *wish, const char *name, const char *allowed)
{
	(void)error_set(wish->error, STATUS_BAD_INPUT,
			"one of the \"%s\" of the study wants to show \"%s\": allowed %s", wish->list, name, allowed);
	return false;
}

static bool check_value(const struct wish *wish, const char *x, const char *name)
{
	static const char *const of_blocks[] = {"count", "percent"};
	if (strcmp(x, "size") == 0 || strcmp(x, "lifetime") == 0)
		return is_one_of(name, of_blocks, 2) ||
		       fail_value(wish, name, "along size and lifetime are \"count\" and \"percent\"");
	if (strcmp(x, "operations") == 0)
		return is_in_series(name) ||
		       fail_value(wish, name, "along operations are the columns of docs/series-1.md");
	return measure_is_known(name) ||
	       fail_value(wish, name,
			  "are the statistics of \"faultline list stats\" and the measures of docs/study-file-1.md");
}

static bool check_table(const struct wish *wish)
{
	static const char *const besides[] = {"phase"};
	const char *value = text_of(wish, "value");
	return check_place(wish, "rows", besides, 1) && check_place(wish, "columns", besides, 1) &&
	       (!value || check_value(wish, "", value));
}

static bool check_plot(const struct wish *wish)
{
	static const char *const besides[] = {"phase", "operations", "size", "lifetime"};
	const char *x = text_of(wish, "x");
	const cJSON *y;
	if (!check_place(wish, "x", besides, 4) || !check_place(wish, "series", NULL, 0))
		return false;
	cJSON_ArrayForEach(y, cJSON_GetObjectItemCaseSensitive(wish->object, "y"))
	{
		if (cJSON_IsString(y) && !check_value(wish, x ? x : "", y->valuestring))
			return false;
	}
	return true;
}

static bool check_list(const struct study *study, const char *list, const char *json,
		       bool (*check)(const struct wish *), struct error *error)
{
	cJSON *items = cJSON_Parse(json);
	const cJSON *item;
	bool good = true;
	cJSON_ArrayForEach(item, items)
	{
		const struct wish wish = {study, list, item, error};
		good = good && check(&wish);
	}
	cJSON_Delete(items);
	return good;
}

enum status study_check_wishes(const struct study *study, struct error *error)
{
	const struct study_plan *plan = study->plan;
	return check_list(study, "tables", plan->tables_json, check_table, error) &&
		       check_list(study, "plots", plan->plots_json, check_plot, error)
		   ? STATUS_OK
		   : STATUS_BAD_INPUT;
}
