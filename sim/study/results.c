#include "results.h"

#include <inttypes.h>
#include <string.h>

#include "columns.h"
#include "faultline/csv.h"
#include "result_file.h"

/* A line of one of the tables in the making. */
struct line_writer {
	FILE *out;
	bool more;
};

static void csv_between(struct line_writer *writer)
{
	(void)fputs(writer->more ? "," : "", writer->out);
	writer->more = true;
}

static void csv_name(void *self, const struct study_cell *cell)
{
	struct line_writer *writer = self;
	csv_between(writer);
	csv_put(writer->out, cell->name);
}

static void csv_cell(void *self, const struct study_cell *cell)
{
	struct line_writer *writer = self;
	csv_between(writer);
	if (cell->present && cell->is_text)
		csv_put(writer->out, cell->text);
	else if (cell->present)
		(void)fprintf(writer->out, "%" PRIu64, cell->number);
}

static void json_cell(void *self, const struct study_cell *cell)
{
	struct line_writer *writer = self;
	(void)fputc(writer->more ? ',' : '{', writer->out);
	writer->more = true;
	put_json_text(writer->out, cell->name);
	(void)fputc(':', writer->out);
	if (!cell->present)
		(void)fputs("null", writer->out);
	else if (cell->is_text)
		put_json_text(writer->out, cell->text);
	else
		(void)fprintf(writer->out, "%" PRIu64, cell->number);
}

/* ---- the tables ---- */

/* Tables of which a point has several rows, if the plan wants them. */
enum { PART_PHASES, PART_SERIES, PART_HISTOGRAMS, PART_COUNT };

struct tables {
	struct result_file csv, jsonl;
	struct result_file part[PART_COUNT];
};

static const char *const part_names[PART_COUNT] = {"phases.csv", "series.csv", "histograms.csv"};
static study_visit_part_fn *const part_visits[PART_COUNT] = {study_visit_phase, study_visit_sample, study_visit_bucket};

static bool part_is_wanted(const struct study_plan *plan, unsigned part)
{
	const bool wanted[PART_COUNT] = {plan->phases, plan->series, plan->histograms};
	return wanted[part];
}

static unsigned part_rows(const struct study_row *row, unsigned part)
{
	const unsigned rows[PART_COUNT] = {row->phase_count, row->sample_count,
					   row->has_histograms ? HISTOGRAM_COUNT * HISTOGRAM_BUCKETS : 0};
	return rows[part];
}

/* Most buckets are empty, and are left out. */
static bool is_shown(const struct study_row *row, unsigned part, unsigned index)
{
	return part != PART_HISTOGRAMS || row->histograms.count[index / HISTOGRAM_BUCKETS][index % HISTOGRAM_BUCKETS];
}

static void put_heads(const struct study *study, struct tables *tables)
{
	struct line_writer csv = {tables->csv.file, false};
	study_visit_row(study, NULL, csv_name, &csv);
	(void)fputs("\r\n", csv.out);
	for (unsigned part = 0; part < PART_COUNT; part++) {
		struct line_writer writer = {tables->part[part].file, false};
		if (!writer.out)
			continue;
		part_visits[part](NULL, 0, csv_name, &writer);
		(void)fputs("\r\n", writer.out);
	}
}

static void put_parts(const struct study_row *row, unsigned part, FILE *out)
{
	for (unsigned i = 0; i < part_rows(row, part); i++) {
		struct line_writer writer = {out, false};
		if (!is_shown(row, part, i))
			continue;
		part_visits[part](row, i, csv_cell, &writer);
		(void)fputs("\r\n", out);
	}
}

static void put_row(const struct study *study, const struct study_row *row, struct tables *tables)
{
	struct line_writer csv = {tables->csv.file, false};
	struct line_writer json = {tables->jsonl.file, false};
	study_visit_row(study, row, csv_cell, &csv);
	(void)fputs("\r\n", csv.out);
	study_visit_row(study, row, json_cell, &json);
	(void)fputs("}\n", json.out);
	for (unsigned part = 0; part < PART_COUNT; part++) {
		if (tables->part[part].file)
			put_parts(row, part, tables->part[part].file);
	}
}

static void count_row(const struct study_row *row, struct study_summary *summary)
{
	if (row->status == STATUS_OK)
		return;
	if (summary->failed++ == 0) {
		summary->first_failed = row->number;
		summary->first_why = row->why;
	}
	summary->worst = row->status > summary->worst ? row->status : summary->worst;
}

static enum status put_rows(const struct journal *journal, struct tables *tables, struct study_summary *summary,
			    struct error *error)
{
	struct study_row row;
	if (study_row_init(&row, error) != STATUS_OK)
		return error->status;
	put_heads(journal->study, tables);
	enum status status = STATUS_OK;
	for (uint64_t position = 0; position < journal->study->count && status == STATUS_OK; position++) {
		status = journal_read(journal, position, &row, error);
		if (status != STATUS_OK)
			break;
		count_row(&row, summary);
		put_row(journal->study, &row, tables);
	}
	study_row_release(&row);
	return status;
}

static enum status open_tables(struct tables *tables, const struct study *study, const char *folder,
			       struct error *error)
{
	*tables = (struct tables){.csv.file = NULL};
	if (result_file_open(&tables->csv, folder, "results.csv", error) != STATUS_OK ||
	    result_file_open(&tables->jsonl, folder, "results.jsonl", error) != STATUS_OK)
		return error->status;
	for (unsigned part = 0; part < PART_COUNT; part++) {
		if (part_is_wanted(study->plan, part) &&
		    result_file_open(&tables->part[part], folder, part_names[part], error) != STATUS_OK)
			return error->status;
	}
	return STATUS_OK;
}

/* results.csv last: where it is, everything is. */
static enum status commit_tables(struct tables *tables, struct error *error)
{
	for (unsigned part = 0; part < PART_COUNT; part++) {
		if (tables->part[part].file && result_file_commit(&tables->part[part], error) != STATUS_OK)
			return error->status;
	}
	if (result_file_commit(&tables->jsonl, error) != STATUS_OK)
		return error->status;
	return result_file_commit(&tables->csv, error);
}

static void discard_tables(struct tables *tables)
{
	result_file_discard(&tables->csv);
	result_file_discard(&tables->jsonl);
	for (unsigned part = 0; part < PART_COUNT; part++)
		result_file_discard(&tables->part[part]);
}

enum status results_write(struct journal *journal, const char *folder, struct study_summary *summary,
			  struct error *error)
{
	struct tables tables;
	enum status status = open_tables(&tables, journal->study, folder, error);
	if (status == STATUS_OK)
		status = put_rows(journal, &tables, summary, error);
	if (status == STATUS_OK)
		status = journal_sort(journal, folder, error);
	if (status == STATUS_OK)
		status = commit_tables(&tables, error);
	discard_tables(&tables);
	result_folder_sync(folder);
	return status;
}
