#include "faultline/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/status.h"
#include "faultline/units.h"
#include "report_private.h"

enum { TEXT_ROOM = 1024 };

static const struct {
	const char *name;
	const struct report_format_ops *ops;
} formats[REPORT_FORMAT_COUNT] = {
    [REPORT_TEXT] = {"text", &report_text_ops}, [REPORT_JSON] = {"json", &report_json_ops},
    [REPORT_CSV] = {"csv", &report_csv_ops},    [REPORT_MARKDOWN] = {"markdown", &report_markdown_ops},
    [REPORT_HTML] = {"html", &report_html_ops},
};

const char *report_format_name(enum report_format format)
{
	return formats[format].name;
}

bool report_format_find(const char *name, enum report_format *out)
{
	for (unsigned i = 0; i < REPORT_FORMAT_COUNT; i++) {
		if (strcmp(formats[i].name, name) == 0) {
			*out = (enum report_format)i;
			return true;
		}
	}
	return false;
}

/* ---- the document ---- */

struct report *report_new(FILE *out, enum report_format format)
{
	struct report *report = calloc(1, sizeof(*report));
	BUG_ON(!report);
	report->out = out;
	report->ops = formats[format].ops;
	report->ops->open(report);
	return report;
}

void report_free(struct report *report)
{
	BUG_ON(report->depth != 0 || report->in_table);
	report->ops->close(report);
	free(report->table.cells);
	free(report);
}

void report_set_colour(struct report *report, bool colour)
{
	report->colour = colour;
}

bool report_is_for_people(const struct report *report)
{
	return report->ops->for_people;
}

static void begin(struct report *report, const char *key, const char *title, bool list)
{
	BUG_ON(report->depth == REPORT_DEPTH || report->in_table);
	report->level[++report->depth] = (struct report_level){.key = key, .title = title, .list = list};
	report->ops->begin(report);
	report->level[report->depth - 1].items++;
}

void report_begin(struct report *report, const char *key, const char *title)
{
	begin(report, key, title, false);
}

void report_begin_list(struct report *report, const char *key, const char *title)
{
	begin(report, key, title, true);
}

void report_end(struct report *report)
{
	BUG_ON(report->depth == 0 || report->in_table);
	report->ops->end(report);
	report->depth--;
}

/* ---- values ---- */

static void put_value(struct report *report, const char *key, const char *title, const struct report_value *value)
{
	BUG_ON(report->in_table || report->level[report->depth].list);
	report->ops->value(report, key, title, value);
	report->level[report->depth].items++;
}

void report_number(struct report *report, const char *key, const char *title, uint64_t value, const char *unit)
{
	put_value(report, key, title,
		  &(struct report_value){.kind = REPORT_KIND_NUMBER, .number = value, .unit = unit});
}

void report_text(struct report *report, const char *key, const char *title, const char *value)
{
	put_value(report, key, title, &(struct report_value){.kind = REPORT_KIND_TEXT, .text = value, .unit = ""});
}

/* NAN and infinity have no place in JSON. */
static struct report_value decimal_value(double value, unsigned digits, const char *unit)
{
	if (!isfinite(value))
		return (struct report_value){.kind = REPORT_KIND_NONE, .unit = unit};
	return (struct report_value){.kind = REPORT_KIND_DECIMAL, .decimal = value, .digits = digits, .unit = unit};
}

void report_decimal(struct report *report, const char *key, const char *title, double value, unsigned digits,
		    const char *unit)
{
	const struct report_value decimal = decimal_value(value, digits, unit);
	put_value(report, key, title, &decimal);
}

void report_flag(struct report *report, const char *key, const char *title, bool value)
{
	put_value(report, key, title, &(struct report_value){.kind = REPORT_KIND_FLAG, .number = value, .unit = ""});
}

void report_textf(struct report *report, const char *key, const char *title, const char *format, ...)
{
	char text[TEXT_ROOM];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	report_text(report, key, title, text);
}

const char *report_value_text(const struct report_value *value, char room[REPORT_NUMBER_ROOM])
{
	switch (value->kind) {
	case REPORT_KIND_TEXT:
		return value->text;
	case REPORT_KIND_FLAG:
		return value->number ? "true" : "false";
	case REPORT_KIND_NONE:
		return "";
	case REPORT_KIND_DECIMAL:
		(void)snprintf(room, REPORT_NUMBER_ROOM, "%.*f", (int)value->digits, value->decimal);
		return room;
	case REPORT_KIND_NUMBER:
		(void)snprintf(room, REPORT_NUMBER_ROOM, "%" PRIu64, value->number);
		return room;
	}
	BUG();
}

bool report_is_number(const struct report_value *value)
{
	return value->kind == REPORT_KIND_NUMBER || value->kind == REPORT_KIND_DECIMAL;
}

/* ---- tables: kept until their end, because widths depend on every cell ---- */

void report_table_begin(struct report *report, const char *key, const char *title, const struct report_column *columns,
			unsigned count)
{
	BUG_ON(report->in_table || count == 0);
	struct report_table *table = &report->table;
	table->key = key;
	table->title = title;
	table->columns = columns;
	table->column_count = count;
	table->cell_count = 0;
	report->in_table = true;
}

void report_table_end(struct report *report)
{
	struct report_table *table = &report->table;
	BUG_ON(!report->in_table || table->cell_count % table->column_count != 0);
	report->ops->table(report, table);
	report->in_table = false;
	report->level[report->depth].items++;
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i].owned);
}

static struct report_cell *new_cell(struct report *report)
{
	struct report_table *table = &report->table;
	BUG_ON(!report->in_table);
	if (table->cell_count == table->cell_room) {
		table->cell_room = table->cell_room ? 2 * table->cell_room : 64;
		table->cells = realloc(table->cells, table->cell_room * sizeof(*table->cells));
		BUG_ON(!table->cells);
	}
	return &table->cells[table->cell_count++];
}

void report_cell_number(struct report *report, uint64_t value)
{
	*new_cell(report) = (struct report_cell){.value = {.kind = REPORT_KIND_NUMBER, .number = value, .unit = ""}};
}

void report_cell_decimal(struct report *report, double value, unsigned digits)
{
	*new_cell(report) = (struct report_cell){.value = decimal_value(value, digits, "")};
}

void report_cell_none(struct report *report)
{
	*new_cell(report) = (struct report_cell){.value = {.kind = REPORT_KIND_NONE, .unit = ""}};
}

void report_cell_mark(struct report *report)
{
	BUG_ON(!report->in_table || report->table.cell_count == 0);
	report->table.cells[report->table.cell_count - 1].value.marked = true;
}

void report_cell_text(struct report *report, const char *value)
{
	char *copy = strdup(value);
	BUG_ON(!copy);
	*new_cell(report) = (struct report_cell){.value = {.kind = REPORT_KIND_TEXT, .text = copy, .unit = ""},
						 .owned = copy};
}

void report_cell_textf(struct report *report, const char *format, ...)
{
	char text[TEXT_ROOM];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	report_cell_text(report, text);
}

unsigned report_width(const char *text)
{
	unsigned width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80; /* continuation bytes are 10xxxxxx */
	return width;
}
