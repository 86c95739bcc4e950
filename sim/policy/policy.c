/* The registry, and what a policy is before it decides anything: its memory, which frames it holds, their keys. */
#include "faultline/policy.h"

#include <string.h>

#include "policy_private.h"

enum { STATE_MOST_BYTES = 512, ROOM_ALIGN = 16 };

#define X(name) &policy_##name,
const struct policy_ops *const policy_registry[] = {POLICY_LIST(X) NULL};
#undef X

const struct policy_ops *policy_find(const char *name)
{
	for (unsigned i = 0; policy_registry[i]; i++) {
		if (strcmp(policy_registry[i]->name, name) == 0)
			return policy_registry[i];
	}
	return NULL;
}

const char *policy_kind_name(enum policy_kind kind)
{
	return kind == POLICY_IDEAL ? "ideal" : "realizable";
}

void *room_take(struct policy_room *room, size_t count, size_t object_bytes)
{
	size_t bytes = (count * object_bytes + ROOM_ALIGN - 1) & ~(size_t)(ROOM_ALIGN - 1);
	room->bytes += bytes;
	return room->arena ? arena_alloc(room->arena, bytes, ROOM_ALIGN) : NULL;
}

static void place(struct policy *policy, void *state, struct policy_room *room)
{
	policy->no_key = room_array(room, uint64_t, policy->config.frames);
	policy->ops->place(state, &policy->config, room);
}

size_t policy_bytes(const struct policy_ops *ops, const struct policy_config *config)
{
	_Alignas(ROOM_ALIGN) uint8_t state[STATE_MOST_BYTES] = {0};
	struct policy policy = {.ops = ops, .config = *config};
	struct policy_room room = {0};
	BUG_ON(ops->state_bytes > sizeof(state));
	(void)room_take(&room, 1, sizeof(struct policy));
	(void)room_take(&room, 1, ops->state_bytes);
	place(&policy, state, &room);
	return room.bytes + ROOM_ALIGN;
}

struct policy *policy_new(struct arena *arena, const struct policy_ops *ops, const struct policy_config *config,
			  const struct policy_view *view)
{
	struct policy_room room = {.arena = arena};
	struct policy *policy = room_take(&room, 1, sizeof(*policy));
	BUG_ON(config->frames == UINT32_MAX || config->capacity > config->frames);
	policy->ops = ops;
	policy->config = *config;
	policy->view = *view;
	policy->rng = rng_seeded(config->seed);
	policy->state = room_take(&room, 1, ops->state_bytes);
	place(policy, policy->state, &room);
	return policy;
}

const struct policy_ops *policy_ops(const struct policy *policy)
{
	return policy->ops;
}

uint32_t policy_resident(const struct policy *policy)
{
	return policy->resident;
}

bool policy_holds(const struct policy *policy, uint32_t frame)
{
	return policy->no_key[frame] != 0;
}

uint64_t policy_key(const struct policy *policy, uint32_t frame)
{
	return ~policy->no_key[frame];
}

void policy_insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	BUG_ON(frame >= policy->config.frames || key == POLICY_NO_KEY || policy_holds(policy, frame));
	policy->no_key[frame] = ~key;
	policy->resident++;
	policy->ops->insert(policy, frame, key);
}

void policy_remove(struct policy *policy, uint32_t frame)
{
	BUG_ON(frame >= policy->config.frames || !policy_holds(policy, frame));
	policy->ops->remove(policy, frame);
	policy->no_key[frame] = 0;
	policy->resident--;
}

uint32_t policy_victim(struct policy *policy, uint64_t incoming, uint64_t *key)
{
	if (policy->resident == 0)
		return POLICY_NO_FRAME;
	uint32_t frame = policy->ops->victim(policy, incoming);
	if (frame == POLICY_NO_FRAME)
		return frame;
	BUG_ON(!policy_holds(policy, frame));
	*key = policy_key(policy, frame);
	policy->no_key[frame] = 0;
	policy->resident--;
	return frame;
}

void policy_touch(struct policy *policy, uint32_t frame)
{
	if (policy->ops->touch)
		policy->ops->touch(policy, frame);
}

void policy_tick(struct policy *policy)
{
	if (policy->ops->tick)
		policy->ops->tick(policy);
}

void policy_forget(struct policy *policy, uint64_t key)
{
	if (policy->ops->forget)
		policy->ops->forget(policy, key);
}

const char *policy_check(const struct policy *policy)
{
	uint32_t held = 0;
	for (uint32_t frame = 0; frame < policy->config.frames; frame++)
		held += policy_holds(policy, frame);
	if (held != policy->resident)
		return "the number of resident frames differs from the frames that are held";
	return policy->ops->check ? policy->ops->check(policy) : NULL;
}

uint32_t list_first_evictable(const struct policy *policy, const struct list *list, const struct link *links)
{
	uint32_t frame = list_first(list);
	while (frame != LIST_END && !is_evictable(policy, frame))
		frame = list_next(links, frame);
	return frame;
}
