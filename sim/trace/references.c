/* The string itself and the numbering of its pages. */
#include "faultline/references.h"

#include <stdlib.h>
#include <string.h>

#include "references_packed.h"

enum { FIRST_ROOM = 1024 };

static void *grown(void *memory, size_t bytes)
{
	void *larger = realloc(memory, bytes);
	BUG_ON(!larger);
	return larger;
}

static uint32_t *clear_hash(uint32_t buckets)
{
	uint32_t *hash = calloc(buckets, sizeof(*hash));
	BUG_ON(!hash);
	return hash;
}

void references_init(struct references *references)
{
	*references = (struct references){
	    .room = FIRST_ROOM, .number_room = FIRST_ROOM, .hash_mask = 2 * FIRST_ROOM - 1};
	references->page = grown(NULL, references->room * sizeof(*references->page));
	references->number = grown(NULL, references->number_room * sizeof(*references->number));
	references->hash = clear_hash(references->hash_mask + 1);
}

void references_release(struct references *references)
{
	free(references->page);
	free(references->number);
	free(references->hash);
	references_packed_free(references->packed);
	*references = (struct references){0};
}

/* Where the dense number of this page stands, plus one, or 0 where it is to be put. */
static uint32_t *find(const struct references *references, uint64_t number)
{
	uint64_t at = number * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	uint32_t *bucket = &references->hash[at & references->hash_mask];
	while (*bucket && references->number[*bucket - 1] != number)
		bucket = &references->hash[++at & references->hash_mask];
	return bucket;
}

static void grow_numbers(struct references *references, uint64_t pages)
{
	while (references->number_room < pages)
		references->number_room *= 2;
	references->number = grown(references->number, references->number_room * sizeof(*references->number));
}

static void hash_all(struct references *references)
{
	free(references->hash);
	references->hash_mask = 2 * references->number_room - 1;
	references->hash = clear_hash(references->hash_mask + 1);
	for (uint32_t i = 0; i < references->pages; i++)
		*find(references, references->number[i]) = i + 1;
	references->hashed = references->pages;
}

uint32_t references_page(struct references *references, uint64_t number)
{
	if (references->hashed < references->pages)
		hash_all(references);
	uint32_t *bucket = find(references, number);
	if (*bucket)
		return *bucket - 1;
	if (references->pages == references->number_room) {
		grow_numbers(references, references->pages + UINT64_C(1));
		hash_all(references);
		bucket = find(references, number);
	}
	references->number[references->pages] = number;
	*bucket = references->hashed = ++references->pages;
	return references->pages - 1;
}

void references_new_pages(struct references *references, const uint64_t *numbers, uint32_t count)
{
	if (references->pages + (uint64_t)count > references->number_room)
		grow_numbers(references, references->pages + (uint64_t)count);
	memcpy(references->number + references->pages, numbers, count * sizeof(*numbers));
	references->pages += count;
}

uint32_t *references_room(struct references *references, uint64_t count)
{
	BUG_ON(references->packed);
	if (references->count + count > references->room) {
		references->room = 2 * references->room + count;
		references->page = grown(references->page, references->room * sizeof(*references->page));
	}
	return references->page + references->count;
}

void references_add(struct references *references, uint64_t number, bool writes)
{
	uint32_t page = references_page(references, number);
	*references_room(references, 1) = page | (writes ? REFERENCES_WRITE : 0);
	references->count++;
}
