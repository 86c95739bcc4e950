#include "faultline/numbers.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/report_stats.h"

static struct numbers_scope *add_scope(struct numbers *numbers, const char *name, bool main)
{
	numbers->scope = realloc(numbers->scope, (numbers->count + 1) * sizeof(*numbers->scope));
	BUG_ON(!numbers->scope);
	numbers->scope[numbers->count] = (struct numbers_scope){.name = strdup(name), .main = main};
	return &numbers->scope[numbers->count++];
}

static void add_number(struct numbers_scope *scope, size_t room, const char *name, double value)
{
	if (!scope->number)
		scope->number = calloc(room + 1, sizeof(*scope->number));
	BUG_ON(!scope->number || scope->count > room);
	scope->number[scope->count++] = (struct number){strdup(name), value};
}

/* ---- of a run ---- */

static void add_object(struct numbers *numbers, const char *name, bool main, const cJSON *statistics)
{
	struct numbers_scope *scope = add_scope(numbers, name, main);
	size_t room = (size_t)cJSON_GetArraySize(statistics);
	const cJSON *item;
	cJSON_ArrayForEach(item, statistics)
	{
		if (cJSON_IsNumber(item))
			add_number(scope, room, item->string, item->valuedouble);
	}
}

static void add_list(struct numbers *numbers, const char *kind, const cJSON *list)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, list)
	{
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");
		char text[256];
		(void)snprintf(text, sizeof(text), "%s %s", kind, cJSON_IsString(name) ? name->valuestring : "");
		add_object(numbers, text, false, cJSON_GetObjectItemCaseSensitive(item, "statistics"));
	}
}

enum status numbers_of_stats(const char *text, const char *name, struct numbers *out, struct error *error)
{
	cJSON *document = cJSON_Parse(text);
	const cJSON *schema = cJSON_GetObjectItemCaseSensitive(document, "schema");
	bool ours = cJSON_IsString(schema) && strcmp(schema->valuestring, REPORT_STATS_SCHEMA) == 0;
	*out = (struct numbers){0};
	if (ours) {
		add_object(out, "machine", true, cJSON_GetObjectItemCaseSensitive(document, "machine"));
		add_list(out, "process", cJSON_GetObjectItemCaseSensitive(document, "processes"));
		add_list(out, "phase", cJSON_GetObjectItemCaseSensitive(document, "phases"));
	}
	cJSON_Delete(document);
	return ours ? STATUS_OK
		    : error_set(error, STATUS_BAD_INPUT, "%s: no statistics of the format " REPORT_STATS_SCHEMA, name);
}

/* ---- of a study ---- */

/* "workload=w libc=glibc seed=1": all settings of the point but those derived from others. */
static void name_point(const struct results *results, unsigned row, char *room, size_t bytes)
{
	size_t used = 0;
	room[0] = '\0';
	for (unsigned i = 0; i < results->column_count && used < bytes; i++) {
		const struct results_column *column = &results->columns[i];
		size_t length = strlen(column->name);
		if (!column->setting || (length > 6 && strcmp(column->name + length - 6, ".bytes") == 0))
			continue;
		used += (size_t)snprintf(room + used, bytes - used, "%s%s=%s", used ? " " : "", column->name,
					 results_at(results, row, i)->text);
	}
}

void numbers_of_results(const struct results *results, struct numbers *out)
{
	*out = (struct numbers){0};
	for (unsigned row = 0; row < results->row_count; row++) {
		char name[1024];
		name_point(results, row, name, sizeof(name));
		struct numbers_scope *scope = add_scope(out, name, true);
		for (unsigned i = 0; i < results->column_count; i++) {
			const struct results_cell *cell = results_at(results, row, i);
			if (results->columns[i].statistic && !isnan(cell->value))
				add_number(scope, results->column_count, results->columns[i].name, cell->value);
		}
	}
}

/* ---- finding ---- */

const struct numbers_scope *numbers_find_scope(const struct numbers *numbers, const char *name, size_t hint)
{
	if (hint < numbers->count && strcmp(numbers->scope[hint].name, name) == 0)
		return &numbers->scope[hint];
	for (size_t i = 0; i < numbers->count; i++) {
		if (strcmp(numbers->scope[i].name, name) == 0)
			return &numbers->scope[i];
	}
	return NULL;
}

const struct number *numbers_find(const struct numbers_scope *scope, const char *name, size_t hint)
{
	if (hint < scope->count && strcmp(scope->number[hint].name, name) == 0)
		return &scope->number[hint];
	for (size_t i = 0; i < scope->count; i++) {
		if (strcmp(scope->number[i].name, name) == 0)
			return &scope->number[i];
	}
	return NULL;
}

void numbers_release(struct numbers *numbers)
{
	for (size_t i = 0; i < numbers->count; i++) {
		for (size_t j = 0; j < numbers->scope[i].count; j++)
			free(numbers->scope[i].number[j].name);
		free(numbers->scope[i].number);
		free(numbers->scope[i].name);
	}
	free(numbers->scope);
	*numbers = (struct numbers){0};
}
