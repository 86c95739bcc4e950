#include "shrink.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_IDS = 1 << 17, MAX_SECONDS = 60, LINE_BYTES = 256 };

struct lines {
	char **line;
	size_t count;
};

static struct lines split(char *text)
{
	struct lines lines = {0};
	lines.line = calloc(strlen(text) + 1, sizeof(*lines.line));
	for (char *at = strtok(text, "\n"); at && lines.line; at = strtok(NULL, "\n"))
		lines.line[lines.count++] = at;
	return lines;
}

/* ---- a part of a list is a list only if what it uses was made in it ---- */

struct liveness {
	bool block[MAX_IDS];
	bool thread[256];
};

static bool keep(struct liveness *live, const char *line)
{
	unsigned thread = 0;
	unsigned long a = 0, b = 0;
	char letter;
	if (*line == '#' || *line == 'G')
		return true;
	if (*line == '@') {
		(void)sscanf(line, "@%u", &thread);
		line = strchr(line, ' ') + 1;
	}
	if (thread > 255 || (thread && !live->thread[thread]) || sscanf(line, "%c %lu %lu", &letter, &a, &b) < 2)
		return false;
	if (strchr("BTO", letter))
		return true;
	if (a >= MAX_IDS || (letter == 'r' && b >= MAX_IDS))
		return false;
	if (letter == 'C' || letter == 'J') {
		bool right = a < 256 && live->thread[a] == (letter == 'J');
		if (right)
			live->thread[a] = letter == 'C';
		return right;
	}
	if (strchr("mcaM", letter))
		return live->block[a] = true;
	bool lives = a == 0 || live->block[a];
	if (letter == 'f')
		live->block[a] = false;
	if (letter == 'r' && lives)
		live->block[b] = true;
	return lives;
}

/* Without lines [from, to). A realloc that may have failed leaves its block alive: both names stay usable, and a wrong
 * use makes the recorded program fail, which is no difference that is looked for. */
static char *without(const struct lines *lines, size_t from, size_t to, struct lines *left)
{
	struct liveness *live = calloc(1, sizeof(*live));
	char *text = malloc(lines->count * LINE_BYTES + 1);
	size_t used = 0;
	if (!live || !text)
		abort();
	left->count = 0;
	for (size_t i = 0; i < lines->count; i++) {
		if ((i >= from && i < to) || !keep(live, lines->line[i]))
			continue;
		left->line[left->count++] = lines->line[i];
		used += (size_t)snprintf(text + used, LINE_BYTES, "%s\n", lines->line[i]);
	}
	text[used] = '\0';
	free(live);
	return text;
}

static bool still_differs(const char *text, shrink_differs_fn *differs, char how[SHRINK_HOW_BYTES])
{
	char now[SHRINK_HOW_BYTES];
	bool recorder = strncmp(how, "the recorder", 12) == 0;
	if (!differs(text, now) || (strncmp(now, "the recorder", 12) == 0) != recorder ||
	    (strncmp(now, "the simulator", 13) == 0) != (strncmp(how, "the simulator", 13) == 0))
		return false;
	memcpy(how, now, SHRINK_HOW_BYTES);
	return true;
}

char *shrink(const char *text, shrink_differs_fn *differs, char how[SHRINK_HOW_BYTES])
{
	char *copy = strdup(text);
	char *best = strdup(text);
	if (!copy || !best)
		abort();
	struct lines lines = split(copy);
	struct lines left = {.line = calloc(lines.count + 1, sizeof(*left.line))};
	time_t end = time(NULL) + MAX_SECONDS;
	for (size_t piece = lines.count / 2; piece > 0 && time(NULL) < end;) {
		bool smaller = false;
		for (size_t from = 0; from < lines.count && time(NULL) < end;) {
			char *candidate = without(&lines, from, from + piece, &left);
			if (left.count < lines.count && still_differs(candidate, differs, how)) {
				free(best);
				best = candidate;
				memcpy(lines.line, left.line, left.count * sizeof(*left.line));
				lines.count = left.count;
				smaller = true;
			} else {
				free(candidate);
				from += piece;
			}
		}
		if (!smaller || piece > lines.count)
			piece /= 2;
	}
	free(lines.line);
	free(left.line);
	free(copy);
	return best;
}
