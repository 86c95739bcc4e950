/* A chained hash of dense entries; the chains are never walked for their order, so no hash order gets out. */
#include "ghosts.h"

void ghosts_place(struct ghosts *ghosts, struct policy_room *room, uint32_t capacity)
{
	uint32_t buckets = 1;
	while (buckets < capacity && buckets < UINT32_C(1) << 31)
		buckets *= 2;
	ghosts->capacity = capacity;
	ghosts->mask = buckets - 1;
	ghosts->entry = room_array(room, struct ghost, capacity);
	ghosts->links = room_array(room, struct link, capacity);
	ghosts->bucket = room_array(room, uint32_t, buckets);
}

static uint32_t *bucket_of(const struct ghosts *ghosts, uint64_t key)
{
	return &ghosts->bucket[(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & ghosts->mask];
}

uint32_t ghost_find(const struct ghosts *ghosts, uint64_t key)
{
	if (ghosts->count == 0)
		return NO_GHOST;
	uint32_t entry = *bucket_of(ghosts, key) - 1;
	while (entry != NO_GHOST && ghosts->entry[entry].key != key)
		entry = ghosts->entry[entry].chain - 1;
	return entry;
}

uint32_t ghost_take(struct ghosts *ghosts, uint64_t key)
{
	uint32_t entry = ghosts->unused - 1;
	uint32_t *bucket = bucket_of(ghosts, key);
	if (entry != NO_GHOST)
		ghosts->unused = ghosts->entry[entry].chain;
	else
		entry = ghosts->fresh++;
	BUG_ON(entry >= ghosts->capacity);
	ghosts->entry[entry] = (struct ghost){.key = key, .chain = *bucket};
	*bucket = entry + 1;
	ghosts->count++;
	return entry;
}

void ghost_put(struct ghosts *ghosts, uint32_t entry)
{
	uint32_t *link = bucket_of(ghosts, ghosts->entry[entry].key);
	while (*link != entry + 1)
		link = &ghosts->entry[*link - 1].chain;
	*link = ghosts->entry[entry].chain;
	ghosts->entry[entry].chain = ghosts->unused;
	ghosts->unused = entry + 1;
	ghosts->count--;
}

uint32_t ghost_add(struct ghosts *ghosts, struct list *list, uint8_t number, uint64_t key)
{
	uint32_t entry = ghost_take(ghosts, key);
	ghosts->entry[entry].list = number;
	list_append(list, ghosts->links, entry);
	return entry;
}

void ghost_drop(struct ghosts *ghosts, struct list *list, uint32_t entry)
{
	list_remove(list, ghosts->links, entry);
	ghost_put(ghosts, entry);
}
