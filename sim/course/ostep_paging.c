/* Page replacement by the course's rules: memory is a row of pages, newcomers join at the right. */
#include <stddef.h>
#include <string.h>

#include "faultline/arena.h"
#include "faultline/ostep.h"

struct memory {
	const struct ostep_paging *paging;
	const struct ostep_listener *listener;
	struct mersenne random;
	int64_t *trace;      /* the pages to access */
	uint64_t *next_use;  /* of each access: when its page is accessed next; the length of the trace: never */
	int64_t *page;       /* the row */
	int64_t *references; /* of each page of the row: what the clock counts */
	uint64_t *due;       /* of each page of the row: its next use */
	uint32_t resident;
};

/* ---- who goes: a place in the row ---- */

static uint32_t draw(struct memory *memory)
{
	double value = mersenne_unit(&memory->random);
	if (memory->listener->draw)
		memory->listener->draw(memory->listener->self, value);
	return (uint32_t)(value * memory->resident);
}

static uint32_t leftmost(struct memory *memory)
{
	(void)memory;
	return 0;
}

static uint32_t rightmost(struct memory *memory)
{
	return memory->resident - 1;
}

/* Any page; while it has references left it loses one, and another is drawn. */
static uint32_t clock_choice(struct memory *memory)
{
	uint32_t at = draw(memory);
	while (memory->references[at] >= 1) {
		memory->references[at]--;
		at = draw(memory);
	}
	return at;
}

/* Of equals the rightmost. */
static uint32_t needed_last(struct memory *memory)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < memory->resident; i++) {
		if (memory->due[i] >= memory->due[best])
			best = i;
	}
	return best;
}

/* Of equals the leftmost. */
static uint32_t needed_first(struct memory *memory)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < memory->resident; i++) {
		if (memory->due[i] < memory->due[best])
			best = i;
	}
	return best;
}

static const struct row {
	bool uses_move_right; /* a hit puts the page at the right end */
	uint32_t (*choose)(struct memory *memory);
} rows[OSTEP_POLICY_COUNT] = {
    [OSTEP_FIFO] = {.choose = leftmost},
    [OSTEP_LRU] = {.choose = leftmost, .uses_move_right = true},
    [OSTEP_MRU] = {.choose = rightmost, .uses_move_right = true},
    [OSTEP_OPT] = {.choose = needed_last},
    [OSTEP_UNOPT] = {.choose = needed_first},
    [OSTEP_RAND] = {.choose = draw},
    [OSTEP_CLOCK] = {.choose = clock_choice},
};

bool ostep_policy_find(const char *name, enum ostep_policy *out)
{
	static const char *const names[OSTEP_POLICY_COUNT][2] = {
#define X(id, ours) {#id, ours},
	    OSTEP_POLICY_LIST(X)
#undef X
	};
	for (unsigned i = 0; i < OSTEP_POLICY_COUNT; i++) {
		if (strcmp(name, names[i][0]) == 0 || strcmp(name, names[i][1]) == 0) {
			*out = (enum ostep_policy)i;
			return true;
		}
	}
	return false;
}

/* ---- the row ---- */

static uint32_t find(const struct memory *memory, int64_t page)
{
	uint32_t at = 0;
	while (at < memory->resident && memory->page[at] != page)
		at++;
	return at;
}

static void take_out(struct memory *memory, uint32_t at)
{
	size_t behind = memory->resident - at - 1;
	memmove(&memory->page[at], &memory->page[at + 1], behind * sizeof(*memory->page));
	memmove(&memory->references[at], &memory->references[at + 1], behind * sizeof(*memory->references));
	memmove(&memory->due[at], &memory->due[at + 1], behind * sizeof(*memory->due));
	memory->resident--;
}

static void join(struct memory *memory, int64_t page, int64_t references)
{
	memory->page[memory->resident] = page;
	memory->references[memory->resident] = references;
	memory->resident++;
}

/* A hit; where the page stands afterwards. */
static uint32_t use(struct memory *memory, uint32_t at)
{
	int64_t references = memory->references[at] + 1;
	if (references > memory->paging->clock_bits)
		references = memory->paging->clock_bits;
	memory->references[at] = references;
	if (!rows[memory->paging->policy].uses_move_right)
		return at;
	int64_t page = memory->page[at];
	take_out(memory, at);
	join(memory, page, references);
	return memory->resident - 1;
}

static void make_room(struct memory *memory, struct ostep_access *access)
{
	if (memory->resident < memory->paging->frames)
		return;
	uint32_t at = rows[memory->paging->policy].choose(memory);
	access->replaced = true;
	access->victim = memory->page[at];
	take_out(memory, at);
}

static void access_page(struct memory *memory, uint32_t number, struct ostep_access *access)
{
	uint32_t at = find(memory, memory->trace[number]);
	access->page = memory->trace[number];
	access->hit = at < memory->resident;
	access->replaced = false;
	if (access->hit) {
		at = use(memory, at);
		access->hits++;
	} else {
		make_room(memory, access);
		join(memory, access->page, 1);
		at = memory->resident - 1;
		access->misses++;
	}
	memory->due[at] = memory->next_use[number];
	access->memory = memory->page;
	access->resident = memory->resident;
}

/* ---- a run ---- */

static void fill_trace(struct memory *memory)
{
	const struct ostep_paging *paging = memory->paging;
	for (uint32_t i = 0; i < paging->count; i++)
		memory->trace[i] = paging->pages ? paging->pages[i]
						 : (int64_t)(paging->page_bound * mersenne_unit(&memory->random));
}

static bool knows_the_future(const struct ostep_paging *paging)
{
	return paging->policy == OSTEP_OPT || paging->policy == OSTEP_UNOPT;
}

/* Quadratic at worst, as exercises are short; pages come back soon in them. */
static void look_ahead(struct memory *memory)
{
	const uint32_t count = memory->paging->count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t next = i + 1;
		while (next < count && memory->trace[next] != memory->trace[i])
			next++;
		memory->next_use[i] = next;
	}
}

enum status ostep_paging_run(const struct ostep_paging *paging, const struct ostep_listener *listener,
			     struct error *error)
{
	struct memory memory = {.paging = paging, .listener = listener};
	struct ostep_access access = {0};
	const size_t words = 2 * (size_t)paging->count + 3 * (size_t)paging->frames;
	if (paging->frames == 0)
		return error_set(error, STATUS_BAD_INPUT, "a memory of 0 pages holds nothing: 1 is the least");
	struct arena *arena = arena_new(words * sizeof(uint64_t) + 4096);
	if (!arena)
		return error_set(error, STATUS_HOST, "no memory for %u pages and %u accesses", paging->frames,
				 paging->count);
	memory.trace = arena_new_array(arena, int64_t, paging->count);
	memory.next_use = arena_new_array(arena, uint64_t, paging->count);
	memory.page = arena_new_array(arena, int64_t, paging->frames);
	memory.references = arena_new_array(arena, int64_t, paging->frames);
	memory.due = arena_new_array(arena, uint64_t, paging->frames);
	mersenne_seed(&memory.random, paging->seed);
	fill_trace(&memory);
	if (knows_the_future(paging))
		look_ahead(&memory);
	for (uint32_t i = 0; i < paging->count; i++) {
		access_page(&memory, i, &access);
		if (listener->access)
			listener->access(listener->self, &access);
	}
	arena_free(arena);
	return STATUS_OK;
}
