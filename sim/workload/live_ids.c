#include "live_ids.h"

#include <stdlib.h>
#include <string.h>

#include "faultline/status.h"

enum { FIRST_CAPACITY = 256 };

void live_ids_release(struct live_ids *ids)
{
	free(ids->places);
	free(ids->free_slots);
	*ids = (struct live_ids){0};
}

/* NULL only without memory: an array of nothing is one byte long. */
static void *copy_of(const void *from, size_t bytes)
{
	void *copy = malloc(bytes + 1);
	if (copy && bytes > 0)
		memcpy(copy, from, bytes);
	return copy;
}

bool live_ids_copy(struct live_ids *out, const struct live_ids *ids)
{
	*out = *ids;
	out->places = copy_of(ids->places, ids->capacity * sizeof(*ids->places));
	out->free_slots = copy_of(ids->free_slots, ids->free_capacity * sizeof(*ids->free_slots));
	if (out->places && out->free_slots)
		return true;
	live_ids_release(out);
	return false;
}

/* Fibonacci hashing spreads consecutive IDs over the table (Knuth, TAOCP 3, 6.4), here by fours: those of a time are
 * used together, and four fit a line of the host's cache. */
static uint32_t home(const struct live_ids *ids, uint64_t id)
{
	uint64_t spread = ((id >> 2) * 0x9e3779b97f4a7c15u) >> 32;
	return (uint32_t)(spread << 2 | (id & 3)) & (ids->capacity - 1);
}

static struct live_id *place_of(const struct live_ids *ids, uint64_t id)
{
	uint32_t at = home(ids, id);
	while (ids->places[at].id != 0 && ids->places[at].id != id)
		at = (at + 1) & (ids->capacity - 1);
	return &ids->places[at];
}

static bool resize(struct live_ids *ids, uint32_t capacity)
{
	struct live_id *places = calloc(capacity, sizeof(*places));
	if (!places)
		return false;
	struct live_ids bigger = {.places = places, .capacity = capacity};
	for (uint32_t i = 0; i < ids->capacity; i++) {
		if (ids->places[i].id != 0)
			*place_of(&bigger, ids->places[i].id) = ids->places[i];
	}
	free(ids->places);
	ids->places = places;
	ids->capacity = capacity;
	return true;
}

struct live_id *live_ids_find(struct live_ids *ids, uint64_t id)
{
	if (ids->capacity == 0 || id == 0)
		return NULL;
	struct live_id *place = place_of(ids, id);
	return place->id != 0 ? place : NULL;
}

struct live_id *live_ids_add(struct live_ids *ids, uint64_t id)
{
	if (ids->count * 2 >= ids->capacity && !resize(ids, ids->capacity ? ids->capacity * 2 : FIRST_CAPACITY))
		return NULL;
	uint32_t slot = ids->free_count ? ids->free_slots[--ids->free_count] : ids->slots++;
	struct live_id *place = place_of(ids, id);
	BUG_ON(place->id != 0);
	*place = (struct live_id){id, slot, 0};
	ids->count++;
	return place;
}

/* A slot that cannot be remembered is merely not used again. */
static void give_back_slot(struct live_ids *ids, uint32_t slot)
{
	if (ids->free_count == ids->free_capacity) {
		uint32_t capacity = ids->free_capacity ? ids->free_capacity * 2 : FIRST_CAPACITY;
		uint32_t *grown = realloc(ids->free_slots, capacity * sizeof(*grown));
		if (!grown)
			return;
		ids->free_slots = grown;
		ids->free_capacity = capacity;
	}
	ids->free_slots[ids->free_count++] = slot;
}

void live_ids_remove(struct live_ids *ids, uint64_t id)
{
	struct live_id *place = live_ids_find(ids, id);
	BUG_ON(!place);
	give_back_slot(ids, place->slot);
	/* Closes the gap: entries behind it that probed over it move up (Knuth, TAOCP 3, 6.4, algorithm R). */
	uint32_t mask = ids->capacity - 1;
	uint32_t gap = (uint32_t)(place - ids->places);
	for (uint32_t at = (gap + 1) & mask; ids->places[at].id != 0; at = (at + 1) & mask) {
		uint32_t from_home = (at - home(ids, ids->places[at].id)) & mask;
		if (from_home >= ((at - gap) & mask)) {
			ids->places[gap] = ids->places[at];
			gap = at;
		}
	}
	ids->places[gap] = (struct live_id){0};
	ids->count--;
	/* Shrinking is only a matter of memory: without memory for it the table stays. */
	if (ids->capacity > FIRST_CAPACITY && ids->count * 8 < ids->capacity)
		(void)resize(ids, ids->capacity / 2);
}
