/* What the policies share: the object, lists of frames with 4-byte links, room at birth. */
#ifndef FAULTLINE_POLICY_PRIVATE_H
#define FAULTLINE_POLICY_PRIVATE_H

#include "faultline/policy.h"
#include "faultline/rng.h"
#include "faultline/status.h"

struct policy {
	const struct policy_ops *ops;
	struct policy_config config;
	struct policy_view view;
	struct rng rng;
	uint32_t resident;
	uint64_t *no_key; /* of each frame: the complement of its page's key; 0: not resident */
	void *state;      /* the policy's own struct */
};

static inline bool is_evictable(const struct policy *policy, uint32_t frame)
{
	return !policy->view.is_evictable || policy->view.is_evictable(policy->view.self, frame);
}

static inline bool take_accessed(const struct policy *policy, uint32_t frame)
{
	return policy->view.test_and_clear_accessed && policy->view.test_and_clear_accessed(policy->view.self, frame);
}

static inline bool is_dirty(const struct policy *policy, uint32_t frame)
{
	return policy->view.is_dirty && policy->view.is_dirty(policy->view.self, frame);
}

static inline uint64_t now(const struct policy *policy)
{
	return policy->view.now ? policy->view.now(policy->view.self) : 0;
}

static inline uint64_t next_use(const struct policy *policy, uint32_t frame)
{
	return policy->view.next_use ? policy->view.next_use(policy->view.self, frame) : UINT64_MAX;
}

/* ---- room ---- */

/* Hands out zeroed arrays, or only adds up what they would take: with a NULL arena it returns NULL. */
struct policy_room {
	struct arena *arena;
	size_t bytes;
};

void *room_take(struct policy_room *room, size_t count, size_t object_bytes);
#define room_array(room, type, count) ((type *)room_take((room), (count), sizeof(type)))

/* ---- lists ---- */

/* Links hold a frame number plus one, so that zeroed memory is a valid, empty state and costs nothing at birth. One
 * array of links serves all lists of a policy: a frame is on one list at most. */
struct link {
	uint32_t next;
	uint32_t previous;
};

struct list {
	uint32_t first; /* frame + 1; 0: empty */
	uint32_t last;
	uint32_t count;
};

#define LIST_END UINT32_MAX

/* The frame at either end, or beside another; LIST_END when there is none. */
static inline uint32_t list_first(const struct list *list)
{
	return list->first - 1;
}

static inline uint32_t list_last(const struct list *list)
{
	return list->last - 1;
}

static inline uint32_t list_next(const struct link *links, uint32_t frame)
{
	return links[frame].next - 1;
}

static inline uint32_t list_previous(const struct link *links, uint32_t frame)
{
	return links[frame].previous - 1;
}

static inline void list_append(struct list *list, struct link *links, uint32_t frame)
{
	links[frame] = (struct link){.next = 0, .previous = list->last};
	*(list->last ? &links[list->last - 1].next : &list->first) = frame + 1;
	list->last = frame + 1;
	list->count++;
}

/* Before another frame of the list; LIST_END: at the end. */
static inline void list_insert_before(struct list *list, struct link *links, uint32_t frame, uint32_t other)
{
	if (other == LIST_END) {
		list_append(list, links, frame);
		return;
	}
	uint32_t previous = links[other].previous;
	links[frame] = (struct link){.next = other + 1, .previous = previous};
	*(previous ? &links[previous - 1].next : &list->first) = frame + 1;
	links[other].previous = frame + 1;
	list->count++;
}

static inline void list_remove(struct list *list, struct link *links, uint32_t frame)
{
	struct link link = links[frame];
	*(link.previous ? &links[link.previous - 1].next : &list->first) = link.next;
	*(link.next ? &links[link.next - 1].previous : &list->last) = link.previous;
	list->count--;
}

static inline void list_move_to_end(struct list *list, struct link *links, uint32_t frame)
{
	if (list->last == frame + 1)
		return;
	list_remove(list, links, frame);
	list_append(list, links, frame);
}

/* The first evictable frame in order, LIST_END: none. */
uint32_t list_first_evictable(const struct policy *policy, const struct list *list, const struct link *links);

/* ---- for onlookers ---- */

/* Each adds a list to the look. Nodes from `limit` on are no frames: they are passed over. */
void look_list(struct policy_look *look, const char *name, const struct list *list, const struct link *links,
	       uint32_t limit);
/* From the newest to the oldest. */
void look_list_backwards(struct policy_look *look, const char *name, const struct list *list, const struct link *links);
/* From the hand once round; the hand is node + 1, 0: the start. */
void look_circle(struct policy_look *look, const char *name, const struct list *circle, const struct link *links,
		 uint32_t hand, uint32_t limit);
void look_count(struct policy_look *look, const char *name, uint32_t count);
void look_ghosts(struct policy_look *look, const char *name, uint32_t count);

/* ---- the policies ---- */

#define POLICY_LIST(X)                                                                                                 \
	X(fifo)                                                                                                        \
	X(second_chance)                                                                                               \
	X(clock)                                                                                                       \
	X(nru)                                                                                                         \
	X(random)                                                                                                      \
	X(lru)                                                                                                         \
	X(mru)                                                                                                         \
	X(lfu)                                                                                                         \
	X(lfu_aging)                                                                                                   \
	X(aging)                                                                                                       \
	X(working_set)                                                                                                 \
	X(wsclock)                                                                                                     \
	X(two_queues)                                                                                                  \
	X(arc)                                                                                                         \
	X(car)                                                                                                         \
	X(clock_pro)                                                                                                   \
	X(lirs)                                                                                                        \
	X(s3_fifo)                                                                                                     \
	X(sieve)                                                                                                       \
	X(linux)                                                                                                       \
	X(mglru)                                                                                                       \
	X(opt)                                                                                                         \
	X(unopt)

#define X(name) extern const struct policy_ops policy_##name;
POLICY_LIST(X)
#undef X

#endif
