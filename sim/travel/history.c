#include "history.h"

#include <stdlib.h>

#include "faultline/bus.h"

/* Kinds are kept for so many events: 64 MiB. */
static const uint64_t most_kinds = (uint64_t)64 << 20;

enum { RING_SHIFT = 6, KIND_MASK = (1 << RING_SHIFT) - 1 };
_Static_assert((int)EVENT_COUNT <= (int)HISTORY_KINDS && (int)HISTORY_KINDS == (int)KIND_MASK + 1,
	       "a kind has a bit and a count");

void history_release(struct history *history)
{
	free(history->kinds);
	free(history->blocks);
	*history = (struct history){0};
}

static bool reserve_kind(struct history *history)
{
	if (history->count < history->kind_capacity || history->count >= most_kinds)
		return true;
	uint64_t capacity = history->kind_capacity ? history->kind_capacity * 2 : HISTORY_BLOCK;
	uint8_t *kinds = realloc(history->kinds, capacity);
	if (!kinds)
		return false;
	history->kinds = kinds;
	history->kind_capacity = capacity;
	return true;
}

static bool reserve_block(struct history *history)
{
	uint64_t block = history->count / HISTORY_BLOCK;
	if (block == history->block_capacity) {
		uint64_t capacity = block ? block * 2 : 64;
		struct history_block *blocks = realloc(history->blocks, capacity * sizeof(*blocks));
		if (!blocks)
			return false;
		history->blocks = blocks;
		history->block_capacity = capacity;
	}
	if (history->count % HISTORY_BLOCK == 0)
		history->blocks[block] = (struct history_block){0};
	return true;
}

bool history_add(struct history *history, unsigned kind, unsigned ring)
{
	if (!reserve_kind(history) || !reserve_block(history))
		return false;
	if (history->count < history->kind_capacity)
		history->kinds[history->count] = (uint8_t)(kind | ring << RING_SHIFT);
	struct history_block *block = &history->blocks[history->count / HISTORY_BLOCK];
	block->mask |= EVENT_BIT(kind);
	block->counts[kind]++;
	history->count++;
	return true;
}

static bool is_kept(const struct history *history, uint64_t number)
{
	return number >= 1 && number <= history->count && number <= history->kind_capacity;
}

unsigned history_kind(const struct history *history, uint64_t number)
{
	return is_kept(history, number) ? history->kinds[number - 1] & KIND_MASK : EVENT_COUNT;
}

unsigned history_ring(const struct history *history, uint64_t number)
{
	return is_kept(history, number) ? history->kinds[number - 1] >> RING_SHIFT : 0;
}

/* Of a number up to the count. One whose kind is not kept may be anything. */
static inline bool is_one_of(const struct history *history, uint64_t number, uint64_t kinds)
{
	return number > history->kind_capacity || (kinds & EVENT_BIT(history->kinds[number - 1] & KIND_MASK));
}

static uint64_t block_of(uint64_t number)
{
	return (number - 1) / HISTORY_BLOCK;
}

uint64_t history_first(const struct history *history, uint64_t from, uint64_t to, uint64_t kinds)
{
	from = from > 0 ? from : 1;
	to = to < history->count ? to : history->count;
	while (from <= to) {
		uint64_t end = (block_of(from) + 1) * HISTORY_BLOCK;
		if (!(history->blocks[block_of(from)].mask & kinds)) {
			from = end + 1;
			continue;
		}
		for (end = end < to ? end : to; from <= end; from++) {
			if (is_one_of(history, from, kinds))
				return from;
		}
	}
	return 0;
}

uint64_t history_last(const struct history *history, uint64_t from, uint64_t to, uint64_t kinds)
{
	from = from > 0 ? from : 1;
	to = to < history->count ? to : history->count;
	while (to >= from) {
		if (!(history->blocks[block_of(to)].mask & kinds))
			to = block_of(to) * HISTORY_BLOCK;
		else if (is_one_of(history, to, kinds))
			return to;
		else
			to--;
	}
	return 0;
}

bool history_may_have(const struct history *history, uint64_t from, uint64_t to, uint64_t kinds)
{
	return history_first(history, from, to, kinds) != 0;
}

/* ---- many at once ---- */

/* The part of [from, to] that lies in one block: all that is known of it, or some events that are kept, or none. */
struct part {
	const struct history_block *whole; /* NULL: only the events */
	const uint8_t *kinds;
	uint64_t events;
	uint64_t next; /* where the next part begins */
};

static struct part part_at(const struct history *history, uint64_t from, uint64_t to)
{
	uint64_t begin = block_of(from) * HISTORY_BLOCK + 1, end = begin + HISTORY_BLOCK - 1;
	bool kept = is_kept(history, from), all = end <= to || to == history->count;
	end = end < to ? end : to;
	struct part part = {.next = end + 1};
	if (from == begin && (all || !kept)) {
		part.whole = &history->blocks[block_of(from)];
	} else if (kept) {
		part.kinds = &history->kinds[from - 1];
		part.events = end + 1 - from;
	}
	return part;
}

uint64_t history_mask(const struct history *history, uint64_t from, uint64_t to)
{
	uint64_t mask = 0;
	to = to < history->count ? to : history->count;
	for (from = from > 0 ? from : 1; from <= to;) {
		struct part part = part_at(history, from, to);
		mask |= part.whole ? part.whole->mask : 0;
		for (uint64_t i = 0; i < part.events; i++)
			mask |= EVENT_BIT(part.kinds[i] & KIND_MASK);
		from = part.next;
	}
	return mask;
}

static uint64_t counted(const struct history_block *block, uint64_t kinds)
{
	uint64_t count = 0;
	for (uint64_t rest = block->mask & kinds; rest; rest &= rest - 1)
		count += block->counts[__builtin_ctzll(rest)];
	return count;
}

uint64_t history_count(const struct history *history, uint64_t from, uint64_t to, uint64_t kinds)
{
	uint64_t count = 0;
	to = to < history->count ? to : history->count;
	for (from = from > 0 ? from : 1; from <= to;) {
		struct part part = part_at(history, from, to);
		count += part.whole ? counted(part.whole, kinds) : 0;
		for (uint64_t i = 0; i < part.events; i++)
			count += (kinds & EVENT_BIT(part.kinds[i] & KIND_MASK)) != 0;
		from = part.next;
	}
	return count;
}
