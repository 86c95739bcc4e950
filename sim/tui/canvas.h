/* A grid of cells: what a screen is before any terminal is involved. Everything is drawn into one by pure functions; a
 * terminal, a test and an export each take it from there. */
#ifndef FAULTLINE_TUI_CANVAS_H
#define FAULTLINE_TUI_CANVAS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "style.h"

struct cell {
	uint32_t glyph; /* a code point that is one column wide */
	uint8_t style;  /* enum style */
};

struct canvas {
	unsigned rows, columns;
	struct cell *cells; /* row by row */
	enum glyph_set glyphs;
	unsigned refused; /* texts that must not be cut and did not fit: addresses */
	/* Where a reader's cursor is parked: on the line of the current event. */
	unsigned cursor_row, cursor_column;
};

/* A rectangle of a canvas. Positions are relative to it; what lies outside is not drawn. */
struct area {
	struct canvas *canvas;
	unsigned row, column, rows, columns;
};

/* False: the host has no memory. Blank, in STYLE_TEXT. */
bool canvas_init(struct canvas *canvas, unsigned rows, unsigned columns, enum glyph_set glyphs);
void canvas_release(struct canvas *canvas);
void canvas_clear(struct canvas *canvas);
struct area canvas_area(struct canvas *canvas);
const struct cell *canvas_cell(const struct canvas *canvas, unsigned row, unsigned column);

/* A part of an area, cut to it. */
struct area area_part(struct area area, unsigned row, unsigned column, unsigned rows, unsigned columns);

/* Each returns the column behind what was drawn. The text is UTF-8; characters that are not one column wide, or that
 * the glyph set has none of, become '?'. */

/* Prose: cut at the edge, with a glyph that says so. */
unsigned area_text(struct area area, unsigned row, unsigned column, enum style style, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* An address or a number: drawn whole or, counted in canvas->refused, not at all. */
unsigned area_whole(struct area area, unsigned row, unsigned column, enum style style, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Prose over several rows, broken between words; returns the rows used. */
unsigned area_paragraph(struct area area, unsigned row, unsigned column, enum style style, const char *text);
/* Bytes of a text of that length that fit a row: up to a blank, or as many as there is room for. */
size_t paragraph_row(const char *text, size_t length, unsigned columns);
/* The rows that it takes where it may have as many as it wants. */
unsigned paragraph_rows(const char *text, unsigned columns);
unsigned area_glyph(struct area area, unsigned row, unsigned column, enum style style, enum glyph glyph);
void area_fill(struct area area, unsigned row, unsigned column, unsigned count, enum style style, enum glyph glyph);
/* A row of `columns` cells becomes this style, its text stays: a selection. */
void area_restyle(struct area area, unsigned row, unsigned column, unsigned columns, enum style style);
/* A box around the area with the title in its upper edge; returns what is inside. */
struct area area_box(struct area area, enum style border, enum style title, const char *text);

/* The grid as text: a line a row, blanks at the end cut. With `theme`, two more behind each: "|" with the colour of
 * each cell ('.': the terminal's own) and "^" with its attributes as a hexadecimal digit ('.': none). */
void canvas_write(const struct canvas *canvas, FILE *out, const enum theme *theme);

#endif
