#include "ribbon.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "meaning.h"

/* Of a very long operation the part around the moment: as many events at each side, at most as many stages. Where it
 * begins moves in steps of SPAN / 2, so that what is folded does not look different after each event. */
enum { SPAN = 4096, STAGES = 4096, WORDS = 64, LONGEST = 10, CELL_TEXT = 128 };

/* ---- folding ---- */

static unsigned repetitions(const uint32_t *keys, unsigned count, unsigned length)
{
	unsigned same = length;
	while (same < count && keys[same] == keys[same - length])
		same++;
	return same / length;
}

static struct fold fold_at(const uint32_t *keys, unsigned count, unsigned first, unsigned longest)
{
	struct fold best = {first, 1, 1};
	for (unsigned length = 1; length <= longest && 2 * length <= count - first; length++) {
		unsigned times = repetitions(keys + first, count - first, length);
		if (times > 1 && times * length > best.times * best.length)
			best = (struct fold){first, length, times};
	}
	return best;
}

unsigned fold_sequence(const uint32_t *keys, unsigned count, unsigned longest, struct fold *out)
{
	unsigned folds = 0;
	for (unsigned at = 0; at < count; at += out[folds].length * out[folds].times, folds++)
		out[folds] = fold_at(keys, count, at, longest);
	return folds;
}

/* ---- the stages ---- */

struct ribbon {
	struct stage words[WORDS];
	unsigned word_count;
	uint8_t fixed[EVENT_COUNT][16]; /* index + 1 of the word of a kind between two rings, if that is all it says */
	uint32_t stages[STAGES];        /* indices of words */
	unsigned count, current;
	bool cut_before, cut_behind; /* the operation began earlier, goes on for longer than what is here */

	struct fold runs[STAGES];     /* of equal stages */
	struct fold patterns[STAGES]; /* of runs */
	unsigned run_count, pattern_count;
	unsigned run_now; /* the run of the current stage */
};

static uint32_t word_index(struct ribbon *ribbon, const struct stage *word)
{
	unsigned i = 0;
	while (i < ribbon->word_count && strcmp(ribbon->words[i].text, word->text) != 0)
		i++;
	if (i == WORDS)
		return WORDS - 1;
	if (i == ribbon->word_count)
		ribbon->words[ribbon->word_count++] = *word;
	return i;
}

/* Of the stage of an event. Most say no more than their kind: those are asked for once. */
static uint32_t stage_index(struct ribbon *ribbon, const struct travel *travel, uint64_t number, unsigned kind)
{
	unsigned rings = kind == EVENT_RING ? travel_ring(travel, number - 1) << 2 | travel_ring(travel, number) : 0;
	uint8_t *fixed = &ribbon->fixed[kind][rings];
	if (*fixed)
		return *fixed - 1u;
	struct stage word = meaning_stage(travel, number);
	uint32_t index = word_index(ribbon, &word);
	if (meaning_is_fixed(kind))
		*fixed = (uint8_t)(index + 1);
	return index;
}

static uint64_t first_event(const struct scene *scene, bool *cut)
{
	uint64_t start = travel_known_before(scene->travel, scene->position + 1, EVENT_BIT(EVENT_OP_START));
	uint64_t behind = scene->position - start;
	*cut = behind > SPAN;
	return start + (*cut ? (behind / (SPAN / 2) - 1) * (SPAN / 2) : 0);
}

/* The stages of the operation around the moment. An event that is no stage belongs to the one before it. */
static void collect(const struct scene *scene, struct ribbon *ribbon)
{
	uint64_t number = first_event(scene, &ribbon->cut_before);
	uint64_t last = scene->position + (scene_has_secret(scene) ? 0 : SPAN);
	for (; number <= last && ribbon->count < STAGES; number++) {
		unsigned kind = travel_kind(scene->travel, number);
		if (number > scene->position && (kind == EVENT_OP_START || kind == EVENT_COUNT)) {
			ribbon->cut_behind = kind == EVENT_COUNT && !travel_complete(scene->travel);
			return;
		}
		if (kind == EVENT_COUNT || !meaning_is_stage(kind))
			continue;
		ribbon->stages[ribbon->count++] = stage_index(ribbon, scene->travel, number, kind);
		if (number <= scene->position)
			ribbon->current = ribbon->count - 1;
	}
	ribbon->cut_behind = true;
}

/* First equal stages in a row, then what repeats among those. */
static void fold(struct ribbon *ribbon)
{
	uint32_t keys[STAGES];
	ribbon->run_count = fold_sequence(ribbon->stages, ribbon->count, 1, ribbon->runs);
	for (unsigned i = 0; i < ribbon->run_count; i++)
		keys[i] = ribbon->stages[ribbon->runs[i].first] * STAGES + ribbon->runs[i].times;
	ribbon->pattern_count = fold_sequence(keys, ribbon->run_count, LONGEST, ribbon->patterns);
	while (ribbon->run_now + 1 < ribbon->run_count && ribbon->runs[ribbon->run_now + 1].first <= ribbon->current)
		ribbon->run_now++;
}

/* ---- cells ---- */

/* A run of a pattern: what stands between two arrows. */
struct ribbon_cell {
	unsigned pattern, run; /* the run of its first repetition */
};

static bool holds(const struct fold *fold, unsigned index)
{
	return index >= fold->first && index < fold->first + fold->length * fold->times;
}

/* All cells, in order; *current is the one that holds the current stage. */
static unsigned list_cells(const struct ribbon *ribbon, struct ribbon_cell *cells, unsigned *current)
{
	unsigned count = 0;
	*current = 0;
	for (unsigned i = 0; i < ribbon->pattern_count; i++) {
		const struct fold *pattern = &ribbon->patterns[i];
		if (holds(pattern, ribbon->run_now))
			*current = count + (ribbon->run_now - pattern->first) % pattern->length;
		for (unsigned run = 0; run < pattern->length; run++)
			cells[count++] = (struct ribbon_cell){i, pattern->first + run};
	}
	return count;
}

/* " x33", or where the moment is among them, " 3/33". At the end of what is cut there may be more, "+"; at its
 * beginning nobody knows where the moment is among them. */
static void count_text(const struct ribbon *ribbon, const struct fold *fold, unsigned members, unsigned now, char *out,
		       size_t room)
{
	bool lost = ribbon->cut_before && fold->first == 0;
	bool open = ribbon->cut_behind && fold->first + fold->length * fold->times + LONGEST > members;
	out[0] = '\0';
	if (fold->times > 1 && now && !lost)
		(void)snprintf(out, room, " %u/%u%s", now, fold->times, open ? "+" : "");
	else if (fold->times > 1)
		(void)snprintf(out, room, " x%u%s", fold->times, lost || open ? "+" : "");
}

/* Counts stand behind what they count, except where the moment is: there they are in its brackets, which are always to
 * be seen. */
static void cell_text(const struct ribbon *ribbon, const struct ribbon_cell *cell, bool is_current, char *out)
{
	const struct fold *pattern = &ribbon->patterns[cell->pattern];
	const struct fold *run = &ribbon->runs[cell->run];
	const char *word = ribbon->words[ribbon->stages[run->first]].text;
	bool opens = pattern->times > 1 && cell->run == pattern->first;
	bool closes = pattern->times > 1 && cell->run + 1 == pattern->first + pattern->length;
	bool here = holds(pattern, ribbon->run_now);
	unsigned run_now = is_current ? ribbon->current - ribbon->runs[ribbon->run_now].first + 1 : 0;
	unsigned pattern_now = here ? (ribbon->run_now - pattern->first) / pattern->length + 1 : 0;
	char of_run[24];
	char of_pattern[24];
	count_text(ribbon, run, ribbon->count, run_now, of_run, sizeof(of_run));
	count_text(ribbon, pattern, ribbon->run_count, pattern_now, of_pattern, sizeof(of_pattern));
	if (is_current)
		(void)snprintf(out, CELL_TEXT, "%s[%s%s%s]%s", opens ? "(" : "", word, of_run, of_pattern,
			       closes ? ")" : "");
	else
		(void)snprintf(out, CELL_TEXT, "%s%s%s%s%s", opens ? "(" : "", word, of_run, closes ? ")" : "",
			       closes && !here ? of_pattern : "");
}

/* The first cell that is shown, so that the current one stands in the middle or before. */
static unsigned first_cell(const struct ribbon *ribbon, const struct ribbon_cell *cells, unsigned current,
			   unsigned columns)
{
	char text[CELL_TEXT];
	unsigned first = current;
	cell_text(ribbon, &cells[current], true, text);
	size_t used = strlen(text) + 1;
	while (first > 0) {
		cell_text(ribbon, &cells[first - 1], false, text);
		used += strlen(text) + 1;
		if (used >= columns * 2 / 3)
			break;
		first--;
	}
	return first;
}

static unsigned draw_cells(const struct ribbon *ribbon, struct area area, unsigned column)
{
	struct ribbon_cell cells[STAGES];
	unsigned current;
	unsigned count = list_cells(ribbon, cells, &current);
	unsigned first = first_cell(ribbon, cells, current, area.columns - column);
	if (first > 0)
		column = area_glyph(area, 0, column, STYLE_DIM, GLYPH_CUT);
	for (unsigned i = first; i < count; i++) {
		char text[CELL_TEXT];
		cell_text(ribbon, &cells[i], i == current, text);
		unsigned after = i + 1 < count ? 1 : 0; /* the sign that more follows */
		if (column + (i > first) + strlen(text) + after > area.columns) {
			return area_glyph(area, 0, column, STYLE_DIM, GLYPH_CUT);
		}
		if (i > first)
			column = area_glyph(area, 0, column, STYLE_DIM, GLYPH_ARROW_RIGHT);
		column = area_text(area, 0, column,
				   i == current  ? STYLE_CURRENT
				   : i > current ? STYLE_DIM
						 : STYLE_TEXT,
				   "%s", text);
	}
	return column;
}

void ribbon_draw(const struct scene *scene, struct area area)
{
	struct ribbon ribbon = {.word_count = 0};
	collect(scene, &ribbon);
	unsigned column = area.columns >= 120 ? area_text(area, 0, 0, STYLE_TITLE, "STORY  ") : 0;
	if (ribbon.count == 0)
		return;
	fold(&ribbon);
	column = draw_cells(&ribbon, area, column);
	if (scene_has_secret(scene))
		(void)area_text(area, 0, column + 1, STYLE_DIM, "%s", SCENE_SECRET);
}
