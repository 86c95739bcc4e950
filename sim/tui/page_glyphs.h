/* The language of pages: which glyph says what stands behind one, and bars of them. */
#ifndef FAULTLINE_TUI_PAGE_GLYPHS_H
#define FAULTLINE_TUI_PAGE_GLYPHS_H

#include "canvas.h"
#include "faultline/pages.h"

enum { BAR_STEPS = 40000 }; /* entries that one bar may look at */

/* One cell stands for the pages of a census: the glyph of a single kind, PARTLY for a mixture. */
enum glyph page_glyph(const struct census *census);

/* The pages of a VMA in so many cells, and the page of `mark` among them: '!' where it has no frame, else '>' before
 * it is overdrawn. Cells beyond the budget are '?'. Returns the cells drawn: a page each, if there are no more. */
struct page_bar {
	const struct process *process;
	const struct vma *vma;
	bool marked;
	struct vaddr mark;
};
unsigned page_bar_draw(const struct page_bar *bar, struct area area, unsigned row, unsigned column, unsigned cells);

#endif
