/* Tables that a study wants: what varies by what else varies, with the spread over the seeds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study_private.h"

struct grid {
	struct study_place rows, columns;
	struct study_sample *samples; /* row by row */
	unsigned *order;              /* of the rows */
	int base;                     /* row that the others are compared with; -1: none */
	bool spread;                  /* there are means of several points */
};

static const struct study_sample *sample_at(const struct grid *grid, unsigned row, unsigned column)
{
	return &grid->samples[(size_t)row * grid->columns.count + column];
}

static void look(const struct results *results, const struct study_parts *parts, const struct study_frame *frame,
		 const char *measure, struct grid *grid)
{
	grid->samples = calloc((size_t)grid->rows.count * grid->columns.count, sizeof(*grid->samples));
	grid->order = calloc(grid->rows.count, sizeof(*grid->order));
	BUG_ON(!grid->samples || !grid->order);
	for (unsigned row = 0; row < grid->rows.count; row++) {
		for (unsigned column = 0; column < grid->columns.count; column++) {
			struct study_spot spot = {.selection = frame->selection};
			study_place_enter(&grid->rows, row, &spot);
			study_place_enter(&grid->columns, column, &spot);
			struct study_sample *sample = &grid->samples[(size_t)row * grid->columns.count + column];
			*sample = study_sample(results, &spot, measure);
			grid->spread |= sample->count > 1;
		}
	}
	grid->base = parts->variant >= 0 && grid->rows.axis == parts->variant ? (int)parts->baseline : -1;
}

/* ---- order and marks ---- */

static double row_mean(const struct grid *grid, unsigned row)
{
	double sum = 0;
	for (unsigned column = 0; column < grid->columns.count; column++) {
		double mean = sample_at(grid, row, column)->mean;
		sum += isnan(mean) ? INFINITY : mean;
	}
	return sum;
}

/* Names by what they achieve, the best first; numbers and phases as they are. */
static void sort_rows(struct grid *grid)
{
	for (unsigned i = 0; i < grid->rows.count; i++) {
		unsigned at = i;
		bool sorted = grid->rows.axis < 0 || grid->rows.x;
		for (; !sorted && at > 0 && row_mean(grid, grid->order[at - 1]) > row_mean(grid, i); at--)
			grid->order[at] = grid->order[at - 1];
		grid->order[at] = i;
	}
}

/* Where all are the same none is. */
static bool is_best(const struct grid *grid, unsigned row, unsigned column)
{
	double mean = sample_at(grid, row, column)->mean;
	bool worse = false;
	for (unsigned i = 0; i < grid->rows.count; i++) {
		double other = sample_at(grid, i, column)->mean;
		worse |= other > mean;
		if (other < mean)
			return false;
	}
	return worse;
}

/* ---- the table ---- */

struct head {
	char key[96], title[96];
};

/* A mean, and where there are any the half width of its confidence interval and the change. */
static unsigned name_columns(const struct grid *grid, const char *rows, struct head *heads)
{
	unsigned count = 0;
	(void)snprintf(heads[count].key, sizeof(heads->key), "%s", rows);
	(void)snprintf(heads[count++].title, sizeof(heads->title), "%s", rows);
	for (unsigned column = 0; column < grid->columns.count; column++) {
		const char *label = grid->columns.labels[column];
		const char *blank = *label ? " " : "";
		(void)snprintf(heads[count].key, sizeof(heads->key), "%s", *label ? label : "mean");
		(void)snprintf(heads[count++].title, sizeof(heads->title), "%s", *label ? label : "mean");
		if (grid->spread) {
			(void)snprintf(heads[count].key, sizeof(heads->key), "%s%sci95", label, blank);
			(void)snprintf(heads[count++].title, sizeof(heads->title), "\xc2\xb1 95 %%");
		}
		if (grid->base >= 0) {
			(void)snprintf(heads[count].key, sizeof(heads->key), "%s%spercent", label, blank);
			(void)snprintf(heads[count++].title, sizeof(heads->title), "change, %%");
		}
	}
	return count;
}

static void put_row(struct report *report, const struct grid *grid, unsigned row)
{
	report_cell_text(report, grid->rows.labels[row]);
	for (unsigned column = 0; column < grid->columns.count; column++) {
		const struct study_sample *sample = sample_at(grid, row, column);
		report_cell_decimal(report, sample->mean, fabs(sample->mean - round(sample->mean)) > 0 || grid->spread);
		if (is_best(grid, row, column))
			report_cell_mark(report);
		if (grid->spread)
			report_cell_decimal(report, sample->half, 1);
		if (grid->base < 0)
			continue;
		double base = sample_at(grid, (unsigned)grid->base, column)->mean;
		report_cell_decimal(report, base > 0 ? (sample->mean / base - 1) * 100 : NAN, 2);
	}
}

static void put_grid(struct report *report, const struct study_table *table, struct grid *grid, const char *note,
		     unsigned number)
{
	char key[80], title[400];
	struct head *heads = calloc(1 + 3 * (size_t)grid->columns.count, sizeof(*heads));
	struct report_column *columns = calloc(1 + 3 * (size_t)grid->columns.count, sizeof(*columns));
	BUG_ON(!heads || !columns);
	unsigned count = name_columns(grid, table->rows, heads);
	for (unsigned i = 0; i < count; i++)
		columns[i] = (struct report_column){heads[i].key, heads[i].title};
	sort_rows(grid);
	(void)snprintf(key, sizeof(key), "%s-%u", table->key, number);
	(void)snprintf(title, sizeof(title), "%s (%s)%s", table->title, table->value, note);
	report_table_begin(report, key, title, columns, count);
	for (unsigned i = 0; i < grid->rows.count; i++)
		put_row(report, grid, grid->order[i]);
	report_table_end(report);
	free(heads);
	free(columns);
}

static void put_frame(struct report *report, const struct results *results, const struct study_parts *parts,
		      const struct study_table *table, const struct study_frame *frame, unsigned number)
{
	struct grid grid = {.base = -1};
	bool there = study_place_find(results, table->rows, &frame->selection, &grid.rows);
	there &= study_place_find(results, table->columns, &frame->selection, &grid.columns);
	if (there) {
		look(results, parts, frame, table->value, &grid);
		put_grid(report, table, &grid, frame->note, number);
	}
	free(grid.samples);
	free(grid.order);
	study_place_release(&grid.rows);
	study_place_release(&grid.columns);
}

void study_put_table(struct report *report, const struct results *results, const struct study_parts *parts,
		     const struct study_table *table)
{
	struct study_selection all = study_select_all();
	struct study_place rows, columns;
	struct study_frame *frames = NULL;
	(void)study_place_find(results, table->rows, &all, &rows);
	(void)study_place_find(results, table->columns, &all, &columns);
	unsigned count = study_frames(results, parts, &rows, &columns, &frames);
	study_place_release(&rows);
	study_place_release(&columns);
	for (unsigned i = 0; i < count; i++)
		put_frame(report, results, parts, table, &frames[i], i);
	free(frames);
}
