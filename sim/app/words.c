#include "words.h"

#include <string.h>

enum { LONGEST_WORD = 40 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Levenshtein distance, one row at a time (Wagner, Fischer, JACM 1974). */
static unsigned distance(const char *from, const char *to)
{
	unsigned row[LONGEST_WORD + 1];
	size_t columns = strlen(to);
	if (columns > LONGEST_WORD || strlen(from) > LONGEST_WORD)
		return LONGEST_WORD;
	for (unsigned j = 0; j <= columns; j++)
		row[j] = j;
	for (unsigned i = 1; from[i - 1]; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= columns; j++) {
			unsigned replaced = diagonal + (from[i - 1] != to[j - 1]);
			diagonal = row[j];
			row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[columns];
}

const char *nearest_word(const char *word, const char *const *words, unsigned count)
{
	unsigned third = (unsigned)(strlen(word) / 3);
	unsigned limit = third > 2 ? third : 2;
	const char *nearest = NULL;
	for (unsigned i = 0; i < count; i++) {
		unsigned edits = distance(word, words[i]);
		if (edits <= limit) {
			nearest = words[i];
			limit = edits - (edits > 0);
		}
	}
	return nearest;
}
