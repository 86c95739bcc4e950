/* One allocator on flat memory, and what tests of allocators ask again and again. */
#ifndef FAULTLINE_TESTS_FLAT_HEAP_H
#define FAULTLINE_TESTS_FLAT_HEAP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faultline/heap.h"
#include "faultline/units.h"
#include "flat_user.h"

struct flat_heap {
	struct arena *arena;
	struct user *user;
	struct heap *heap;
	struct flat_facts *facts;
};

/* Not started yet: tunables may be set. */
static inline struct flat_heap flat_heap_prepare(const struct heap_ops *ops)
{
	struct flat_heap flat = {.arena = arena_new(1 * MIB), .user = flat_user_new()};
	assert_non_null(flat.arena);
	assert_non_null(flat.user);
	assert_non_null(ops);
	flat.facts = flat_facts(flat.user);
	flat.heap = heap_new(flat.arena, ops, flat.user, FLAT_DATA);
	return flat;
}

static inline struct flat_heap flat_heap_new(const char *allocator)
{
	struct flat_heap flat = flat_heap_prepare(heap_find(allocator));
	if (flat.heap->ops->start)
		flat.heap->ops->start(flat.heap);
	return flat;
}

static inline void flat_heap_check(struct flat_heap *flat)
{
	const char *why = NULL;
	if (!flat->heap->ops->walk(flat->heap, NULL, NULL, &why))
		fail_msg("%s: %s", flat->heap->ops->name, why);
}

static inline void flat_heap_free(struct flat_heap *flat)
{
	flat_user_free(flat->user);
	arena_free(flat->arena);
}

/* An address as an offset from the first break. */
static inline uint64_t flat_heap_offset(uint64_t address)
{
	return address - FLAT_START_BRK;
}

#endif
