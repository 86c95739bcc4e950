/* OPT for all sizes in one pass. It is a stack algorithm (Mattson et al., IBM Systems Journal 9(2), 1970): memories of
 * all sizes are the prefixes of one row of pages. A reference takes its page out of the row and puts it first; on the
 * way to the gap the pages with a later use than all before them move down, each to where the next of them stood.
 *
 * There are very many of those, because the row is nearly in order of next use. But as long as one follows the other
 * their moves only make room for the page that comes first. Only one that has pages of earlier use behind it really
 * moves in the row, and there are few: two or so in a reference. */
#include "faultline/opt_curve.h"

#include "faultline/status.h"
#include "row.h"

/* Later than all: the page that is being referenced, while it marks the gap; and what is never used again. */
#define USE_GAP UINT32_MAX
#define USE_NEVER (UINT32_MAX - 1)

struct opt_curve {
	struct arena *arena;
	struct row *row;
	uint64_t *hits; /* by place in the row, from 1 */
	uint32_t pages;
	uint64_t references;
};

struct opt_curve *opt_curve_new(uint32_t pages)
{
	struct arena *arena = arena_new(sizeof(struct opt_curve) + ((size_t)pages + 1) * sizeof(uint64_t) +
					row_bytes(pages) + 256);
	if (!arena)
		return NULL;
	struct opt_curve *curve = arena_new_object(arena, struct opt_curve);
	curve->arena = arena;
	curve->pages = pages;
	curve->hits = arena_new_array(arena, uint64_t, (size_t)pages + 1);
	curve->row = row_new(arena, pages);
	return curve;
}

void opt_curve_free(struct opt_curve *curve)
{
	if (curve)
		arena_free(curve->arena);
}

/* What has to move between the start and the gap, which `page` marks. */
static void move_down(struct row *row, uint32_t page)
{
	uint32_t moving = row_run_end(row, row_first(row));
	while (moving != page) {
		uint32_t next = row_next_greater(row, moving);
		row_move_before(row, moving, next);
		moving = next == page ? page : row_run_end(row, next);
	}
}

static void use(struct opt_curve *curve, uint32_t page, uint32_t next_use)
{
	struct row *row = curve->row;
	if (row_has(row, page)) {
		uint32_t place = row_place(row, page);
		curve->hits[place + 1]++;
		if (place == 0) {
			row_set_use(row, page, next_use);
			return;
		}
		row_set_use(row, page, USE_GAP);
	} else {
		row_append(row, page, USE_GAP);
	}
	move_down(row, page);
	row_remove(row, page);
	row_prepend(row, page, next_use);
}

void opt_curve_feed(struct opt_curve *curve, const uint32_t *references, const uint32_t *next_use, size_t count)
{
	for (size_t i = 0; i < count; i++)
		use(curve, references[i] & ~(UINT32_C(1) << 31), next_use[i] < USE_NEVER ? next_use[i] : USE_NEVER);
	curve->references += count;
}

void opt_curve_misses(const struct opt_curve *curve, uint64_t *misses)
{
	misses[0] = curve->references;
	for (uint32_t frames = 1; frames <= curve->pages; frames++)
		misses[frames] = misses[frames - 1] - curve->hits[frames];
}
