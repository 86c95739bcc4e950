/* Physical frames: a binary buddy allocator (Knuth, TAOCP 1, 2.5; Linux mm/page_alloc.c) over orders 0 to 10, and one
 * record per frame. Frames behind the highest one ever used have no record yet, so that a terabyte of untouched RAM
 * costs nothing. */
#ifndef FAULTLINE_FRAME_H
#define FAULTLINE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/arena.h"
#include "faultline/bus.h"
#include "faultline/physmem.h"
#include "faultline/units.h"

/* Blocks up to FRAME_MAX_ORDER come and go; one of FRAME_GIGANTIC_ORDER, 1 GiB, is set aside at boot for good. */
enum { FRAME_MAX_ORDER = 10, FRAME_GIGANTIC_ORDER = 18 };

#define FRAME_USE_LIST(X)                                                                                              \
	X(FREE, free, '.', "free")                                                                                     \
	X(KERNEL, kernel, 'K', "kernel text, data and stacks")                                                         \
	X(TABLE, page_table, 'P', "page table")                                                                        \
	X(IMAGE, image, 'T', "page cache: the program's image")                                                        \
	X(FILE, file, 'F', "page cache: a file that programs open")                                                    \
	X(ANON, anonymous, 'D', "anonymous memory: heap, stack, mappings")                                             \
	X(ZERO, zero_page, 'Z', "the shared zero page")                                                                \
	X(SHMEM, shmem, 'S', "page cache: shared anonymous memory")                                                    \
	X(HUGETLB, hugetlb, 'H', "huge pages of MAP_HUGETLB")

enum frame_use {
#define X(id, name, glyph, text) FRAME_##id,
	FRAME_USE_LIST(X)
#undef X
	    FRAME_USE_COUNT
};

const char *frame_use_name(enum frame_use use);
char frame_use_glyph(enum frame_use use);

struct file;

/* Invariants for a frame in use: mappings counts the page-table entries of processes that point at it; an anonymous
 * one with mappings, or one of MAP_HUGETLB, is mapped by (space, vpn) and by those that `others` leads to. */
struct frame {
	union {
		struct {
			uint32_t next; /* link of a free list, by frame number */
			union {
				uint32_t prev;   /* link of a free list */
				uint32_t others; /* in use and anonymous: further mappings, by number of their nodes;
						    0: none */
			};
		};
		uint64_t ready; /* in the page cache: the cycle when its content is there */
	};
	uint32_t mappings;
	uint8_t use;          /* enum frame_use */
	uint8_t order;        /* of the block that starts here, or that this frame shares */
	bool block_start : 1; /* first frame of a free or used block */
	bool lazy : 1;        /* anonymous, MADV_FREE: dropped when memory runs short, unless written: !PG_swapbacked */
	bool dirty;           /* has been written, whatever the entries say */
	union {
		struct {
			uint32_t space; /* anonymous or of MAP_HUGETLB: id of an address space that maps it */
			uint32_t swap;  /* its slot, if it is in the swap cache; 0: it is not */
		};
		struct file *file; /* in the page cache: of which file */
	};
	uint64_t vpn; /* where it is mapped there; in the page cache: page number of its file */
};

/* In the page cache: `file` says of what. */
static inline bool frame_is_cached(const struct frame *frame)
{
	return frame->use == FRAME_IMAGE || frame->use == FRAME_FILE || frame->use == FRAME_SHMEM;
}

/* Invariant: free + sum(used[]) == total; every free block is aligned to its size and is on exactly one list. */
struct frame_pool;

/* Frame 0 stays out of use: a pfn of 0 means none. */
struct frame_pool *frame_pool_new(struct arena *arena, struct physmem *mem, struct bus *bus, bool junk);

/* From now on, before anything is taken: what cannot move (all but pages of processes and files) is kept together in
 * blocks of 2 MiB of its own, so that others can be emptied. Linux always does so: MIGRATE_UNMOVABLE of
 * mm/page_alloc.c.
 */
void frame_pool_group(struct frame_pool *pool, struct arena *arena);
uint64_t frame_pool_group_bytes(uint64_t memory_bytes); /* what it needs of the arena */
/* The frame lies in a block for what cannot move. */
bool frame_is_grouped(const struct frame_pool *pool, struct pfn frame);

/* A block of 2^order frames, not zeroed. False: no block of that size is free. */
bool frame_take(struct frame_pool *pool, unsigned order, enum frame_use use, struct pfn *out);
/* A block of FRAME_GIGANTIC_ORDER out of frames that were never used. Only its first frame gets a record.
 * False: no such block is left. */
bool frame_take_gigantic(struct frame_pool *pool, enum frame_use use, struct pfn *out);
/* Takes that one frame out of the free block that it lies in. */
void frame_take_at(struct frame_pool *pool, struct pfn frame, enum frame_use use);
/* Whether it is free, and the order of its block. */
bool frame_is_free(const struct frame_pool *pool, struct pfn frame, unsigned *order);
/* Gives the block back and joins it with its free buddies. */
void frame_put(struct frame_pool *pool, struct pfn first);

/* A huge page: every frame of the used block gets a record of its own, like that of the first but no block_start, until
 * the block is freed or split. */
void frame_share(struct frame_pool *pool, struct pfn first);
/* The frames of such a block become blocks of one frame; their records stay as they are. */
void frame_split(struct frame_pool *pool, struct pfn first);

struct frame *frame_at(struct frame_pool *pool, struct pfn frame);
const struct frame *frame_peek(const struct frame_pool *pool, struct pfn frame); /* NULL: never used or no RAM */

uint64_t frame_pool_total(const struct frame_pool *pool);
uint64_t frame_pool_free(const struct frame_pool *pool);
uint64_t frame_pool_used(const struct frame_pool *pool, enum frame_use use);
uint64_t frame_pool_low_water(const struct frame_pool *pool); /* fewest free frames so far */
/* Free memory by blocks, as /proc/buddyinfo counts it, with what was never used. */
struct free_blocks {
	uint64_t of[FRAME_MAX_ORDER + 1]; /* by order */
	uint64_t pages, total;            /* of all blocks; their number */
};
struct free_blocks frame_pool_blocks(const struct frame_pool *pool);
bool frame_pool_check(const struct frame_pool *pool, const char **why);

#endif
