/* Rows as lines of the journal: fields separated by tabs, the last one a checksum of all before it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/digest.h"
#include "study_private.h"

enum { HISTOGRAM_CELLS = HISTOGRAM_COUNT * HISTOGRAM_BUCKETS };

uint64_t study_line_checksum(const char *line, size_t length)
{
	return digest_bytes(DIGEST_START, line, length);
}

/* ---- writing ---- */

static void put_text(FILE *out, const char *text)
{
	(void)fputc('\t', out);
	for (; *text; text++) {
		const char *special = strchr("\\\t\n", *text);
		if (special)
			(void)fprintf(out, "\\%c", *text == '\t' ? 't' : *text == '\n' ? 'n' : '\\');
		else
			(void)fputc(*text, out);
	}
}

static void put_stats(FILE *out, const struct stats *stats)
{
	for (unsigned i = 0; i < STAT_COUNT; i++)
		(void)fprintf(out, "\t%" PRIu64, stats->value[i]);
}

static void put_fields(FILE *out, const struct study_row *row)
{
	(void)fprintf(out, "%" PRIu64 "\t%d\t%d\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, row->number,
		      (int)row->status, row->booted, row->digest, row->progress.operations, row->progress.expectations,
		      row->progress.expectations_failed);
	put_text(out, row->why.text);
	put_stats(out, &row->stats);
	(void)fprintf(out, "\t%u", row->phase_count);
	for (unsigned i = 0; i < row->phase_count; i++) {
		put_text(out, row->phases[i].name);
		put_stats(out, &row->phases[i].stats);
	}
}

static void put_samples(FILE *out, const struct study_row *row)
{
	(void)fprintf(out, "\t%u", row->sample_count);
	for (unsigned i = 0; i < row->sample_count; i++) {
		const struct series_sample *sample = &row->samples[i];
		(void)fprintf(out, "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, sample->operations, sample->events,
			      sample->cycles);
		for (unsigned v = 0; v < SERIES_VALUES; v++)
			(void)fprintf(out, "\t%" PRIu64, sample->value[v]);
	}
}

static void put_histograms(FILE *out, const struct study_row *row)
{
	const uint64_t *counts = row->histograms.count[0];
	(void)fprintf(out, "\t%d", row->has_histograms);
	for (unsigned i = 0; row->has_histograms && i < HISTOGRAM_CELLS; i++)
		(void)fprintf(out, "\t%" PRIu64, counts[i]);
}

void study_row_write(FILE *out, const struct study_row *row)
{
	char *line = NULL;
	size_t length = 0;
	FILE *memory = open_memstream(&line, &length);
	BUG_ON(!memory);
	put_fields(memory, row);
	put_samples(memory, row);
	put_histograms(memory, row);
	BUG_ON(fclose(memory) != 0);
	(void)fprintf(out, "%s\t%016" PRIx64 "\n", line, study_line_checksum(line, length));
	free(line);
}

/* ---- reading ---- */

static bool take_field(char **at, char **field)
{
	if (!*at)
		return false;
	*field = *at;
	char *tab = strchr(*at, '\t');
	if (tab)
		*tab = '\0';
	*at = tab ? tab + 1 : NULL;
	return true;
}

static bool take_number(char **at, uint64_t *out)
{
	char *field;
	char *end;
	if (!take_field(at, &field))
		return false;
	*out = strtoull(field, &end, 10);
	return end != field && *end == '\0';
}

static bool take_text(char **at, char *out, size_t bytes)
{
	char *field;
	size_t used = 0;
	if (!take_field(at, &field))
		return false;
	for (; *field && used + 1 < bytes; field++) {
		if (*field == '\\' && field[1]) {
			field++;
			out[used++] = *field == 't' ? '\t' : *field == 'n' ? '\n' : '\\';
		} else {
			out[used++] = *field;
		}
	}
	out[used] = '\0';
	return true;
}

static bool take_stats(char **at, struct stats *stats)
{
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		if (!take_number(at, &stats->value[i]))
			return false;
	}
	return true;
}

static bool take_head(char **at, struct study_row *row)
{
	uint64_t status;
	uint64_t booted;
	if (!take_number(at, &row->number) || !take_number(at, &status) || !take_number(at, &booted) ||
	    !take_number(at, &row->digest) || !take_number(at, &row->progress.operations) ||
	    !take_number(at, &row->progress.expectations) || !take_number(at, &row->progress.expectations_failed) ||
	    !take_text(at, row->why.text, sizeof(row->why.text)))
		return false;
	if (status > STATUS_BUG || status == STATUS_HOST)
		return false;
	row->status = row->why.status = (enum status)status;
	row->booted = booted != 0;
	return true;
}

static bool take_phases(char **at, struct study_row *row)
{
	uint64_t count;
	if (!take_number(at, &count) || count > STUDY_MOST_PHASES)
		return false;
	row->phase_count = (unsigned)count;
	for (unsigned i = 0; i < row->phase_count; i++) {
		if (!take_text(at, row->phases[i].name, STUDY_NAME_BYTES) || !take_stats(at, &row->phases[i].stats))
			return false;
	}
	return true;
}

static bool take_sample(char **at, struct series_sample *sample)
{
	if (!take_number(at, &sample->operations) || !take_number(at, &sample->events) ||
	    !take_number(at, &sample->cycles))
		return false;
	for (unsigned v = 0; v < SERIES_VALUES; v++) {
		if (!take_number(at, &sample->value[v]))
			return false;
	}
	return true;
}

static bool take_samples(char **at, struct study_row *row)
{
	uint64_t count;
	if (!take_number(at, &count) || count > STUDY_MOST_SAMPLES)
		return false;
	row->sample_count = (unsigned)count;
	for (unsigned i = 0; i < row->sample_count; i++) {
		row->samples[i] = (struct series_sample){.number = i, .process = ""};
		if (!take_sample(at, &row->samples[i]))
			return false;
	}
	return true;
}

static bool take_histograms(char **at, struct study_row *row)
{
	uint64_t *counts = row->histograms.count[0];
	uint64_t has;
	if (!take_number(at, &has))
		return false;
	row->has_histograms = has != 0;
	for (unsigned i = 0; row->has_histograms && i < HISTOGRAM_CELLS; i++) {
		if (!take_number(at, &counts[i]))
			return false;
	}
	return true;
}

bool study_row_read(char *line, size_t length, struct study_row *row)
{
	char *last = strrchr(line, '\t');
	char *at = line;
	if (!last || strlen(line) != length || strlen(last + 1) != 16 ||
	    strtoull(last + 1, NULL, 16) != study_line_checksum(line, (size_t)(last - line)))
		return false;
	*last = '\0';
	study_row_reset(row);
	return take_head(&at, row) && take_stats(&at, &row->stats) && take_phases(&at, row) && take_samples(&at, row) &&
	       take_histograms(&at, row) && !at;
}
