#include "faultline/frame.h"

#include "faultline/status.h"

enum { NO_FRAME = 0, JUNK = 0x6b };

/* What blocks of 2 MiB are for; without grouping all are for anything. */
enum mobility { MOVABLE, UNMOVABLE, MOBILITIES };
enum { GROUP_ORDER = 9 };

struct frame_pool {
	struct physmem *mem;
	struct bus *bus;
	struct frame *frames; /* by frame number; sparse: a record is touched when its block is */
	uint64_t total;
	uint64_t fresh; /* frames from here on were never used and stand on no list */
	uint64_t free;
	uint64_t low_water;
	uint64_t used[FRAME_USE_COUNT];
	uint8_t *mobility; /* by block of GROUP_ORDER; NULL: no grouping */
	uint32_t head[MOBILITIES][FRAME_MAX_ORDER + 1];
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

void frame_pool_group(struct frame_pool *pool, struct arena *arena)
{
	pool->mobility = arena_new_array(arena, uint8_t, (pool->total >> GROUP_ORDER) + 1);
	pool->mobility[0] = UNMOVABLE; /* what boot takes */
}

uint64_t frame_pool_group_bytes(uint64_t memory_bytes)
{
	return (memory_bytes >> (PAGE_SHIFT + GROUP_ORDER)) + PAGE_BYTES;
}

static enum mobility mobility_of(const struct frame_pool *pool, uint64_t frame)
{
	return pool->mobility ? (enum mobility)pool->mobility[frame >> GROUP_ORDER] : MOVABLE;
}

static enum mobility mobility_for(const struct frame_pool *pool, enum frame_use use)
{
	bool moves = use == FRAME_ANON || use == FRAME_IMAGE || use == FRAME_FILE || use == FRAME_SHMEM;
	return pool->mobility && !moves ? UNMOVABLE : MOVABLE;
}

bool frame_is_grouped(const struct frame_pool *pool, struct pfn frame)
{
	return mobility_of(pool, frame.v) == UNMOVABLE;
}

static uint32_t *list_of(struct frame_pool *pool, uint64_t first, unsigned order)
{
	return &pool->head[mobility_of(pool, first)][order];
}

static void list_push(struct frame_pool *pool, uint64_t first, unsigned order)
{
	struct frame *block = &pool->frames[first];
	block->use = FRAME_FREE;
	block->order = (uint8_t)order;
	block->block_start = true;
	block->prev = NO_FRAME;
	uint32_t *head = list_of(pool, first, order);
	block->next = *head;
	if (block->next != NO_FRAME)
		pool->frames[block->next].prev = (uint32_t)first;
	*head = (uint32_t)first;
	pool->blocks[order]++;
}

static void list_remove(struct frame_pool *pool, uint64_t first)
{
	struct frame *block = &pool->frames[first];
	if (block->prev != NO_FRAME)
		pool->frames[block->prev].next = block->next;
	else
		*list_of(pool, first, block->order) = block->next;
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

/* The smallest free block of at least `order` on these lists; NO_FRAME if there is none. */
static uint32_t smallest_block(const struct frame_pool *pool, unsigned order, enum mobility mobility)
{
	for (unsigned o = order; o <= FRAME_MAX_ORDER; o++) {
		if (pool->head[mobility][o] != NO_FRAME)
			return pool->head[mobility][o];
	}
	return NO_FRAME;
}

static uint32_t largest_block(const struct frame_pool *pool, unsigned order, enum mobility mobility)
{
	for (unsigned o = FRAME_MAX_ORDER + 1; o-- > order;) {
		if (pool->head[mobility][o] != NO_FRAME)
			return pool->head[mobility][o];
	}
	return NO_FRAME;
}

/* try_to_claim_block: as much of a block as is needed, but at least 2 MiB, changes sides. */
static void claim(struct frame_pool *pool, uint64_t first, unsigned wanted, enum mobility mobility)
{
	unsigned order = pool->frames[first].order;
	list_remove(pool, first);
	for (; order > GROUP_ORDER && order > wanted; order--)
		list_push(pool, first + ((uint64_t)1 << (order - 1)), order - 1);
	for (uint64_t i = first; i < first + ((uint64_t)1 << order); i += (uint64_t)1 << GROUP_ORDER)
		pool->mobility[i >> GROUP_ORDER] = (uint8_t)mobility;
	list_push(pool, first, order);
}

/* What others leave: of the largest block as much as is needed, a block of 2 MiB for good. */
static uint32_t fall_back(struct frame_pool *pool, unsigned order, enum mobility mobility)
{
	uint32_t first = largest_block(pool, order, mobility == MOVABLE ? UNMOVABLE : MOVABLE);
	if (first != NO_FRAME && pool->frames[first].order >= GROUP_ORDER)
		claim(pool, first, order, mobility);
	return first;
}

/* A free block of at least `order`; NO_FRAME if there is none. */
static uint32_t find_block(struct frame_pool *pool, unsigned order, enum mobility mobility)
{
	do {
		uint32_t first = smallest_block(pool, order, mobility);
		if (first == NO_FRAME && mobility == UNMOVABLE)
			first = fall_back(pool, order, mobility);
		if (first != NO_FRAME)
			return first;
	} while (carve_fresh(pool));
	return fall_back(pool, order, mobility);
}

/* A block that stands on no list is somebody's now. */
static void give(struct frame_pool *pool, uint64_t first, unsigned order, enum frame_use use)
{
	uint64_t count = (uint64_t)1 << order;
	pool->frames[first] = (struct frame){.use = (uint8_t)use, .order = (uint8_t)order, .block_start = true};
	pool->free -= count;
	pool->used[use] += count;
	if (pool->free < pool->low_water)
		pool->low_water = pool->free;
	emit(pool->bus, EVENT_FRAME_ALLOC, first, event_text(uses[use].name), order);
}

bool frame_take(struct frame_pool *pool, unsigned order, enum frame_use use, struct pfn *out)
{
	BUG_ON(order > FRAME_MAX_ORDER || use == FRAME_FREE);
	uint32_t first = find_block(pool, order, mobility_for(pool, use));
	if (first == NO_FRAME)
		return false;
	unsigned have = pool->frames[first].order;
	list_remove(pool, first);
	while (have > order) {
		have--;
		list_push(pool, first + ((uint64_t)1 << have), have);
	}
	*out = pfn(first);
	give(pool, first, order, use);
	return true;
}

/* What lies before the next gigantic block goes to the lists. */
bool frame_take_gigantic(struct frame_pool *pool, enum frame_use use, struct pfn *out)
{
	const uint64_t count = (uint64_t)1 << FRAME_GIGANTIC_ORDER;
	const uint64_t first = align_up(pool->fresh, count);
	if (first + count > pool->total)
		return false;
	while (pool->fresh < first)
		(void)carve_fresh(pool);
	pool->fresh += count;
	for (uint64_t i = first; pool->mobility && i < first + count; i += (uint64_t)1 << GROUP_ORDER)
		pool->mobility[i >> GROUP_ORDER] = UNMOVABLE;
	*out = pfn(first);
	give(pool, first, FRAME_GIGANTIC_ORDER, use);
	return true;
}

bool frame_is_free(const struct frame_pool *pool, struct pfn frame, unsigned *order)
{
	for (*order = 0; *order <= FRAME_MAX_ORDER && frame.v < pool->fresh; ++*order) {
		const struct frame *block = &pool->frames[align_down(frame.v, (uint64_t)1 << *order)];
		if (block->block_start && block->order >= *order) {
			*order = block->order;
			return block->use == FRAME_FREE;
		}
	}
	return false;
}

void frame_take_at(struct frame_pool *pool, struct pfn frame, enum frame_use use)
{
	unsigned order;
	bool is_free = frame_is_free(pool, frame, &order);
	BUG_ON(!is_free);
	uint64_t first = align_down(frame.v, (uint64_t)1 << order);
	list_remove(pool, first);
	while (order > 0) {
		order--;
		uint64_t upper = first + ((uint64_t)1 << order);
		list_push(pool, frame.v < upper ? upper : first, order);
		first = frame.v < upper ? first : upper;
	}
	give(pool, first, 0, use);
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
		if (!other->block_start || other->use != FRAME_FREE || other->order != order ||
		    mobility_of(pool, buddy) != mobility_of(pool, first))
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

static void add_blocks(struct free_blocks *free, unsigned order, uint64_t count)
{
	free->of[order] += count;
	free->total += count;
	free->pages += count << order;
}

/* Frames that were never used stand on no list; they are free in the largest blocks that fit. */
static void add_fresh(const struct frame_pool *pool, struct free_blocks *free)
{
	uint64_t total = frame_pool_total(pool);
	for (uint64_t at = total - (frame_pool_free(pool) - free->pages); at < total;) {
		unsigned order = 0;
		while (order < FRAME_MAX_ORDER && (at & (((uint64_t)2 << order) - 1)) == 0 &&
		       at + ((uint64_t)2 << order) <= total)
			order++;
		add_blocks(free, order, 1);
		at += (uint64_t)1 << order;
	}
}

struct free_blocks frame_pool_blocks(const struct frame_pool *pool)
{
	struct free_blocks free = {.pages = 0};
	for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++)
		add_blocks(&free, order, pool->blocks[order]);
	add_fresh(pool, &free);
	return free;
}

static uint64_t count_list(const struct frame_pool *pool, unsigned order, enum mobility mobility, const char **why)
{
	uint64_t count = 0;
	uint32_t prev = NO_FRAME;
	for (uint32_t i = pool->head[mobility][order]; i != NO_FRAME; i = pool->frames[i].next) {
		const struct frame *block = &pool->frames[i];
		if (block->use != FRAME_FREE || !block->block_start || block->order != order || block->prev != prev)
			*why = "a free list holds a block that is not a free block of its order";
		if ((i & (((uint64_t)1 << order) - 1)) != 0)
			*why = "a free block is not aligned to its size";
		if (mobility_of(pool, i) != mobility)
			*why = "a free block is on the list of those for other uses";
		prev = i;
		count++;
	}
	return count;
}

static uint64_t count_listed(const struct frame_pool *pool, unsigned order, const char **why)
{
	uint64_t count = count_list(pool, order, MOVABLE, why) + count_list(pool, order, UNMOVABLE, why);
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
