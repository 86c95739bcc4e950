/* A hit costs a look at one byte of the page: resident, accessed, dirty. Only policies that are told of every reference
 * need the frame as well. */
#include "faultline/policy_engine.h"

#include "policy_private.h"

enum { RESIDENT = 1, ACCESSED = 2, DIRTY = 4, AHEAD = 24 };

struct policy_engine {
	struct arena *arena;
	struct policy *policy;
	uint8_t *bits;      /* of each page; 0: not resident */
	uint32_t *frame_of; /* of each resident page, plus one; 0: not resident */
	uint32_t *page_of;  /* of each used frame */
	uint32_t used;      /* frames that hold a page: the first ones */
	uint8_t first_bits; /* of a page that has just come in */
	uint64_t position;  /* of the reference at work */
	uint64_t next_tick;
	uint64_t tick;
	const uint32_t *next_use;
	struct policy_engine_result result;
};

/* ---- what the policy sees ---- */

static bool test_and_clear_accessed(void *self, uint32_t frame)
{
	const struct policy_engine *engine = self;
	uint8_t *bits = &engine->bits[engine->page_of[frame]];
	bool accessed = *bits & ACCESSED;
	*bits &= (uint8_t)~ACCESSED;
	return accessed;
}

static bool dirty(void *self, uint32_t frame)
{
	const struct policy_engine *engine = self;
	return engine->bits[engine->page_of[frame]] & DIRTY;
}

static uint64_t time_now(void *self)
{
	return ((const struct policy_engine *)self)->position;
}

static uint64_t use_after(void *self, uint32_t frame)
{
	const struct policy_engine *engine = self;
	(void)frame;
	uint32_t next = engine->next_use[engine->position];
	return next == UINT32_MAX ? UINT64_MAX : next;
}

bool policy_knows_future(const struct policy_ops *ops)
{
	return ops == &policy_opt || ops == &policy_unopt;
}

/* ---- life ---- */

struct policy_engine *policy_engine_new(const struct policy_ops *ops, const struct policy_engine_config *config)
{
	const uint64_t frames = config->frames;
	const struct policy_config inner = {.frames = config->frames,
					    .capacity = config->frames,
					    .window = config->window ? config->window : frames,
					    .seed = config->seed};
	struct policy_view view = {.test_and_clear_accessed = test_and_clear_accessed,
				   .is_dirty = dirty,
				   .now = time_now,
				   .next_use = config->next_use ? use_after : NULL};
	struct arena *arena = arena_new(policy_bytes(ops, &inner) + sizeof(struct policy_engine) + 256 +
					config->pages * (sizeof(uint8_t) + sizeof(uint32_t)) +
					frames * sizeof(uint32_t));
	if (!arena)
		return NULL;
	struct policy_engine *engine = arena_new_object(arena, struct policy_engine);
	engine->arena = arena;
	engine->bits = arena_new_array(arena, uint8_t, config->pages);
	engine->frame_of = arena_new_array(arena, uint32_t, config->pages);
	engine->page_of = arena_new_array(arena, uint32_t, frames);
	engine->first_bits = config->hardware || ops->first_reference_counts ? RESIDENT | ACCESSED : RESIDENT;
	engine->next_use = config->next_use;
	engine->tick = ops->tick ? (config->tick ? config->tick : frames) : UINT64_MAX;
	engine->next_tick = engine->tick;
	view.self = engine;
	engine->policy = policy_new(arena, ops, &inner, &view);
	return engine;
}

void policy_engine_free(struct policy_engine *engine)
{
	if (engine)
		arena_free(engine->arena);
}

/* ---- references ---- */

static uint32_t evict(struct policy_engine *engine, uint32_t incoming)
{
	uint32_t frame = policy_victim(engine->policy, incoming);
	BUG_ON(frame == POLICY_NO_FRAME);
	uint32_t page = engine->page_of[frame];
	engine->result.evictions++;
	engine->result.writebacks += (engine->bits[page] & DIRTY) != 0;
	engine->bits[page] = 0;
	engine->frame_of[page] = 0;
	return frame;
}

static uint8_t dirty_bit(uint32_t reference)
{
	return reference & REFERENCE_WRITES ? DIRTY : 0;
}

static void miss(struct policy_engine *engine, uint32_t reference)
{
	uint32_t page = reference & ~REFERENCE_WRITES;
	bool full = engine->used == engine->policy->config.frames;
	uint32_t frame = full ? evict(engine, page) : engine->used++;
	engine->result.misses++;
	engine->frame_of[page] = frame + 1;
	engine->page_of[frame] = page;
	engine->bits[page] = engine->first_bits | dirty_bit(reference);
	policy_insert(engine->policy, frame, page);
}

/* The page some references ahead, which the host's memory may begin to fetch. */
static uint32_t page_ahead(const uint32_t *references, size_t i, size_t count)
{
	return references[i + AHEAD < count ? i + AHEAD : count - 1] & ~REFERENCE_WRITES;
}

/* For policies that look at A bits. */
static void feed_bits(struct policy_engine *engine, const uint32_t *references, size_t count)
{
	const uint64_t start = engine->position;
	uint8_t *bits = engine->bits;
	for (size_t i = 0; i < count; i++) {
		uint32_t reference = references[i];
		uint8_t *page = &bits[reference & ~REFERENCE_WRITES];
		__builtin_prefetch(&bits[page_ahead(references, i, count)], 1);
		if (*page != 0) {
			*page |= (uint8_t)(ACCESSED | dirty_bit(reference));
		} else {
			engine->position = start + i;
			miss(engine, reference);
		}
	}
	engine->position = start + count;
}

/* For policies that are told. */
static void feed_told(struct policy_engine *engine, const uint32_t *references, size_t count)
{
	const uint64_t start = engine->position;
	void (*touch)(struct policy *, uint32_t) = engine->policy->ops->touch;
	for (size_t i = 0; i < count; i++) {
		uint32_t reference = references[i];
		uint32_t page = reference & ~REFERENCE_WRITES;
		uint32_t frame = engine->frame_of[page];
		__builtin_prefetch(&engine->frame_of[page_ahead(references, i, count)]);
		engine->position = start + i;
		if (frame != 0) {
			if (reference & REFERENCE_WRITES)
				engine->bits[page] |= DIRTY;
			touch(engine->policy, frame - 1);
		} else {
			miss(engine, reference);
		}
	}
	engine->position = start + count;
}

void policy_engine_feed(struct policy_engine *engine, const uint32_t *references, size_t count)
{
	void (*feed)(struct policy_engine *, const uint32_t *, size_t) = engine->policy->ops->touch ? feed_told
												    : feed_bits;
	engine->result.references += count;
	while (count > 0) {
		uint64_t until_tick = engine->next_tick - engine->position;
		size_t now = count < until_tick ? count : (size_t)until_tick;
		feed(engine, references, now);
		references += now;
		count -= now;
		if (engine->position == engine->next_tick) {
			policy_tick(engine->policy);
			engine->next_tick += engine->tick;
		}
	}
}

struct policy_engine_result policy_engine_result(const struct policy_engine *engine)
{
	return engine->result;
}

bool policy_engine_has(const struct policy_engine *engine, uint32_t page)
{
	return engine->bits[page] != 0;
}

const struct policy *policy_engine_policy(const struct policy_engine *engine)
{
	return engine->policy;
}
