#include "style.h"

#include <string.h>

struct look theme_look(enum theme theme, enum style style)
{
	static const struct {
		int colour, safe;
		unsigned attributes, mono;
	} rows[STYLE_COUNT] = {
#define X(id, letter, colour, safe, attributes, mono, text) {COLOUR_##colour, COLOUR_##safe, (attributes), (mono)},
	    STYLE_LIST(X)
#undef X
	};
	switch (theme) {
	case THEME_SAFE:
		return (struct look){rows[style].safe, rows[style].attributes};
	case THEME_MONO:
		return (struct look){COLOUR_DEFAULT, rows[style].mono};
	case THEME_DEFAULT:
	case THEME_COUNT:
	default:
		return (struct look){rows[style].colour, rows[style].attributes};
	}
}

static const char *const theme_names[THEME_COUNT] = {
#define X(id, name, text) #name,
    THEME_LIST(X)
#undef X
};

const char *theme_name(enum theme theme)
{
	return theme_names[theme];
}

bool theme_find(const char *name, enum theme *out)
{
	for (unsigned i = 0; i < THEME_COUNT; i++) {
		if (strcmp(theme_names[i], name) == 0) {
			*out = (enum theme)i;
			return true;
		}
	}
	return false;
}

char style_letter(enum style style)
{
	static const char letters[] = {
#define X(id, letter, colour, safe, attributes, mono, text) (letter),
	    STYLE_LIST(X)
#undef X
	};
	return letters[style];
}

uint32_t glyph_code(enum glyph_set set, enum glyph glyph)
{
	static const uint32_t codes[GLYPH_COUNT][GLYPH_SETS] = {
#define X(id, ascii, unicode, text) {(ascii), (unicode)},
	    GLYPH_LIST(X)
#undef X
	};
	return codes[glyph][set];
}
