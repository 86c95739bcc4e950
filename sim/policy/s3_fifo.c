/* S3-FIFO: a small queue filters what is used only once, a main queue keeps the rest, a queue of ghosts lets the
 * filtered in at once when they come back. */
#include "ghosts.h"

enum { SMALL, MAIN, LISTS, MOST_USES = 3, PROMOTED_AT = 2 };

struct s3_fifo {
	struct link *links;
	uint8_t *where;
	uint8_t *uses; /* since it came in or was looked at; up to 3 */
	struct list list[LISTS];
	struct ghosts ghosts;
	struct list ghost_list;
	uint32_t small_share; /* a tenth of the capacity; there are as many ghosts as the main queue has places */
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct s3_fifo *fifo = state;
	fifo->small_share = config->capacity / 10 ? config->capacity / 10 : 1;
	fifo->links = room_array(room, struct link, config->frames);
	fifo->where = room_array(room, uint8_t, config->frames);
	fifo->uses = room_array(room, uint8_t, config->frames);
	ghosts_place(&fifo->ghosts, room, config->capacity - fifo->small_share + 1);
}

static void enter(struct s3_fifo *fifo, uint32_t frame, unsigned where)
{
	fifo->where[frame] = (uint8_t)where;
	list_append(&fifo->list[where], fifo->links, frame);
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct s3_fifo *fifo = policy->state;
	uint32_t ghost = ghost_find(&fifo->ghosts, key);
	if (ghost != NO_GHOST)
		ghost_drop(&fifo->ghosts, &fifo->ghost_list, ghost);
	fifo->uses[frame] = 0;
	enter(fifo, frame, ghost == NO_GHOST ? SMALL : MAIN);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct s3_fifo *fifo = policy->state;
	list_remove(&fifo->list[fifo->where[frame]], fifo->links, frame);
}

static void touch(struct policy *policy, uint32_t frame)
{
	struct s3_fifo *fifo = policy->state;
	if (fifo->uses[frame] < MOST_USES)
		fifo->uses[frame]++;
}

static void remember(struct s3_fifo *fifo, uint64_t key)
{
	if (fifo->ghosts.capacity <= 1)
		return;
	if (fifo->ghost_list.count == fifo->ghosts.capacity - 1)
		ghost_drop(&fifo->ghosts, &fifo->ghost_list, list_first(&fifo->ghost_list));
	(void)ghost_add(&fifo->ghosts, &fifo->ghost_list, 0, key);
}

/* The oldest of the small queue that was not used again; those that were move to the main queue. */
static uint32_t victim_of_small(struct policy *policy, struct s3_fifo *fifo)
{
	for (uint32_t looks = fifo->list[SMALL].count; looks > 0; looks--) {
		uint32_t frame = list_first(&fifo->list[SMALL]);
		bool stays = !is_evictable(policy, frame);
		remove_frame(policy, frame);
		if (fifo->uses[frame] >= PROMOTED_AT) {
			fifo->uses[frame] = 0;
			enter(fifo, frame, MAIN);
		} else if (stays) {
			enter(fifo, frame, SMALL);
		} else {
			remember(fifo, policy_key(policy, frame));
			return frame;
		}
	}
	return POLICY_NO_FRAME;
}

/* The oldest of the main queue that has no use left; the others lose one and go to the end. */
static uint32_t victim_of_main(struct policy *policy, struct s3_fifo *fifo)
{
	for (uint64_t looks = (MOST_USES + 1) * (uint64_t)fifo->list[MAIN].count; looks > 0; looks--) {
		uint32_t frame = list_first(&fifo->list[MAIN]);
		remove_frame(policy, frame);
		if (fifo->uses[frame] == 0 && is_evictable(policy, frame))
			return frame;
		fifo->uses[frame] = fifo->uses[frame] ? (uint8_t)(fifo->uses[frame] - 1) : 0;
		enter(fifo, frame, MAIN);
	}
	return POLICY_NO_FRAME;
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct s3_fifo *fifo = policy->state;
	uint32_t frame = POLICY_NO_FRAME;
	(void)incoming;
	bool small_first = fifo->list[SMALL].count > fifo->small_share || fifo->list[MAIN].count == 0;
	if (small_first)
		frame = victim_of_small(policy, fifo);
	if (frame == POLICY_NO_FRAME)
		frame = victim_of_main(policy, fifo);
	return frame == POLICY_NO_FRAME ? victim_of_small(policy, fifo) : frame;
}

static void forget(struct policy *policy, uint64_t key)
{
	struct s3_fifo *fifo = policy->state;
	uint32_t ghost = ghost_find(&fifo->ghosts, key);
	if (ghost != NO_GHOST)
		ghost_drop(&fifo->ghosts, &fifo->ghost_list, ghost);
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct s3_fifo *fifo = policy->state;
	look_list(out, "small queue, the oldest first", &fifo->list[SMALL], fifo->links, POLICY_NO_FRAME);
	look_list(out, "main queue, the oldest first", &fifo->list[MAIN], fifo->links, POLICY_NO_FRAME);
	look_ghosts(out, "queue", fifo->ghost_list.count);
}

static const char *check(const struct policy *policy)
{
	const struct s3_fifo *fifo = policy->state;
	if (fifo->ghost_list.count != fifo->ghosts.count)
		return "the queue of ghosts does not hold every ghost";
	return fifo->list[SMALL].count + fifo->list[MAIN].count == policy->resident
		   ? NULL
		   : "the queues do not hold every resident frame";
}

const struct policy_ops policy_s3_fifo = {
    .name = "s3-fifo",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "three FIFO queues: a small one filters, the main one keeps, ghosts come straight back in",
    .source = "Yang et al., SOSP 2023",
    .state_bytes = sizeof(struct s3_fifo),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .touch = touch,
    .forget = forget,
    .look = look_at,
    .check = check,
};
