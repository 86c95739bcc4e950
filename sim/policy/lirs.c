/* LIRS: pages whose last two uses are close (LIR) stay; the others (HIR) share one place in a hundred. The stack S has
 * every page that was used since the oldest LIR page was, resident or not; the queue Q has the resident HIR pages. */
#include "ghosts.h"

enum state { LIR, HIR };

/* A node of S is a frame or, from `frames` on, a ghost. The bottom of S is always LIR. */
struct lirs {
	struct link *stack_links;
	struct link *queue_links; /* of frames */
	uint8_t *state;           /* of frames */
	uint8_t *in_stack;        /* of frames; ghosts always are */
	struct list stack;        /* the bottom first */
	struct list queue;        /* the next victim first */
	struct ghosts ghosts;
	struct list ghost_order; /* the oldest first */
	uint32_t frames;
	uint32_t lir_count, lir_share;
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct lirs *lirs = state;
	uint32_t hir_share = config->capacity / 100 ? config->capacity / 100 : 1;
	uint32_t ghosts = config->capacity < UINT32_MAX / 4 ? 2 * config->capacity + 1 : config->capacity;
	lirs->frames = config->frames;
	lirs->lir_share = config->capacity > hir_share ? config->capacity - hir_share : 0;
	lirs->stack_links = room_array(room, struct link, (size_t)config->frames + ghosts);
	lirs->queue_links = room_array(room, struct link, config->frames);
	lirs->state = room_array(room, uint8_t, config->frames);
	lirs->in_stack = room_array(room, uint8_t, config->frames);
	ghosts_place(&lirs->ghosts, room, ghosts);
}

static void push(struct lirs *lirs, uint32_t frame)
{
	lirs->in_stack[frame] = 1;
	list_append(&lirs->stack, lirs->stack_links, frame);
}

static void drop_ghost(struct lirs *lirs, uint32_t ghost)
{
	list_remove(&lirs->stack, lirs->stack_links, lirs->frames + ghost);
	ghost_drop(&lirs->ghosts, &lirs->ghost_order, ghost);
}

/* Until the bottom is LIR: what lies below the oldest LIR page cannot become LIR by its next use. */
static void prune(struct lirs *lirs)
{
	while (lirs->stack.count > 0) {
		uint32_t node = list_first(&lirs->stack);
		if (node >= lirs->frames) {
			drop_ghost(lirs, node - lirs->frames);
			continue;
		}
		if (lirs->state[node] == LIR)
			return;
		lirs->in_stack[node] = 0;
		list_remove(&lirs->stack, lirs->stack_links, node);
	}
}

/* LIR pages in excess, those at the bottom, become HIR. */
static void demote(struct lirs *lirs)
{
	while (lirs->lir_count > lirs->lir_share) {
		uint32_t frame = list_first(&lirs->stack);
		lirs->state[frame] = HIR;
		lirs->lir_count--;
		list_append(&lirs->queue, lirs->queue_links, frame);
		prune(lirs);
	}
}

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct lirs *lirs = policy->state;
	uint32_t ghost = ghost_find(&lirs->ghosts, key);
	bool becomes_lir = ghost != NO_GHOST || lirs->lir_count < lirs->lir_share;
	if (ghost != NO_GHOST)
		drop_ghost(lirs, ghost);
	lirs->state[frame] = becomes_lir ? LIR : HIR;
	lirs->lir_count += becomes_lir;
	push(lirs, frame);
	if (!becomes_lir)
		list_append(&lirs->queue, lirs->queue_links, frame);
	demote(lirs);
	prune(lirs);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct lirs *lirs = policy->state;
	if (lirs->in_stack[frame])
		list_remove(&lirs->stack, lirs->stack_links, frame);
	if (lirs->state[frame] == HIR)
		list_remove(&lirs->queue, lirs->queue_links, frame);
	else
		lirs->lir_count--;
	lirs->in_stack[frame] = 0;
	prune(lirs);
}

static void touch_hir(struct lirs *lirs, uint32_t frame)
{
	if (!lirs->in_stack[frame]) {
		push(lirs, frame);
		list_move_to_end(&lirs->queue, lirs->queue_links, frame);
		prune(lirs);
		return;
	}
	list_move_to_end(&lirs->stack, lirs->stack_links, frame);
	list_remove(&lirs->queue, lirs->queue_links, frame);
	lirs->state[frame] = LIR;
	lirs->lir_count++;
	demote(lirs);
}

static void touch(struct policy *policy, uint32_t frame)
{
	struct lirs *lirs = policy->state;
	if (lirs->state[frame] == HIR) {
		touch_hir(lirs, frame);
		return;
	}
	bool was_bottom = list_first(&lirs->stack) == frame;
	list_move_to_end(&lirs->stack, lirs->stack_links, frame);
	if (was_bottom)
		prune(lirs);
}

/* A resident HIR page leaves; in S its ghost takes its place. */
static void leave_ghost(struct lirs *lirs, uint32_t frame, uint64_t key)
{
	if (!lirs->in_stack[frame])
		return;
	if (lirs->ghosts.count == lirs->ghosts.capacity)
		drop_ghost(lirs, list_first(&lirs->ghost_order));
	uint32_t ghost = ghost_add(&lirs->ghosts, &lirs->ghost_order, 0, key);
	list_insert_before(&lirs->stack, lirs->stack_links, lirs->frames + ghost, frame);
}

/* Nothing in Q may go: the oldest LIR page that may. */
static uint32_t evictable_lir(const struct policy *policy, const struct lirs *lirs)
{
	uint32_t node = list_first(&lirs->stack);
	while (node != LIST_END && (node >= lirs->frames || lirs->state[node] != LIR || !is_evictable(policy, node)))
		node = list_next(lirs->stack_links, node);
	return node;
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct lirs *lirs = policy->state;
	(void)incoming;
	uint32_t frame = list_first_evictable(policy, &lirs->queue, lirs->queue_links);
	if (frame != LIST_END)
		leave_ghost(lirs, frame, policy_key(policy, frame));
	else
		frame = evictable_lir(policy, lirs);
	if (frame != LIST_END)
		remove_frame(policy, frame);
	return frame;
}

static void forget(struct policy *policy, uint64_t key)
{
	struct lirs *lirs = policy->state;
	uint32_t ghost = ghost_find(&lirs->ghosts, key);
	if (ghost != NO_GHOST)
		drop_ghost(lirs, ghost);
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct lirs *lirs = policy->state;
	look_list(out, "Q, HIR pages", &lirs->queue, lirs->queue_links, lirs->frames);
	look_list(out, "S from its bottom", &lirs->stack, lirs->stack_links, lirs->frames);
	look_count(out, "LIR pages", lirs->lir_count);
	look_ghosts(out, "in S", lirs->ghosts.count);
}

static const char *check(const struct policy *policy)
{
	const struct lirs *lirs = policy->state;
	uint32_t bottom = list_first(&lirs->stack);
	if (lirs->queue.count + lirs->lir_count != policy->resident)
		return "LIR pages and Q are not all resident frames";
	if (lirs->stack.count > 0 && (bottom >= lirs->frames || lirs->state[bottom] != LIR))
		return "the bottom of S is not LIR";
	return lirs->lir_count > lirs->lir_share ? "there are too many LIR pages" : NULL;
}

const struct policy_ops policy_lirs = {
    .name = "lirs",
    .kind = POLICY_IDEAL,
    .first_reference_counts = true,
    .summary = "keeps pages whose last two uses were close together; a hundredth of memory is for the others",
    .source = "Jiang, Zhang, SIGMETRICS 2002",
    .state_bytes = sizeof(struct lirs),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .touch = touch,
    .forget = forget,
    .look = look_at,
    .check = check,
};
