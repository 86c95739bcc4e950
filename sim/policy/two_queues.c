/* 2Q, full version: newcomers pass through a FIFO; who is asked for again after it has left that is worth an LRU place.
 */
#include "ghosts.h"

enum { IN, MAIN, LISTS }; /* A1in and Am */

struct two_queues {
	struct link *links;
	uint8_t *where;
	struct list list[LISTS]; /* the next to go first */
	struct ghosts ghosts;
	struct list out;              /* A1out: ghosts of those that left A1in */
	uint32_t in_share, out_share; /* Kin and Kout: a quarter and a half of the capacity */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct two_queues *queues = state;
	queues->in_share = config->capacity / 4;
	queues->out_share = config->capacity / 2;
	queues->links = room_array(room, struct link, config->frames);
	queues->where = room_array(room, uint8_t, config->frames);
	ghosts_place(&queues->ghosts, room, queues->out_share + 1);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct two_queues *queues = policy->state;
	uint32_t ghost = ghost_find(&queues->ghosts, key);
	uint8_t where = ghost == NO_GHOST ? IN : MAIN;
	if (ghost != NO_GHOST)
		ghost_drop(&queues->ghosts, &queues->out, ghost);
	queues->where[frame] = where;
	list_append(&queues->list[where], queues->links, frame);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct two_queues *queues = policy->state;
	list_remove(&queues->list[queues->where[frame]], queues->links, frame);
}

/* Uses shortly after the first are correlated with it and say nothing. */
static void touch(struct policy *policy, uint32_t frame)
{
	struct two_queues *queues = policy->state;
	if (queues->where[frame] == MAIN)
		list_move_to_end(&queues->list[MAIN], queues->links, frame);
}

static void remember(struct two_queues *queues, uint64_t key)
{
	if (queues->out_share == 0)
		return;
	if (queues->out.count == queues->out_share)
		ghost_drop(&queues->ghosts, &queues->out, list_first(&queues->out));
	(void)ghost_add(&queues->ghosts, &queues->out, 0, key);
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct two_queues *queues = policy->state;
	unsigned first = queues->list[IN].count > queues->in_share || queues->list[MAIN].count == 0 ? IN : MAIN;
	(void)incoming;
	for (unsigned i = 0; i < LISTS; i++) {
		unsigned where = i == 0 ? first : !first;
		uint32_t frame = list_first_evictable(policy, &queues->list[where], queues->links);
		if (frame == LIST_END)
			continue;
		remove_frame(policy, frame);
		if (where == IN)
			remember(queues, policy_key(policy, frame));
		return frame;
	}
	return POLICY_NO_FRAME;
}

static void forget(struct policy *policy, uint64_t key)
{
	struct two_queues *queues = policy->state;
	uint32_t ghost = ghost_find(&queues->ghosts, key);
	if (ghost != NO_GHOST)
		ghost_drop(&queues->ghosts, &queues->out, ghost);
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct two_queues *queues = policy->state;
	look_list(out, "A1in, new pages", &queues->list[IN], queues->links, POLICY_NO_FRAME);
	look_list(out, "Am, pages that came back", &queues->list[MAIN], queues->links, POLICY_NO_FRAME);
	look_ghosts(out, "A1out", queues->out.count);
}

static const char *check(const struct policy *policy)
{
	const struct two_queues *queues = policy->state;
	if (queues->ghosts.count != queues->out.count || queues->out.count > queues->out_share)
		return "A1out is not what Kout allows";
	return queues->list[IN].count + queues->list[MAIN].count == policy->resident
		   ? NULL
		   : "A1in and Am do not hold every resident frame";
}

const struct policy_ops policy_two_queues = {
    .name = "2q",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "a FIFO for newcomers, an LRU list for those asked for again after they had left it",
    .source = "Johnson, Shasha, VLDB 1994",
    .state_bytes = sizeof(struct two_queues),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .touch = touch,
    .forget = forget,
    .look = look_at,
    .check = check,
};
