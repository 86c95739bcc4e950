#include "results_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv_read.h"

static char *copy(const char *text)
{
	char *out = strdup(text);
	BUG_ON(!out);
	return out;
}

static void take_cells(struct results_part *part, const struct csv_table *table)
{
	part->column_count = table->columns;
	part->row_count = table->rows - 1;
	part->names = calloc(part->column_count, sizeof(*part->names));
	part->values = calloc((size_t)part->row_count * part->column_count + 1, sizeof(*part->values));
	part->texts = calloc((size_t)part->row_count + 1, sizeof(*part->texts));
	BUG_ON(!part->names || !part->values || !part->texts);
	for (unsigned i = 0; i < part->column_count; i++)
		part->names[i] = copy(csv_table_at(table, 0, i));
	int name = results_part_column(part, "name"), histogram = results_part_column(part, "histogram");
	int text_column = name >= 0 ? name : histogram;
	for (unsigned row = 0; row < part->row_count; row++) {
		for (unsigned i = 0; i < part->column_count; i++) {
			const char *text = csv_table_at(table, row + 1, i);
			char *end;
			double value = strtod(text, &end);
			part->values[(size_t)row * part->column_count + i] = *text && !*end ? value : NAN;
			if ((int)i == text_column)
				part->texts[row] = copy(text);
		}
	}
}

/* Both are in the order of the points; a point without a machine has no rows. */
static enum status find_points(struct results_part *part, const struct results *results, const char *path,
			       struct error *error)
{
	int column = results_column(results, "point");
	unsigned row = 0;
	part->first = calloc((size_t)results->row_count + 1, sizeof(*part->first));
	BUG_ON(!part->first);
	for (unsigned point = 0; column >= 0 && point < results->row_count; point++) {
		double number = results_at(results, point, (unsigned)column)->value;
		part->first[point] = row;
		while (row < part->row_count && fabs(part->values[(size_t)row * part->column_count] - number) < 0.5)
			row++;
	}
	part->first[results->row_count] = row;
	if (row == part->row_count)
		return STATUS_OK;
	return error_set(error, STATUS_BAD_INPUT, "%s: row %u is of no point of results.csv, or not in its order", path,
			 row + 2);
}

static enum status read_part(struct results_part *part, const struct results *results, const char *folder,
			     const char *name, struct error *error)
{
	char path[4096];
	char *text;
	struct csv_table table;
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (access(path, F_OK) != 0)
		return STATUS_OK;
	if (results_read_file(path, &text, error) != STATUS_OK)
		return error->status;
	enum status status = csv_table_read(text, path, &table, error);
	if (status == STATUS_OK && (table.rows == 0 || table.columns < 2))
		status = error_set(error, STATUS_BAD_INPUT, "%s: there are no columns in it", path);
	if (status == STATUS_OK) {
		take_cells(part, &table);
		status = find_points(part, results, path, error);
	}
	csv_table_release(&table);
	free(text);
	return status;
}

enum status results_parts_read(struct results *results, const char *folder, struct error *error)
{
	enum status status = read_part(&results->phases, results, folder, "phases.csv", error);
	if (status == STATUS_OK)
		status = read_part(&results->series, results, folder, "series.csv", error);
	if (status == STATUS_OK)
		status = read_part(&results->histograms, results, folder, "histograms.csv", error);
	return status;
}

static void release(struct results_part *part)
{
	for (unsigned i = 0; i < part->column_count; i++)
		free(part->names[i]);
	for (unsigned i = 0; i < part->row_count; i++)
		free(part->texts[i]);
	free(part->names);
	free(part->values);
	free(part->texts);
	free(part->first);
}

void results_parts_release(struct results *results)
{
	release(&results->phases);
	release(&results->series);
	release(&results->histograms);
}

int results_part_column(const struct results_part *part, const char *name)
{
	for (unsigned i = 0; i < part->column_count; i++) {
		if (strcmp(part->names[i], name) == 0)
			return (int)i;
	}
	return -1;
}
