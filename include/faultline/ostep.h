/* The simulators that accompany "Operating Systems: Three Easy Pieces" (Arpaci-Dusseau), reproduced answer for answer:
 * page replacement of chapter 22 (paging-policy.py) and free lists of chapter 17 (malloc.py). Their rules are theirs,
 * not an operating system's: the clock, for one, looks at pages in random order. Randomness is Python's, so that the
 * same seed gives the same exercise. */
#ifndef FAULTLINE_OSTEP_H
#define FAULTLINE_OSTEP_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/status.h"

/* ---- random.random() of Python ---- */

enum { MERSENNE_WORDS = 624 };

/* MT19937 (Matsumoto, Nishimura, ACM TOMACS 8(1), 1998) as Python seeds it and draws from it. */
struct mersenne {
	uint32_t word[MERSENNE_WORDS];
	unsigned used;
};

void mersenne_seed(struct mersenne *mersenne, uint64_t seed); /* random.seed(seed) */
double mersenne_unit(struct mersenne *mersenne);              /* random.random(): in [0, 1) */

/* ---- page replacement ---- */

#define OSTEP_POLICY_LIST(X)                                                                                           \
	X(FIFO, "fifo")                                                                                                \
	X(LRU, "lru")                                                                                                  \
	X(MRU, "mru")                                                                                                  \
	X(OPT, "opt")                                                                                                  \
	X(UNOPT, "unopt")                                                                                              \
	X(RAND, "random")                                                                                              \
	X(CLOCK, "clock")

enum ostep_policy {
#define X(id, name) OSTEP_##id,
	OSTEP_POLICY_LIST(X)
#undef X
	    OSTEP_POLICY_COUNT
};

/* By either spelling: the simulator's (RAND) or ours (random). */
bool ostep_policy_find(const char *name, enum ostep_policy *out);

struct ostep_paging {
	enum ostep_policy policy;
	uint32_t frames;      /* -C, at least 1 */
	int64_t clock_bits;   /* -b: the most that a page's count of references gets to */
	uint64_t seed;        /* -s */
	const int64_t *pages; /* -a; NULL: `count` random ones below page_bound */
	uint32_t count;       /* -n */
	uint32_t page_bound;  /* -m */
};

/* One access, as the simulator prints it. */
struct ostep_access {
	int64_t page;
	bool hit;
	bool replaced;
	int64_t victim;        /* when replaced */
	const int64_t *memory; /* pages from left to right afterwards */
	uint32_t resident;
	uint64_t hits, misses; /* up to here */
};

/* Who is told; either function may be NULL. */
struct ostep_listener {
	void *self;
	void (*access)(void *self, const struct ostep_access *access);
	void (*draw)(void *self, double value); /* a random number that a replacement took */
};

/* HOST: no memory. */
enum status ostep_paging_run(const struct ostep_paging *paging, const struct ostep_listener *listener,
			     struct error *error);

/* ---- free lists ---- */

#define OSTEP_FIT_LIST(X)                                                                                              \
	X(BEST, "BEST")                                                                                                \
	X(WORST, "WORST")                                                                                              \
	X(FIRST, "FIRST")

#define OSTEP_ORDER_LIST(X)                                                                                            \
	X(ADDRSORT, "ADDRSORT")                                                                                        \
	X(SIZESORT_UP, "SIZESORT+")                                                                                    \
	X(SIZESORT_DOWN, "SIZESORT-")                                                                                  \
	X(INSERT_FRONT, "INSERT-FRONT")                                                                                \
	X(INSERT_BACK, "INSERT-BACK")

enum ostep_fit {
#define X(id, name) OSTEP_FIT_##id,
	OSTEP_FIT_LIST(X)
#undef X
	    OSTEP_FIT_COUNT
};

enum ostep_order {
#define X(id, name) OSTEP_ORDER_##id,
	OSTEP_ORDER_LIST(X)
#undef X
	    OSTEP_ORDER_COUNT
};

bool ostep_fit_find(const char *name, enum ostep_fit *out);
bool ostep_order_find(const char *name, enum ostep_order *out);

/* One step of a given list of operations. */
struct ostep_request {
	bool alloc;
	int64_t number; /* bytes, or which allocation is freed */
};

struct ostep_freelist {
	enum ostep_fit fit;                   /* -p */
	enum ostep_order order;               /* -l: where a freed block goes */
	bool coalesce;                        /* -C */
	int64_t bytes, base, header_bytes;    /* -S, -b, -H */
	int64_t align;                        /* -a: sizes are rounded up to a multiple; -1: not */
	uint64_t seed;                        /* -s */
	const struct ostep_request *requests; /* -A; NULL: `count` random ones */
	uint32_t count;                       /* -n */
	int64_t range;                        /* -r: random sizes are 1 to this */
	int64_t percent_alloc;                /* -P, above 0 */
};

struct ostep_block {
	int64_t address;
	int64_t bytes;
};

/* One operation, as the simulator prints it. */
struct ostep_heap_step {
	bool alloc;
	bool skipped;      /* a free of what was never allocated: not done, and no list printed */
	int64_t id;        /* number of the allocation */
	int64_t bytes;     /* asked for */
	int64_t returned;  /* alloc: address of the block, -1: none fits; free: 0, or -1: not allocated */
	int64_t printed;   /* alloc: the number that the simulator prints */
	uint32_t searched; /* alloc: how many free blocks were looked at */
	const struct ostep_block *list;
	uint32_t list_count;
};

/* BAD_INPUT: a list frees an allocation that had failed (where the simulator ends with an exception). */
enum status ostep_freelist_run(const struct ostep_freelist *freelist, void *self,
			       void (*step)(void *self, const struct ostep_heap_step *step), struct error *error);

#endif
