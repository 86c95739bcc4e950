/* Any page. Frames stand in an array without gaps, so that one draw finds one. */
#include "policy_private.h"

enum { DRAWS = 16 };

struct random_pages {
	uint32_t *frame; /* `resident` of them */
	uint32_t *place; /* of each frame in that array */
	uint32_t count;
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct random_pages *pages = state;
	pages->frame = room_array(room, uint32_t, config->frames);
	pages->place = room_array(room, uint32_t, config->frames);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct random_pages *pages = policy->state;
	(void)key;
	pages->place[frame] = pages->count;
	pages->frame[pages->count++] = frame;
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct random_pages *pages = policy->state;
	uint32_t last = pages->frame[--pages->count];
	pages->frame[pages->place[frame]] = last;
	pages->place[last] = pages->place[frame];
}

/* A few draws; should all of them hit pages that must stay, the next in the array that may go. */
static uint32_t draw(struct policy *policy, const struct random_pages *pages)
{
	uint32_t start = 0;
	for (unsigned i = 0; i < DRAWS; i++) {
		start = (uint32_t)rng_below(&policy->rng, pages->count);
		if (is_evictable(policy, pages->frame[start]))
			return pages->frame[start];
	}
	for (uint32_t i = 0; i < pages->count; i++) {
		uint32_t frame = pages->frame[(start + i) % pages->count];
		if (is_evictable(policy, frame))
			return frame;
	}
	return POLICY_NO_FRAME;
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	uint32_t frame = draw(policy, policy->state);
	(void)incoming;
	if (frame != POLICY_NO_FRAME)
		remove_frame(policy, frame);
	return frame;
}

static const char *check(const struct policy *policy)
{
	const struct random_pages *pages = policy->state;
	for (uint32_t i = 0; i < pages->count; i++) {
		if (pages->place[pages->frame[i]] != i)
			return "a frame does not know its place";
	}
	return pages->count == policy->resident ? NULL : "the array does not hold every resident frame";
}

const struct policy_ops policy_random = {
    .name = "random",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = true,
    .summary = "evicts any page, from a seeded generator",
    .source = "Belady, IBM Systems Journal 5(2), 1966",
    .state_bytes = sizeof(struct random_pages),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .check = check,
};
