#include "journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "result_file.h"

enum { HEADER_BYTES = 128 };

/* Whose journal it is. Its checksum is part of it, so that a cut header is none. */
static size_t write_header(const struct study *study, char out[HEADER_BYTES])
{
	int used = snprintf(out, HEADER_BYTES, "faultline-journal-1\t%016" PRIx64 "\t%u\t%u\t%" PRIu64, study->digest,
			    study->slice.number, study->slice.of, study->points);
	used += snprintf(out + used, (size_t)(HEADER_BYTES - used), "\t%016" PRIx64 "\n",
			 study_line_checksum(out, (size_t)used));
	return (size_t)used;
}

/* ---- opening ---- */

static enum status cannot_read(const struct journal *journal, struct error *error)
{
	return error_set(error, STATUS_HOST, "%s: cannot be read: %s", journal->path, strerror(errno));
}

static void take_line(struct journal *journal, char *line, size_t length, uint64_t offset, struct study_row *row)
{
	const struct study *study = journal->study;
	if (!study_row_read(line, length, row) || row->number < study->slice.number)
		return;
	uint64_t position = (row->number - study->slice.number) / study->slice.of;
	if (position >= study->count || study_point_number(study, position) != row->number ||
	    journal->offsets[position] != 0)
		return;
	journal->offsets[position] = offset;
	journal->done++;
}

/* Notes where every whole line stands; the end of the last one is where the next will go. */
static enum status read_lines(struct journal *journal, FILE *file, struct error *error)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	struct study_row row;
	if (study_row_init(&row, error) != STATUS_OK)
		return error->status;
	while ((length = getline(&line, &room, file)) > 0 && line[length - 1] == '\n') {
		line[length - 1] = '\0';
		take_line(journal, line, (size_t)length - 1, journal->end, &row);
		journal->end += (uint64_t)length;
	}
	free(line);
	study_row_release(&row);
	return ferror(file) ? cannot_read(journal, error) : STATUS_OK;
}

/* The file is empty, or a header was cut off: it begins. */
static enum status begin(struct journal *journal, const char *header, size_t length, struct error *error)
{
	if (ftruncate(journal->fd, 0) != 0 || pwrite(journal->fd, header, length, 0) != (ssize_t)length)
		return result_cannot_write(journal->path, error);
	journal->end = length;
	return STATUS_OK;
}

static enum status take_up(struct journal *journal, struct error *error)
{
	char header[HEADER_BYTES];
	char found[HEADER_BYTES] = {0};
	size_t length = write_header(journal->study, header);
	FILE *file = fdopen(dup(journal->fd), "r");
	if (!file)
		return cannot_read(journal, error);
	size_t got = fread(found, 1, length, file);
	enum status status = STATUS_OK;
	if (got < length && !memchr(found, '\n', got)) {
		status = begin(journal, header, length, error);
	} else if (memcmp(found, header, length) != 0) {
		status = error_set(error, STATUS_BAD_INPUT,
				   "%s: it belongs to another study, another slice or another version: name another "
				   "folder, or give the same workloads and options as before",
				   journal->path);
	} else {
		journal->end = length;
		status = read_lines(journal, file, error);
	}
	(void)fclose(file);
	/* What a crash has cut off is written again. */
	if (status == STATUS_OK && ftruncate(journal->fd, (off_t)journal->end) != 0)
		status = result_cannot_write(journal->path, error);
	return status;
}

enum status journal_open(struct journal *journal, const struct study *study, const char *folder, bool resume,
			 struct error *error)
{
	*journal = (struct journal){.study = study, .fd = -1};
	if (snprintf(journal->path, sizeof(journal->path), "%s/journal", folder) >= (int)sizeof(journal->path))
		return error_set(error, STATUS_HOST, "%s: the path is too long", folder);
	journal->offsets = calloc(study->count + 1, sizeof(*journal->offsets));
	if (!journal->offsets)
		return error_set(error, STATUS_HOST, "the host has no memory for the points of the study");
	uint64_t bytes = 0;
	if (result_open_alone(journal->path, &journal->fd, &bytes, error) != STATUS_OK)
		return error->status;
	if (!resume && bytes > 0)
		return error_set(error, STATUS_BAD_INPUT,
				 "%s: there is a study already: add --resume to go on with it, or name another folder",
				 journal->path);
	return take_up(journal, error);
}

void journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		(void)close(journal->fd);
	free(journal->offsets);
	*journal = (struct journal){.fd = -1};
}

/* ---- writing ---- */

bool journal_has(const struct journal *journal, uint64_t position)
{
	return journal->offsets[position] != 0;
}

enum status journal_append(struct journal *journal, uint64_t position, const char *line, size_t length,
			   struct error *error)
{
	for (size_t done = 0; done < length;) {
		ssize_t put = pwrite(journal->fd, line + done, length - done, (off_t)(journal->end + done));
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			(void)result_cannot_write(journal->path, error);
			(void)!ftruncate(journal->fd, (off_t)journal->end);
			return error->status;
		}
		done += (size_t)put;
	}
	journal->offsets[position] = journal->end;
	journal->end += length;
	journal->done++;
	return STATUS_OK;
}

enum status journal_sync(const struct journal *journal, struct error *error)
{
	/* EINVAL: a file that cannot be synchronised, fsync(2). */
	if (fsync(journal->fd) == 0 || errno == EINVAL || errno == EROFS)
		return STATUS_OK;
	return result_cannot_write(journal->path, error);
}

/* ---- reading ---- */

/* The line at an offset without its end. The caller frees it. */
static char *line_at(const struct journal *journal, uint64_t offset, size_t *length)
{
	size_t room = 4096;
	char *line = NULL;
	for (;;) {
		char *grown = realloc(line, room);
		BUG_ON(!grown);
		line = grown;
		ssize_t got = pread(journal->fd, line, room - 1, (off_t)offset);
		char *end = got > 0 ? memchr(line, '\n', (size_t)got) : NULL;
		if (end) {
			*end = '\0';
			*length = (size_t)(end - line);
			return line;
		}
		if (got < (ssize_t)room - 1) {
			free(line);
			return NULL;
		}
		room *= 4;
	}
}

enum status journal_read(const struct journal *journal, uint64_t position, struct study_row *row, struct error *error)
{
	size_t length = 0;
	char *line = line_at(journal, journal->offsets[position], &length);
	bool good = line && study_row_read(line, length, row);
	free(line);
	row->position = position;
	return good ? STATUS_OK : error_set(error, STATUS_HOST, "%s: has changed under our hands", journal->path);
}

enum status journal_sort(struct journal *journal, const char *folder, struct error *error)
{
	char header[HEADER_BYTES];
	struct result_file sorted;
	size_t length = write_header(journal->study, header);
	if (result_file_open(&sorted, folder, "journal", error) != STATUS_OK)
		return error->status;
	(void)fwrite(header, 1, length, sorted.file);
	for (uint64_t position = 0; position < journal->study->count; position++) {
		char *line = line_at(journal, journal->offsets[position], &length);
		if (!line) {
			result_file_discard(&sorted);
			return error_set(error, STATUS_HOST, "%s: has changed under our hands", journal->path);
		}
		(void)fprintf(sorted.file, "%s\n", line);
		free(line);
	}
	return result_file_commit(&sorted, error);
}
