/* The finished study as a database. It is read from the folder, so that a merged study gives the same. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"

struct database {
	sqlite3 *file;
	const char *path;
	struct error *error;
};

static enum status database_fail(const struct database *database)
{
	return error_set(database->error, STATUS_HOST, "%s: cannot be written: %s", database->path,
			 sqlite3_errmsg(database->file));
}

static enum status execute(const struct database *database, const char *sql)
{
	return sqlite3_exec(database->file, sql, NULL, NULL, NULL) == SQLITE_OK ? STATUS_OK : database_fail(database);
}

/* ---- CSV ---- */

/* One record of RFC 4180, as its fields. */
struct record {
	char **fields;
	unsigned count, room;
	char *text;
	size_t length, text_room;
};

static void add_char(struct record *record, int c)
{
	if (record->length == record->text_room) {
		record->text_room = record->text_room ? record->text_room * 2 : 4096;
		record->text = realloc(record->text, record->text_room);
		BUG_ON(!record->text);
	}
	record->text[record->length++] = (char)c;
}

/* Fields end with a zero byte in the text; where they begin is settled when the text no longer moves. */
static void settle_fields(struct record *record)
{
	char *at = record->text;
	if (record->count > record->room) {
		record->room = record->count;
		record->fields = realloc(record->fields, record->room * sizeof(*record->fields));
		BUG_ON(!record->fields);
	}
	for (unsigned i = 0; i < record->count; i++) {
		record->fields[i] = at;
		at += strlen(at) + 1;
	}
}

static bool read_record(FILE *in, struct record *record)
{
	bool quoted = false;
	int c;
	record->count = 0;
	record->length = 0;
	while ((c = fgetc(in)) != EOF) {
		if (c == '"') {
			int next = quoted ? fgetc(in) : '"';
			if (quoted && next == '"')
				add_char(record, '"');
			else if (quoted)
				(void)ungetc(next, in);
			quoted = !quoted || next == '"';
		} else if (!quoted && (c == ',' || c == '\n')) {
			add_char(record, '\0');
			record->count++;
			if (c == '\n')
				break;
		} else if (quoted || c != '\r') {
			add_char(record, c);
		}
	}
	settle_fields(record);
	return record->count > 0;
}

/* ---- tables ---- */

struct table {
	const char *name, *file, *key;
	const char *flag; /* of study.json, when there is such a file; NULL: always */
};

static const struct table tables[] = {{"points", "results.csv", "point", NULL},
				      {"phases", "phases.csv", "point, phase", "phases"},
				      {"series", "series.csv", "point, sample", "series"},
				      {"histograms", "histograms.csv", "point, histogram, first", "histograms"}};

static FILE *open_in(const char *folder, const char *name, char *path, size_t bytes)
{
	(void)snprintf(path, bytes, "%s/%s", folder, name);
	return fopen(path, "re");
}

/* Integers by the affinity of their column: SQLite turns "12" into 12. */
static bool is_text_column(const cJSON *columns, const char *name)
{
	const cJSON *column;
	if (strcmp(name, "name") == 0 || strcmp(name, "histogram") == 0)
		return true;
	cJSON_ArrayForEach(column, columns)
	{
		const char *known = cJSON_GetStringValue(cJSON_GetObjectItem(column, "name"));
		const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(column, "type"));
		if (known && type && strcmp(known, name) == 0)
			return strcmp(type, "text") == 0;
	}
	return false;
}

static enum status create_table(const struct database *database, const char *table, const char *key,
				const cJSON *columns, const struct record *head)
{
	sqlite3_str *sql = sqlite3_str_new(database->file);
	sqlite3_str_appendf(sql, "CREATE TABLE %s (", table);
	for (unsigned i = 0; i < head->count; i++)
		sqlite3_str_appendf(sql, "%s\"%w\" %s", i ? ", " : "", head->fields[i],
				    is_text_column(columns, head->fields[i]) ? "TEXT" : "INTEGER");
	sqlite3_str_appendf(sql, ", PRIMARY KEY (%s))", key);
	char *text = sqlite3_str_finish(sql);
	enum status status = execute(database, text);
	sqlite3_free(text);
	return status;
}

static enum status prepare_insert(const struct database *database, const char *table, unsigned count,
				  sqlite3_stmt **out)
{
	sqlite3_str *sql = sqlite3_str_new(database->file);
	sqlite3_str_appendf(sql, "INSERT INTO %s VALUES (", table);
	for (unsigned i = 0; i < count; i++)
		sqlite3_str_appendall(sql, i ? ", ?" : "?");
	sqlite3_str_appendall(sql, ")");
	char *text = sqlite3_str_finish(sql);
	int result = sqlite3_prepare_v2(database->file, text, -1, out, NULL);
	sqlite3_free(text);
	return result == SQLITE_OK ? STATUS_OK : database_fail(database);
}

static enum status insert(const struct database *database, sqlite3_stmt *statement, const char *const *fields,
			  unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (fields[i] && fields[i][0])
			(void)sqlite3_bind_text(statement, (int)i + 1, fields[i], -1, SQLITE_TRANSIENT);
		else
			(void)sqlite3_bind_null(statement, (int)i + 1);
	}
	if (sqlite3_step(statement) != SQLITE_DONE)
		return database_fail(database);
	(void)sqlite3_reset(statement);
	return STATUS_OK;
}

static enum status copy_rows(const struct database *database, const struct table *table, const cJSON *columns, FILE *in,
			     struct record *record)
{
	sqlite3_stmt *statement = NULL;
	if (!read_record(in, record))
		return error_set(database->error, STATUS_BAD_INPUT, "the table of %s is empty", table->name);
	unsigned count = record->count;
	enum status status = create_table(database, table->name, table->key, columns, record);
	if (status == STATUS_OK)
		status = prepare_insert(database, table->name, count, &statement);
	while (status == STATUS_OK && read_record(in, record)) {
		if (record->count == count)
			status = insert(database, statement, (const char *const *)record->fields, count);
	}
	(void)sqlite3_finalize(statement);
	return status;
}

static enum status copy_table(const struct database *database, const char *folder, const struct table *table,
			      const cJSON *columns)
{
	char path[4096];
	struct record record = {0};
	FILE *in = open_in(folder, table->file, path, sizeof(path));
	if (!in)
		return error_set(database->error, STATUS_HOST, "%s: cannot be read: %s", path, strerror(errno));
	enum status status = copy_rows(database, table, columns, in, &record);
	(void)fclose(in);
	free(record.fields);
	free(record.text);
	return status;
}

/* ---- what study.json says ---- */

static enum status put_columns(const struct database *database, const cJSON *columns)
{
	static const char *const keys[] = {"name", "type", "kind", "unit", "text"};
	const cJSON *column;
	sqlite3_stmt *statement = NULL;
	enum status status = execute(database,
				     "CREATE TABLE columns (name TEXT PRIMARY KEY, type TEXT, kind TEXT, unit "
				     "TEXT, text TEXT)");
	if (status == STATUS_OK)
		status = prepare_insert(database, "columns", 5, &statement);
	cJSON_ArrayForEach(column, columns)
	{
		const char *fields[5];
		for (unsigned i = 0; i < 5; i++)
			fields[i] = cJSON_GetStringValue(cJSON_GetObjectItem(column, keys[i]));
		if (status == STATUS_OK)
			status = insert(database, statement, fields, 5);
	}
	(void)sqlite3_finalize(statement);
	return status;
}

static enum status put_study(const struct database *database, const char *description)
{
	sqlite3_stmt *statement = NULL;
	enum status status = execute(database, "CREATE TABLE study (json TEXT)");
	if (status == STATUS_OK)
		status = prepare_insert(database, "study", 1, &statement);
	if (status == STATUS_OK)
		status = insert(database, statement, &description, 1);
	(void)sqlite3_finalize(statement);
	return status;
}

static char *read_all(FILE *in)
{
	char *text = NULL;
	size_t length = 0;
	return getdelim(&text, &length, '\0', in) > 0 ? text : NULL;
}

/* ---- the database ---- */

static enum status fill(const struct database *database, const char *folder, const char *description)
{
	cJSON *study = cJSON_Parse(description);
	const cJSON *columns = cJSON_GetObjectItem(study, "columns");
	enum status status = execute(database, "BEGIN");
	if (status == STATUS_OK)
		status = put_study(database, description);
	if (status == STATUS_OK)
		status = put_columns(database, columns);
	for (unsigned i = 0; i < sizeof(tables) / sizeof(*tables) && status == STATUS_OK; i++) {
		if (!tables[i].flag || cJSON_IsTrue(cJSON_GetObjectItem(study, tables[i].flag)))
			status = copy_table(database, folder, &tables[i], columns);
	}
	if (status == STATUS_OK)
		status = execute(database, "COMMIT");
	cJSON_Delete(study);
	return status;
}

/* A new file beside its place that takes it when it is whole. */
static enum status write_database(const char *folder, const char *path, const char *description, struct error *error)
{
	char part[4096];
	struct database database = {.path = path, .error = error};
	(void)snprintf(part, sizeof(part), "%s.part", path);
	(void)unlink(part);
	enum status status = sqlite3_open(part, &database.file) == SQLITE_OK ? fill(&database, folder, description)
									     : database_fail(&database);
	if (sqlite3_close(database.file) != SQLITE_OK && status == STATUS_OK)
		status = error_set(error, STATUS_HOST, "%s: cannot be closed", path);
	if (status == STATUS_OK && rename(part, path) != 0)
		status = error_set(error, STATUS_HOST, "%s: cannot be written: %s", path, strerror(errno));
	if (status != STATUS_OK)
		(void)unlink(part);
	return status;
}

enum status batch_sqlite(const char *folder, const char *path, struct error *error)
{
	char from[4096];
	FILE *in = open_in(folder, "study.json", from, sizeof(from));
	char *description = in ? read_all(in) : NULL;
	enum status status = STATUS_OK;
	if (!description)
		status = error_set(error, STATUS_HOST, "%s: cannot be read: %s", from, strerror(errno));
	if (in)
		(void)fclose(in);
	if (status == STATUS_OK)
		status = write_database(folder, path, description, error);
	free(description);
	return status;
}
