/* The per-thread cache: 64 bins of chunk sizes 0x20 to 0x410, seven chunks each, last in, first out. */
#include "glibc.h"

/* struct tcache_perthread_struct: 64 counts of 16 bits, then 64 list heads. */
static inline uint64_t count_at(uint64_t tcache, uint64_t index)
{
	return tcache + index * 2;
}

static inline uint64_t entry_at(uint64_t tcache, uint64_t index)
{
	return tcache + (uint64_t)TCACHE_BINS * 2 + index * 8;
}

/* An entry points at mem: the next entry, then the key that marks a block as cached. */
static inline uint64_t key_at(uint64_t mem)
{
	return mem + 8;
}

void glibc_tcache_init(struct heap *heap)
{
	if (user_load8(heap->user, heap->thread_va + TLS_TCACHE_SHUTTING_DOWN))
		return;
	glibc_arena_get(heap, TCACHE_BYTES);
	uint64_t mem = glibc_int_malloc(heap, TCACHE_BYTES);
	if (mem == 0 && heap->av != 0) {
		glibc_arena_get_retry(heap, TCACHE_BYTES);
		mem = glibc_int_malloc(heap, TCACHE_BYTES);
	}
	if (mem == 0)
		return;
	set_tls(heap, TLS_TCACHE, mem);
	user_fill(heap->user, mem, 0, TCACHE_BYTES);
}

bool glibc_tcache_serves(struct heap *heap, uint64_t index)
{
	return index < var(heap, MP_TCACHE_BINS) && tls(heap, TLS_TCACHE) != 0;
}

bool glibc_tcache_has_room(struct heap *heap, uint64_t index)
{
	return user_load16(heap->user, count_at(tls(heap, TLS_TCACHE), index)) < var(heap, MP_TCACHE_COUNT);
}

static inline void put(struct heap *heap, uint64_t tcache, uint64_t chunk, uint64_t index, uint16_t count)
{
	struct user *user = heap->user;
	uint64_t mem = mem_of(chunk), entry = entry_at(tcache, index);
	user_store64(user, key_at(mem), TCACHE_KEY);
	user_store64(user, mem, protect_ptr(mem, user_load64(user, entry)));
	user_store64(user, entry, mem);
	user_store16(user, count_at(tcache, index), (uint16_t)(count + 1));
	emit(heap->bus, EVENT_LIBC_PLACE, chunk, index * MALLOC_ALIGNMENT + MINSIZE, event_text("tcache"));
}

static inline uint64_t get(struct heap *heap, uint64_t tcache, uint64_t index)
{
	struct user *user = heap->user;
	uint64_t size = index * MALLOC_ALIGNMENT + MINSIZE, mem = 0;
	uint16_t count = user_load16(user, count_at(tcache, index));
	if (count != 0)
		mem = user_load64(user, entry_at(tcache, index));
	emit(heap->bus, EVENT_LIBC_SEARCH, event_text("tcache"), size, mem, index);
	if (count == 0)
		return 0;
	if (!is_aligned(mem))
		glibc_printerr(heap, "malloc(): unaligned tcache chunk detected");
	user_store64(user, entry_at(tcache, index), reveal_ptr(heap, mem));
	user_store16(user, count_at(tcache, index), (uint16_t)(count - 1));
	user_store64(user, key_at(mem), 0);
	heap->last_usable = size - SIZE_SZ;
	return mem;
}

void glibc_tcache_put(struct heap *heap, uint64_t chunk, uint64_t index)
{
	uint64_t tcache = tls(heap, TLS_TCACHE);
	put(heap, tcache, chunk, index, user_load16(heap->user, count_at(tcache, index)));
}

uint64_t glibc_tcache_get(struct heap *heap, uint64_t index)
{
	return get(heap, tls(heap, TLS_TCACHE), index);
}

uint64_t glibc_tcache_malloc(struct heap *heap, uint64_t index)
{
	uint64_t tcache = glibc_tcache_existing_or_new(heap);
	return index < var(heap, MP_TCACHE_BINS) && tcache != 0 ? get(heap, tcache, index) : 0;
}

/* The program's own data may look like the key by chance, so the bin decides. */
static void check_double_free(struct heap *heap, uint64_t tcache, uint64_t mem, uint64_t index)
{
	uint64_t entry = user_load64(heap->user, entry_at(tcache, index)), seen = 0;
	for (; entry; entry = reveal_ptr(heap, entry), seen++) {
		if (seen >= var(heap, MP_TCACHE_COUNT))
			glibc_printerr(heap, "free(): too many chunks detected in tcache");
		if (!is_aligned(entry))
			glibc_printerr(heap, "free(): unaligned chunk detected in tcache 2");
		if (entry == mem)
			glibc_printerr(heap, "free(): double free detected in tcache 2");
	}
}

bool glibc_tcache_free(struct heap *heap, uint64_t tcache, uint64_t chunk, uint64_t size)
{
	uint64_t index = tcache_index(size), mem = mem_of(chunk);
	if (tcache == 0 || index >= var(heap, MP_TCACHE_BINS))
		return false;
	if (user_load64(heap->user, key_at(mem)) == TCACHE_KEY)
		check_double_free(heap, tcache, mem, index);
	uint16_t count = user_load16(heap->user, count_at(tcache, index));
	if (count >= var(heap, MP_TCACHE_COUNT))
		return false;
	put(heap, tcache, chunk, index, count);
	return true;
}

/* What a thread leaves behind goes back to the heaps that it is from. */
void glibc_tcache_thread_shutdown(struct heap *heap)
{
	uint64_t tcache = tls(heap, TLS_TCACHE), entry;
	user_store8(heap->user, heap->thread_va + TLS_TCACHE_SHUTTING_DOWN, 1);
	if (tcache == 0)
		return;
	set_tls(heap, TLS_TCACHE, 0);
	for (uint64_t i = 0; i < TCACHE_BINS; i++) {
		while ((entry = user_load64(heap->user, entry_at(tcache, i))) != 0) {
			if (!is_aligned(entry))
				glibc_printerr(heap, "tcache_thread_shutdown(): unaligned tcache chunk detected");
			user_store64(heap->user, entry_at(tcache, i), reveal_ptr(heap, entry));
			heap->ops->free(heap, entry);
		}
	}
	heap->ops->free(heap, tcache);
}
