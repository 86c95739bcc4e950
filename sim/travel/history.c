#include "history.h"

#include <stdlib.h>

#include "faultline/bus.h"

/* Kinds are kept for so many events: 64 MiB. */
static const uint64_t most_kinds = (uint64_t)64 << 20;

enum { RING_SHIFT = 6, KIND_MASK = (1 << RING_SHIFT) - 1 };

void history_release(struct history *history)
{
	free(history->kinds);
	free(history->masks);
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

static bool reserve_mask(struct history *history)
{
	if (history->count / HISTORY_BLOCK < history->mask_capacity)
		return true;
	uint64_t capacity = history->mask_capacity ? history->mask_capacity * 2 : 64;
	uint64_t *masks = realloc(history->masks, capacity * sizeof(*masks));
	if (!masks)
		return false;
	for (uint64_t i = history->mask_capacity; i < capacity; i++)
		masks[i] = 0;
	history->masks = masks;
	history->mask_capacity = capacity;
	return true;
}

bool history_add(struct history *history, unsigned kind, unsigned ring)
{
	if (!reserve_kind(history) || !reserve_mask(history))
		return false;
	if (history->count < history->kind_capacity)
		history->kinds[history->count] = (uint8_t)(kind | ring << RING_SHIFT);
	history->masks[history->count / HISTORY_BLOCK] |= EVENT_BIT(kind);
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

static bool is_one_of(const struct history *history, uint64_t number, uint64_t kinds)
{
	return !is_kept(history, number) || (kinds & EVENT_BIT(history_kind(history, number)));
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
		if (!(history->masks[block_of(from)] & kinds))
			from = (block_of(from) + 1) * HISTORY_BLOCK + 1;
		else if (is_one_of(history, from, kinds))
			return from;
		else
			from++;
	}
	return 0;
}

uint64_t history_last(const struct history *history, uint64_t from, uint64_t to, uint64_t kinds)
{
	from = from > 0 ? from : 1;
	to = to < history->count ? to : history->count;
	while (to >= from) {
		if (!(history->masks[block_of(to)] & kinds))
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
