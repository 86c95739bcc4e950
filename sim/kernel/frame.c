#include "faultline/frame.h"

#include "faultline/status.h"

enum { NO_FRAME = 0, JUNK = 0x6b };

struct frame_pool {
	struct physmem *mem;
	struct bus *bus;
	struct frame *frames; /* by frame number; sparse: a record is touched when its block is */
	uint64_t total;
	uint64_t fresh; /* frames from here on were never used and stand on no list */
	uint64_t free;
	uint64_t low_water;
	uint64_t used[FRAME_USE_COUNT];
	uint32_t head[FRAME_MAX_ORDER + 1];
	uint64_t blocks[FRAME_MAX_ORDER + 1];
	bool junk;
};

static const struct {
	const char *name;
	char glyph;
} uses[] = {
#define X(id, name, glyph, text) [FRAME_##id] = {#name, glyph},
    FRAME_USE_LIST(X)
#undef X
};

const char *frame_use_name(enum frame_use use)
{
	return uses[use].name;
}

char frame_use_glyph(enum frame_use use)
{
	return uses[use].glyph;
}

struct frame_pool *frame_pool_new(struct arena *arena, struct physmem *mem, struct bus *bus, bool junk)
{
	struct frame_pool *pool = arena_new_object(arena, struct frame_pool);
	pool->mem = mem;
	pool->bus = bus;
	pool->junk = junk;
	pool->total = physmem_bytes(mem) / PAGE_BYTES;
	BUG_ON(pool->total > UINT32_MAX);
	pool->frames = arena_new_array(arena, struct frame, pool->total);
	/* Frame 0 means "none" everywhere, so it is kept out of circulation. */
	pool->frames[0] = (struct frame){.use = FRAME_KERNEL, .block_start = true};
	pool->used[FRAME_KERNEL] = 1;
	pool->fresh = 1;
	pool->free = pool->total - 1;
	pool->low_water = pool->free;
	return pool;
}

static void list_push(struct frame_pool *pool, uint64_t first, unsigned order)
{
	struct frame *block = &pool->frames[first];
	block->use = FRAME_FREE;
	block->order = (uint8_t)order;
	block->block_start = true;
	block->prev = NO_FRAME;
	block->next = pool->head[order];
	if (block->next != NO_FRAME)
		pool->frames[block->next].prev = (uint32_t)first;
	pool->head[order] = (uint32_t)first;
	pool->blocks[order]++;
}

static void list_remove(struct frame_pool *pool, uint64_t first)
{
	struct frame *block = &pool->frames[first];
	if (block->prev != NO_FRAME)
		pool->frames[block->prev].next = block->next;
	else
		pool->head[block->order] = block->next;
	if (block->next != NO_FRAME)
		pool->frames[block->next].prev = block->prev;
	pool->blocks[block->order]--;
	block->block_start = false;
}

/* Puts the next never-used frames on a list, as the largest block that is aligned and fits. */
static bool carve_fresh(struct frame_pool *pool)
{
	if (pool->fresh == pool->total)
		return false;
	unsigned order = 0;
	while (order < FRAME_MAX_ORDER && (pool->fresh & (((uint64_t)2 << order) - 1)) == 0 &&
	       pool->fresh + ((uint64_t)2 << order) <= pool->total)
		order++;
	list_push(pool, pool->fresh, order);
	pool->fresh += (uint64_t)1 << order;
	return true;
}

/* The smallest free block of at least `order`; NO_FRAME if there is none. */
static uint32_t find_block(struct frame_pool *pool, unsigned order)
{
	do {
		for (unsigned o = order; o <= FRAME_MAX_ORDER; o++) {
			if (pool->head[o] != NO_FRAME)
				return pool->head[o];
		}
	} while (carve_fresh(pool));
	return NO_FRAME;
}

bool frame_take(struct frame_pool *pool, unsigned order, enum frame_use use, struct pfn *out)
{
	BUG_ON(order > FRAME_MAX_ORDER || use == FRAME_FREE);
	uint32_t first = find_block(pool, order);
	if (first == NO_FRAME)
		return false;
	unsigned have = pool->frames[first].order;
	list_remove(pool, first);
	while (have > order) {
		have--;
		list_push(pool, first + ((uint64_t)1 << have), have);
	}
	uint64_t count = (uint64_t)1 << order;
	pool->frames[first] = (struct frame){.use = (uint8_t)use, .order = (uint8_t)order, .block_start = true};
	pool->free -= count;
	pool->used[use] += count;
	if (pool->free < pool->low_water)
		pool->low_water = pool->free;
	*out = pfn(first);
	emit(pool->bus, EVENT_FRAME_ALLOC, first, event_text(uses[use].name), order);
	return true;
}

static void junk_block(struct frame_pool *pool, uint64_t first, unsigned order)
{
	for (uint64_t i = first; i < first + ((uint64_t)1 << order); i++) {
		if (physmem_has_content(pool->mem, pfn(i)))
			physmem_fill(pool->mem, pfn(i), JUNK);
	}
}

/* A record behind the first has the order of the block only if it was shared: no free block starts there. */
static bool is_shared(const struct frame_pool *pool, uint64_t first, unsigned order)
{
	return order != 0 && pool->frames[first + 1].order == order;
}

void frame_share(struct frame_pool *pool, struct pfn first)
{
	struct frame record = pool->frames[first.v];
	uint64_t count = (uint64_t)1 << record.order;
	record.block_start = false;
	for (uint64_t i = 1; i < count; i++)
		pool->frames[first.v + i] = record;
}

void frame_split(struct frame_pool *pool, struct pfn first)
{
	uint64_t count = (uint64_t)1 << pool->frames[first.v].order;
	for (uint64_t i = first.v; i < first.v + count; i++) {
		pool->frames[i].order = 0;
		pool->frames[i].block_start = true;
	}
}

static void forget_shared(struct frame_pool *pool, uint64_t first, unsigned order)
{
	for (uint64_t i = first + 1; i < first + ((uint64_t)1 << order); i++) {
		BUG_ON(pool->frames[i].mappings != 0);
		pool->frames[i] = (struct frame){.use = FRAME_FREE};
	}
}

void frame_put(struct frame_pool *pool, struct pfn frame)
{
	uint64_t first = frame.v;
	struct frame *block = &pool->frames[first];
	BUG_ON(!block->block_start || block->use == FRAME_FREE || block->mappings != 0);
	unsigned order = block->order;
	uint64_t count = (uint64_t)1 << order;
	if (is_shared(pool, first, order))
		forget_shared(pool, first, order);
	pool->used[block->use] -= count;
	pool->free += count;
	block->block_start = false;
	block->use = FRAME_FREE;
	if (pool->junk)
		junk_block(pool, first, order);
	emit(pool->bus, EVENT_FRAME_FREE, first, order);
	while (order < FRAME_MAX_ORDER) {
		uint64_t buddy = first ^ ((uint64_t)1 << order);
		if (buddy + ((uint64_t)1 << order) > pool->fresh)
			break;
		const struct frame *other = &pool->frames[buddy];
		if (!other->block_start || other->use != FRAME_FREE || other->order != order)
			break;
		list_remove(pool, buddy);
		first &= buddy;
		order++;
	}
	list_push(pool, first, order);
}

struct frame *frame_at(struct frame_pool *pool, struct pfn frame)
{
	BUG_ON(frame.v >= pool->fresh);
	return &pool->frames[frame.v];
}

const struct frame *frame_peek(const struct frame_pool *pool, struct pfn frame)
{
	return frame.v < pool->fresh ? &pool->frames[frame.v] : NULL;
}

uint64_t frame_pool_total(const struct frame_pool *pool)
{
	return pool->total;
}

uint64_t frame_pool_free(const struct frame_pool *pool)
{
	return pool->free;
}

uint64_t frame_pool_used(const struct frame_pool *pool, enum frame_use use)
{
	return pool->used[use];
}

uint64_t frame_pool_low_water(const struct frame_pool *pool)
{
	return pool->low_water;
}

uint64_t frame_pool_free_blocks(const struct frame_pool *pool, unsigned order)
{
	BUG_ON(order > FRAME_MAX_ORDER);
	return pool->blocks[order];
}

static uint64_t count_listed(const struct frame_pool *pool, unsigned order, const char **why)
{
	uint64_t count = 0;
	uint32_t prev = NO_FRAME;
	for (uint32_t i = pool->head[order]; i != NO_FRAME; i = pool->frames[i].next) {
		const struct frame *block = &pool->frames[i];
		if (block->use != FRAME_FREE || !block->block_start || block->order != order || block->prev != prev)
			*why = "a free list holds a block that is not a free block of its order";
		if ((i & (((uint64_t)1 << order) - 1)) != 0)
			*why = "a free block is not aligned to its size";
		prev = i;
		count++;
	}
	if (count != pool->blocks[order])
		*why = "a free list is longer or shorter than its count";
	return count << order;
}

bool frame_pool_check(const struct frame_pool *pool, const char **why)
{
	*why = NULL;
	uint64_t free = pool->total - pool->fresh;
	for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++)
		free += count_listed(pool, order, why);
	uint64_t used = 0;
	for (unsigned use = 0; use < FRAME_USE_COUNT; use++)
		used += pool->used[use];
	if (free != pool->free)
		*why = "the free lists and the count of free frames differ";
	else if (pool->free + used != pool->total)
		*why = "free frames + used frames is not the total";
	return *why == NULL;
}
