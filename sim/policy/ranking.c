/* The usual heap of an array: the children of i are 2i+1 and 2i+2. */
#include "ranking.h"

void ranking_place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct ranking *ranking = state;
	ranking->heap = room_array(room, uint32_t, config->frames);
	ranking->at = room_array(room, uint32_t, config->frames);
	ranking->rank = room_array(room, struct rank, config->frames);
}

static bool is_lower(const struct ranking *ranking, uint32_t a, uint32_t b)
{
	const struct rank *left = &ranking->rank[a];
	const struct rank *right = &ranking->rank[b];
	return left->first != right->first ? left->first < right->first : left->then < right->then;
}

static void put(struct ranking *ranking, uint32_t at, uint32_t frame)
{
	ranking->heap[at] = frame;
	ranking->at[frame] = at;
}

static void sift_up(struct ranking *ranking, uint32_t at)
{
	uint32_t frame = ranking->heap[at];
	while (at > 0 && is_lower(ranking, frame, ranking->heap[(at - 1) / 2])) {
		put(ranking, at, ranking->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(ranking, at, frame);
}

static void sift_down(struct ranking *ranking, uint32_t at)
{
	uint32_t frame = ranking->heap[at];
	while (2 * at + 1 < ranking->count) {
		uint32_t child = 2 * at + 1;
		if (child + 1 < ranking->count && is_lower(ranking, ranking->heap[child + 1], ranking->heap[child]))
			child++;
		if (!is_lower(ranking, ranking->heap[child], frame))
			break;
		put(ranking, at, ranking->heap[child]);
		at = child;
	}
	put(ranking, at, frame);
}

void ranking_add(struct ranking *ranking, uint32_t frame, struct rank rank)
{
	ranking->rank[frame] = rank;
	put(ranking, ranking->count++, frame);
	sift_up(ranking, ranking->count - 1);
}

void ranking_change(struct ranking *ranking, uint32_t frame, struct rank rank)
{
	ranking->rank[frame] = rank;
	sift_up(ranking, ranking->at[frame]);
	sift_down(ranking, ranking->at[frame]);
}

static void take_out(struct ranking *ranking, uint32_t frame)
{
	uint32_t at = ranking->at[frame];
	uint32_t last = ranking->heap[--ranking->count];
	if (last == frame)
		return;
	put(ranking, at, last);
	sift_up(ranking, at);
	sift_down(ranking, ranking->at[last]);
}

void ranking_rebuild(struct ranking *ranking)
{
	for (uint32_t at = ranking->count / 2; at > 0; at--)
		sift_down(ranking, at - 1);
}

/* The root, nearly always. */
static uint32_t lowest_evictable(const struct ranking *ranking, const struct policy *policy)
{
	uint32_t best = POLICY_NO_FRAME;
	if (is_evictable(policy, ranking->heap[0]))
		return ranking->heap[0];
	for (uint32_t i = 1; i < ranking->count; i++) {
		uint32_t frame = ranking->heap[i];
		if ((best == POLICY_NO_FRAME || is_lower(ranking, frame, best)) && is_evictable(policy, frame))
			best = frame;
	}
	return best;
}

void ranking_remove(struct policy *policy, uint32_t frame)
{
	take_out(policy->state, frame);
}

uint32_t ranking_victim(struct policy *policy, uint64_t incoming)
{
	(void)incoming;
	uint32_t frame = lowest_evictable(policy->state, policy);
	if (frame != POLICY_NO_FRAME)
		take_out(policy->state, frame);
	return frame;
}

void ranking_look(const struct policy *policy, struct policy_look *out)
{
	const struct ranking *ranking = policy->state;
	look_count(out, "by rank, the lowest first", ranking->count);
	struct policy_look_list *list = &out->list[out->lists - 1];
	if (ranking->count > 0)
		list->frame[list->shown++] = ranking->heap[0];
}

const char *ranking_check(const struct policy *policy)
{
	const struct ranking *ranking = policy->state;
	for (uint32_t i = 0; i < ranking->count; i++) {
		if (ranking->at[ranking->heap[i]] != i)
			return "a frame does not know its place in the heap";
		if (i > 0 && is_lower(ranking, ranking->heap[i], ranking->heap[(i - 1) / 2]))
			return "the heap is out of order";
	}
	return ranking->count == policy->resident ? NULL : "the heap does not hold every resident frame";
}

void ranking_insert_used(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct ranking *ranking = policy->state;
	(void)key;
	ranking_add(ranking, frame, (struct rank){.first = 1, .then = ++ranking->clock});
}

void ranking_use(struct policy *policy, uint32_t frame)
{
	struct ranking *ranking = policy->state;
	struct rank rank = {.first = ranking->rank[frame].first + 1, .then = ++ranking->clock};
	ranking_change(ranking, frame, rank);
}
