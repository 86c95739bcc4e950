#include "results.h"

#include <inttypes.h>
#include <string.h>

#include "columns.h"
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

/* RFC 4180: quotation marks where there must be. */
static void csv_text(FILE *out, const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		(void)fputs(text, out);
		return;
	}
	(void)fputc('"', out);
	for (; *text; text++)
		(void)fprintf(out, *text == '"' ? "\"%c" : "%c", *text);
	(void)fputc('"', out);
}

static void csv_name(void *self, const struct study_cell *cell)
{
	struct line_writer *writer = self;
	csv_between(writer);
	csv_text(writer->out, cell->name);
}

static void csv_cell(void *self, const struct study_cell *cell)
{
	struct line_writer *writer = self;
	csv_between(writer);
	if (cell->present && cell->is_text)
		csv_text(writer->out, cell->text);
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

/* ---- the three tables ---- */

enum { TABLE_CSV, TABLE_JSONL, TABLE_PHASES, TABLE_COUNT };

struct tables {
	struct result_file file[TABLE_COUNT];
};

static void put_heads(const struct study *study, struct tables *tables)
{
	struct line_writer csv = {tables->file[TABLE_CSV].file, false};
	struct line_writer phases = {tables->file[TABLE_PHASES].file, false};
	study_visit_row(study, NULL, csv_name, &csv);
	(void)fputs("\r\n", csv.out);
	if (!phases.out)
		return;
	study_visit_phase(NULL, 0, csv_name, &phases);
	(void)fputs("\r\n", phases.out);
}

static void put_row(const struct study *study, const struct study_row *row, struct tables *tables)
{
	struct line_writer csv = {tables->file[TABLE_CSV].file, false};
	struct line_writer json = {tables->file[TABLE_JSONL].file, false};
	study_visit_row(study, row, csv_cell, &csv);
	(void)fputs("\r\n", csv.out);
	study_visit_row(study, row, json_cell, &json);
	(void)fputs("}\n", json.out);
	for (unsigned i = 0; i < row->phase_count; i++) {
		struct line_writer phases = {tables->file[TABLE_PHASES].file, false};
		study_visit_phase(row, i, csv_cell, &phases);
		(void)fputs("\r\n", phases.out);
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
	static const char *const names[TABLE_COUNT] = {"results.csv", "results.jsonl", "phases.csv"};
	for (unsigned i = 0; i < TABLE_COUNT; i++)
		tables->file[i].file = NULL;
	for (unsigned i = 0; i < TABLE_COUNT; i++) {
		if (i == TABLE_PHASES && !study->plan->phases)
			continue;
		if (result_file_open(&tables->file[i], folder, names[i], error) != STATUS_OK)
			return error->status;
	}
	return STATUS_OK;
}

/* results.csv last: where it is, everything is. */
static enum status commit_tables(struct tables *tables, struct error *error)
{
	for (unsigned i = TABLE_COUNT; i-- > 0;) {
		if (tables->file[i].file && result_file_commit(&tables->file[i], error) != STATUS_OK)
			return error->status;
	}
	return STATUS_OK;
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
	for (unsigned i = 0; i < TABLE_COUNT; i++)
		result_file_discard(&tables.file[i]);
	result_folder_sync(folder);
	return status;
}
