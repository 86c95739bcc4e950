/* The TLBs, set by set and way by way, with what this event did to them; and the paging-structure caches. */
#include "view.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_SLOTS = 8192 };

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
	(void)snprintf(out, room, "hit %" PRIu64 "/%" PRIu64 " (%.1f%%)", hits, all,
		       all ? 100.0 * (double)hits / (double)all : 0.0);
}

static void page_text(uint64_t page, unsigned shift, char *out, size_t room)
{
	(void)snprintf(out, room, "%" PRIx64, page >> shift);
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
	at = area_whole(area, row, at + 1, style, "%6" PRIx64, entry->frame.v);
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
	unsigned used = 0;
	unsigned slots = tlb_slots(tlb) < MOST_SLOTS ? tlb_slots(tlb) : MOST_SLOTS;
	struct tlb_entry entry;
	for (unsigned slot = 0; slot < slots; slot++)
		used += tlb_slot(tlb, slot, &entry);
	if (row < end)
		draw_head(area, row++, tlb, used);
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

static void draw(const struct scene *scene, struct area area)
{
	if (!scene->event) {
		(void)area_paragraph(area, 0, 0, STYLE_DIM, "The TLBs are empty: nothing has been translated.");
		return;
	}
	const struct mmu *mmu = mmu_of(scene);
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

const struct view view_tlb = {.panel = PANEL_TLB, .title = title, .draw = draw};
