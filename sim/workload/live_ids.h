/* The live IDs of an op list and their slots: memory in proportion to how many live at once, however long the list. */
#ifndef FAULTLINE_WORKLOAD_LIVE_IDS_H
#define FAULTLINE_WORKLOAD_LIVE_IDS_H

#include <stdbool.h>
#include <stdint.h>

struct live_id {
	uint64_t id; /* 0: empty */
	uint32_t slot;
	uint32_t pages; /* of a mapping; 0: a block */
};

/* Open addressing with linear probing; between an eighth and a half of the places are used once it has grown.
 * Slots come from `slots`, those given back first. */
struct live_ids {
	struct live_id *places;
	uint32_t capacity; /* power of two, 0 before the first */
	uint32_t count;
	uint32_t *free_slots;
	uint32_t free_count, free_capacity;
	uint32_t slots; /* ever made */
};

void live_ids_release(struct live_ids *ids);
/* False: the host has no memory, *out is empty. */
bool live_ids_copy(struct live_ids *out, const struct live_ids *ids);
struct live_id *live_ids_find(struct live_ids *ids, uint64_t id); /* NULL: not alive */
/* A new entry for an ID that is not alive. NULL: the host has no memory. */
struct live_id *live_ids_add(struct live_ids *ids, uint64_t id);
void live_ids_remove(struct live_ids *ids, uint64_t id);

#endif
