/* Follows every block from its birth to its death by the calls of the C library. */
#include <stdlib.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/document.h"
#include "faultline/histogram.h"

enum { FIRST_SLOTS = 1024 };

/* What a call asks for. */
enum call_kind { CALL_NONE, CALL_BIRTH, CALL_RESIZE, CALL_DEATH };

struct call {
	enum call_kind kind;
	uint64_t block, bytes;
};

/* A process: how many bytes it has requested, and the call that it is in. */
struct customer {
	uint32_t pid;
	uint32_t lender; /* vfork: the pid of the process in whose memory it allocates and frees; 0: in its own */
	uint64_t requested;
	struct call call;
};

/* A block that lives; pid 0: a free slot. */
struct life {
	uint64_t block, born;
	uint32_t pid;
};

/* lives: open addressing, linear probing; fewer than half of the slots are taken. */
struct block_watch {
	struct histograms *out;
	struct customer customers[DOCUMENT_MAX_PROCESSES];
	unsigned customer_count;
	struct life *lives;
	size_t slots, taken;
};

/* ---- lives ---- */

static size_t home_of(const struct block_watch *watch, uint32_t pid, uint64_t block)
{
	uint64_t hash = (block ^ (uint64_t)pid << 48) * 0x9e3779b97f4a7c15u;
	return (size_t)(hash >> 32) & (watch->slots - 1);
}

/* Where it stands, or where it would. */
static size_t slot_of(const struct block_watch *watch, uint32_t pid, uint64_t block)
{
	size_t slot = home_of(watch, pid, block);
	while (watch->lives[slot].pid != 0 && (watch->lives[slot].pid != pid || watch->lives[slot].block != block))
		slot = (slot + 1) & (watch->slots - 1);
	return slot;
}

static void add_life(struct block_watch *watch, const struct life *life);

static void grow(struct block_watch *watch)
{
	struct life *old = watch->lives;
	size_t slots = watch->slots;
	watch->slots = slots ? 2 * slots : FIRST_SLOTS;
	watch->lives = calloc(watch->slots, sizeof(*watch->lives));
	BUG_ON(!watch->lives);
	watch->taken = 0;
	for (size_t i = 0; i < slots; i++) {
		if (old[i].pid != 0)
			add_life(watch, &old[i]);
	}
	free(old);
}

static void add_life(struct block_watch *watch, const struct life *life)
{
	if (2 * (watch->taken + 1) > watch->slots)
		grow(watch);
	size_t slot = slot_of(watch, life->pid, life->block);
	watch->taken += watch->lives[slot].pid == 0;
	watch->lives[slot] = *life;
}

/* What stood behind the gap moves up, so that a search never ends too early. */
static void close_gap(struct block_watch *watch, size_t gap)
{
	size_t mask = watch->slots - 1;
	for (size_t slot = (gap + 1) & mask; watch->lives[slot].pid != 0; slot = (slot + 1) & mask) {
		size_t home = home_of(watch, watch->lives[slot].pid, watch->lives[slot].block);
		if (((slot - home) & mask) < ((slot - gap) & mask))
			continue;
		watch->lives[gap] = watch->lives[slot];
		gap = slot;
	}
	watch->lives[gap].pid = 0;
	watch->taken--;
}

/* False: nobody knows this block. */
static bool take_life(struct block_watch *watch, uint32_t pid, uint64_t block, struct life *out)
{
	size_t slot = slot_of(watch, pid, block);
	if (watch->lives[slot].pid == 0)
		return false;
	*out = watch->lives[slot];
	close_gap(watch, slot);
	return true;
}

/* ---- calls ---- */

/* NULL: more processes than a document can have. */
static struct customer *customer_of(struct block_watch *watch, uint32_t pid)
{
	for (unsigned i = 0; i < watch->customer_count; i++) {
		if (watch->customers[i].pid == pid)
			return &watch->customers[i];
	}
	if (watch->customer_count == DOCUMENT_MAX_PROCESSES)
		return NULL;
	watch->customers[watch->customer_count] = (struct customer){.pid = pid};
	return &watch->customers[watch->customer_count++];
}

/* Whose blocks it allocates and frees. */
static struct customer *customer_in_memory(struct block_watch *watch, uint32_t pid)
{
	struct customer *customer = customer_of(watch, pid);
	while (customer && customer->lender != 0)
		customer = customer_of(watch, customer->lender);
	return customer;
}

static void lend(struct block_watch *watch, uint32_t lender, uint32_t pid)
{
	struct customer *customer = customer_of(watch, pid);
	if (customer)
		customer->lender = lender;
}

static struct call call_of(const struct event *event)
{
	static const char *const aligned[] = {"aligned_alloc", "memalign", "posix_memalign", "valloc", "pvalloc"};
	const char *function = event_arg_text(event, 0);
	uint64_t a = event->arg[1], b = event->arg[2];
	if (strcmp(function, "malloc") == 0)
		return (struct call){CALL_BIRTH, 0, a};
	if (strcmp(function, "free") == 0)
		return (struct call){CALL_DEATH, a, 0};
	if (strcmp(function, "calloc") == 0)
		return (struct call){CALL_BIRTH, 0, a * b};
	if (strcmp(function, "realloc") == 0)
		return (struct call){a ? CALL_RESIZE : CALL_BIRTH, a, b};
	for (unsigned i = 0; i < sizeof(aligned) / sizeof(*aligned); i++) {
		if (strcmp(function, aligned[i]) == 0)
			return (struct call){CALL_BIRTH, 0, b};
	}
	return (struct call){CALL_NONE, 0, 0};
}

static void count(struct block_watch *watch, enum histogram histogram, uint64_t value)
{
	watch->out->count[histogram][histogram_bucket(value)]++;
}

/* realloc(p, 0) is free; one that failed changes nothing. */
static void end_call(struct block_watch *watch, struct customer *customer, uint64_t result)
{
	struct call call = customer->call;
	struct life life = {.pid = customer->pid, .born = customer->requested};
	bool dies = call.kind == CALL_DEATH || (call.kind == CALL_RESIZE && call.bytes == 0 && result == 0);
	customer->call.kind = CALL_NONE;
	if (dies) {
		if (take_life(watch, customer->pid, call.block, &life))
			count(watch, HISTOGRAM_LIFETIME, customer->requested - life.born);
		return;
	}
	if (call.kind == CALL_NONE || result == 0)
		return;
	if (call.kind == CALL_RESIZE && !take_life(watch, customer->pid, call.block, &life))
		life.born = customer->requested;
	life.block = result;
	add_life(watch, &life);
	count(watch, HISTOGRAM_SIZE, call.bytes);
	customer->requested += call.bytes;
}

/* The child has what its parent had. */
static void copy_lives(struct block_watch *watch, uint32_t parent, uint32_t child)
{
	struct customer *from = customer_of(watch, parent), *to = customer_of(watch, child);
	struct life *mine = calloc(watch->taken + 1, sizeof(*mine));
	size_t many = 0;
	BUG_ON(!mine);
	for (size_t i = 0; i < watch->slots; i++) {
		if (watch->lives[i].pid == parent)
			mine[many++] = watch->lives[i];
	}
	for (size_t i = 0; i < many; i++) {
		mine[i].pid = child;
		add_life(watch, &mine[i]);
	}
	if (from && to)
		to->requested = from->requested;
	free(mine);
}

/* ---- the observer ---- */

void block_watch_event(void *self, const struct event *event)
{
	struct block_watch *watch = self;
	struct customer *customer = customer_in_memory(watch, event->pid);
	if (event->kind == EVENT_FORK)
		copy_lives(watch, (uint32_t)event->arg[0], (uint32_t)event->arg[1]);
	else if (event->kind == EVENT_VFORK)
		lend(watch, (uint32_t)event->arg[0], (uint32_t)event->arg[1]);
	else if (event->kind == EVENT_VFORK_DONE)
		lend(watch, 0, (uint32_t)event->arg[0]);
	else if (!customer)
		return;
	else if (event->kind == EVENT_LIBC_CALL)
		customer->call = call_of(event);
	else if (event->kind == EVENT_LIBC_RETURN)
		end_call(watch, customer, event->arg[1]);
}

uint64_t block_watch_mask(void)
{
	return EVENT_BIT(EVENT_LIBC_CALL) | EVENT_BIT(EVENT_LIBC_RETURN) | EVENT_BIT(EVENT_FORK) |
	       EVENT_BIT(EVENT_VFORK) | EVENT_BIT(EVENT_VFORK_DONE);
}

struct block_watch *block_watch_new(struct histograms *out)
{
	struct block_watch *watch = calloc(1, sizeof(*watch));
	BUG_ON(!watch);
	*out = (struct histograms){{{0}}};
	watch->out = out;
	grow(watch);
	return watch;
}

void block_watch_free(struct block_watch *watch)
{
	if (!watch)
		return;
	for (size_t i = 0; i < watch->slots; i++) {
		struct customer *owner = watch->lives[i].pid != 0 ? customer_of(watch, watch->lives[i].pid) : NULL;
		if (owner)
			count(watch, HISTOGRAM_ALIVE, owner->requested - watch->lives[i].born);
	}
	free(watch->lives);
	free(watch);
}
