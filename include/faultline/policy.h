/* Replacement policies: which resident page goes when room is needed. One object serves a kernel and the
 * reference-string engine alike. A policy only ranks frames; whoever drives it owns them, and tells it what came, what
 * left and how time goes by.
 *
 * Two names for a page: its *frame*, a dense number below config.frames, while it is resident; and its *key*, 64 bits
 * that stay the same while it is away (a kernel: address space and page number; the engine: the page number), by which
 * ghost entries remember it.
 *
 * REALIZABLE policies see what the hardware tells a kernel: the bits A and D, when they look. IDEAL ones, as the
 * textbook has them, are told of every reference by policy_touch(). A kernel that cannot afford that may touch the
 * frames whose A bit it finds set at a scan. */
#ifndef FAULTLINE_POLICY_H
#define FAULTLINE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline/arena.h"

#define POLICY_NO_FRAME UINT32_MAX
#define POLICY_NO_KEY UINT64_MAX

enum policy_kind { POLICY_REALIZABLE, POLICY_IDEAL };

struct policy;

/* What a policy holds, for whoever looks at it: its lists, each from the end at which it looks for a victim. */
enum { POLICY_LOOK_LISTS = 6, POLICY_LOOK_FRAMES = 16 };
struct policy_look {
	struct policy_look_list {
		const char *name;
		uint32_t count; /* members */
		bool ghosts;    /* they are pages that are not resident; no frames then */
		unsigned shown; /* so many of the frames, the first ones */
		uint32_t frame[POLICY_LOOK_FRAMES];
	} list[POLICY_LOOK_LISTS];
	unsigned lists;
	uint32_t hand; /* the frame that it points at; POLICY_NO_FRAME: there is none */
};

/* What a policy may ask about a resident frame. A NULL function answers: not accessed, clean, evictable, time 0, never
 * used again. */
struct policy_view {
	void *self;
	bool (*test_and_clear_accessed)(void *self, uint32_t frame);
	bool (*is_dirty)(void *self, uint32_t frame);
	bool (*is_evictable)(void *self, uint32_t frame); /* not locked, not under writeback */
	uint64_t (*now)(void *self);                      /* virtual time: references, or cycles of the owner */
	/* When the frame that is inserted or touched right now is referenced next, UINT64_MAX: never. Only who has seen
	 * the future knows; `opt` and `unopt` are nothing without it. */
	uint64_t (*next_use)(void *self, uint32_t frame);
};

struct policy_config {
	uint32_t frames;   /* frame numbers are below this */
	uint32_t capacity; /* how many may be resident at a time: what ARC calls c. Parts of lists are shares of this */
	uint64_t window;   /* working-set, wsclock: how long a page stays in the working set, in units of now() */
	uint64_t seed;     /* of all that is random */
};

/* Memory handed out to a policy at its birth; private to sim/policy. */
struct policy_room;

/* One policy. All functions but `place`, `insert`, `remove` and `victim` may be NULL. */
struct policy_ops {
	const char *name;
	enum policy_kind kind;
	/* The reference that brings a page in counts as a use, as with hardware, which sets A when the instruction
	 * restarts. Where it is false the driver, if it can, leaves A clear until the next use. */
	bool first_reference_counts;
	const char *summary; /* one sentence */
	const char *source;  /* the paper or book that describes it */
	size_t state_bytes;
	/* Takes the arrays of its state from the room; they come zeroed. */
	void (*place)(void *state, const struct policy_config *config, struct policy_room *room);
	void (*insert)(struct policy *policy, uint32_t frame, uint64_t key);
	void (*remove)(struct policy *policy, uint32_t frame);
	uint32_t (*victim)(struct policy *policy, uint64_t incoming);
	void (*touch)(struct policy *policy, uint32_t frame);
	/* The frame may be touched soon: the host's memory can be asked for what touch will need. Changes nothing. */
	void (*expect)(const struct policy *policy, uint32_t frame);
	void (*tick)(struct policy *policy);
	/* The page with this key is gone for good: no ghost may remember it. */
	void (*forget)(struct policy *policy, uint64_t key);
	void (*look)(const struct policy *policy, struct policy_look *out);
	/* NULL when the state is consistent, or what is wrong with it. */
	const char *(*check)(const struct policy *policy);
};

/* Ends with NULL, in the order in which they are listed. */
extern const struct policy_ops *const policy_registry[];
const struct policy_ops *policy_find(const char *name); /* NULL: no such policy */
const char *policy_kind_name(enum policy_kind kind);

/* What policy_new takes from the arena, at most. Costs nothing until touched: arrays over frames stay sparse. */
size_t policy_bytes(const struct policy_ops *ops, const struct policy_config *config);
/* Lives as long as the arena; nothing is allocated afterwards. Both structs are copied; view->self must stay. */
struct policy *policy_new(struct arena *arena, const struct policy_ops *ops, const struct policy_config *config,
			  const struct policy_view *view);

const struct policy_ops *policy_ops(const struct policy *policy);
uint32_t policy_resident(const struct policy *policy); /* frames that it holds */
bool policy_holds(const struct policy *policy, uint32_t frame);
uint64_t policy_key(const struct policy *policy, uint32_t frame); /* of a frame that it holds */

/* Changes nothing. Without a word from the policy itself: one list, without an order. */
void policy_look(const struct policy *policy, struct policy_look *out);

/* The page `key` has been brought into `frame`, which the policy does not hold yet. */
void policy_insert(struct policy *policy, uint32_t frame, uint64_t key);
/* The frame has been freed: the page is gone and no ghost remembers it. */
void policy_remove(struct policy *policy, uint32_t frame);
/* Chooses a frame that may go and lets go of it, leaving a ghost where the policy keeps ghosts. `incoming` is the key
 * of the page that needs the room, or POLICY_NO_KEY; `key` becomes that of the page that goes. POLICY_NO_FRAME: none is
 * evictable. Who cannot evict it after all
 * inserts it again. */
uint32_t policy_victim(struct policy *policy, uint64_t incoming, uint64_t *key);
/* A reference to a resident page; ideal policies need it, the others ignore it. */
void policy_touch(struct policy *policy, uint32_t frame);
/* A clock tick, at which a kernel samples the A bits. */
void policy_tick(struct policy *policy);
/* A page that is not resident ceases to exist. */
void policy_forget(struct policy *policy, uint64_t key);
/* NULL, or the invariant that is broken. Slow. */
const char *policy_check(const struct policy *policy);

#endif
