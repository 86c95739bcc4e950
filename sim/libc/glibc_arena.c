/* Which arena serves a call (malloc/arena.c): each thread is attached to one; a thread's first call takes one that a
 * thread has left, or makes a new one while there are few, or shares. */
#include "glibc.h"

/* NARENAS_FROM_NCORES */
enum { ARENAS_A_CORE = 8 };

static uint64_t word_at(struct heap *heap, uint64_t arena, uint64_t offset)
{
	return user_load64(heap->user, arena + offset);
}

static void set_word_at(struct heap *heap, uint64_t arena, uint64_t offset, uint64_t value)
{
	user_store64(heap->user, arena + offset, value);
}

/* malloc_init_state, of the arena at work. */
void glibc_init_state(struct heap *heap)
{
	for (unsigned i = 1; i < NBINS; i++) {
		uint64_t bin = bin_at(heap, i);
		set_fd(heap, bin, bin);
		set_bk(heap, bin, bin);
	}
	if (is_main_arena(heap))
		set_var(heap, G_MAX_FAST, 128);
	else
		set_arena_word32(heap, M_FLAGS, NONCONTIGUOUS_BIT);
	set_arena_word32(heap, M_HAVE_FASTCHUNKS, 0);
	set_arena_word(heap, M_TOP, unsorted(heap));
}

static void detach(struct heap *heap, uint64_t arena)
{
	if (arena)
		set_word_at(heap, arena, M_ATTACHED_THREADS, word_at(heap, arena, M_ATTACHED_THREADS) - 1);
}

/* _int_new_arena: the arena's state and its first top share the first heap. A request too large for any heap is left to
 * mmap. */
static uint64_t new_arena(struct heap *heap, uint64_t request)
{
	const uint64_t least = H_BYTES + M_BYTES + MALLOC_ALIGNMENT;
	uint64_t replaced = tls(heap, TLS_ARENA);
	uint64_t info = glibc_new_heap(heap, least + request, var(heap, MP_TOP_PAD));
	if (info == 0)
		info = glibc_new_heap(heap, least, var(heap, MP_TOP_PAD));
	if (info == 0)
		return 0;
	uint64_t size = word_at(heap, info, H_SIZE), top = info + H_BYTES + M_BYTES;
	heap->av = info + H_BYTES;
	set_word_at(heap, info, H_ARENA, heap->av);
	glibc_init_state(heap);
	set_arena_word(heap, M_ATTACHED_THREADS, 1);
	set_arena_word(heap, M_SYSTEM_MEM, size);
	set_arena_word(heap, M_MAX_SYSTEM_MEM, size);
	uint64_t misaligned = mem_of(top) & (MALLOC_ALIGNMENT - 1);
	top += misaligned ? MALLOC_ALIGNMENT - misaligned : 0;
	set_arena_word(heap, M_TOP, top);
	set_head(heap, top, (info + size - top) | PREV_INUSE);
	set_tls(heap, TLS_ARENA, heap->av);
	set_arena_word(heap, M_NEXT, word_at(heap, heap->data_va, M_NEXT));
	set_word_at(heap, heap->data_va, M_NEXT, heap->av);
	detach(heap, replaced);
	return heap->av;
}

static uint64_t from_free_list(struct heap *heap)
{
	uint64_t arena = var(heap, G_FREE_LIST), replaced = tls(heap, TLS_ARENA);
	if (arena == 0)
		return 0;
	set_var(heap, G_FREE_LIST, word_at(heap, arena, M_NEXT_FREE));
	set_word_at(heap, arena, M_ATTACHED_THREADS, 1);
	detach(heap, replaced);
	set_tls(heap, TLS_ARENA, arena);
	return arena;
}

static void remove_from_free_list(struct heap *heap, uint64_t arena)
{
	uint64_t link = heap->data_va + G_FREE_LIST, at;
	while ((at = user_load64(heap->user, link)) != 0) {
		if (at == arena) {
			user_store64(heap->user, link, word_at(heap, arena, M_NEXT_FREE));
			return;
		}
		link = at + M_NEXT_FREE;
	}
}

/* The next in turn. Operations come one after the other here, so no arena is ever locked, not even the one that has
 * just failed: it may be tried again. */
static uint64_t reused_arena(struct heap *heap)
{
	uint64_t arena = var(heap, G_NEXT_TO_USE);
	if (arena == 0)
		arena = heap->data_va;
	detach(heap, tls(heap, TLS_ARENA));
	remove_from_free_list(heap, arena);
	set_word_at(heap, arena, M_ATTACHED_THREADS, word_at(heap, arena, M_ATTACHED_THREADS) + 1);
	set_tls(heap, TLS_ARENA, arena);
	set_var(heap, G_NEXT_TO_USE, word_at(heap, arena, M_NEXT));
	return arena;
}

static uint64_t arenas_limit(struct heap *heap)
{
	uint64_t limit = var(heap, G_NARENAS_LIMIT), most = var(heap, MP_ARENA_MAX);
	if (limit == 0 && most != 0)
		limit = most;
	else if (limit == 0 && var(heap, G_NARENAS) > var(heap, MP_ARENA_TEST))
		limit = ARENAS_A_CORE * heap->cores;
	set_var(heap, G_NARENAS_LIMIT, limit);
	return limit;
}

/* arena_get2 */
static uint64_t another_arena(struct heap *heap, uint64_t request)
{
	uint64_t arena = from_free_list(heap);
	if (arena)
		return arena;
	/* No limit yet is the highest number there is. */
	uint64_t limit = arenas_limit(heap), count = var(heap, G_NARENAS);
	if (count > limit - 1)
		return reused_arena(heap);
	set_var(heap, G_NARENAS, count + 1);
	arena = new_arena(heap, request);
	if (arena == 0)
		set_var(heap, G_NARENAS, count);
	return arena;
}

void glibc_arena_get(struct heap *heap, uint64_t request)
{
	uint64_t arena = tls(heap, TLS_ARENA);
	heap->av = arena ? arena : another_arena(heap, request);
}

void glibc_arena_get_retry(struct heap *heap, uint64_t request)
{
	heap->av = is_main_arena(heap) ? another_arena(heap, request) : heap->data_va;
}

bool glibc_is_of_arena(struct heap *heap, uint64_t mem)
{
	uint64_t word = mem ? head(heap, chunk_of(mem)) : IS_MMAPPED;
	return (word & IS_MMAPPED) || glibc_arena_of(heap, chunk_of(mem), word) == heap->av;
}

/* __malloc_arena_thread_freeres: an arena without threads waits on the free list for the next one. */
void glibc_thread_freeres(struct heap *heap)
{
	glibc_tcache_thread_shutdown(heap);
	uint64_t arena = tls(heap, TLS_ARENA);
	set_tls(heap, TLS_ARENA, 0);
	if (arena == 0)
		return;
	detach(heap, arena);
	if (word_at(heap, arena, M_ATTACHED_THREADS) == 0) {
		set_word_at(heap, arena, M_NEXT_FREE, var(heap, G_FREE_LIST));
		set_var(heap, G_FREE_LIST, arena);
	}
}
