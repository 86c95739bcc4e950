/* The walk as proof: the address split over the entries of each level, the failing level, and what follows from it. */
#include "view.h"

#include <inttypes.h>
#include <string.h>

#include "entry_bits.h"
#include "faultline/phrase.h"

enum { TEXT_ROOM = 160 };

static unsigned index_at(const struct translation *t, unsigned level)
{
	return paging_index(t->mode, t->va, level);
}

/* The table that an entry of this level stands in; the SDM's names. */
static const char *table_name(unsigned level)
{
	static const char *const names[WALK_MAX_LEVELS + 1] = {"", "PT", "PD", "PDPT", "PML4", "PML5"};
	return names[level];
}

static unsigned last_level(const struct translation *t)
{
	return t->walk.outcome == WALK_MAPPED && t->walk.count ? t->walk.step[t->walk.count - 1].level : 1;
}

static uint64_t offset_of(const struct translation *t)
{
	return t->va.v & (((uint64_t)1 << paging_level_shift(t->mode, last_level(t))) - 1);
}

static void title(const struct scene *scene, char *out, size_t room)
{
	const struct translation *t = &scene->translation;
	out[0] = '\0';
	if (scene->shown && scene->has_address)
		(void)snprintf(out, room, "pid %u  %s", t->pid, paging_mode_info(t->mode)->name);
}

/* ---- the rows ---- */

/* "170|341|170|378|008" */
static void split_text(const struct translation *t, char *out, size_t room)
{
	size_t used = 0;
	for (unsigned level = t->levels; level >= last_level(t); level--)
		used += (size_t)snprintf(out + used, room - used, "%u|", index_at(t, level));
	(void)snprintf(out + used, room - used, "%" PRIx64, offset_of(t));
}

static const char *access_word(const struct scene *scene)
{
	static const char *const words[ACCESS_KIND_COUNT] = {"read", "write", "fetch"};
	return words[scene->access];
}

static unsigned draw_address(const struct scene *scene, struct area area)
{
	const struct translation *t = &scene->translation;
	char split[TEXT_ROOM];
	split_text(t, split, sizeof(split));
	unsigned at = area_whole(area, 0, 0, STYLE_TEXT, "VA ");
	at = area_whole(area, 0, at, STYLE_STRONG, "%" PRIx64, t->va.v);
	char text[TEXT_ROOM + 4];
	(void)snprintf(text, sizeof(text), " = %s", split);
	if (at + strlen(text) <= area.columns)
		at = area_whole(area, 0, at, STYLE_TEXT, "%s", text);
	(void)area_text(area, 0, at + 1, STYLE_DIM, "%s", access_word(scene));
	return 1;
}

/* Which bits of the address select what: a row of bit numbers over a row of values. */
static unsigned draw_split(const struct scene *scene, struct area area, unsigned row)
{
	const struct translation *t = &scene->translation;
	unsigned last = last_level(t);
	unsigned fields = t->levels - last + 2;
	unsigned each = area.columns / fields;
	unsigned above = paging_mode_info(t->mode)->linear_bits;
	unsigned column = 0;
	if (each < 10)
		return row;
	for (unsigned level = t->levels; level >= last; level--, column += each) {
		unsigned low = paging_level_shift(t->mode, level);
		(void)area_whole(area, row, column, STYLE_DIM, "%u..%u", above - 1, low);
		(void)area_whole(area, row + 1, column, STYLE_STRONG, "%s %u", table_name(level), index_at(t, level));
		above = low;
	}
	(void)area_whole(area, row, column, STYLE_DIM, "%u..0", above - 1);
	(void)area_whole(area, row + 1, column, STYLE_STRONG, "+%" PRIx64, offset_of(t));
	return row + 2;
}

/* ---- an entry ---- */

static bool fails_here(const struct translation *t, unsigned step)
{
	return t->walk.outcome != WALK_MAPPED && step + 1 == t->walk.count;
}

static uint64_t points_at(const struct translation *t, unsigned step)
{
	const struct walk *walk = &t->walk;
	bool leaf = walk->outcome == WALK_MAPPED && step + 1 == walk->count;
	return leaf ? walk->page.v : pte_frame(walk->step[step].entry) << PAGE_SHIFT;
}

static unsigned selected_step(const struct scene *scene)
{
	const struct selection *selection = &scene->selected[PANEL_WALK];
	unsigned last = scene->translation.walk.count - 1;
	return selection->active && selection->at < last ? (unsigned)selection->at : last;
}

/* Columns of a row of the table. */
struct columns {
	unsigned target; /* where the entry leads; 0: no room for it */
	unsigned flags;
	enum entry_flags line;
};

enum { ENTRY_COLUMN = 11, TARGET_COLUMNS = 10 };

static struct columns columns_of(const struct translation *t, struct area area)
{
	struct columns columns = {0};
	unsigned digits = 7;
	char text[TEXT_ROOM];
	for (unsigned i = 0; i < t->walk.count; i++) {
		unsigned needed = (unsigned)snprintf(text, sizeof(text), "%" PRIx64, t->walk.step[i].entry.word);
		digits = needed > digits ? needed : digits;
	}
	unsigned behind = ENTRY_COLUMN + digits + 1;
	if (behind + TARGET_COLUMNS + entry_flags_width(FLAGS_ALL) <= area.columns)
		columns.line = FLAGS_ALL;
	else if (behind + entry_flags_width(FLAGS_MAJOR) <= area.columns)
		columns.line = FLAGS_MAJOR;
	if (behind + TARGET_COLUMNS + entry_flags_width(columns.line) <= area.columns)
		columns.target = behind;
	columns.flags = behind + (columns.target ? TARGET_COLUMNS : 0);
	return columns;
}

/* A mark, the level, its index, the entry, where it leads, its bits. */
static void draw_step(const struct scene *scene, struct area area, unsigned row, unsigned i)
{
	const struct translation *t = &scene->translation;
	const struct walk_step *step = &t->walk.step[i];
	struct columns columns = columns_of(t, area);
	bool bad = fails_here(t, i);
	enum style style = bad ? STYLE_FAULT : STYLE_TEXT;
	(void)area_glyph(area, row, 0, style, bad ? GLYPH_FAULT : GLYPH_BLANK);
	(void)area_text(area, row, 1, style, "%-4s", table_name(step->level));
	(void)area_whole(area, row, 5, style, "[%u]", index_at(t, step->level));
	(void)area_whole(area, row, ENTRY_COLUMN, style, "%" PRIx64, step->entry.word);
	char target[32] = "-> none";
	if (pte_present(step->entry))
		(void)snprintf(target, sizeof(target), "-> %" PRIx64, points_at(t, i));
	else if (t->absent.swapped && step->level == 1)
		(void)snprintf(target, sizeof(target), "swap %" PRIu64, t->absent.slot);
	if (columns.target && columns.target + strlen(target) < columns.flags)
		(void)area_whole(area, row, columns.target, style, "%s", target);
	entry_flags_draw(scene, area, row, columns.flags, i, columns.line);
	unsigned behind = columns.flags + entry_flags_width(columns.line);
	if (bad && behind + 4 <= area.columns)
		(void)area_text(area, row, behind, STYLE_FAULT, " <==");
	if (scene->selected[PANEL_WALK].active && i == selected_step(scene))
		area_restyle(area, row, 0, area.columns, STYLE_SELECTED);
}

/* Levels that were not reached. */
static void draw_unreached(const struct translation *t, struct area area, unsigned row, unsigned level)
{
	(void)area_text(area, row, 1, STYLE_DIM, "%-4s", table_name(level));
	unsigned column = area_whole(area, row, 5, STYLE_DIM, "[%u]", index_at(t, level));
	(void)area_text(area, row, column < 11 ? 11 : column + 1, STYLE_DIM, "not reached");
}

/* ---- what follows ---- */

/* What the access meets: that of this moment, else one from ring 3. */
static const struct translation_access *met_by(const struct scene *scene)
{
	const struct translation *t = &scene->translation;
	return &(scene->supervisor ? t->supervisor : t->access)[scene->access];
}

/* A TLB with an old entry may refuse what the tables allow: the processor's own word counts. */
static bool is_refused(const struct scene *scene)
{
	return !met_by(scene)->allowed || (scene->event && scene->event->kind == EVENT_EXCEPTION && scene->under_way);
}

static uint32_t error_code_of(const struct scene *scene)
{
	bool said = scene->event && scene->event->kind == EVENT_EXCEPTION && scene->under_way;
	return said ? (uint32_t)scene->event->arg[1] : met_by(scene)->error_code;
}

static void draw_allowed(const struct scene *scene, struct area area, unsigned row)
{
	const struct translation *t = &scene->translation;
	unsigned at = area_text(area, row, 0, STYLE_GOOD, "= ");
	at = area_whole(area, row, at, STYLE_STRONG, "%" PRIx64, t->pa.v);
	(void)area_text(area, row, at, STYLE_GOOD, "  %s page, ring-%u %s ok", page_size_name(t->walk.size),
			scene->supervisor ? 0 : 3, access_word(scene));
}

/* With a mark what happens now, else what would. */
static void draw_outcome(const struct scene *scene, struct area area, unsigned row)
{
	const struct translation *t = &scene->translation;
	if (row >= area.rows)
		return;
	if (!is_refused(scene)) {
		draw_allowed(scene, area, row);
		return;
	}
	char who[32] = "! ";
	if (!scene->under_way)
		(void)snprintf(who, sizeof(who), "ring-%u %s: ", scene->supervisor ? 0 : 3, access_word(scene));
	const enum style style = scene->under_way ? STYLE_FAULT : STYLE_TEXT;
	unsigned vector = met_by(scene)->vector;
	if (vector != VECTOR_PAGE_FAULT) {
		(void)area_text(area, row, 0, style, "%s%s: %s", who, vector_name(vector),
				walk_outcome_text(t->walk.outcome));
		return;
	}
	char text[TEXT_ROOM + sizeof(who)];
	uint32_t code = error_code_of(scene);
	(void)snprintf(text, sizeof(text), "%s#PF err %x %s", who, code, phrase_fault_code(code).text);
	if (strlen(text) <= area.columns)
		(void)area_whole(area, row, 0, style, "%s", text);
	else
		(void)area_whole(area, row, 0, style, "%s#PF err %x", who, code);
}

/* What each bit of the error code is derived from. */
static unsigned draw_derivation(const struct scene *scene, struct area area, unsigned row)
{
	const struct translation *t = &scene->translation;
	uint32_t code = error_code_of(scene);
	const struct walk *walk = &t->walk;
	char where[64];
	if (!is_refused(scene) || met_by(scene)->vector != VECTOR_PAGE_FAULT || walk->count == 0)
		return row;
	(void)snprintf(where, sizeof(where), "%s %s", walk_level_name(walk->step[walk->count - 1].level),
		       walk->outcome == WALK_NOT_PRESENT ? "has P=0" : "was reached: P=1 all the way");
	if (row < area.rows)
		(void)area_text(area, row++, 2, STYLE_TEXT, "P=%u    the %s", code & FAULT_PRESENT ? 1 : 0, where);
	if (row < area.rows)
		(void)area_text(area, row++, 2, STYLE_TEXT, "W=%u    the access is a %s", code & FAULT_WRITE ? 1 : 0,
				access_word(scene));
	if (row < area.rows)
		(void)area_text(area, row++, 2, STYLE_TEXT, "U=%u    it comes from ring %u", code & FAULT_USER ? 1 : 0,
				code & FAULT_USER ? 3 : 0);
	if (row < area.rows)
		(void)area_text(area, row++, 2, STYLE_TEXT, "RSVD=%u %s", code & FAULT_RESERVED ? 1 : 0,
				code & FAULT_RESERVED ? "a reserved bit is set in the entry"
						      : "no reserved bit is set");
	if (row < area.rows)
		(void)area_text(area, row++, 2, STYLE_TEXT, "I=%u    it is %s instruction fetch",
				code & FAULT_FETCH ? 1 : 0, code & FAULT_FETCH ? "an" : "no");
	return row;
}

static unsigned draw_rights(const struct scene *scene, struct area area, unsigned row)
{
	const struct translation *t = &scene->translation;
	if (t->walk.outcome != WALK_MAPPED || row >= area.rows)
		return row;
	(void)area_text(area, row++, 2, STYLE_TEXT, "rights of the path: U/S %u (and)  R/W %u (and)  NX %u (or)",
			t->walk.rights.user, t->walk.rights.writable, t->walk.rights.no_execute);
	return row;
}

/* What an access of each kind would meet, from ring 3. */
static unsigned draw_accesses(const struct scene *scene, struct area area, unsigned row)
{
	static const char *const words[ACCESS_KIND_COUNT] = {"read", "write", "fetch"};
	const struct translation *t = &scene->translation;
	for (unsigned kind = 0; kind < ACCESS_KIND_COUNT && row < area.rows; kind++, row++)
		(void)area_text(area, row, 2, t->access[kind].allowed ? STYLE_GOOD : STYLE_TEXT, "%-5s %s", words[kind],
				translation_verdict(t, (enum access_kind)kind));
	return row;
}

/* The walk of this event may have begun further down: SDM 3A 4.10.3. */
static unsigned draw_shortcut(const struct scene *scene, struct area area, unsigned row)
{
	const struct translation *t = &scene->translation;
	if (!scene->event || scene->event->kind != EVENT_WALK || row >= area.rows)
		return row;
	if (scene->event->arg[1] < t->walk.count)
		(void)area_text(area, row++, 0, STYLE_DIM, "read now: %" PRIu64 " of %u, a cache knew the levels above",
				scene->event->arg[1], t->walk.count);
	return row;
}

static void draw_root(const struct translation *t, struct area area, unsigned row)
{
	(void)area_whole(area, row, 1, STYLE_TEXT, "CR3");
	unsigned at = area_whole(area, row, 11, STYLE_TEXT, "%" PRIx64, t->cr3 & paging_mode_info(t->mode)->root);
	if (at + 10 < area.columns && paging_mode_info(t->mode)->linear_bits > 32)
		at = area_whole(area, row, at + 1, STYLE_DIM, "PCID %u", (unsigned)(t->cr3 & 0xfff));
	struct columns columns = columns_of(t, area);
	if (t->walk.count && at <= columns.flags)
		entry_flags_head(area, row, columns.flags, columns.line);
}

/* With one row left for the outcome; where there are too few, the entries that decided are kept. */
static unsigned draw_steps(const struct scene *scene, struct area area, unsigned row)
{
	const struct translation *t = &scene->translation;
	unsigned end = area.rows > 0 ? area.rows - 1 : 0;
	unsigned room = end > row ? end - row : 0;
	for (unsigned i = t->walk.count > room ? t->walk.count - room : 0; i < t->walk.count; i++)
		draw_step(scene, area, row++, i);
	if (t->walk.outcome == WALK_MAPPED || t->walk.count == 0)
		return row;
	for (unsigned level = t->walk.step[t->walk.count - 1].level; level-- > 1 && row < end;)
		draw_unreached(t, area, row++, level);
	return row;
}

static const char *no_address(const struct scene *scene)
{
	if (!scene->event)
		return "No tables yet: paging is off.";
	if (!scene->shown)
		return "The kernel boots: no process has tables yet.";
	return scene_is_of_nobody(scene) ? "These are the tables of a process that is only being made."
					 : "This event is about no address.";
}

static void draw(const struct scene *scene, struct area area)
{
	const struct translation *t = &scene->translation;
	if (!scene->shown || !scene->has_address) {
		(void)area_paragraph(area, 0, 0, STYLE_DIM, no_address(scene));
		return;
	}
	if (!t->alive) {
		(void)area_paragraph(area, 0, 0, STYLE_DIM, "The process is dead: its tables have been freed.");
		return;
	}
	unsigned rows_needed = 1 + t->levels + 1; /* address, entries, outcome */
	unsigned row = draw_address(scene, area);
	if (area.rows > rows_needed + 3)
		row = draw_split(scene, area, row);
	if (area.rows > rows_needed)
		draw_root(t, area, row++);
	row = draw_steps(scene, area, row);
	draw_outcome(scene, area, row++);
	bool asked = scene->selected[PANEL_WALK].active && t->walk.count > 0;
	if (asked)
		row = entry_bits_draw(scene, area, row, selected_step(scene));
	row = draw_derivation(scene, area, row);
	row = draw_rights(scene, area, row);
	row = draw_shortcut(scene, area, row);
	row = draw_accesses(scene, area, row);
	if (!asked && t->walk.count > 0)
		(void)entry_bits_draw(scene, area, row, selected_step(scene));
}

/* ---- the selection: an entry ---- */

static bool move(struct scene *scene, enum move move)
{
	struct selection *selection = &scene->selected[PANEL_WALK];
	unsigned count = scene->has_address ? scene->translation.walk.count : 0;
	if (count == 0)
		return false;
	if (!selection->active || selection->at >= count) {
		bool first = move == MOVE_HOME || move == MOVE_PAGE_UP;
		*selection = (struct selection){true, first ? 0 : count - 1};
		return true;
	}
	uint64_t before = selection->at;
	if ((move == MOVE_UP || move == MOVE_LEFT) && before > 0)
		selection->at--;
	else if ((move == MOVE_DOWN || move == MOVE_RIGHT) && before + 1 < count)
		selection->at++;
	else if (move == MOVE_HOME || move == MOVE_PAGE_UP)
		selection->at = 0;
	else if (move == MOVE_END || move == MOVE_PAGE_DOWN)
		selection->at = count - 1;
	return selection->at != before;
}

/* To the frame that the entry points at. */
static bool choose(struct scene *scene)
{
	const struct translation *t = &scene->translation;
	if (!scene->has_address || t->walk.count == 0)
		return false;
	unsigned at = selected_step(scene);
	if (!pte_present(t->walk.step[at].entry))
		return false;
	scene->selected[PANEL_FRAMES] = (struct selection){true, points_at(t, at) >> PAGE_SHIFT};
	scene->focus = PANEL_FRAMES;
	return true;
}

const struct view view_walk = {.panel = PANEL_WALK, .title = title, .draw = draw, .move = move, .choose = choose};
