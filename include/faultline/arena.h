/* A world is one arena: every byte of simulated state lives in one reservation of host address space. Memory is handed
 * out from the front, comes zeroed, costs the host nothing until it is touched, and goes away in one call. */
#ifndef FAULTLINE_ARENA_H
#define FAULTLINE_ARENA_H

#include <stddef.h>

struct arena;

/* Reserves address space, not memory. NULL: the host refuses. The caller owns the arena. */
struct arena *arena_new(size_t reserve_bytes);
void arena_free(struct arena *arena); /* NULL is allowed */

/* Zeroed memory at a multiple of `align` (a power of two); lives as long as the arena. Running past the reservation is
 * our bug: the creator of a world sizes it. */
void *arena_alloc(struct arena *arena, size_t bytes, size_t align);
/* Bytes handed out. */
size_t arena_used(const struct arena *arena);

#define arena_new_object(arena, type) ((type *)arena_alloc((arena), sizeof(type), _Alignof(type)))
#define arena_new_array(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count), _Alignof(type)))

/* Objects of one size that come and go inside an arena. pool_take returns zeroed memory; pool_put recycles it. */
struct pool {
	struct arena *arena;
	void *free_list;
	size_t object_bytes;
	size_t live; /* taken and not yet put back */
};

void pool_init(struct pool *pool, struct arena *arena, size_t object_bytes);
void *pool_take(struct pool *pool);
void pool_put(struct pool *pool, void *object); /* NULL is not allowed */

#endif
