/* What is known of a history without running it again: kind and ring of every event that has happened, a byte each. */
#ifndef FAULTLINE_TRAVEL_HISTORY_H
#define FAULTLINE_TRAVEL_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HISTORY_BLOCK = 1024, HISTORY_KINDS = 64 };

/* What is in so many events, in a row. Invariant: the mask has the bits of the kinds that were counted. */
struct history_block {
	uint64_t mask;
	uint16_t counts[HISTORY_KINDS];
};

/* kinds[] is kept for the first events only, so that a very long history costs the eighth of a byte for each. */
struct history {
	uint8_t *kinds; /* by number - 1: the kind, and the ring in the upper two bits */
	struct history_block *blocks;
	uint64_t count; /* events known, numbers 1 to count */
	uint64_t kind_capacity, block_capacity;
};

void history_release(struct history *history);
/* Event count + 1 has happened. False: the host has no memory. */
bool history_add(struct history *history, unsigned kind, unsigned ring);
/* EVENT_COUNT when it is not kept. */
unsigned history_kind(const struct history *history, uint64_t number);
/* The ring in which it happened; 0 when it is not kept. */
unsigned history_ring(const struct history *history, uint64_t number);
/* The first event of the kinds with a number in [from, to], or the last one; 0: none. In a part without kinds, the
 * first or last number of a block that has one. */
uint64_t history_first(const struct history *history, uint64_t from, uint64_t to, uint64_t kinds);
uint64_t history_last(const struct history *history, uint64_t from, uint64_t to, uint64_t kinds);
/* The bits of all kinds with a number in [from, to]; and how many events are of these kinds. A block of a part without
 * kinds counts as if all of it were in its first number. */
uint64_t history_mask(const struct history *history, uint64_t from, uint64_t to);
uint64_t history_count(const struct history *history, uint64_t from, uint64_t to, uint64_t kinds);
/* False: none of the kinds is among [from, to]. */
bool history_may_have(const struct history *history, uint64_t from, uint64_t to, uint64_t kinds);

#endif
