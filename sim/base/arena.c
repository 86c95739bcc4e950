#include "faultline/arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "faultline/status.h"

struct arena {
	size_t reserved;
	size_t used; /* from the start of this struct, which is the first thing in the arena */
};

struct arena *arena_new(size_t reserve_bytes)
{
	void *base = mmap(NULL, reserve_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			  0);
	if (base == MAP_FAILED)
		return NULL;
	/* One small write must cost the host one small page: the simulated RAM is sparse. */
	(void)madvise(base, reserve_bytes, MADV_NOHUGEPAGE);
	struct arena *arena = base;
	arena->reserved = reserve_bytes;
	arena->used = sizeof(*arena);
	return arena;
}

void arena_free(struct arena *arena)
{
	if (arena)
		munmap(arena, arena->reserved);
}

void *arena_alloc(struct arena *arena, size_t bytes, size_t align)
{
	size_t start = (arena->used + align - 1) & ~(align - 1);
	BUG_ON(start > arena->reserved || bytes > arena->reserved - start);
	arena->used = start + bytes;
	return (uint8_t *)arena + start;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}

void pool_init(struct pool *pool, struct arena *arena, size_t object_bytes)
{
	size_t bytes = object_bytes < sizeof(void *) ? sizeof(void *) : object_bytes;
	*pool = (struct pool){.arena = arena, .object_bytes = (bytes + 15) & ~(size_t)15};
}

void *pool_take(struct pool *pool)
{
	pool->live++;
	void *object = pool->free_list;
	if (!object)
		return arena_alloc(pool->arena, pool->object_bytes, 16);
	memcpy(&pool->free_list, object, sizeof(void *));
	memset(object, 0, pool->object_bytes);
	return object;
}

void pool_put(struct pool *pool, void *object)
{
	BUG_ON(pool->live == 0);
	pool->live--;
	memcpy(object, &pool->free_list, sizeof(void *));
	pool->free_list = object;
}
