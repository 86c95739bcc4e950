#include "keybar.h"

#include <ctype.h>
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

/* In two columns of rows where one is not enough. */
void keyhelp_draw(struct area area)
{
	struct area inside = area_box(area, STYLE_FOCUS, STYLE_TITLE,
				      "KEYS   lower case forward, shifted back   Esc leaves");
	bool two = ACTION_COUNT > inside.rows;
	unsigned width = two ? inside.columns / 2 : inside.columns;
	for (unsigned row = 0; row < inside.rows; row++)
		area_fill(inside, row, 0, inside.columns, STYLE_TEXT, GLYPH_BLANK);
	for (unsigned i = 0; i < ACTION_COUNT; i++) {
		unsigned column = i / (inside.rows ? inside.rows : 1);
		struct area part = area_part(inside, inside.rows ? i % inside.rows : 0, column * width, 1, width - 1);
		if (column > (two ? 1u : 0u))
			break;
		const struct action_info *info = action_info((enum action)i);
		(void)area_text(part, 0, 0, STYLE_KEY, "%s", info->keys);
		(void)area_text(part, 0, 10, STYLE_TEXT, "%s", info->text);
	}
}
