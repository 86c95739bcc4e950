/* Slices to a whole. Every table is sorted by the number of the point that its lines begin with, so joining is merging
 * line by line, and the bytes are those that one run would have written. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "result_file.h"

struct source {
	const char *folder;
	FILE *file;
	char *line; /* the next one, with its end */
	size_t room;
	uint64_t point; /* that it begins with; UINT64_MAX: no line is left */
};

struct merge {
	struct source *sources;
	unsigned count;
	const char *into;
};

static enum status cannot_read(const char *folder, const char *name, struct error *error)
{
	return error_set(error, errno == ENOENT ? STATUS_BAD_INPUT : STATUS_HOST,
			 "%s/%s: cannot be read: %s: is it the folder of a finished slice?", folder, name,
			 strerror(errno));
}

static enum status open_source(struct source *source, const char *name, struct error *error)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/%s", source->folder, name);
	source->file = fopen(path, "re");
	return source->file ? STATUS_OK : cannot_read(source->folder, name, error);
}

static void close_sources(struct merge *merge)
{
	for (unsigned i = 0; i < merge->count; i++) {
		if (merge->sources[i].file)
			(void)fclose(merge->sources[i].file);
		merge->sources[i].file = NULL;
	}
}

/* ---- study.json ---- */

static const char slice_key[] = "\t\"slice\": ";

/* The text of study.json as if it were of the whole study. NULL: it cannot be read. */
static char *read_description(struct source *source, struct error *error)
{
	char *text = NULL;
	size_t length = 0;
	if (open_source(source, "study.json", error) != STATUS_OK)
		return NULL;
	FILE *memory = open_memstream(&text, &length);
	BUG_ON(!memory);
	while (getline(&source->line, &source->room, source->file) > 0)
		(void)fputs(strncmp(source->line, slice_key, sizeof(slice_key) - 1) == 0 ? "\t\"slice\": null,\n"
											 : source->line,
			    memory);
	BUG_ON(fclose(memory) != 0);
	return text;
}

static enum status write_description(const struct merge *merge, const char *text, struct error *error)
{
	struct result_file file;
	if (result_file_open(&file, merge->into, "study.json", error) != STATUS_OK)
		return error->status;
	(void)fputs(text, file.file);
	return result_file_commit(&file, error);
}

static enum status merge_descriptions(struct merge *merge, struct error *error)
{
	enum status status = STATUS_OK;
	char *first = NULL;
	for (unsigned i = 0; i < merge->count && status == STATUS_OK; i++) {
		char *text = read_description(&merge->sources[i], error);
		if (!text)
			status = error->status;
		else if (first && strcmp(first, text) != 0)
			status = error_set(error, STATUS_BAD_INPUT,
					   "%s and %s are of different studies: their study.json differ in more than "
					   "the slice",
					   merge->sources[0].folder, merge->sources[i].folder);
		if (first)
			free(text);
		else
			first = text;
	}
	close_sources(merge);
	if (status == STATUS_OK)
		status = write_description(merge, first, error);
	free(first);
	return status;
}

/* ---- tables ---- */

/* A line of JSON begins with {"point":7, one of the others with 7. */
static void next_line(struct source *source)
{
	ssize_t length = getline(&source->line, &source->room, source->file);
	source->point = length > 0 ? strtoull(source->line + strcspn(source->line, "0123456789"), NULL, 10)
				   : UINT64_MAX;
}

static struct source *least(const struct merge *merge)
{
	struct source *least = &merge->sources[0];
	for (unsigned i = 1; i < merge->count; i++) {
		if (merge->sources[i].point < least->point)
			least = &merge->sources[i];
	}
	return least;
}

/* The same first line everywhere; that of the journal names its slice. */
static void copy_head(struct merge *merge, FILE *out)
{
	char line[256];
	uint64_t digest;
	uint64_t points;
	unsigned number;
	unsigned of;
	const char *head = merge->sources[0].line;
	if (sscanf(head, "faultline-journal-1\t%" SCNx64 "\t%u\t%u\t%" SCNu64, &digest, &number, &of, &points) != 4) {
		(void)fputs(head, out);
		return;
	}
	int length = snprintf(line, sizeof(line), "faultline-journal-1\t%016" PRIx64 "\t1\t1\t%" PRIu64, digest,
			      points);
	(void)fprintf(out, "%s\t%016" PRIx64 "\n", line, study_line_checksum(line, (size_t)length));
}

static enum status check_point(const struct source *from, uint64_t last, struct error *error)
{
	if (from->point == last)
		return error_set(error, STATUS_BAD_INPUT,
				 "point %" PRIu64 " is in %s and in another folder: each slice once", last,
				 from->folder);
	if (from->point <= last + 1)
		return STATUS_OK;
	return error_set(error, STATUS_BAD_INPUT,
			 "point %" PRIu64 " is missing: the folder of its slice is not among those to merge", last + 1);
}

/* Where a point has several rows, or none, nothing can be said about missing ones. */
static enum status merge_lines(struct merge *merge, bool parts, FILE *out, uint64_t *last, struct error *error)
{
	*last = 0;
	for (struct source *from = least(merge); from->point != UINT64_MAX; from = least(merge)) {
		if (!parts && check_point(from, *last, error) != STATUS_OK)
			return error->status;
		*last = from->point;
		(void)fputs(from->line, out);
		next_line(from);
	}
	return STATUS_OK;
}

struct table {
	const char *name;
	bool has_head, parts;
};

static enum status open_table(struct merge *merge, const struct table *table, struct error *error)
{
	for (unsigned i = 0; i < merge->count; i++) {
		struct source *source = &merge->sources[i];
		if (open_source(source, table->name, error) != STATUS_OK)
			return error->status;
		if (table->has_head && getline(&source->line, &source->room, source->file) < 0)
			return cannot_read(source->folder, table->name, error);
	}
	return STATUS_OK;
}

static enum status merge_table(struct merge *merge, const struct table *table, uint64_t *last, struct error *error)
{
	struct result_file file;
	if (open_table(merge, table, error) != STATUS_OK ||
	    result_file_open(&file, merge->into, table->name, error) != STATUS_OK) {
		close_sources(merge);
		return error->status;
	}
	if (table->has_head)
		copy_head(merge, file.file);
	for (unsigned i = 0; i < merge->count; i++)
		next_line(&merge->sources[i]);
	enum status status = merge_lines(merge, table->parts, file.file, last, error);
	close_sources(merge);
	if (status == STATUS_OK)
		return result_file_commit(&file, error);
	result_file_discard(&file);
	return status;
}

/* ---- the folder ---- */

/* As study.json says it on a line of its own. */
static enum status check_count(const struct merge *merge, uint64_t last, struct error *error)
{
	struct source *source = &merge->sources[0];
	uint64_t points = 0;
	if (open_source(source, "study.json", error) != STATUS_OK)
		return error->status;
	while (getline(&source->line, &source->room, source->file) > 0) {
		if (sscanf(source->line, "\t\"points\": %" SCNu64, &points) == 1)
			break;
	}
	(void)fclose(source->file);
	source->file = NULL;
	if (points == last)
		return STATUS_OK;
	return error_set(error, STATUS_BAD_INPUT,
			 "the study has %" PRIu64 " points, and those after %" PRIu64
			 " are missing: the folders of their slices are not among those to merge",
			 points, last);
}

/* Everything is checked on the first table before the folder gets results.csv, the last one. */
static enum status merge_all(struct merge *merge, struct error *error)
{
	static const struct table tables[] = {{"journal", true, false},       {"results.jsonl", false, false},
					      {"phases.csv", true, true},     {"series.csv", true, true},
					      {"histograms.csv", true, true}, {"results.csv", true, false}};
	enum status status = merge_descriptions(merge, error);
	for (unsigned i = 0; i < sizeof(tables) / sizeof(*tables) && status == STATUS_OK; i++) {
		uint64_t last = 0;
		if (tables[i].parts && !result_has_file(merge->sources[0].folder, tables[i].name))
			continue;
		status = merge_table(merge, &tables[i], &last, error);
		if (status == STATUS_OK && !tables[i].parts)
			status = check_count(merge, last, error);
	}
	return status;
}

/* Of a merge that failed nothing is left, so that it can be repeated. */
static void take_back(const char *into)
{
	static const char *const names[] = {"study.json", "journal",    "results.jsonl",
					    "phases.csv", "series.csv", "histograms.csv"};
	char path[4096];
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", into, names[i]);
		(void)remove(path);
	}
}

enum status study_merge(const char *const *folders, unsigned count, const char *into, struct error *error)
{
	struct merge merge = {.count = count, .into = into};
	if (count == 0)
		return error_set(error, STATUS_BAD_INPUT, "merge what? Name the folders of all slices");
	if (result_has_file(into, "study.json") || result_has_file(into, "journal"))
		return error_set(error, STATUS_BAD_INPUT, "%s: there is a study already: name another folder", into);
	merge.sources = calloc(count, sizeof(*merge.sources));
	if (!merge.sources)
		return error_set(error, STATUS_HOST, "the host has no memory for so many folders");
	for (unsigned i = 0; i < count; i++)
		merge.sources[i].folder = folders[i];
	enum status status = result_folder_make(into, error);
	if (status == STATUS_OK)
		status = merge_all(&merge, error);
	if (status != STATUS_OK)
		take_back(into);
	for (unsigned i = 0; i < count; i++)
		free(merge.sources[i].line);
	free(merge.sources);
	result_folder_sync(into);
	return status;
}
