/* CLOCK-Pro: LIRS by A bits. One circle of hot pages, cold ones, and ghosts of cold ones that are still on probation
 * ("in their test period"), with a hand for each. */
#include "ghosts.h"

enum state { COLD, HOT };

/* A node is a frame or, from `frames` on, a ghost. Hands hold node + 1; 0: the start. */
struct clock_pro {
	struct link *links;
	uint8_t *state;   /* of frames */
	uint8_t *on_test; /* of frames; ghosts always are */
	struct list circle;
	struct ghosts ghosts;
	uint32_t cold_hand, hot_hand, test_hand;
	uint32_t hot_count;
	uint32_t cold_target; /* m_c of the paper: adapts between 1 and the capacity */
	uint32_t frames, capacity;
};

static void place(void *state, const struct policy_config *config, struct policy_room *room)
{
	struct clock_pro *pro = state;
	pro->frames = config->frames;
	pro->capacity = config->capacity;
	pro->cold_target = config->capacity / 10 ? config->capacity / 10 : 1;
	pro->links = room_array(room, struct link, (size_t)config->frames + config->capacity + 1);
	pro->state = room_array(room, uint8_t, config->frames);
	pro->on_test = room_array(room, uint8_t, config->frames);
	ghosts_place(&pro->ghosts, room, config->capacity + 1);
}

static void fewer_cold(struct clock_pro *pro)
{
	pro->cold_target -= pro->cold_target > 1;
}

static void more_cold(struct clock_pro *pro)
{
	pro->cold_target += pro->cold_target < pro->capacity;
}

/* ---- the circle ---- */

static uint32_t at_hand(const struct clock_pro *pro, uint32_t hand)
{
	return hand ? hand - 1 : list_first(&pro->circle);
}

/* Newest of all: right behind the hot hand. */
static void enter(struct clock_pro *pro, uint32_t node)
{
	list_insert_before(&pro->circle, pro->links, node, pro->hot_hand - 1);
}

static void leave(struct clock_pro *pro, uint32_t node)
{
	uint32_t *const hands[] = {&pro->cold_hand, &pro->hot_hand, &pro->test_hand};
	for (unsigned i = 0; i < sizeof(hands) / sizeof(hands[0]); i++) {
		if (*hands[i] == node + 1)
			*hands[i] = pro->links[node].next;
	}
	list_remove(&pro->circle, pro->links, node);
}

static void drop_ghost(struct clock_pro *pro, uint32_t ghost)
{
	leave(pro, pro->frames + ghost);
	ghost_put(&pro->ghosts, ghost);
}

/* A cold page was not used again while on probation. */
static void end_test(struct clock_pro *pro, uint32_t node)
{
	if (node >= pro->frames) {
		drop_ghost(pro, node - pro->frames);
		fewer_cold(pro);
	} else if (pro->state[node] == COLD && pro->on_test[node]) {
		pro->on_test[node] = 0;
		fewer_cold(pro);
	}
}

/* ---- the hands ---- */

/* Makes hot pages that were not used for a round cold until there are no more than the target leaves room for. */
static void run_hot_hand(struct policy *policy, struct clock_pro *pro)
{
	while (pro->hot_count > 0 && pro->hot_count > pro->capacity - pro->cold_target) {
		uint32_t node = at_hand(pro, pro->hot_hand);
		pro->hot_hand = pro->links[node].next;
		if (node >= pro->frames || pro->state[node] == COLD) {
			end_test(pro, node);
		} else if (!take_accessed(policy, node)) {
			pro->state[node] = COLD;
			pro->on_test[node] = 0;
			pro->hot_count--;
		}
	}
}

/* Ends probations until there are not more ghosts than frames. */
static void run_test_hand(struct clock_pro *pro)
{
	while (pro->ghosts.count > pro->capacity) {
		uint32_t node = at_hand(pro, pro->test_hand);
		pro->test_hand = pro->links[node].next;
		end_test(pro, node);
	}
}

/* A cold page that was used: hot if it was on probation, else on probation again. */
static void keep(struct policy *policy, struct clock_pro *pro, uint32_t frame)
{
	bool hot = pro->on_test[frame];
	leave(pro, frame);
	enter(pro, frame);
	pro->on_test[frame] = !hot;
	if (!hot)
		return;
	pro->state[frame] = HOT;
	pro->hot_count++;
	more_cold(pro);
	run_hot_hand(policy, pro);
}

static void evict(struct clock_pro *pro, uint32_t frame, uint64_t key)
{
	if (pro->on_test[frame]) {
		uint32_t ghost = ghost_take(&pro->ghosts, key);
		list_insert_before(&pro->circle, pro->links, pro->frames + ghost, frame);
	}
	leave(pro, frame);
	run_test_hand(pro);
}

static uint32_t run_cold_hand(struct policy *policy, struct clock_pro *pro)
{
	for (uint64_t looks = 3 * (uint64_t)pro->circle.count; looks > 0; looks--) {
		uint32_t node = at_hand(pro, pro->cold_hand);
		pro->cold_hand = pro->links[node].next;
		if (node >= pro->frames || pro->state[node] == HOT)
			continue;
		if (take_accessed(policy, node))
			keep(policy, pro, node);
		else if (is_evictable(policy, node))
			return node;
	}
	return POLICY_NO_FRAME;
}

/* No cold page may go: any that may. */
static uint32_t any_evictable(const struct policy *policy, const struct clock_pro *pro)
{
	uint32_t node = list_first(&pro->circle);
	while (node != LIST_END && (node >= pro->frames || !is_evictable(policy, node)))
		node = list_next(pro->links, node);
	return node;
}

/* ---- the policy ---- */

static void insert(struct policy *policy, uint32_t frame, uint64_t key)
{
	struct clock_pro *pro = policy->state;
	uint32_t ghost = ghost_find(&pro->ghosts, key);
	bool hot = ghost != NO_GHOST;
	if (hot) {
		drop_ghost(pro, ghost);
		more_cold(pro);
	}
	pro->state[frame] = hot ? HOT : COLD;
	pro->on_test[frame] = !hot;
	pro->hot_count += hot;
	enter(pro, frame);
	run_hot_hand(policy, pro);
}

static void remove_frame(struct policy *policy, uint32_t frame)
{
	struct clock_pro *pro = policy->state;
	pro->hot_count -= pro->state[frame] == HOT;
	leave(pro, frame);
}

static uint32_t victim(struct policy *policy, uint64_t incoming)
{
	struct clock_pro *pro = policy->state;
	(void)incoming;
	uint32_t frame = pro->hot_count < policy->resident ? run_cold_hand(policy, pro) : POLICY_NO_FRAME;
	if (frame == POLICY_NO_FRAME)
		frame = any_evictable(policy, pro);
	if (frame == POLICY_NO_FRAME)
		return frame;
	pro->hot_count -= pro->state[frame] == HOT;
	if (pro->state[frame] == HOT)
		pro->on_test[frame] = 0;
	evict(pro, frame, policy_key(policy, frame));
	return frame;
}

static void forget(struct policy *policy, uint64_t key)
{
	struct clock_pro *pro = policy->state;
	uint32_t ghost = ghost_find(&pro->ghosts, key);
	if (ghost != NO_GHOST)
		drop_ghost(pro, ghost);
}

static void look_at(const struct policy *policy, struct policy_look *out)
{
	const struct clock_pro *pro = policy->state;
	look_circle(out, "circle from the cold hand", &pro->circle, pro->links, pro->cold_hand, pro->frames);
	look_count(out, "hot pages", pro->hot_count);
	look_ghosts(out, "on probation", pro->ghosts.count);
}

static const char *check(const struct policy *policy)
{
	const struct clock_pro *pro = policy->state;
	uint32_t hot = 0;
	for (uint32_t frame = 0; frame < pro->frames; frame++)
		hot += policy_holds(policy, frame) && pro->state[frame] == HOT;
	if (hot != pro->hot_count)
		return "the hot pages are not counted right";
	if (pro->ghosts.count > pro->capacity)
		return "there are more ghosts than frames";
	return pro->circle.count == policy->resident + pro->ghosts.count ? NULL : "the circle does not hold every page";
}

const struct policy_ops policy_clock_pro = {
    .name = "clock-pro",
    .kind = POLICY_REALIZABLE,
    .first_reference_counts = false,
    .summary = "hot pages, cold pages and ghosts of cold ones in one circle with three hands: LIRS by A bits",
    .source = "Jiang, Chen, Zhang, USENIX ATC 2005",
    .state_bytes = sizeof(struct clock_pro),
    .place = place,
    .insert = insert,
    .remove = remove_frame,
    .victim = victim,
    .forget = forget,
    .look = look_at,
    .check = check,
};
