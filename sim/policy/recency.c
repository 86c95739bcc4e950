/* The line of uses. */
#include "recency.h"

enum { PLACES_A_FRAME = 4, PLACES_LEAST = 64 };

void recency_place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct recency *recency = state;
	uint64_t places = PLACES_LEAST + (uint64_t)config->frames * PLACES_A_FRAME;
	recency->places = places < UINT32_MAX ? (uint32_t)places : UINT32_MAX - 1;
	recency->line = room_array(room, uint32_t, recency->places);
	recency->at = room_array(room, uint32_t, config->frames);
}

static bool is_live(const struct recency *recency, uint32_t place)
{
	return recency->at[recency->line[place]] == place + 1;
}

/* What is live moves together at the start, in its order; at least half of the line becomes free. */
static void compact(struct recency *recency)
{
	uint32_t kept = 0;
	for (uint32_t place = recency->first; place < recency->end; place++) {
		if (!is_live(recency, place))
			continue;
		recency->line[kept] = recency->line[place];
		recency->at[recency->line[kept]] = kept + 1;
		kept++;
	}
	recency->first = 0;
	recency->end = kept;
}

static void use(struct recency *recency, uint32_t frame)
{
	if (recency->end == recency->places)
		compact(recency);
	recency->line[recency->end++] = frame;
	recency->at[frame] = recency->end;
}

void recency_insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	(void)key;
	use(policy->state, frame);
}

void recency_remove(struct policy *policy, uint32_t frame)
{
	struct recency *recency = policy->state;
	recency->at[frame] = 0;
}

void recency_touch(struct policy *policy, uint32_t frame)
{
	struct recency *recency = policy->state;
	if (recency->at[frame] != recency->end)
		use(recency, frame);
}

void recency_expect(const struct policy *policy, uint32_t frame)
{
	const struct recency *recency = policy->state;
	__builtin_prefetch(&recency->at[frame], 1);
}

static uint32_t taken(struct recency *recency, uint32_t place)
{
	uint32_t frame = recency->line[place];
	recency->at[frame] = 0;
	return frame;
}

/* Those of some misses on. */
static void expect_victims(const struct policy *policy, const struct recency *recency)
{
	enum { AHEAD = 16 };
	uint32_t frame = recency->line[recency->first + AHEAD < recency->places ? recency->first + AHEAD : 0];
	__builtin_prefetch(&recency->at[frame], 1);
	__builtin_prefetch(&policy->no_key[frame], 1);
}

uint32_t recency_take_oldest(struct policy *policy)
{
	struct recency *recency = policy->state;
	while (recency->first < recency->end && !is_live(recency, recency->first))
		recency->first++;
	expect_victims(policy, recency);
	for (uint32_t place = recency->first; place < recency->end; place++) {
		if (is_live(recency, place) && is_evictable(policy, recency->line[place]))
			return taken(recency, place);
	}
	return POLICY_NO_FRAME;
}

uint32_t recency_take_newest(struct policy *policy)
{
	struct recency *recency = policy->state;
	while (recency->first < recency->end && !is_live(recency, recency->end - 1))
		recency->end--;
	for (uint32_t place = recency->end; place > recency->first; place--) {
		if (is_live(recency, place - 1) && is_evictable(policy, recency->line[place - 1]))
			return taken(recency, place - 1);
	}
	return POLICY_NO_FRAME;
}

static void show(const struct recency *recency, struct policy_look_list *list, uint32_t place)
{
	if (is_live(recency, place) && list->shown < POLICY_LOOK_FRAMES)
		list->frame[list->shown++] = recency->line[place];
}

void recency_look_oldest(const struct policy *policy, struct policy_look *out)
{
	const struct recency *recency = policy->state;
	look_count(out, "least recently used first", policy->resident);
	for (uint32_t place = recency->first; place < recency->end; place++)
		show(recency, &out->list[out->lists - 1], place);
}

void recency_look_newest(const struct policy *policy, struct policy_look *out)
{
	const struct recency *recency = policy->state;
	look_count(out, "most recently used first", policy->resident);
	for (uint32_t place = recency->end; place > recency->first; place--)
		show(recency, &out->list[out->lists - 1], place - 1);
}

const char *recency_check(const struct policy *policy)
{
	const struct recency *recency = policy->state;
	uint32_t live = 0;
	for (uint32_t place = recency->first; place < recency->end; place++)
		live += is_live(recency, place);
	return live == policy->resident ? NULL : "the order does not hold every resident frame";
}
