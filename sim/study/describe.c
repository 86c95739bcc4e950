/* study.json: everything needed to run the study again, and what its columns mean. */
#include <inttypes.h>
#include <string.h>

#include "columns.h"
#include "faultline/version.h"
#include "result_file.h"
#include "results.h"

static void put_member(FILE *out, const char *key, const char *text)
{
	(void)fprintf(out, "\t\"%s\": ", key);
	put_json_text(out, text);
	(void)fputs(",\n", out);
}

static void put_flag(FILE *out, const char *key, bool flag)
{
	(void)fprintf(out, "\t\"%s\": %s,\n", key, flag ? "true" : "false");
}

static void put_values(FILE *out, const struct study_parameter *parameter)
{
	(void)fputc('[', out);
	for (unsigned i = 0; i < parameter->count; i++) {
		(void)fputs(i ? ", " : "", out);
		put_json_text(out, parameter->values[i]);
	}
	(void)fputc(']', out);
}

static void put_workloads(FILE *out, const struct study *study)
{
	(void)fputs("\t\"workloads\": [", out);
	for (unsigned i = 0; i < study->plan->workload_count; i++) {
		(void)fprintf(out, "%s\n\t\t{\"name\": ", i ? "," : "");
		put_json_text(out, study->workloads[i].document->name);
		(void)fputs(", \"path\": ", out);
		put_json_text(out, study->workloads[i].path);
		(void)fprintf(out, ", \"digest\": \"%016" PRIx64 "\"}", study->workloads[i].digest);
	}
	(void)fputs("\n\t],\n", out);
}

static void put_parameters(FILE *out, const struct study_plan *plan)
{
	const struct study_parameter settings = {.values = plan->settings, .count = plan->setting_count};
	(void)fputs("\t\"settings\": ", out);
	put_values(out, &settings);
	(void)fputs(",\n\t\"parameters\": [", out);
	for (unsigned p = 0; p < plan->parameter_count; p++) {
		const struct study_parameter *parameter = &plan->parameters[p];
		(void)fprintf(out, "%s\n\t\t{\"key\": ", p ? "," : "");
		put_json_text(out, parameter->key);
		(void)fprintf(out, ", \"type\": \"%s\", \"values\": ", study_type_name(parameter->type));
		put_values(out, parameter);
		(void)fputc('}', out);
	}
	(void)fputs(plan->parameter_count ? "\n\t],\n" : "],\n", out);
	(void)fputs("\t\"seeds\": [", out);
	for (unsigned i = 0; i < plan->seeds.count; i++)
		(void)fprintf(out, "%s%s", i ? ", " : "", plan->seeds.values[i]);
	(void)fputs("],\n", out);
}

static void put_exclusions(FILE *out, const struct study_plan *plan)
{
	(void)fputs("\t\"exclusions\": [", out);
	for (unsigned e = 0; e < plan->exclusion_count; e++) {
		(void)fprintf(out, "%s\n\t\t{", e ? "," : "");
		for (unsigned c = 0; c < plan->exclusions[e].count; c++) {
			(void)fputs(c ? ", " : "", out);
			put_json_text(out, plan->exclusions[e].conditions[c].key);
			(void)fputs(": ", out);
			put_values(out, &plan->exclusions[e].conditions[c]);
		}
		(void)fputc('}', out);
	}
	(void)fputs(plan->exclusion_count ? "\n\t],\n" : "],\n", out);
}

struct column_writer {
	FILE *out;
	bool more;
};

static void put_column(void *self, const struct study_cell *cell)
{
	struct column_writer *writer = self;
	(void)fprintf(writer->out, "%s\n\t\t{\"name\": ", writer->more ? "," : "");
	put_json_text(writer->out, cell->name);
	(void)fprintf(writer->out, ", \"type\": \"%s\", \"kind\": \"%s\", \"unit\": \"%s\", \"text\": ",
		      cell->is_text ? "text" : "integer", cell->kind, cell->unit);
	put_json_text(writer->out, cell->about);
	(void)fputc('}', writer->out);
	writer->more = true;
}

/* One line: merging replaces it. */
static void put_slice(FILE *out, const struct study_slice *slice)
{
	if (slice->of == 1)
		(void)fputs("\t\"slice\": null,\n", out);
	else
		(void)fprintf(out, "\t\"slice\": {\"number\": %u, \"of\": %u},\n", slice->number, slice->of);
}

enum status results_describe(const struct study *study, const char *folder, struct error *error)
{
	const struct study_plan *plan = study->plan;
	struct result_file file;
	if (result_file_open(&file, folder, "study.json", error) != STATUS_OK)
		return error->status;
	struct column_writer columns = {file.file, false};
	(void)fputs("{\n", file.file);
	put_member(file.file, "schema", STUDY_SCHEMA);
	put_member(file.file, "version", FAULTLINE_VERSION);
	put_member(file.file, "name", plan->name);
	put_member(file.file, "description", plan->description);
	(void)fprintf(file.file, "\t\"digest\": \"%016" PRIx64 "\",\n", study->digest);
	put_workloads(file.file, study);
	put_parameters(file.file, plan);
	put_exclusions(file.file, plan);
	put_flag(file.file, "phases", plan->phases);
	put_flag(file.file, "series", plan->series);
	put_flag(file.file, "histograms", plan->histograms);
	(void)fprintf(file.file, "\t\"points\": %" PRIu64 ",\n", study->points);
	put_slice(file.file, &study->slice);
	(void)fputs("\t\"columns\": [", file.file);
	study_visit_row(study, NULL, put_column, &columns);
	(void)fprintf(file.file, "\n\t],\n\t\"baseline\": %s,\n\t\"tables\": %s,\n\t\"plots\": %s\n}\n",
		      plan->baseline_json, plan->tables_json, plan->plots_json);
	return result_file_commit(&file, error);
}
