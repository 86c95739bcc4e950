/* Heaps of arenas that are not the main one: regions of 64 MiB at multiples of 64 MiB, reserved as a whole and made
 * accessible from the front as they are needed; the heap_info at the start says to which arena a chunk belongs. */
#include "glibc.h"

#include "faultline/syscall.h"

static inline uint64_t heap_word(struct heap *heap, uint64_t info, uint64_t offset)
{
	return user_load64(heap->user, info + offset);
}

static inline void set_heap_word(struct heap *heap, uint64_t info, uint64_t offset, uint64_t value)
{
	user_store64(heap->user, info + offset, value);
}

static inline uint64_t heap_for(uint64_t address)
{
	return address & ~(HEAP_MAX_BYTES - 1);
}

static uint64_t reserve(struct heap *heap, uint64_t hint, uint64_t bytes)
{
	emit(heap->bus, EVENT_LIBC_GROW, event_text("mmap"), bytes, event_text("an arena needs a heap"));
	int64_t at = glibc_call(heap, SYS_NR_MMAP, hint, bytes, 0,
				LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS | LINUX_MAP_NORESERVE);
	return glibc_call_failed(at) ? 0 : (uint64_t)at;
}

static void release(struct heap *heap, uint64_t start, uint64_t bytes, const char *why)
{
	emit(heap->bus, EVENT_LIBC_SHRINK, event_text("munmap"), bytes, event_text(why));
	(void)glibc_call(heap, SYS_NR_MUNMAP, start, bytes, 0, 0);
}

/* If it lies right, else nothing. */
static uint64_t reserve_aligned(struct heap *heap, uint64_t hint)
{
	uint64_t at = reserve(heap, hint, HEAP_MAX_BYTES);
	if (at == heap_for(at))
		return at;
	release(heap, at, HEAP_MAX_BYTES, "a heap must be aligned");
	return 0;
}

/* Twice the size holds an aligned region; what is beside it goes back. If nothing is in front, the next heap may fit
 * behind. */
static uint64_t reserve_and_cut(struct heap *heap)
{
	uint64_t at = reserve(heap, 0, 2 * HEAP_MAX_BYTES);
	if (at == 0)
		return reserve_aligned(heap, 0);
	uint64_t start = heap_for(at + HEAP_MAX_BYTES - 1), before = start - at;
	if (before)
		release(heap, at, before, "in front of the aligned heap");
	else
		set_var(heap, G_ALIGNED_HEAP_AREA, start + HEAP_MAX_BYTES);
	release(heap, start + HEAP_MAX_BYTES, HEAP_MAX_BYTES - before, "behind the aligned heap");
	return start;
}

static bool make_accessible(struct heap *heap, uint64_t start, uint64_t bytes)
{
	emit(heap->bus, EVENT_LIBC_GROW, event_text("mprotect"), bytes, event_text("the heap of the arena grows"));
	return glibc_call(heap, SYS_NR_MPROTECT, start, bytes, LINUX_PROT_READ | LINUX_PROT_WRITE, 0) == 0;
}

/* alloc_new_heap */
uint64_t glibc_new_heap(struct heap *heap, uint64_t bytes, uint64_t pad)
{
	uint64_t info = 0, hint = var(heap, G_ALIGNED_HEAP_AREA);
	if (bytes + pad < HEAP_MIN_BYTES)
		bytes = HEAP_MIN_BYTES;
	else if (bytes + pad <= HEAP_MAX_BYTES)
		bytes += pad;
	else if (bytes > HEAP_MAX_BYTES)
		return 0;
	else
		bytes = HEAP_MAX_BYTES;
	bytes = page_ceil(bytes);
	if (hint) {
		set_var(heap, G_ALIGNED_HEAP_AREA, 0);
		info = reserve_aligned(heap, hint);
	}
	if (info == 0)
		info = reserve_and_cut(heap);
	if (info == 0)
		return 0;
	if (!make_accessible(heap, info, bytes)) {
		release(heap, info, HEAP_MAX_BYTES, "it cannot be made accessible");
		return 0;
	}
	set_heap_word(heap, info, H_SIZE, bytes);
	set_heap_word(heap, info, H_MPROTECT_SIZE, bytes);
	set_heap_word(heap, info, H_PAGESIZE, PAGE_BYTES);
	return info;
}

/* grow_heap */
static bool extend(struct heap *heap, uint64_t info, uint64_t more)
{
	uint64_t size = heap_word(heap, info, H_SIZE) + page_ceil(more);
	uint64_t accessible = heap_word(heap, info, H_MPROTECT_SIZE);
	if (size > HEAP_MAX_BYTES)
		return false;
	if (size > accessible) {
		if (!make_accessible(heap, info + accessible, size - accessible))
			return false;
		set_heap_word(heap, info, H_MPROTECT_SIZE, size);
	}
	set_heap_word(heap, info, H_SIZE, size);
	return true;
}

static void add_system_mem(struct heap *heap, uint64_t bytes)
{
	set_arena_word(heap, M_SYSTEM_MEM, arena_word(heap, M_SYSTEM_MEM) + bytes);
}

/* The old top ends in a fence large enough to become a top again; what is in front of it is free. */
static void fence_old_top(struct heap *heap, uint64_t top, uint64_t size)
{
	size = (size - MINSIZE) & ~(uint64_t)(MALLOC_ALIGNMENT - 1);
	set_head(heap, top + size + CHUNK_HDR_SZ, PREV_INUSE);
	if (size >= MINSIZE) {
		set_head(heap, top + size, CHUNK_HDR_SZ | PREV_INUSE);
		set_foot(heap, top + size, CHUNK_HDR_SZ);
		set_head(heap, top, size | PREV_INUSE | NON_MAIN_ARENA);
		glibc_int_free(heap, top, head(heap, top), true);
	} else {
		set_head(heap, top, (size + CHUNK_HDR_SZ) | PREV_INUSE);
		set_foot(heap, top, size + CHUNK_HDR_SZ);
	}
}

bool glibc_grow_arena(struct heap *heap, uint64_t nb)
{
	uint64_t top = arena_word(heap, M_TOP), size = chunk_size(heap, top), info = heap_for(top);
	uint64_t before = heap_word(heap, info, H_SIZE);
	if ((int64_t)(nb + MINSIZE - size) > 0 && extend(heap, info, nb + MINSIZE - size)) {
		uint64_t now = heap_word(heap, info, H_SIZE);
		add_system_mem(heap, now - before);
		set_head(heap, top, (info + now - top) | PREV_INUSE);
		return true;
	}
	uint64_t next = glibc_new_heap(heap, nb + MINSIZE + H_BYTES, var(heap, MP_TOP_PAD));
	if (next == 0)
		return false;
	uint64_t bytes = heap_word(heap, next, H_SIZE);
	set_heap_word(heap, next, H_ARENA, heap->av);
	set_heap_word(heap, next, H_PREV, info);
	add_system_mem(heap, bytes);
	set_arena_word(heap, M_TOP, next + H_BYTES);
	set_head(heap, next + H_BYTES, (bytes - H_BYTES) | PREV_INUSE);
	fence_old_top(heap, top, size);
	return true;
}

#define heap_trim_assert(heap, holds, condition) glibc_assert(heap, holds, "heap_trim", condition)

static void make_top(struct heap *heap, uint64_t info, uint64_t chunk, uint64_t bytes)
{
	heap_trim_assert(heap, page_offset(chunk + bytes) == 0,
			 "((unsigned long) ((char *) p + new_size) & (heap->pagesize - 1)) == 0");
	heap_trim_assert(heap, chunk + bytes == info + heap_word(heap, info, H_SIZE),
			 "((char *) p + new_size) == ((char *) heap + heap->size)");
	set_arena_word(heap, M_TOP, chunk);
	set_head(heap, chunk, bytes | PREV_INUSE);
}

/* The heap before it has room enough for a top again: the newest heap goes away, and the fence that ends the one before
 * becomes its top. False: it stays. */
static bool drop_heap(struct heap *heap, uint64_t info, uint64_t pad)
{
	uint64_t previous = heap_word(heap, info, H_PREV), size = heap_word(heap, previous, H_SIZE);
	uint64_t fence = previous + size - (MINSIZE - 2 * SIZE_SZ), misaligned = fence & (MALLOC_ALIGNMENT - 1);
	fence -= misaligned;
	heap_trim_assert(heap, head(heap, fence) == PREV_INUSE, "chunksize_nomask (p) == (0 | PREV_INUSE)");
	uint64_t chunk = fence - prev_size(heap, fence);
	uint64_t free_bytes = chunk_size(heap, chunk) + (MINSIZE - 2 * SIZE_SZ) + misaligned;
	heap_trim_assert(heap, (int64_t)free_bytes > 0 && (int64_t)free_bytes < 2 * MINSIZE,
			 "new_size > 0 && new_size < (long) (2 * MINSIZE)");
	bool join = !prev_inuse(heap, chunk);
	if (join)
		free_bytes += prev_size(heap, chunk);
	heap_trim_assert(heap, (int64_t)free_bytes > 0 && free_bytes < HEAP_MAX_BYTES,
			 "new_size > 0 && new_size < max_size");
	if (free_bytes + (HEAP_MAX_BYTES - size) < pad + MINSIZE + PAGE_BYTES)
		return false;
	add_system_mem(heap, 0 - heap_word(heap, info, H_SIZE));
	if (info + HEAP_MAX_BYTES == var(heap, G_ALIGNED_HEAP_AREA))
		set_var(heap, G_ALIGNED_HEAP_AREA, 0);
	release(heap, info, HEAP_MAX_BYTES, "the heap holds nothing but the top");
	if (join) {
		chunk -= prev_size(heap, chunk);
		glibc_unlink(heap, chunk);
	}
	make_top(heap, previous, chunk, free_bytes);
	return true;
}

/* heap_trim: heaps that hold nothing but the top go back whole; of the last one the end does, as systrim has it. */
void glibc_heap_trim(struct heap *heap, uint64_t pad)
{
	uint64_t top = arena_word(heap, M_TOP);
	glibc_assert(heap, heap_word(heap, heap_for(top), H_ARENA) == heap->av, "_int_free", "heap->ar_ptr == av");
	while (top == heap_for(top) + H_BYTES && drop_heap(heap, heap_for(top), pad))
		top = arena_word(heap, M_TOP);
	uint64_t size = chunk_size(heap, top), area = size - MINSIZE - 1, info = heap_for(top);
	if (size < var(heap, MP_TRIM_THRESHOLD) || (int64_t)area < 0 || area <= pad)
		return;
	uint64_t extra = page_floor(area - pad);
	if (extra == 0)
		return;
	/* shrink_heap: the pages go, the addresses stay accessible. A top that claims more than the heap has is left.
	 */
	uint64_t kept = heap_word(heap, info, H_SIZE) - extra;
	if ((int64_t)kept < H_BYTES)
		return;
	emit(heap->bus, EVENT_LIBC_SHRINK, event_text("madvise"), extra,
	     event_text("the top has reached the trim threshold"));
	(void)glibc_call(heap, SYS_NR_MADVISE, info + kept, extra, LINUX_MADV_DONTNEED, 0);
	set_heap_word(heap, info, H_SIZE, kept);
	add_system_mem(heap, 0 - extra);
	set_head(heap, top, (size - extra) | PREV_INUSE);
}
