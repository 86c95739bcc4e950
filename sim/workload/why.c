#include "why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool why_set(struct why *why, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return false;
}

void why_add(struct why *why, const char *format, ...)
{
	size_t used = strlen(why->text);
	va_list args;
	va_start(args, format);
	(void)vsnprintf(why->text + used, sizeof(why->text) - used, format, args);
	va_end(args);
}

struct quoted quoted_length(const char *text, size_t length)
{
	enum { SHOWN = 40 };
	struct quoted out = {0};
	size_t shown = length < SHOWN ? length : SHOWN;
	/* Bytes 10xxxxxx continue a character: RFC 3629. */
	while (shown > 0 && shown < length && ((unsigned char)text[shown] & 0xc0) == 0x80)
		shown--;
	for (size_t i = 0; i < shown; i++)
		out.text[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
	if (shown < length)
		memcpy(out.text + shown, "...", 3);
	return out;
}

struct quoted quoted(const char *text)
{
	return quoted_length(text, strlen(text));
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance with one row of the matrix; long words are compared by their beginnings. */
static unsigned distance(const char *a, const char *b)
{
	enum { LONGEST = 48 };
	size_t length_a = strnlen(a, LONGEST);
	size_t length_b = strnlen(b, LONGEST);
	unsigned row[LONGEST + 1];
	for (unsigned j = 0; j <= length_b; j++)
		row[j] = j;
	for (unsigned i = 1; i <= length_a; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= length_b; j++) {
			unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[length_b];
}

unsigned nearest_name(const char *word, const char *const *names, unsigned count)
{
	unsigned best = 0;
	unsigned best_distance = (unsigned)-1;
	for (unsigned i = 0; i < count; i++) {
		unsigned d = distance(word, names[i]);
		if (d < best_distance) {
			best_distance = d;
			best = i;
		}
	}
	return best;
}
