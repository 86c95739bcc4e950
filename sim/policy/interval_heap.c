/* A node holds two numbers, between which all those of its children lie; the last node may hold only one, which then
 * stands in both places. The greater ones are stored with all bits inverted. So either side is a heap with its least
 * value at the root, and one code serves both. */
#include "interval_heap.h"

#include <stdbool.h>
#include <stdlib.h>

#include "faultline/status.h"

enum side { LOW, HIGH };

enum { ROOM_LEAST = 16 };

/* A number as the value of a side, and back. */
static uint32_t flip(uint32_t number, enum side side)
{
	return side == HIGH ? ~number : number;
}

static uint32_t *value(const struct interval_heap *heap, uint32_t node, enum side side)
{
	return &heap->value[2 * (size_t)node + side];
}

static bool is_single(const struct interval_heap *heap, uint32_t node)
{
	return 2 * node + 1 == heap->count;
}

static void set_single(struct interval_heap *heap, uint32_t node, uint32_t number)
{
	*value(heap, node, LOW) = number;
	*value(heap, node, HIGH) = ~number;
}

static void set_room(struct interval_heap *heap, uint32_t room)
{
	heap->value = realloc(heap->value, room * sizeof(*heap->value));
	BUG_ON(!heap->value);
	heap->room = room;
}

void interval_heap_release(struct interval_heap *heap)
{
	free(heap->value);
	*heap = (struct interval_heap){0};
}

/* ---- coming ---- */

static void rise(struct interval_heap *heap, uint32_t node, enum side side, uint32_t new)
{
	for (; node > 0; node = (node - 1) / 2) {
		uint32_t above = *value(heap, (node - 1) / 2, side);
		if (above <= new)
			break;
		*value(heap, node, side) = above;
	}
	*value(heap, node, side) = new;
}

/* Of a new node, which holds only this: where it lies beyond the parent, the parent's comes down. */
static void put_single(struct interval_heap *heap, uint32_t node, uint32_t number)
{
	const uint32_t parent = (node - 1) / 2;
	for (enum side side = LOW; side <= HIGH && node > 0; side++) {
		uint32_t above = *value(heap, parent, side);
		if (flip(number, side) < above) {
			set_single(heap, node, flip(above, side));
			rise(heap, parent, side, flip(number, side));
			return;
		}
	}
	set_single(heap, node, number);
}

void interval_heap_put(struct interval_heap *heap, uint32_t number)
{
	const uint32_t node = heap->count / 2;
	if (heap->count + 2 > heap->room)
		set_room(heap, heap->room ? 2 * heap->room : ROOM_LEAST);
	heap->count++;
	if (is_single(heap, node)) {
		put_single(heap, node, number);
	} else {
		enum side side = number < *value(heap, node, LOW) ? LOW : HIGH;
		rise(heap, node, side, flip(number, side));
	}
}

void interval_heap_put_all(struct interval_heap *heap, struct interval_heap *other)
{
	for (uint32_t i = 0; i < other->count; i++)
		interval_heap_put(heap, flip(other->value[i], i % 2 ? HIGH : LOW));
	other->count = 0;
	if (other->room > ROOM_LEAST)
		set_room(other, ROOM_LEAST);
}

/* ---- going ---- */

/* The child with the lesser value; 0: none. */
static uint32_t child_of(const struct interval_heap *heap, uint32_t node, enum side side)
{
	const uint32_t nodes = (heap->count + 1) / 2, left = 2 * node + 1;
	if (left + 1 < nodes)
		return left + (*value(heap, left + 1, side) < *value(heap, left, side));
	return left < nodes ? left : 0;
}

/* A new value in the place of the root's. */
static void sink(struct interval_heap *heap, enum side side, uint32_t new)
{
	uint32_t node = 0;
	while (!is_single(heap, node)) {
		uint32_t *across = value(heap, node, !side);
		if (~new < *across) {
			uint32_t number = *across;
			*across = ~new;
			new = ~number;
		}
		uint32_t child = child_of(heap, node, side);
		if (child == 0 || new <= *value(heap, child, side)) {
			*value(heap, node, side) = new;
			return;
		}
		*value(heap, node, side) = *value(heap, child, side);
		node = child;
	}
	set_single(heap, node, flip(new, side));
}

/* A number of the last node takes the place of the one that goes. */
static void remove_root(struct interval_heap *heap, enum side side)
{
	const uint32_t last = (heap->count - 1) / 2;
	const uint32_t number = flip(*value(heap, last, !side), !side);
	if (!is_single(heap, last))
		set_single(heap, last, flip(*value(heap, last, side), side));
	heap->count--;
	if (heap->count > 0)
		sink(heap, side, flip(number, side));
	if (heap->room > ROOM_LEAST && heap->count < heap->room / 4)
		set_room(heap, heap->room / 2);
}

void interval_heap_remove_least(struct interval_heap *heap)
{
	remove_root(heap, LOW);
}

void interval_heap_remove_greatest(struct interval_heap *heap)
{
	remove_root(heap, HIGH);
}

void interval_heap_replace_greatest(struct interval_heap *heap, uint32_t number)
{
	sink(heap, HIGH, ~number);
}
