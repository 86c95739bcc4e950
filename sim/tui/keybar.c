#include "keybar.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

/* "s/S step": an action and its twin, whose key is the same letter shifted. */
struct label {
	char keys[24];
	const char *text;
};

static struct label label_of(enum action action)
{
	struct label label;
	struct key_name key = action_key(action);
	char twin[2] = {(char)toupper((unsigned char)key.text[0]), '\0'};
	enum action back;
	bool has_twin = islower((unsigned char)key.text[0]) && !key.text[1] && action_of_key(twin, &back) &&
			strstr(action_info(back)->command, action_info(action)->command);
	(void)snprintf(label.keys, sizeof(label.keys), has_twin ? "%s/%s" : "%s", key.text, twin);
	label.text = action_info(action)->bar;
	return label;
}

/* Calls visit for every label that fits, with its first column. */
typedef bool label_fn(void *self, unsigned column, const struct label *label, enum action action);

static void visit_labels(struct area area, label_fn *visit, void *self)
{
	unsigned column = 0;
	for (unsigned i = 0; i < ACTION_COUNT; i++) {
		if (!action_info((enum action)i)->bar[0])
			continue;
		struct label label = label_of((enum action)i);
		unsigned width = (unsigned)(strlen(label.keys) + 1 + strlen(label.text));
		if (column + width > area.columns)
			continue;
		if (!visit(self, column, &label, (enum action)i))
			return;
		column += width + 2;
	}
}

static bool draw_label(void *self, unsigned column, const struct label *label, enum action action)
{
	const struct area *area = self;
	(void)action;
	column = area_text(*area, 0, column, STYLE_KEY, "%s", label->keys);
	(void)area_text(*area, 0, column + 1, STYLE_TEXT, "%s", label->text);
	return true;
}

void keybar_draw(struct area area)
{
	visit_labels(area, draw_label, &area);
}

struct search {
	unsigned column;
	bool found;
	enum action action;
};

static bool search_label(void *self, unsigned column, const struct label *label, enum action action)
{
	struct search *search = self;
	unsigned width = (unsigned)(strlen(label->keys) + 1 + strlen(label->text));
	search->found = search->column >= column && search->column < column + width;
	search->action = action;
	return !search->found;
}

bool keybar_action_at(struct area area, unsigned column, enum action *out)
{
	struct search search = {.column = column};
	visit_labels(area, search_label, &search);
	*out = search.action;
	return search.found;
}

/* ---- the list of all keys ---- */

enum { HELP_KEYS = 10, HELP_FRAME = 2 };

static unsigned help_rows(struct area area)
{
	return area.rows > HELP_FRAME ? area.rows - HELP_FRAME : 0;
}

static unsigned rows_of(struct area area, enum action action)
{
	unsigned columns = area.columns > HELP_KEYS + HELP_FRAME ? area.columns - HELP_KEYS - HELP_FRAME : 1;
	unsigned rows = paragraph_rows(action_info(action)->text, columns);
	return rows < help_rows(area) ? rows : help_rows(area);
}

/* The page that the action stands on, from 1, and its row there. */
static unsigned page_of(struct area area, unsigned action, unsigned *row)
{
	unsigned page = 1;
	*row = 0;
	for (unsigned i = 0; i <= action; i++) {
		unsigned rows = rows_of(area, (enum action)i);
		if (*row + rows > help_rows(area)) {
			page++;
			*row = 0;
		}
		*row += i < action ? rows : 0;
	}
	return page;
}

unsigned keyhelp_pages(struct area area)
{
	unsigned row;
	return page_of(area, ACTION_COUNT - 1, &row);
}

void keyhelp_draw(struct area area, unsigned page)
{
	char title[80];
	unsigned pages = keyhelp_pages(area);
	page = page < pages ? page : pages;
	(void)snprintf(title, sizeof(title), "KEYS %u/%u  ? goes on  Esc leaves", page, pages);
	for (unsigned row = 0; row < area.rows; row++)
		area_fill(area, row, 0, area.columns, STYLE_TEXT, GLYPH_BLANK);
	struct area inside = area_box(area, STYLE_FOCUS, STYLE_TITLE, title);
	for (unsigned i = 0; i < ACTION_COUNT; i++) {
		unsigned row;
		if (page_of(area, i, &row) != page)
			continue;
		(void)area_text(inside, row, 0, STYLE_KEY, "%s", action_info((enum action)i)->keys);
		(void)area_paragraph(inside, row, HELP_KEYS, STYLE_TEXT, action_info((enum action)i)->text);
	}
}
