/* What things look like, by meaning: views name a style and a glyph, a theme and a glyph set decide. Meaning is never
 * in colour alone: whatever a style says is also said by a word or a glyph. */
#ifndef FAULTLINE_TUI_STYLE_H
#define FAULTLINE_TUI_STYLE_H

#include <stdbool.h>
#include <stdint.h>

/* Colours by number of the 16 that every colour terminal has; -1: the terminal's own. */
enum {
	COLOUR_DEFAULT = -1,
	COLOUR_BLACK,
	COLOUR_RED,
	COLOUR_GREEN,
	COLOUR_YELLOW,
	COLOUR_BLUE,
	COLOUR_MAGENTA,
	COLOUR_CYAN,
	COLOUR_WHITE,
	COLOUR_BRIGHT = 8,
};

enum { ATTRIBUTE_BOLD = 1, ATTRIBUTE_REVERSE = 2, ATTRIBUTE_UNDERLINE = 4, ATTRIBUTE_DIM = 8 };

/* X(ID, letter, default colour, safe colour, attributes in colour, attributes in mono, text)
 * The safe theme keeps to blues (blue, cyan) and orange (yellow): no pair of red and green, of blue and magenta. */
#define STYLE_LIST(X)                                                                                                  \
	X(TEXT, '.', DEFAULT, DEFAULT, 0, 0, "plain text")                                                             \
	X(DIM, 'd', DEFAULT, DEFAULT, ATTRIBUTE_DIM, 0, "what matters less, and the future")                           \
	X(STRONG, 'B', DEFAULT, DEFAULT, ATTRIBUTE_BOLD, ATTRIBUTE_BOLD, "what matters more")                          \
	X(BORDER, 'b', BLUE, BLUE, 0, 0, "frames of panels")                                                           \
	X(FOCUS, 'f', CYAN, CYAN, ATTRIBUTE_BOLD, ATTRIBUTE_BOLD, "the frame of the focused panel")                    \
	X(TITLE, 't', CYAN, CYAN, ATTRIBUTE_BOLD, ATTRIBUTE_BOLD, "titles of panels")                                  \
	X(RING0, '0', YELLOW, YELLOW, ATTRIBUTE_BOLD | ATTRIBUTE_REVERSE, ATTRIBUTE_REVERSE, "ring 0")                 \
	X(RING3, '3', GREEN, BLUE, ATTRIBUTE_BOLD, ATTRIBUTE_BOLD, "ring 3")                                           \
	X(FAULT, 'F', RED, YELLOW, ATTRIBUTE_BOLD, ATTRIBUTE_BOLD | ATTRIBUTE_UNDERLINE, "faults, marked !")           \
	X(CHANGED, 'c', YELLOW, YELLOW, ATTRIBUTE_BOLD, ATTRIBUTE_BOLD, "changed by this event, marked *")             \
	X(CURRENT, '>', WHITE, WHITE, ATTRIBUTE_BOLD | ATTRIBUTE_REVERSE, ATTRIBUTE_REVERSE, "here and now, marked >") \
	X(SELECTED, 's', CYAN, CYAN, ATTRIBUTE_REVERSE, ATTRIBUTE_REVERSE, "the selection")                            \
	X(GOOD, 'g', GREEN, BLUE, 0, 0, "granted, hit, resident")                                                      \
	X(KEY, 'k', CYAN, CYAN, ATTRIBUTE_BOLD, ATTRIBUTE_BOLD, "a key in the key bar")                                \
	X(APP, 'a', GREEN, BLUE, 0, 0, "layer: the program")                                                           \
	X(LIBC, 'l', CYAN, CYAN, 0, 0, "layer: the C library")                                                         \
	X(KERNEL, 'K', YELLOW, YELLOW, 0, 0, "layer: the kernel")                                                      \
	X(HARDWARE, 'h', MAGENTA, DEFAULT, 0, 0, "layer: the hardware")

enum style {
#define X(id, letter, colour, safe, attributes, mono, text) STYLE_##id,
	STYLE_LIST(X)
#undef X
	    STYLE_COUNT
};

/* X(ID, name, text) */
#define THEME_LIST(X)                                                                                                  \
	X(DEFAULT, default, "the sixteen colours of the terminal")                                                     \
	X(SAFE, safe, "blue and orange only, for every kind of colour vision")                                         \
	X(MONO, mono, "bold, underline and reverse, no colour")

enum theme {
#define X(id, name, text) THEME_##id,
	THEME_LIST(X)
#undef X
	    THEME_COUNT
};

/* How a cell of the style looks in the theme. */
struct look {
	int colour; /* COLOUR_* of the foreground; the background is the terminal's */
	unsigned attributes;
};
struct look theme_look(enum theme theme, enum style style);
const char *theme_name(enum theme theme);
bool theme_find(const char *name, enum theme *out);
char style_letter(enum style style);

enum glyph_set { GLYPHS_ASCII, GLYPHS_UTF8, GLYPH_SETS };

/* Things that are drawn and not written: X(ID, ASCII, Unicode, text). All are one column wide. */
#define GLYPH_LIST(X)                                                                                                  \
	X(BLANK, ' ', ' ', "nothing")                                                                                  \
	X(HORIZONTAL, '-', 0x2500, "line")                                                                             \
	X(VERTICAL, '|', 0x2502, "line")                                                                               \
	X(CORNER_TL, '+', 0x250c, "corner")                                                                            \
	X(CORNER_TR, '+', 0x2510, "corner")                                                                            \
	X(CORNER_BL, '+', 0x2514, "corner")                                                                            \
	X(CORNER_BR, '+', 0x2518, "corner")                                                                            \
	X(TEE_RIGHT, '+', 0x251c, "branch")                                                                            \
	X(TEE_DOWN, '+', 0x252c, "branch")                                                                             \
	X(ARROW_RIGHT, '>', 0x2192, "leads to")                                                                        \
	X(ARROW_LEFT, '<', 0x2190, "comes from")                                                                       \
	X(ARROW_UP, '^', 0x2191, "grows up")                                                                           \
	X(ARROW_DOWN, 'v', 0x2193, "grows down")                                                                       \
	X(CURRENT, '>', 0x25b6, "current")                                                                             \
	X(CHANGED, '*', '*', "changed by this event")                                                                  \
	X(FAULT, '!', '!', "fault")                                                                                    \
	X(CUT, '~', 0x2026, "prose is cut here")                                                                       \
	X(EMPTY, '.', 0xb7, "promised, no frame")                                                                      \
	X(RESIDENT, '#', 0x2588, "resident: a frame of its own")                                                       \
	X(PARTLY, '+', 0x2592, "partly resident (an aggregated cell)")                                                 \
	X(ZERO, 'Z', 'Z', "the shared zero page")                                                                      \
	X(COW, 'C', 'C', "shared until written: copy on write")                                                        \
	X(SWAPPED, 's', 's', "swapped out")                                                                            \
	X(SHARED, 'S', 'S', "shared memory")                                                                           \
	X(HUGE, 'H', 'H', "part of a huge page")                                                                       \
	X(FILE, 'T', 'T', "from the page cache")                                                                       \
	X(BAR1, '1', 0x2581, "one eighth")                                                                             \
	X(BAR2, '2', 0x2582, "two eighths")                                                                            \
	X(BAR3, '3', 0x2583, "three eighths")                                                                          \
	X(BAR4, '4', 0x2584, "four eighths")                                                                           \
	X(BAR5, '5', 0x2585, "five eighths")                                                                           \
	X(BAR6, '6', 0x2586, "six eighths")                                                                            \
	X(BAR7, '7', 0x2587, "seven eighths")                                                                          \
	X(BAR8, '8', 0x2588, "full")

enum glyph {
#define X(id, ascii, unicode, text) GLYPH_##id,
	GLYPH_LIST(X)
#undef X
	    GLYPH_COUNT
};

uint32_t glyph_code(enum glyph_set set, enum glyph glyph);

#endif
