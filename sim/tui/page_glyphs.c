#include "page_glyphs.h"

static enum glyph glyph_of(enum page_state state)
{
	static const uint8_t glyphs[PAGE_STATE_COUNT] = {
	    [PAGE_ABSENT] = GLYPH_EMPTY, [PAGE_OWN] = GLYPH_RESIDENT,  [PAGE_FILE] = GLYPH_FILE,
	    [PAGE_COW] = GLYPH_COW,      [PAGE_SHARED] = GLYPH_SHARED, [PAGE_HUGE] = GLYPH_HUGE,
	    [PAGE_HUGETLB] = GLYPH_HUGE, [PAGE_ZERO] = GLYPH_ZERO,     [PAGE_SWAPPED] = GLYPH_SWAPPED,
	};
	return (enum glyph)glyphs[state];
}

enum glyph page_glyph(const struct census *census)
{
	for (unsigned state = 0; state < PAGE_STATE_COUNT; state++) {
		if (census->count[state] == census->pages)
			return glyph_of((enum page_state)state);
	}
	return GLYPH_PARTLY;
}

/* Known to be a mixture, even if not all of it has been looked at. */
static bool is_mixed(const struct census *census)
{
	unsigned kinds = 0;
	for (unsigned state = 0; state < PAGE_STATE_COUNT; state++)
		kinds += census->count[state] > 0;
	return kinds > 1;
}

/* Page number of the first page of a cell, of `pages` in `cells`; no overflow up to 2^52 pages. */
static uint64_t first_of(uint64_t pages, unsigned cells, unsigned cell)
{
	return pages / cells * cell + pages % cells * cell / cells;
}

unsigned page_bar_draw(const struct page_bar *bar, struct area area, unsigned row, unsigned column, unsigned cells)
{
	uint64_t pages = vma_bytes(bar->vma) / PAGE_BYTES;
	uint64_t mark = (bar->mark.v - bar->vma->start.v) / PAGE_BYTES;
	if (pages < cells)
		cells = (unsigned)pages;
	uint64_t steps = BAR_STEPS;
	for (unsigned i = 0; i < cells; i++) {
		struct census census;
		uint64_t first = first_of(pages, cells, i);
		uint64_t end = first_of(pages, cells, i + 1);
		bool marked = bar->marked && mark >= first && mark < end;
		census_take(bar->process, bar->vma, vaddr_add(bar->vma->start, first * PAGE_BYTES),
			    vaddr_add(bar->vma->start, end * PAGE_BYTES), &steps, &census);
		if (census.seen < census.pages && !is_mixed(&census))
			(void)area_text(area, row, column + i, STYLE_DIM, "?");
		else if (marked && census.count[PAGE_ABSENT] == census.pages)
			(void)area_glyph(area, row, column + i, STYLE_FAULT, GLYPH_FAULT);
		else
			(void)area_glyph(area, row, column + i,
					 marked            ? STYLE_CURRENT
					 : census.resident ? STYLE_GOOD
							   : STYLE_DIM,
					 page_glyph(&census));
	}
	return cells;
}
