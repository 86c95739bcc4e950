#include "canvas.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { TEXT_BYTES = 1024 };

/* ---- the grid ---- */

bool canvas_init(struct canvas *canvas, unsigned rows, unsigned columns, enum glyph_set glyphs)
{
	*canvas = (struct canvas){.rows = rows, .columns = columns, .glyphs = glyphs};
	canvas->cells = malloc(((size_t)rows * columns + 1) * sizeof(*canvas->cells));
	if (!canvas->cells)
		return false;
	canvas_clear(canvas);
	return true;
}

void canvas_release(struct canvas *canvas)
{
	free(canvas->cells);
	*canvas = (struct canvas){0};
}

void canvas_clear(struct canvas *canvas)
{
	for (size_t i = 0; i < (size_t)canvas->rows * canvas->columns; i++)
		canvas->cells[i] = (struct cell){' ', STYLE_TEXT};
	canvas->refused = 0;
	canvas->cursor_row = canvas->cursor_column = 0;
}

struct area canvas_area(struct canvas *canvas)
{
	return (struct area){canvas, 0, 0, canvas->rows, canvas->columns};
}

const struct cell *canvas_cell(const struct canvas *canvas, unsigned row, unsigned column)
{
	return &canvas->cells[(size_t)row * canvas->columns + column];
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

struct area area_part(struct area area, unsigned row, unsigned column, unsigned rows, unsigned columns)
{
	row = least(row, area.rows);
	column = least(column, area.columns);
	return (struct area){area.canvas, area.row + row, area.column + column, least(rows, area.rows - row),
			     least(columns, area.columns - column)};
}

static void put(struct area area, unsigned row, unsigned column, enum style style, uint32_t glyph)
{
	if (row >= area.rows || column >= area.columns)
		return;
	struct canvas *canvas = area.canvas;
	canvas->cells[(size_t)(area.row + row) * canvas->columns + area.column + column] = (struct cell){
	    glyph, (uint8_t)style};
}

/* ---- text ---- */

static unsigned put_text(struct area area, unsigned row, unsigned column, enum style style, const char *text)
{
	while (*text) {
		uint32_t code = utf8_next(&text);
		if (!utf8_is_plain(code) || (code > 0x7e && area.canvas->glyphs == GLYPHS_ASCII))
			code = '?';
		put(area, row, column++, style, code);
	}
	return column;
}

unsigned area_text(struct area area, unsigned row, unsigned column, enum style style, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	unsigned end = put_text(area, row, column, style, text);
	if (end <= area.columns)
		return end;
	if (column < area.columns)
		put(area, row, area.columns - 1, style, glyph_code(area.canvas->glyphs, GLYPH_CUT));
	return area.columns;
}

unsigned area_whole(struct area area, unsigned row, unsigned column, enum style style, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (row < area.rows && column + utf8_length(text) <= area.columns)
		return put_text(area, row, column, style, text);
	area.canvas->refused++;
	return column;
}

size_t paragraph_row(const char *text, size_t length, unsigned columns)
{
	size_t at = 0;
	size_t good = 0;
	unsigned used = 0;
	const char *next = text;
	while (at < length && used < columns) {
		(void)utf8_next(&next);
		used++;
		at = (size_t)(next - text);
		if (at >= length || *next == ' ')
			good = at;
	}
	return good ? good : at;
}

unsigned paragraph_rows(const char *text, unsigned columns)
{
	unsigned rows = 0;
	while (*text && columns > 0) {
		text += paragraph_row(text, strlen(text), columns);
		text += strspn(text, " ");
		rows++;
	}
	return rows;
}

unsigned area_paragraph(struct area area, unsigned row, unsigned column, enum style style, const char *text)
{
	unsigned rows = 0;
	unsigned columns = column < area.columns ? area.columns - column : 0;
	while (*text && columns > 0 && row + rows < area.rows) {
		bool last = row + rows + 1 == area.rows;
		size_t bytes = last ? strlen(text) : paragraph_row(text, strlen(text), columns);
		(void)area_text(area, row + rows, column, style, "%.*s", (int)bytes, text);
		rows++;
		text += bytes;
		while (*text == ' ')
			text++;
	}
	return rows;
}

/* ---- shapes ---- */

unsigned area_glyph(struct area area, unsigned row, unsigned column, enum style style, enum glyph glyph)
{
	put(area, row, column, style, glyph_code(area.canvas->glyphs, glyph));
	return column + 1;
}

void area_fill(struct area area, unsigned row, unsigned column, unsigned count, enum style style, enum glyph glyph)
{
	for (unsigned i = 0; i < count; i++)
		(void)area_glyph(area, row, column + i, style, glyph);
}

void area_restyle(struct area area, unsigned row, unsigned column, unsigned columns, enum style style)
{
	for (unsigned i = column; i < column + columns && i < area.columns && row < area.rows; i++)
		area.canvas->cells[(size_t)(area.row + row) * area.canvas->columns + area.column + i].style = (uint8_t)
		    style;
}

struct area area_box(struct area area, enum style border, enum style title, const char *text)
{
	if (area.rows < 2 || area.columns < 4)
		return area_part(area, 0, 0, 0, 0);
	unsigned bottom = area.rows - 1;
	unsigned right = area.columns - 1;
	area_fill(area, 0, 1, right - 1, border, GLYPH_HORIZONTAL);
	area_fill(area, bottom, 1, right - 1, border, GLYPH_HORIZONTAL);
	for (unsigned row = 1; row < bottom; row++) {
		(void)area_glyph(area, row, 0, border, GLYPH_VERTICAL);
		(void)area_glyph(area, row, right, border, GLYPH_VERTICAL);
	}
	(void)area_glyph(area, 0, 0, border, GLYPH_CORNER_TL);
	(void)area_glyph(area, 0, right, border, GLYPH_CORNER_TR);
	(void)area_glyph(area, bottom, 0, border, GLYPH_CORNER_BL);
	(void)area_glyph(area, bottom, right, border, GLYPH_CORNER_BR);
	if (text[0])
		(void)area_text(area_part(area, 0, 2, 1, right - 2), 0, 0, title, " %s ", text);
	return area_part(area, 1, 1, area.rows - 2, area.columns - 2);
}

/* ---- out ---- */

static unsigned used_columns(const struct canvas *canvas, unsigned row)
{
	unsigned columns = canvas->columns;
	while (columns > 0 && canvas_cell(canvas, row, columns - 1)->glyph == ' ')
		columns--;
	return columns;
}

static void write_looks(const struct canvas *canvas, unsigned row, FILE *out, enum theme theme)
{
	(void)fputc('|', out);
	for (unsigned column = 0; column < canvas->columns; column++) {
		struct look look = theme_look(theme, (enum style)canvas_cell(canvas, row, column)->style);
		(void)fputc(look.colour < 0 ? '.' : '0' + look.colour, out);
	}
	(void)fputs("\n^", out);
	for (unsigned column = 0; column < canvas->columns; column++) {
		struct look look = theme_look(theme, (enum style)canvas_cell(canvas, row, column)->style);
		(void)fputc(look.attributes ? "0123456789abcdef"[look.attributes & 15] : '.', out);
	}
	(void)fputc('\n', out);
}

void canvas_write(const struct canvas *canvas, FILE *out, const enum theme *theme)
{
	for (unsigned row = 0; row < canvas->rows; row++) {
		for (unsigned column = 0; column < used_columns(canvas, row); column++) {
			char bytes[5];
			utf8_put(canvas_cell(canvas, row, column)->glyph, bytes);
			(void)fputs(bytes, out);
		}
		(void)fputc('\n', out);
		if (theme)
			write_looks(canvas, row, out, *theme);
	}
}
