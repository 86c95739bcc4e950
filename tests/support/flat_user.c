#include "flat_user.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "faultline/status.h"
#include "faultline/units.h"

enum { MAX_MAPPINGS = 4096 };

enum page_state { PAGE_NONE, PAGE_ZERO, PAGE_PRESENT };

/* A stretch of simulated addresses with host memory behind it, sparse on the host too. */
struct window {
	uint64_t start, bytes;
	uint8_t *memory;
	uint8_t *states; /* enum page_state, one a page */
};

enum { HEAP_WINDOW, MAP_WINDOW, DATA_WINDOW, WINDOWS };

static const struct {
	uint64_t start, bytes;
} window_places[WINDOWS] = {
    {FLAT_START_BRK, 8 * GIB}, {FLAT_CEILING - 16 * GIB, 16 * GIB}, {FLAT_DATA, FLAT_DATA_BYTES}};

struct mapping {
	uint64_t start, end;
};

/* Invariant: mappings are sorted by address, highest first, and do not overlap. */
struct user {
	struct bus bus;
	struct flat_facts facts;
	struct window windows[WINDOWS];
	struct mapping mappings[MAX_MAPPINGS];
	unsigned mapping_count;
	jmp_buf ended;
	bool running; /* inside user_run */
	uint64_t rsp;
};

/* ---- life ---- */

static void *reserve(uint64_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

struct user *flat_user_new(void)
{
	struct user *user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	bus_init(&user->bus);
	user->facts.break_now = FLAT_START_BRK;
	for (unsigned i = 0; i < WINDOWS; i++) {
		struct window *window = &user->windows[i];
		window->start = window_places[i].start;
		window->bytes = window_places[i].bytes;
		window->memory = reserve(window->bytes);
		window->states = reserve(window->bytes / PAGE_BYTES);
		if (!window->memory || !window->states) {
			flat_user_free(user);
			return NULL;
		}
	}
	memset(user->windows[DATA_WINDOW].states, PAGE_PRESENT, FLAT_DATA_BYTES / PAGE_BYTES);
	return user;
}

void flat_user_free(struct user *user)
{
	for (unsigned i = 0; i < WINDOWS; i++) {
		struct window *window = &user->windows[i];
		if (window->memory)
			(void)munmap(window->memory, window->bytes);
		if (window->states)
			(void)munmap(window->states, window->bytes / PAGE_BYTES);
	}
	free(user);
}

struct flat_facts *flat_facts(struct user *user)
{
	return &user->facts;
}

uint64_t user_switch_stack(struct user *user, uint64_t rsp)
{
	uint64_t old = user->rsp;
	user->rsp = rsp;
	return old;
}

struct bus *user_bus(struct user *user)
{
	return &user->bus;
}

bool user_run(struct user *user, user_fn *fn, void *self)
{
	user->facts.end = FLAT_RETURNED;
	user->facts.message = NULL;
	user->running = true;
	if (setjmp(user->ended) == 0)
		fn(self);
	user->running = false;
	return user->facts.end == FLAT_RETURNED;
}

static _Noreturn void end_program(struct user *user, enum flat_end end, const char *message, uint64_t va)
{
	if (!user->running) {
		(void)fprintf(stderr, "the program ended outside user_run: %s\n", message);
		abort();
	}
	user->facts.end = end;
	user->facts.message = message;
	user->facts.fault_va = va;
	longjmp(user->ended, 1);
}

_Noreturn void user_abort(struct user *user, const char *message)
{
	emit(&user->bus, EVENT_LIBC_ABORT, event_text(message));
	end_program(user, FLAT_ABORTED, message, 0);
}

/* ---- addresses ---- */

/* Index of the first mapping that begins at or below va. */
static unsigned mapping_index(const struct user *user, uint64_t va)
{
	unsigned low = 0, high = user->mapping_count;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (user->mappings[middle].start > va)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_mapped(const struct user *user, uint64_t va)
{
	if (va >= FLAT_DATA && va < FLAT_DATA + FLAT_DATA_BYTES)
		return true;
	if (va >= FLAT_START_BRK && va < page_ceil(user->facts.break_now))
		return true;
	unsigned at = mapping_index(user, va);
	return at < user->mapping_count && va < user->mappings[at].end;
}

static struct window *window_of(struct user *user, uint64_t va)
{
	for (unsigned i = 0; i < WINDOWS; i++) {
		if (va - user->windows[i].start < user->windows[i].bytes)
			return &user->windows[i];
	}
	return NULL;
}

static uint8_t *state_at(struct window *window, uint64_t va)
{
	return &window->states[(va - window->start) / PAGE_BYTES];
}

static uint8_t *memory_at(struct window *window, uint64_t va)
{
	return &window->memory[va - window->start];
}

/* One page of an access: faults as Linux does on anonymous memory, and yields the host's place. */
static uint8_t *access_page(struct user *user, uint64_t va, bool write)
{
	struct window *window = window_of(user, va);
	if (!window || !is_mapped(user, va))
		end_program(user, FLAT_SEGV, "SIGSEGV", va);
	uint8_t *state = state_at(window, va), needed = write ? PAGE_PRESENT : PAGE_ZERO;
	if (*state < needed) {
		user->facts.faults++;
		*state = needed;
	}
	return memory_at(window, va);
}

static uint64_t left_in_page(uint64_t va, uint64_t bytes)
{
	uint64_t left = PAGE_BYTES - page_offset(va);
	return bytes < left ? bytes : left;
}

/* ---- loads and stores ---- */

static void read_bytes(struct user *user, uint64_t va, void *out, uint64_t bytes)
{
	for (uint64_t part; bytes; va += part, bytes -= part) {
		part = left_in_page(va, bytes);
		memcpy(out, access_page(user, va, false), part);
		out = (uint8_t *)out + part;
	}
}

static void write_bytes(struct user *user, uint64_t va, const void *from, uint64_t bytes)
{
	for (uint64_t part; bytes; va += part, bytes -= part) {
		part = left_in_page(va, bytes);
		memcpy(access_page(user, va, true), from, part);
		from = (const uint8_t *)from + part;
	}
}

#define WIDTH_LIST(X) X(64) X(32) X(16) X(8)
#define X(bits)                                                                                                        \
	uint##bits##_t user_load##bits(struct user *user, uint64_t va)                                                 \
	{                                                                                                              \
		uint##bits##_t value;                                                                                  \
		read_bytes(user, va, &value, sizeof(value));                                                           \
		return value;                                                                                          \
	}                                                                                                              \
	void user_store##bits(struct user *user, uint64_t va, uint##bits##_t value)                                    \
	{                                                                                                              \
		write_bytes(user, va, &value, sizeof(value));                                                          \
	}
WIDTH_LIST(X)
#undef X

void user_fill(struct user *user, uint64_t va, uint8_t byte, uint64_t bytes)
{
	for (uint64_t part; bytes; va += part, bytes -= part) {
		part = left_in_page(va, bytes);
		memset(access_page(user, va, true), byte, part);
	}
}

/* Upwards, a piece at a time: ranges that overlap with the target below the source come out right, and no allocator
 * asks for the other. */
void user_copy(struct user *user, uint64_t to, uint64_t from, uint64_t bytes)
{
	for (uint64_t part; bytes; to += part, from += part, bytes -= part) {
		part = left_in_page(to, left_in_page(from, bytes));
		const uint8_t *source = access_page(user, from, false);
		memmove(access_page(user, to, true), source, part);
	}
}

void user_touch(struct user *user, uint64_t va, uint64_t length, enum access_kind kind)
{
	for (uint64_t part; length; va += part, length -= part) {
		part = left_in_page(va, length);
		(void)access_page(user, va, kind == ACCESS_WRITE);
	}
}

uint64_t user_enter(struct user *user, uint64_t offset)
{
	(void)user, (void)offset;
	return 0;
}

void user_leave(struct user *user, uint64_t rip)
{
	(void)user, (void)rip;
}

void user_compute(struct user *user, uint64_t instructions)
{
	(void)user;
	(void)instructions;
}

bool user_peek64(const struct user *user, uint64_t va, uint64_t *value)
{
	for (unsigned i = 0; i < WINDOWS; i++) {
		const struct window *window = &user->windows[i];
		uint64_t offset = va - window->start;
		if (offset >= window->bytes || window->states[offset / PAGE_BYTES] == PAGE_NONE)
			continue;
		memcpy(value, &window->memory[offset], sizeof(*value));
		return true;
	}
	return false;
}

/* ---- the kernel's side ---- */

static void drop_pages(struct user *user, uint64_t start, uint64_t end)
{
	for (uint64_t va = start; va < end; va += PAGE_BYTES) {
		struct window *window = window_of(user, va);
		if (*state_at(window, va) == PAGE_PRESENT)
			memset(memory_at(window, va), 0, PAGE_BYTES);
		*state_at(window, va) = PAGE_NONE;
	}
}

static void move_pages(struct user *user, uint64_t from, uint64_t to, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES) {
		struct window *window = window_of(user, from);
		*state_at(window, to + at) = *state_at(window, from + at);
		memcpy(memory_at(window, to + at), memory_at(window, from + at), PAGE_BYTES);
	}
	drop_pages(user, from, from + bytes);
}

static void add_mapping(struct user *user, uint64_t start, uint64_t end)
{
	unsigned at = mapping_index(user, start);
	BUG_ON(user->mapping_count == MAX_MAPPINGS);
	memmove(&user->mappings[at + 1], &user->mappings[at], (user->mapping_count - at) * sizeof(struct mapping));
	user->mappings[at] = (struct mapping){start, end};
	user->mapping_count++;
	user->facts.mapped_bytes += end - start;
}

static void remove_range(struct user *user, uint64_t start, uint64_t end)
{
	struct mapping old[MAX_MAPPINGS];
	unsigned count = user->mapping_count;
	memcpy(old, user->mappings, count * sizeof(old[0]));
	user->mapping_count = 0;
	user->facts.mapped_bytes = 0;
	for (unsigned i = 0; i < count; i++) {
		uint64_t above = old[i].start > end ? old[i].start : end;
		uint64_t below = old[i].end < start ? old[i].end : start;
		if (above < old[i].end)
			add_mapping(user, above, old[i].end);
		if (below > old[i].start)
			add_mapping(user, old[i].start, below);
		uint64_t from = old[i].start > start ? old[i].start : start, to = old[i].end < end ? old[i].end : end;
		if (from < to)
			drop_pages(user, from, to);
	}
}

/* Upper end of the highest gap of at least `bytes`; 0 if there is none. */
static uint64_t highest_gap(const struct user *user, uint64_t bytes)
{
	uint64_t top = FLAT_CEILING;
	for (unsigned i = 0; i < user->mapping_count; i++) {
		if (top - user->mappings[i].end >= bytes)
			return top;
		top = user->mappings[i].start;
	}
	return top - user->windows[MAP_WINDOW].start >= bytes ? top : 0;
}

static uint64_t find_place(const struct user *user, uint64_t bytes)
{
	const uint64_t huge = 2 * MIB;
	uint64_t limit = user->facts.mapped_limit;
	if (bytes > user->windows[MAP_WINDOW].bytes || (limit && user->facts.mapped_bytes + bytes > limit))
		return 0;
	uint64_t top = bytes % huge == 0 ? highest_gap(user, bytes + huge) : 0;
	if (top)
		return (top - bytes - huge) / huge * huge + huge;
	top = highest_gap(user, bytes);
	return top ? top - bytes : 0;
}

static int64_t flat_brk(struct user *user, uint64_t wanted)
{
	struct flat_facts *facts = &user->facts;
	uint64_t limit = facts->break_limit ? facts->break_limit : FLAT_START_BRK + user->windows[HEAP_WINDOW].bytes;
	if (wanted >= FLAT_START_BRK && wanted <= limit) {
		if (wanted < facts->break_now)
			drop_pages(user, page_ceil(wanted), page_ceil(facts->break_now));
		facts->break_now = wanted;
	}
	return (int64_t)facts->break_now;
}

static int64_t flat_mmap(struct user *user, uint64_t bytes)
{
	bytes = page_ceil(bytes);
	uint64_t at = bytes ? find_place(user, bytes) : 0;
	if (!at)
		return -LINUX_ENOMEM;
	add_mapping(user, at, at + bytes);
	return (int64_t)at;
}

static int64_t flat_mremap(struct user *user, uint64_t at, uint64_t old_bytes, uint64_t new_bytes)
{
	unsigned index = mapping_index(user, at);
	uint64_t above = index ? user->mappings[index - 1].start : FLAT_CEILING;
	if (new_bytes <= old_bytes) {
		remove_range(user, at + new_bytes, at + old_bytes);
		return (int64_t)at;
	}
	if (at + new_bytes > above || user->mappings[index].end != at + old_bytes) {
		int64_t to = flat_mmap(user, new_bytes);
		if (to > 0) {
			move_pages(user, at, (uint64_t)to, old_bytes);
			remove_range(user, at, at + old_bytes);
		}
		return to;
	}
	uint64_t limit = user->facts.mapped_limit;
	if (limit && user->facts.mapped_bytes + new_bytes - old_bytes > limit)
		return -LINUX_ENOMEM;
	user->mappings[index].end = at + new_bytes;
	user->facts.mapped_bytes += new_bytes - old_bytes;
	return (int64_t)at;
}

int64_t user_syscall(struct user *user, uint64_t number, const uint64_t args[6])
{
	uint64_t *calls = user->facts.calls;
	switch (number) {
	case SYS_NR_BRK:
		calls[SYSCALL_BRK]++;
		return flat_brk(user, args[0]);
	case SYS_NR_MMAP:
		calls[SYSCALL_MMAP]++;
		return flat_mmap(user, args[1]);
	case SYS_NR_MUNMAP:
		calls[SYSCALL_MUNMAP]++;
		remove_range(user, args[0], args[0] + page_ceil(args[1]));
		return 0;
	case SYS_NR_MREMAP:
		calls[SYSCALL_MREMAP]++;
		return flat_mremap(user, args[0], page_ceil(args[1]), page_ceil(args[2]));
	case SYS_NR_MADVISE:
		calls[SYSCALL_MADVISE]++;
		drop_pages(user, args[0], args[0] + args[1]);
		return 0;
	case SYS_NR_MPROTECT:
		calls[SYSCALL_MPROTECT]++;
		return 0;
	default:
		calls[SYSCALL_UNKNOWN]++;
		return -LINUX_ENOSYS;
	}
}
