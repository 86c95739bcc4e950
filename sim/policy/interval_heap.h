/* Numbers of which the least and the greatest are at hand: an interval heap (van Leeuwen, Wood, The Computer Journal
 * 36(3), 1993). All numbers zero: empty. Changes are O(log count). */
#ifndef FAULTLINE_POLICY_INTERVAL_HEAP_H
#define FAULTLINE_POLICY_INTERVAL_HEAP_H

#include <stdint.h>

struct interval_heap {
	uint32_t *value; /* at most four places for each number, and a few; interval_heap_release frees them */
	uint32_t count, room;
};

void interval_heap_release(struct interval_heap *heap);

/* Both end the program when the host has no memory. */
void interval_heap_put(struct interval_heap *heap, uint32_t number);
/* All numbers of the other, which is then empty. */
void interval_heap_put_all(struct interval_heap *heap, struct interval_heap *other);

/* ---- of one that is not empty ---- */

static inline uint32_t interval_heap_least(const struct interval_heap *heap)
{
	return heap->value[0];
}

static inline uint32_t interval_heap_greatest(const struct interval_heap *heap)
{
	return ~heap->value[1];
}

void interval_heap_remove_least(struct interval_heap *heap);
void interval_heap_remove_greatest(struct interval_heap *heap);
/* The number comes in the place of the greatest. */
void interval_heap_replace_greatest(struct interval_heap *heap, uint32_t number);

#endif
