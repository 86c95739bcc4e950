/* LRU for all sizes in one pass: a reference hits in every memory of at least as many frames as its stack distance
 * (Mattson et al., IBM Systems Journal 9(2), 1970). Last uses are bits on a line of time; the distance is how many are
 * set behind a page's own. A Fenwick tree counts them by blocks of 512, so that the tree stays in the host's cache. */
#include "faultline/lru_curve.h"

#include <string.h>

#include "faultline/arena.h"
#include "faultline/status.h"

enum { WORD_BITS = 64, BLOCK_WORDS = 8, BLOCK_BITS = WORD_BITS * BLOCK_WORDS };

struct lru_curve {
	struct arena *arena;
	uint64_t *hits;    /* by distance, from 1 */
	uint32_t *last;    /* of each page: the slot of its last use, plus one; 0: never used */
	uint32_t *page_at; /* of each slot whose bit is set */
	uint64_t *bits;
	uint32_t *tree; /* Fenwick, from 1: bits set in blocks */
	uint32_t pages, slots, blocks;
	uint32_t next;     /* slot */
	uint32_t distinct; /* bits that are set */
	uint64_t references;
};

/* ---- the line of time ---- */

static void tree_add(struct lru_curve *curve, uint32_t block, uint32_t by)
{
	for (uint32_t i = block + 1; i <= curve->blocks; i += i & -i)
		curve->tree[i] += by;
}

static uint32_t tree_before(const struct lru_curve *curve, uint32_t block)
{
	uint32_t sum = 0;
	for (uint32_t i = block; i > 0; i -= i & -i)
		sum += curve->tree[i];
	return sum;
}

/* Bits set in slots up to this one. */
static uint32_t set_up_to(const struct lru_curve *curve, uint32_t slot)
{
	const uint32_t word = slot / WORD_BITS;
	uint32_t sum = tree_before(curve, slot / BLOCK_BITS);
	for (uint32_t i = word / BLOCK_WORDS * BLOCK_WORDS; i < word; i++)
		sum += (uint32_t)__builtin_popcountll(curve->bits[i]);
	return sum + (uint32_t)__builtin_popcountll(curve->bits[word] << (WORD_BITS - 1 - slot % WORD_BITS));
}

static void set(struct lru_curve *curve, uint32_t slot)
{
	curve->bits[slot / WORD_BITS] |= UINT64_C(1) << slot % WORD_BITS;
	tree_add(curve, slot / BLOCK_BITS, 1);
}

static void clear(struct lru_curve *curve, uint32_t slot)
{
	curve->bits[slot / WORD_BITS] &= ~(UINT64_C(1) << slot % WORD_BITS);
	tree_add(curve, slot / BLOCK_BITS, UINT32_MAX);
}

/* The line is full: the last uses move together at its start, in their order. At least half of it becomes free. */
static void compact(struct lru_curve *curve)
{
	uint32_t kept = 0;
	for (uint32_t slot = 0; slot < curve->slots; slot++) {
		if (!(curve->bits[slot / WORD_BITS] >> slot % WORD_BITS & 1))
			continue;
		uint32_t page = curve->page_at[slot];
		curve->page_at[kept] = page;
		curve->last[page] = ++kept;
	}
	memset(curve->bits, 0, curve->slots / WORD_BITS * sizeof(*curve->bits));
	memset(curve->tree, 0, ((size_t)curve->blocks + 1) * sizeof(*curve->tree));
	for (uint32_t slot = 0; slot < kept; slot++)
		set(curve, slot);
	curve->next = kept;
}

/* ---- a curve ---- */

struct lru_curve *lru_curve_new(uint32_t pages)
{
	uint64_t slots = (2 * (uint64_t)pages / BLOCK_BITS + 2) * BLOCK_BITS;
	BUG_ON(slots > UINT32_MAX);
	struct arena *arena = arena_new(sizeof(struct lru_curve) + ((size_t)pages + 2) * 12 + slots * 5 + 4096);
	if (!arena)
		return NULL;
	struct lru_curve *curve = arena_new_object(arena, struct lru_curve);
	curve->arena = arena;
	curve->pages = pages;
	curve->slots = (uint32_t)slots;
	curve->blocks = (uint32_t)(slots / BLOCK_BITS);
	curve->hits = arena_new_array(arena, uint64_t, (size_t)pages + 1);
	curve->last = arena_new_array(arena, uint32_t, pages);
	curve->page_at = arena_new_array(arena, uint32_t, slots);
	curve->bits = arena_new_array(arena, uint64_t, slots / WORD_BITS);
	curve->tree = arena_new_array(arena, uint32_t, (size_t)curve->blocks + 1);
	return curve;
}

void lru_curve_free(struct lru_curve *curve)
{
	if (curve)
		arena_free(curve->arena);
}

static void use(struct lru_curve *curve, uint32_t page)
{
	if (curve->next == curve->slots)
		compact(curve);
	uint32_t last = curve->last[page];
	/* The page used last of all moves nothing: its bit is the newest. */
	if (last && last == curve->next) {
		curve->hits[1]++;
		return;
	}
	if (last) {
		curve->hits[curve->distinct - set_up_to(curve, last - 1) + 1]++;
		clear(curve, last - 1);
	} else {
		curve->distinct++;
	}
	set(curve, curve->next);
	curve->page_at[curve->next] = page;
	curve->last[page] = ++curve->next;
}

void lru_curve_feed(struct lru_curve *curve, const uint32_t *references, size_t count)
{
	for (size_t i = 0; i < count; i++)
		use(curve, references[i] & ~(UINT32_C(1) << 31));
	curve->references += count;
}

void lru_curve_misses(const struct lru_curve *curve, uint64_t *misses)
{
	misses[0] = curve->references;
	for (uint32_t frames = 1; frames <= curve->pages; frames++)
		misses[frames] = misses[frames - 1] - curve->hits[frames];
}
