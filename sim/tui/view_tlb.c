/* The TLBs, set by set and way by way, with what this event did to them; and the paging-structure caches. */
#include "view.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_SLOTS = 8192, PAGE_STEPS = 10 };

static const struct mmu *mmu_of(const struct scene *scene)
{
	unsigned cpu = scene->event ? scene->event->cpu : 0;
	return machine_mmu_at(world_machine(scene->world), cpu);
}

static void title(const struct scene *scene, char *out, size_t room)
{
	out[0] = '\0';
	if (!scene->event)
		return;
	const struct mmu_stats *stats = mmu_stats(mmu_of(scene));
	uint64_t all = mmu_stats_accesses(stats);
	uint64_t hits = mmu_stats_l1_hits(stats) + mmu_stats_l2_hits(stats);
	int used = 0;
	if (machine_cpu_count(world_machine(scene->world)) > 1)
		used = snprintf(out, room, "of CPU%u  ", scene->event->cpu);
	(void)snprintf(out + used, room - (size_t)used, "hit %" PRIu64 "/%" PRIu64 " (%.1f%%)", hits, all,
		       all ? 100.0 * (double)hits / (double)all : 0.0);
}

static void page_text(uint64_t page, unsigned shift, char *out, size_t room)
{
	(void)snprintf(out, room, "%" PRIx64, page >> shift);
}

/* ---- the selection: array and slot ---- */

enum { SLOT_BITS = 16 };

static uint64_t place_of(unsigned array, unsigned slot)
{
	return (uint64_t)array << SLOT_BITS | slot;
}

static unsigned slot_of(uint64_t place)
{
	return (unsigned)(place & ((1u << SLOT_BITS) - 1));
}

/* The first entry at the place or behind it, the last one before it; false: there is none. */
static bool entry_from(const struct mmu *mmu, uint64_t place, bool forward, uint64_t *out)
{
	bool found = false;
	for (unsigned array = 0; array < mmu_tlb_count(mmu); array++) {
		const struct tlb *tlb = mmu_tlb(mmu, array);
		struct tlb_entry entry;
		for (unsigned slot = 0; slot < tlb_slots(tlb) && slot < MOST_SLOTS; slot++) {
			uint64_t here = place_of(array, slot);
			if ((forward ? here < place : here >= place) || !tlb_slot(tlb, slot, &entry))
				continue;
			*out = here;
			found = true;
			if (forward)
				return true;
		}
	}
	return found;
}

static bool selected(const struct scene *scene, uint64_t *place)
{
	const struct selection *selection = &scene->selected[PANEL_TLB];
	*place = selection->at;
	return selection->active && selection->at >> SLOT_BITS < mmu_tlb_count(mmu_of(scene));
}

static bool move(struct scene *scene, enum move move)
{
	struct selection *selection = &scene->selected[PANEL_TLB];
	uint64_t at = selection->at;
	if (!scene->event)
		return false;
	const struct mmu *mmu = mmu_of(scene);
	bool back = move == MOVE_UP || move == MOVE_LEFT || move == MOVE_PAGE_UP || move == MOVE_END;
	unsigned steps = move == MOVE_PAGE_UP || move == MOVE_PAGE_DOWN ? PAGE_STEPS : 1;
	if (!selection->active || move == MOVE_HOME || move == MOVE_END) {
		if (!entry_from(mmu, back ? UINT64_MAX : 0, !back, &at))
			return false;
		steps = 0;
	}
	for (; steps > 0; steps--) {
		if (!entry_from(mmu, back ? at : at + 1, !back, &at))
			break;
	}
	bool moved = !selection->active || at != selection->at;
	*selection = (struct selection){true, at};
	return moved;
}

/* To its frame. */
static bool choose(struct scene *scene)
{
	uint64_t place;
	struct tlb_entry entry;
	if (!scene->event || !scene->booted || !selected(scene, &place) ||
	    !tlb_slot(mmu_tlb(mmu_of(scene), (unsigned)(place >> SLOT_BITS)), slot_of(place), &entry))
		return false;
	scene->selected[PANEL_FRAMES] = (struct selection){true, entry.frame.v};
	scene->focus = PANEL_FRAMES;
	return true;
}

/* ---- this event ---- */

static bool covers(const struct tlb_entry *entry, uint64_t va)
{
	return va - entry->page.v < page_size_bytes(entry->size);
}

static unsigned draw_moment(const struct scene *scene, struct area area, unsigned row)
{
	if (!scene->has_address || !scene->translation.alive)
		return row;
	const struct translation *t = &scene->translation;
	enum event_kind kind = (enum event_kind)scene->event->kind;
	unsigned at = area_whole(area, row, 0, STYLE_STRONG, "%" PRIx64, t->va.v >> PAGE_SHIFT);
	if (kind == EVENT_TLB_FILL)
		at = area_text(area, row, at + 1, STYLE_CHANGED, "FILL*");
	else if (t->tlb_count)
		at = area_text(area, row, at + 1, STYLE_GOOD, "cached");
	else
		at = area_text(area, row, at + 1, STYLE_FAULT, "MISS: in no TLB");
	for (unsigned i = 0; i < t->tlb_count && at + 5 < area.columns; i++)
		at = area_text(area, row, at + 1, STYLE_GOOD, "%s", tlb_role_name(t->tlb[i].role));
	return row + 1;
}

/* ---- the arrays ---- */

static void draw_head(struct area area, unsigned row, const struct tlb *tlb, unsigned used)
{
	struct tlb_geometry geometry = tlb_geometry(tlb);
	char sizes[24] = "";
	for (unsigned size = 0; size < PAGE_SIZE_COUNT; size++) {
		size_t length = strlen(sizes);
		if (geometry.page_sizes & PAGE_SIZE_BIT(size))
			(void)snprintf(sizes + length, sizeof(sizes) - length, "%s%s", length ? "+" : "",
				       page_size_name((enum page_size)size));
	}
	(void)area_text(area, row, 0, STYLE_DIM, "%s %s  %ux%u ways, %u used, %s", tlb_role_name(tlb_role(tlb)), sizes,
			geometry.sets, geometry.ways, used, tlb_replacement_name(tlb_replacement(tlb)));
}

static unsigned used_slots(const struct tlb *tlb)
{
	struct tlb_entry entry;
	unsigned used = 0;
	for (unsigned slot = 0; slot < tlb_slots(tlb) && slot < MOST_SLOTS; slot++)
		used += tlb_slot(tlb, slot, &entry);
	return used;
}

static void draw_entry(const struct scene *scene, struct area area, unsigned row, const struct tlb *tlb, unsigned slot,
		       const struct tlb_entry *entry)
{
	char page[24];
	unsigned ways = tlb_geometry(tlb).ways;
	bool now = scene->has_address && covers(entry, scene->address.v);
	enum style style = now ? STYLE_STRONG : STYLE_TEXT;
	page_text(entry->page.v, PAGE_SHIFT, page, sizeof(page));
	if (now)
		(void)area_glyph(area, row, 0, style, GLYPH_CURRENT);
	unsigned at = area_whole(area, row, 1, style, "%u.%u", slot / ways, slot % ways);
	at = area_whole(area, row, at < 8 ? 8 : at + 1, style, "%-13s", page);
	at = area_whole(area, row, at + 1, style, "%6s", scene_number(scene, entry->frame.v).text);
	char more[48];
	(void)snprintf(more, sizeof(more), " r%c%c %c%s%s", entry->writable ? 'w' : '-', entry->no_execute ? '-' : 'x',
		       entry->user ? 'U' : 'S', entry->dirty ? " D" : "", entry->global ? " G" : "");
	at = area_text(area, row, at, style, "%s", more);
	if (at + 6 < area.columns)
		(void)area_text(area, row, at, STYLE_DIM, " %s", page_size_name(entry->size));
	if (at + 14 < area.columns && !entry->global)
		(void)area_whole(area, row, at + 4, STYLE_DIM, "PCID %u", entry->pcid);
}

/* Entries in the order of their slots, those of this address first, as many as there is room for. */
static unsigned draw_array(const struct scene *scene, struct area area, unsigned row, unsigned end,
			   const struct tlb *tlb)
{
	unsigned slots = tlb_slots(tlb) < MOST_SLOTS ? tlb_slots(tlb) : MOST_SLOTS;
	struct tlb_entry entry;
	if (row < end)
		draw_head(area, row++, tlb, used_slots(tlb));
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned slot = 0; slot < slots && row < end; slot++) {
			bool now = tlb_slot(tlb, slot, &entry) && scene->has_address &&
				   covers(&entry, scene->address.v);
			if (tlb_slot(tlb, slot, &entry) && now == (pass == 0))
				draw_entry(scene, area, row++, tlb, slot, &entry);
		}
	}
	return row;
}

/* ---- paging-structure caches ---- */

static unsigned draw_caches(const struct scene *scene, struct area area, unsigned row)
{
	static const char *const names[PSC_LEVEL_COUNT] = {
#define X(id, level, name) [PSC_##id] = name,
	    PSC_LEVEL_LIST(X)
#undef X
	};
	const struct mmu *mmu = mmu_of(scene);
	for (unsigned level = 0; level < PSC_LEVEL_COUNT; level++) {
		for (unsigned slot = 0; slot < mmu_psc_slots(mmu, (enum psc_level)level); slot++) {
			struct psc_slot found;
			if (row >= area.rows)
				return row;
			if (!mmu_psc_slot(mmu, (enum psc_level)level, slot, &found))
				continue;
			bool now = scene->has_address && scene->address.v - found.page.v < found.bytes;
			unsigned at = area_text(area, row, 1, STYLE_DIM, "%s cache", names[level]);
			at = area_whole(area, row, at + 1, now ? STYLE_STRONG : STYLE_TEXT, "%" PRIx64, found.page.v);
			if (at + 12 < area.columns)
				(void)area_whole(area, row, at, STYLE_TEXT, " -> %" PRIx64, found.table.v);
			row++;
		}
	}
	return row;
}

static unsigned cache_entries(const struct mmu *mmu)
{
	unsigned count = 0;
	for (unsigned level = 0; level < PSC_LEVEL_COUNT; level++) {
		for (unsigned slot = 0; slot < mmu_psc_slots(mmu, (enum psc_level)level); slot++) {
			struct psc_slot found;
			count += mmu_psc_slot(mmu, (enum psc_level)level, slot, &found);
		}
	}
	return count;
}

/* ---- the selected entry ---- */

/* What the tables say of the same page now: an entry may outlive what it was made of. */
static const char *agreement(const struct scene *scene, const struct tlb_entry *entry)
{
	const struct process *process;
	unsigned index = 0;
	if (!scene->booted)
		return "";
	while ((process = world_process(scene->world, index)) != NULL &&
	       (!process->mm || (!entry->global && process->pcid != entry->pcid)))
		index++;
	if (!process)
		return "no living process has this PCID";
	struct translation now;
	translation_take(&now, scene->world, index, entry->page);
	const struct walk_rights *rights = &now.walk.rights;
	if (now.walk.outcome != WALK_MAPPED || now.pa.v >> PAGE_SHIFT != entry->frame.v)
		return "STALE: the tables no longer say so";
	if ((entry->writable && !rights->writable) || (entry->user && !rights->user) ||
	    (!entry->no_execute && rights->no_execute))
		return "STALE: the tables allow less by now";
	return rights->writable != entry->writable ? "the tables allow more by now" : "the tables say the same";
}

/* How many entries of its set go before it, if the set is full. */
static void draw_rank(struct area area, unsigned row, const struct tlb *tlb, unsigned slot,
		      const struct tlb_entry *entry)
{
	unsigned ways = tlb_geometry(tlb).ways;
	unsigned used = 0;
	unsigned before = 0;
	for (unsigned way = 0; way < ways; way++) {
		struct tlb_entry other;
		if (!tlb_slot(tlb, slot / ways * ways + way, &other))
			continue;
		used++;
		before += other.stamp < entry->stamp;
	}
	bool exact = tlb_replacement(tlb) == TLB_LRU || tlb_replacement(tlb) == TLB_FIFO;
	unsigned at = area_text(area, row, 1, STYLE_TEXT, "set %u: %u of %u ways used", slot / ways, used, ways);
	if (exact)
		(void)area_text(area, row, at, STYLE_TEXT, ", %u of them go before it (%s)", before,
				tlb_replacement_name(tlb_replacement(tlb)));
	else
		(void)area_text(area, row, at, STYLE_TEXT, ", replaced by %s",
				tlb_replacement_name(tlb_replacement(tlb)));
}

static void draw_rights(struct area area, unsigned row, const struct tlb_entry *entry)
{
	unsigned at = area_text(area, row, 1, STYLE_TEXT, "%s may read%s%s", entry->user ? "ring 3" : "only ring 0",
				entry->writable ? ", write" : "", entry->no_execute ? "" : ", execute");
	at = area_text(area, row, at, STYLE_TEXT, entry->dirty ? "; D is set in RAM" : "; the first write sets D");
	(void)area_text(area, row, at, STYLE_TEXT, entry->global ? "; global" : "; PCID %u", entry->pcid);
}

enum { DETAIL_ROWS = 6 };

static unsigned draw_detail(const struct scene *scene, struct area area, unsigned row, uint64_t place)
{
	const struct tlb *tlb = mmu_tlb(mmu_of(scene), (unsigned)(place >> SLOT_BITS));
	unsigned slot = slot_of(place);
	unsigned ways = tlb_geometry(tlb).ways;
	struct tlb_entry entry;
	unsigned at = area_text(area, row, 0, STYLE_TITLE, "%s set %u way %u", tlb_role_name(tlb_role(tlb)),
				slot / ways, slot % ways);
	if (!tlb_slot(tlb, slot, &entry)) {
		(void)area_text(area, row, at, STYLE_TEXT, ": empty now");
		return row + 1;
	}
	(void)area_text(area, row, at, STYLE_TEXT, ": a page of %s%s%s", page_size_name(entry.mapping_size),
			entry.size != entry.mapping_size ? ", kept in a piece of " : "",
			entry.size != entry.mapping_size ? page_size_name(entry.size) : "");
	at = area_whole(area, row + 1, 1, STYLE_STRONG, "%" PRIx64, entry.page.v);
	(void)area_whole(area, row + 1, at, STYLE_TEXT, " -> %" PRIx64, entry.frame.v << PAGE_SHIFT);
	draw_rights(area, row + 2, &entry);
	draw_rank(area, row + 3, tlb, slot, &entry);
	const char *agrees = agreement(scene, &entry);
	(void)area_text(area, row + 4, 1, strncmp(agrees, "STALE", 5) == 0 ? STYLE_FAULT : STYLE_TEXT, "%s%s",
			strncmp(agrees, "STALE", 5) == 0 ? "! " : "", agrees);
	return row + 5;
}

/* The array of the selected entry from a little before it on, with the entry in full below. */
static void draw_selected(const struct scene *scene, struct area area, unsigned row, uint64_t place)
{
	const struct mmu *mmu = mmu_of(scene);
	unsigned array = (unsigned)(place >> SLOT_BITS);
	unsigned end = area.rows > row + DETAIL_ROWS ? area.rows - DETAIL_ROWS + 1 : row;
	uint64_t at = place;
	struct tlb_entry entry;
	for (unsigned i = 0; row + 1 < end && i < (end - row - 1) / 2; i++) {
		uint64_t before;
		if (!entry_from(mmu, at, false, &before) || before >> SLOT_BITS != array)
			break;
		at = before;
	}
	if (row < end)
		draw_head(area, row++, mmu_tlb(mmu, array), used_slots(mmu_tlb(mmu, array)));
	while (row < end && entry_from(mmu, at, true, &at) && at >> SLOT_BITS == array) {
		(void)tlb_slot(mmu_tlb(mmu, array), slot_of(at), &entry);
		draw_entry(scene, area, row, mmu_tlb(mmu, array), slot_of(at), &entry);
		if (at == place)
			area_restyle(area, row, 0, area.columns, STYLE_SELECTED);
		row++;
		at++;
	}
	(void)draw_detail(scene, area, row, place);
}

static void draw(const struct scene *scene, struct area area)
{
	if (!scene->event) {
		(void)area_paragraph(area, 0, 0, STYLE_DIM, "The TLBs are empty: nothing has been translated.");
		return;
	}
	const struct mmu *mmu = mmu_of(scene);
	uint64_t place;
	if (selected(scene, &place)) {
		draw_selected(scene, area, draw_moment(scene, area, 0), place);
		return;
	}
	unsigned arrays = mmu_tlb_count(mmu);
	unsigned row = draw_moment(scene, area, 0);
	unsigned below = cache_entries(mmu);
	unsigned most = area.rows / 4;
	unsigned end = area.rows - (below < most ? below : most);
	for (unsigned i = 0; i < arrays && row < end; i++) {
		struct tlb_entry entry;
		bool any = false;
		for (unsigned slot = 0; slot < tlb_slots(mmu_tlb(mmu, i)) && !any; slot++)
			any = tlb_slot(mmu_tlb(mmu, i), slot, &entry);
		/* Each of the arrays that are left has its share of the rows. */
		unsigned share = (end - row + arrays - i - 1) / (arrays - i);
		if (any)
			row = draw_array(scene, area, row,
					 row + (share < 2 ? 2 : share) < end ? row + (share < 2 ? 2 : share) : end,
					 mmu_tlb(mmu, i));
	}
	(void)draw_caches(scene, area, row);
}

const struct view view_tlb = {.panel = PANEL_TLB, .title = title, .draw = draw, .move = move, .choose = choose};
