/* Ghosts: keys of pages that are not resident, found by hash, in lists by age. Dense entries, zeroed memory is empty.
 */
#ifndef FAULTLINE_POLICY_GHOSTS_H
#define FAULTLINE_POLICY_GHOSTS_H

#include "policy_private.h"

struct ghost {
	uint64_t key;
	uint64_t note;  /* the policy's */
	uint32_t chain; /* next of the bucket, or of the unused ones; entry + 1 */
	uint8_t list;   /* the policy's: which of its lists it is on */
};

struct ghosts {
	struct ghost *entry;
	struct link *links; /* of entries */
	uint32_t *bucket;   /* entry + 1 */
	uint32_t mask;
	uint32_t capacity;
	uint32_t fresh;  /* entries from here on were never used */
	uint32_t unused; /* chain of those that were; entry + 1 */
	uint32_t count;
};

#define NO_GHOST LIST_END

void ghosts_place(struct ghosts *ghosts, struct policy_room *room, uint32_t capacity);
/* NO_GHOST: the key has none. */
uint32_t ghost_find(const struct ghosts *ghosts, uint64_t key);
/* At the end of the list. There must be room. */
uint32_t ghost_add(struct ghosts *ghosts, struct list *list, uint8_t number, uint64_t key);
void ghost_drop(struct ghosts *ghosts, struct list *list, uint32_t entry);

/* The same without a list, for who keeps entries in lists of its own. */
uint32_t ghost_take(struct ghosts *ghosts, uint64_t key);
void ghost_put(struct ghosts *ghosts, uint32_t entry);

#endif
