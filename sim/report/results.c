#include "faultline/results.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv_read.h"
#include "results_parts.h"

#define RESULTS_SCHEMA "faultline-study-1"

static char *copy(const char *text)
{
	char *out = strdup(text);
	BUG_ON(!out);
	return out;
}

static const char *text_of(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	return cJSON_IsString(item) ? item->valuestring : "";
}

enum status results_read_file(const char *path, char **out, struct error *error)
{
	size_t used = 0, room = 65536, got;
	FILE *in = fopen(path, "re");
	if (!in)
		return error_set(error, STATUS_HOST, "%s: cannot be read: %s", path, strerror(errno));
	char *text = malloc(room + 1);
	BUG_ON(!text);
	while ((got = fread(text + used, 1, room - used, in)) > 0) {
		used += got;
		if (used == room)
			text = realloc(text, (room *= 2) + 1);
		BUG_ON(!text);
	}
	text[used] = '\0';
	*out = text;
	bool failed = ferror(in) != 0;
	(void)fclose(in);
	if (!failed)
		return STATUS_OK;
	free(text);
	return error_set(error, STATUS_HOST, "%s: cannot be read", path);
}

/* ---- study.json ---- */

/* What the file says of a column; results.csv says which there are. */
static void describe_column(struct results_column *column, const cJSON *study)
{
	const cJSON *found = NULL, *item;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(study, "columns"))
	{
		if (strcmp(text_of(item, "name"), column->name) == 0)
			found = item;
	}
	const char *kind = text_of(found, "kind");
	column->unit = copy(text_of(found, "unit"));
	column->text = copy(text_of(found, "text"));
	column->setting = strcmp(kind, "setting") == 0 || strcmp(column->name, "workload") == 0;
	column->statistic = strcmp(kind, "total") == 0 || strcmp(kind, "level") == 0 || strcmp(kind, "peak") == 0;
}

static void read_head(struct results *results, const cJSON *study)
{
	const cJSON *seeds = cJSON_GetObjectItemCaseSensitive(study, "seeds");
	results->name = copy(text_of(study, "name"));
	results->description = copy(text_of(study, "description"));
	results->digest = copy(text_of(study, "digest"));
	results->version = copy(text_of(study, "version"));
	results->seeds = cJSON_GetArraySize(seeds) > 1 ? (unsigned)cJSON_GetArraySize(seeds) : 1;
	for (unsigned i = 0; i < results->column_count; i++)
		describe_column(&results->columns[i], study);
}

/* ---- results.csv ---- */

static enum status read_rows(struct results *results, const struct csv_table *table, const char *path,
			     struct error *error)
{
	results->column_count = table->columns;
	results->row_count = table->rows ? table->rows - 1 : 0;
	if (results->row_count == 0 || results->column_count < 2)
		return error_set(error, STATUS_BAD_INPUT, "%s: there are no points in it", path);
	results->columns = calloc(results->column_count, sizeof(*results->columns));
	results->cells = calloc((size_t)results->row_count * results->column_count, sizeof(*results->cells));
	BUG_ON(!results->columns || !results->cells);
	for (unsigned i = 0; i < results->column_count; i++)
		results->columns[i].name = copy(csv_table_at(table, 0, i));
	for (size_t i = 0; i < (size_t)results->row_count * results->column_count; i++) {
		const char *text = csv_table_at(table, (unsigned)(i / results->column_count) + 1,
						(unsigned)(i % results->column_count));
		char *end;
		double value = strtod(text, &end);
		results->cells[i] = (struct results_cell){copy(text), *text && !*end ? value : NAN};
	}
	return STATUS_OK;
}

static enum status read_table(struct results *results, const char *folder, struct error *error)
{
	char path[4096];
	char *text;
	struct csv_table table;
	(void)snprintf(path, sizeof(path), "%s/results.csv", folder);
	if (access(path, F_OK) != 0)
		return error_set(
		    error, STATUS_BAD_INPUT,
		    "%s: the study is not finished: give the command that began it once more, with --resume", folder);
	enum status status = results_read_file(path, &text, error);
	if (status != STATUS_OK)
		return status;
	status = csv_table_read(text, path, &table, error);
	if (status == STATUS_OK)
		status = read_rows(results, &table, path, error);
	csv_table_release(&table);
	free(text);
	return status;
}

/* ---- axes ---- */

static bool is_known(const struct results_axis *axis, const char *value)
{
	for (unsigned i = 0; i < axis->count; i++) {
		if (strcmp(axis->values[i], value) == 0)
			return true;
	}
	return false;
}

static void collect_values(struct results *results, struct results_axis *axis)
{
	axis->values = calloc(results->row_count, sizeof(*axis->values));
	BUG_ON(!axis->values);
	axis->is_number = true;
	for (unsigned row = 0; row < results->row_count; row++) {
		const struct results_cell *cell = results_at(results, row, axis->column);
		if (!is_known(axis, cell->text))
			axis->values[axis->count++] = cell->text;
		axis->is_number &= !isnan(results_at(results, row, axis->value_column)->value);
	}
}

/* What varies, but for the seed: repetitions are not compared with each other. */
static void find_axes(struct results *results, const cJSON *study)
{
	const cJSON *baseline = cJSON_GetObjectItemCaseSensitive(study, "baseline");
	for (unsigned i = 0; i < results->column_count && results->axis_count < RESULTS_AXES; i++) {
		const char *name = results->columns[i].name;
		size_t length = strlen(name);
		bool derived = length > 6 && strcmp(name + length - 6, ".bytes") == 0;
		if (!results->columns[i].setting || derived || strcmp(name, "seed") == 0)
			continue;
		char bytes[256];
		(void)snprintf(bytes, sizeof(bytes), "%s.bytes", name);
		int in_bytes = results_column(results, bytes);
		struct results_axis axis = {.column = i, .value_column = in_bytes >= 0 ? (unsigned)in_bytes : i};
		collect_values(results, &axis);
		if (axis.count < 2) {
			free(axis.values);
			continue;
		}
		const char *base = text_of(baseline, name);
		results->baseline[results->axis_count] = base[0] ? copy(base) : NULL;
		results->axes[results->axis_count++] = axis;
	}
}

static unsigned index_of(const struct results_axis *axis, const char *value)
{
	unsigned i = 0;
	while (strcmp(axis->values[i], value) != 0)
		i++;
	return i;
}

static void place_points(struct results *results)
{
	results->axis_values = calloc((size_t)results->row_count * RESULTS_AXES, sizeof(unsigned));
	BUG_ON(!results->axis_values);
	for (unsigned row = 0; row < results->row_count; row++) {
		for (unsigned i = 0; i < results->axis_count; i++) {
			const struct results_axis *axis = &results->axes[i];
			results->axis_values[row * RESULTS_AXES + i] = index_of(
			    axis, results_at(results, row, axis->column)->text);
		}
	}
}

/* ---- what the study wants ---- */

static char *json_of(const cJSON *study, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(study, key);
	char *text = cJSON_IsArray(item) ? cJSON_PrintUnformatted(item) : NULL;
	char *out = copy(text ? text : "[]");
	cJSON_free(text);
	return out;
}

/* ---- the whole ---- */

static enum status read_study(struct results *results, const char *folder, struct error *error)
{
	char path[4096];
	char *text;
	(void)snprintf(path, sizeof(path), "%s/study.json", folder);
	if (access(path, F_OK) != 0)
		return error_set(error, STATUS_BAD_INPUT,
				 "%s: there is no study: name a folder that faultline batch -o has made", folder);
	if (results_read_file(path, &text, error) != STATUS_OK)
		return error->status;
	cJSON *study = cJSON_Parse(text);
	free(text);
	enum status status = STATUS_OK;
	if (strcmp(text_of(study, "schema"), RESULTS_SCHEMA) != 0)
		status = error_set(error, STATUS_BAD_INPUT,
				   "%s: not a study of the format %s: name a folder that faultline batch -o has made",
				   path, RESULTS_SCHEMA);
	if (status == STATUS_OK)
		status = read_table(results, folder, error);
	if (status == STATUS_OK) {
		read_head(results, study);
		find_axes(results, study);
		place_points(results);
		results->tables_json = json_of(study, "tables");
		results->plots_json = json_of(study, "plots");
		status = results_parts_read(results, folder, error);
	}
	cJSON_Delete(study);
	return status;
}

enum status results_read(const char *folder, struct results **out, struct error *error)
{
	struct results *results = calloc(1, sizeof(*results));
	BUG_ON(!results);
	results->folder = copy(folder);
	enum status status = read_study(results, folder, error);
	if (status != STATUS_OK) {
		results_free(results);
		return status;
	}
	*out = results;
	return STATUS_OK;
}

void results_free(struct results *results)
{
	if (!results)
		return;
	for (size_t i = 0; results->cells && i < (size_t)results->row_count * results->column_count; i++)
		free(results->cells[i].text);
	for (unsigned i = 0; results->columns && i < results->column_count; i++) {
		free(results->columns[i].name);
		free(results->columns[i].unit);
		free(results->columns[i].text);
	}
	for (unsigned i = 0; i < results->axis_count; i++) {
		free(results->axes[i].values);
		free(results->baseline[i]);
	}
	char *const owned[] = {results->folder,  results->name,        results->description, results->digest,
			       results->version, results->tables_json, results->plots_json};
	for (unsigned i = 0; i < sizeof(owned) / sizeof(*owned); i++)
		free(owned[i]);
	results_parts_release(results);
	free(results->axis_values);
	free(results->columns);
	free(results->cells);
	free(results);
}

int results_column(const struct results *results, const char *name)
{
	for (unsigned i = 0; i < results->column_count; i++) {
		if (strcmp(results->columns[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

const struct results_cell *results_at(const struct results *results, unsigned row, unsigned column)
{
	return &results->cells[(size_t)row * results->column_count + column];
}

unsigned results_axis_value(const struct results *results, unsigned row, unsigned axis)
{
	return results->axis_values[row * RESULTS_AXES + axis];
}

bool results_ran(const struct results *results, unsigned row)
{
	int status = results_column(results, "status"), cycles = results_column(results, "cycles");
	if (status < 0 || cycles < 0 || isnan(results_at(results, row, (unsigned)cycles)->value))
		return false;
	const char *text = results_at(results, row, (unsigned)status)->text;
	return strcmp(text, "ok") == 0 || strcmp(text, "expect_failed") == 0;
}
