/* A hit costs a look at one word of the page: accessed, dirty, and the frame that holds it. Memory of the host decides
 * the speed, so whatever a reference needs is asked for some references ahead. */
#include "faultline/policy_engine.h"
#include "policy_private.h"

enum { ACCESSED = 1, DIRTY = 2, FRAME_SHIFT = 2 };

struct policy_engine {
	struct arena *arena;
	struct policy *policy;
	uint32_t
	    *where;    /* of each resident page: its frame plus one above FRAME_SHIFT, and its bits; 0: not resident */
	uint32_t used; /* frames that hold a page: the first ones */
	uint32_t first_bit; /* of a page that has just come in */
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
	uint32_t *where = &engine->where[policy_key(engine->policy, frame)];
	bool accessed = *where & ACCESSED;
	*where &= ~(uint32_t)ACCESSED;
	return accessed;
}

static bool dirty(void *self, uint32_t frame)
{
	const struct policy_engine *engine = self;
	return engine->where[policy_key(engine->policy, frame)] & DIRTY;
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
					config->pages * sizeof(uint32_t));
	if (!arena)
		return NULL;
	struct policy_engine *engine = arena_new_object(arena, struct policy_engine);
	engine->arena = arena;
	engine->where = arena_new_array(arena, uint32_t, config->pages);
	engine->first_bit = config->hardware || ops->first_reference_counts ? ACCESSED : 0;
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
	uint64_t page;
	uint32_t frame = policy_victim(engine->policy, incoming, &page);
	BUG_ON(frame == POLICY_NO_FRAME);
	uint32_t *where = &engine->where[page];
	engine->result.evictions++;
	engine->result.writebacks += (*where & DIRTY) != 0;
	*where = 0;
	return frame;
}

static uint32_t dirty_bit(uint32_t reference)
{
	return reference >> 31 << 1;
}

static void miss(struct policy_engine *engine, uint32_t reference)
{
	uint32_t page = reference & ~REFERENCE_WRITES;
	bool full = engine->used == engine->policy->config.frames;
	uint32_t frame = full ? evict(engine, page) : engine->used++;
	engine->result.misses++;
	engine->where[page] = (frame + 1) << FRAME_SHIFT | engine->first_bit | dirty_bit(reference);
	policy_insert(engine->policy, frame, page);
}

/* How far ahead the host's memory is asked for a page's word; and, half as far, for what a policy that is told of every
 * reference keeps about its frame. */
enum { AHEAD = 32, NEAR = AHEAD / 2 };

static const uint32_t *word_ahead(const struct policy_engine *engine, const uint32_t *references, size_t i,
				  size_t count, size_t ahead)
{
	return &engine->where[references[i + ahead < count ? i + ahead : count - 1] & ~REFERENCE_WRITES];
}

/* For policies that look at A bits. */
static void feed_bits(struct policy_engine *engine, const uint32_t *references, size_t count)
{
	const uint64_t start = engine->position;
	for (size_t i = 0; i < count; i++) {
		uint32_t reference = references[i];
		uint32_t *where = &engine->where[reference & ~REFERENCE_WRITES];
		__builtin_prefetch(word_ahead(engine, references, i, count, AHEAD), 1);
		if (*where != 0) {
			*where |= ACCESSED | dirty_bit(reference);
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
	const struct policy_ops *ops = engine->policy->ops;
	for (size_t i = 0; i < count; i++) {
		uint32_t reference = references[i];
		uint32_t *where = &engine->where[reference & ~REFERENCE_WRITES];
		__builtin_prefetch(word_ahead(engine, references, i, count, AHEAD), 1);
		uint32_t near = *word_ahead(engine, references, i, count, NEAR);
		if (near != 0 && ops->expect)
			ops->expect(engine->policy, (near >> FRAME_SHIFT) - 1);
		engine->position = start + i;
		if (*where != 0) {
			*where |= dirty_bit(reference);
			ops->touch(engine->policy, (*where >> FRAME_SHIFT) - 1);
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
	return engine->where[page] != 0;
}

const struct policy *policy_engine_policy(const struct policy_engine *engine)
{
	return engine->policy;
}
