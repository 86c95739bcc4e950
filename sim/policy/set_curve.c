/* Each set is a short row of pages, the last used first; a reference hits where there are more ways than its page's
 * place. */
#include "faultline/set_curve.h"

#include <string.h>

#include "faultline/arena.h"
#include "faultline/status.h"

enum { WAYS_MOST = 64 };

struct set_curve {
	struct arena *arena;
	uint32_t sets, ways;
	uint32_t *row; /* of each set: its pages plus one; 0: none */
	uint64_t hits[WAYS_MOST];
	uint64_t references;
};

struct set_curve *set_curve_new(uint32_t sets, uint32_t ways)
{
	BUG_ON(sets == 0 || ways == 0 || ways > WAYS_MOST);
	struct arena *arena = arena_new(sizeof(struct set_curve) + (size_t)sets * ways * sizeof(uint32_t) + 256);
	if (!arena)
		return NULL;
	struct set_curve *curve = arena_new_object(arena, struct set_curve);
	curve->arena = arena;
	curve->sets = sets;
	curve->ways = ways;
	curve->row = arena_new_array(arena, uint32_t, (size_t)sets * ways);
	return curve;
}

void set_curve_free(struct set_curve *curve)
{
	if (curve)
		arena_free(curve->arena);
}

static void use(struct set_curve *curve, uint32_t *row, uint32_t page)
{
	uint32_t place = 0;
	while (place < curve->ways - 1 && row[place] != page + 1)
		place++;
	curve->hits[place] += row[place] == page + 1;
	memmove(row + 1, row, place * sizeof(*row));
	row[0] = page + 1;
}

void set_curve_feed(struct set_curve *curve, const uint32_t *references, const uint64_t *number, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t page = references[i] & ~(UINT32_C(1) << 31);
		use(curve, curve->row + number[page] % curve->sets * curve->ways, page);
	}
	curve->references += count;
}

uint64_t set_curve_misses(const struct set_curve *curve, uint32_t ways)
{
	uint64_t misses = curve->references;
	for (uint32_t way = 0; way < ways && way < curve->ways; way++)
		misses -= curve->hits[way];
	return misses;
}
