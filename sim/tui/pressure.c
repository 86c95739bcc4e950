#include "pressure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/kernel.h"
#include "faultline/policy.h"

enum { BAR_AT = 5, LEAST_BAR = 16 };

static const struct kernel *kernel_of(const struct scene *scene)
{
	return world_kernel(scene->world);
}

static bool is_used(const struct scene *scene)
{
	const struct vm_counts *counts = kernel_vm_counts(kernel_of(scene));
	return kernel_swap_use(kernel_of(scene)).total > 0 || counts->scanned_kswapd > 0 ||
	       counts->scanned_direct > 0 || kernel_page_group(kernel_of(scene), scene->shown).limit > 0;
}

static struct policy_look look_of(const struct scene *scene)
{
	struct policy_look look;
	policy_look(kernel_page_group(kernel_of(scene), scene->shown).policy, &look);
	return look;
}

unsigned pressure_rows(const struct scene *scene, bool brief)
{
	if (!is_used(scene))
		return 0;
	/* Free frames and their bar, swap or the limit, the policy and its lists. */
	return brief ? 1 : 4 + look_of(scene).lists;
}

/* ---- free frames ---- */

static const char *state_of(const struct watermarks *marks, uint64_t available)
{
	if (available <= marks->min)
		return "at min: who asks must reclaim first";
	if (available < marks->low)
		return "below low: kswapd works until high";
	return available < marks->high ? "between low and high" : "above high: kswapd sleeps";
}

static void draw_free(const struct scene *scene, struct area area, unsigned row)
{
	struct watermarks marks = kernel_watermarks(kernel_of(scene));
	uint64_t available = frame_pool_free(kernel_frames(kernel_of(scene)));
	enum style style = available < marks.low ? STYLE_FAULT : STYLE_TEXT;
	char text[96];
	(void)snprintf(text, sizeof(text), "free %" PRIu64 "  min %" PRIu64 " low %" PRIu64 " high %" PRIu64, available,
		       marks.min, marks.low, marks.high);
	if (strlen(text) > area.columns)
		(void)snprintf(text, sizeof(text), "free %" PRIu64 "  low %" PRIu64, available, marks.low);
	unsigned at = area_whole(area, row, 0, style, "%s", text);
	if (at + 12 < area.columns)
		(void)area_text(area, row, at + 2, STYLE_DIM, "%s", state_of(&marks, available));
}

/* From no frame to twice the high watermark: "|###m##l...h.......". */
static void draw_bar(const struct scene *scene, struct area area, unsigned row)
{
	struct watermarks marks = kernel_watermarks(kernel_of(scene));
	uint64_t available = frame_pool_free(kernel_frames(kernel_of(scene)));
	uint64_t scale = marks.high > 0 ? 2 * marks.high : 1;
	unsigned cells = area.columns > BAR_AT ? area.columns - BAR_AT : 0;
	if (cells < LEAST_BAR)
		return;
	(void)area_text(area, row, 0, STYLE_DIM, "free");
	for (unsigned i = 0; i < cells; i++)
		(void)area_glyph(area, row, BAR_AT + i,
				 available * cells > (uint64_t)i * scale ? STYLE_GOOD : STYLE_DIM,
				 available * cells > (uint64_t)i * scale ? GLYPH_RESIDENT : GLYPH_EMPTY);
	const struct {
		uint64_t at;
		char letter;
	} letters[] = {{marks.min, 'm'}, {marks.low, 'l'}, {marks.high, 'h'}};
	for (unsigned i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		(void)area_text(area, row, BAR_AT + (unsigned)(letters[i].at * cells / scale), STYLE_STRONG, "%c",
				letters[i].letter);
	if (available > scale)
		(void)area_glyph(area, row, area.columns - 1, STYLE_DIM, GLYPH_ARROW_RIGHT);
}

/* ---- swap, limit, policy ---- */

static bool has_swap(const struct scene *scene)
{
	return kernel_swap_use(kernel_of(scene)).total > 0;
}

/* Without swap the policy is told of pages of files only: the others wait on a list at which nobody looks. */
static uint64_t kept_pages(const struct scene *scene)
{
	const struct frame_pool *frames = kernel_frames(kernel_of(scene));
	return frame_pool_used(frames, FRAME_ANON) + frame_pool_used(frames, FRAME_SHMEM);
}

static void draw_swap(const struct scene *scene, struct area area, unsigned row)
{
	struct swap_use swap = kernel_swap_use(kernel_of(scene));
	struct page_group group = kernel_page_group(kernel_of(scene), scene->shown);
	unsigned at = 0;
	if (swap.total > 0)
		at = area_text(area, row, 0, STYLE_TEXT,
			       "swap %" PRIu64 "/%" PRIu64 " slots, %" PRIu64 " of them in RAM, too", swap.used,
			       swap.total, swap.cached);
	else
		at = area_text(area, row, 0, STYLE_TEXT, "no swap: %" PRIu64 " anonymous pages must stay",
			       kept_pages(scene));
	if (group.limit > 0 && at + 12 < area.columns)
		(void)area_text(area, row, at + 2, STYLE_TEXT, "limit: %" PRIu64 "/%" PRIu64 " pages charged",
				group.charged, group.limit);
}

static void draw_brief(const struct scene *scene, struct area area, unsigned row)
{
	struct watermarks marks = kernel_watermarks(kernel_of(scene));
	struct swap_use swap = kernel_swap_use(kernel_of(scene));
	uint64_t available = frame_pool_free(kernel_frames(kernel_of(scene)));
	char text[96];
	int used = snprintf(text, sizeof(text), "free %" PRIu64 " low %" PRIu64, available, marks.low);
	if (swap.total > 0)
		(void)snprintf(text + used, sizeof(text) - (size_t)used, " swap %" PRIu64 "/%" PRIu64, swap.used,
			       swap.total);
	if (strlen(text) > area.columns)
		(void)snprintf(text, sizeof(text), "free %" PRIu64, available);
	(void)area_whole(area, row, 0, available < marks.low ? STYLE_FAULT : STYLE_TEXT, "%s", text);
}

static void draw_list(const struct scene *scene, struct area area, unsigned row, const struct policy_look *look,
		      const struct policy_look_list *list, bool files)
{
	unsigned at = area_text(area, row, 1, STYLE_TEXT, "%s%s%s: %" PRIu32, list->ghosts ? "ghosts, " : "",
				list->name, files ? "(file)" : "", list->count);
	for (unsigned i = 0; i < list->shown; i++) {
		struct number frame = scene_number(scene, list->frame[i]);
		if (at + 1 + strlen(frame.text) > area.columns)
			return;
		bool hand = list->frame[i] == look->hand;
		if (hand)
			at = area_glyph(area, row, at + 1, STYLE_STRONG, GLYPH_CURRENT) - 1;
		at = area_whole(area, row, at + 1, hand ? STYLE_STRONG : STYLE_DIM, "%s", frame.text);
	}
	if (list->shown > 0 && list->count > list->shown && at + 4 <= area.columns)
		(void)area_text(area, row, at, STYLE_DIM, " ...");
}

static unsigned draw_policy(const struct scene *scene, struct area area, unsigned row, unsigned end)
{
	struct policy_look look = look_of(scene);
	const struct policy_ops *ops = policy_ops(kernel_page_group(kernel_of(scene), scene->shown).policy);
	if (row < end)
		(void)area_text(area, row++, 0, STYLE_TITLE, "replacement: %s, first to go first", ops->name);
	for (unsigned i = 0; i < look.lists && row < end; i++)
		draw_list(scene, area, row++, &look, &look.list[i], !has_swap(scene));
	return row;
}

unsigned pressure_draw(const struct scene *scene, struct area area, unsigned row, unsigned end, bool brief)
{
	if (row >= end || !is_used(scene))
		return row;
	if (brief) {
		draw_brief(scene, area, row);
		return row + 1;
	}
	draw_free(scene, area, row++);
	if (row < end)
		draw_bar(scene, area, row++);
	if (row < end)
		draw_swap(scene, area, row++);
	return draw_policy(scene, area, row, end);
}
