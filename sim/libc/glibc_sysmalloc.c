/* More memory for the main arena's top: by brk, and by mmap when brk fails. */
#include "glibc.h"

#include "faultline/syscall.h"

#define FAILED UINT64_MAX

static uint64_t map_pages(struct heap *heap, uint64_t bytes)
{
	emit(heap->bus, EVENT_LIBC_GROW, event_text("mmap"), bytes, event_text("brk was refused"));
	int64_t at = glibc_call(heap, SYS_NR_MMAP, 0, bytes, LINUX_PROT_READ | LINUX_PROT_WRITE,
				LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS);
	return glibc_call_failed(at) ? FAILED : (uint64_t)at;
}

/* sysmalloc_mmap_fallback: brk has failed. The mapping cannot join the old top, so it is made large, and from now on
 * the heap is not contiguous. 2.36 passes the least size and the unit of rounding in each other's place: it rounds to
 * whole MiB, and makes sure of a page only. */
static uint64_t map_top(struct heap *heap, uint64_t nb, uint64_t old_size, uint64_t *size)
{
	if (is_contiguous(heap))
		*size = align_up(*size + old_size, MMAP_AS_MORECORE_BYTES);
	if (*size < PAGE_BYTES)
		*size = PAGE_BYTES;
	if (*size <= nb)
		return FAILED;
	uint64_t at = map_pages(heap, *size);
	if (at != FAILED)
		set_arena_word32(heap, M_FLAGS, arena_word32(heap, M_FLAGS) | NONCONTIGUOUS_BIT);
	return at;
}

/* The old top becomes an ordinary free chunk in front of two small ones that nobody can join. */
static void fence_old_top(struct heap *heap, uint64_t top, uint64_t size)
{
	size = (size - 4 * SIZE_SZ) & ~(uint64_t)(MALLOC_ALIGNMENT - 1);
	set_head(heap, top, size | PREV_INUSE);
	set_head(heap, top + size, CHUNK_HDR_SZ | PREV_INUSE);
	set_head(heap, top + size + CHUNK_HDR_SZ, CHUNK_HDR_SZ | PREV_INUSE);
	if (size >= MINSIZE)
		glibc_int_free(heap, top, head(heap, top), true);
}

/* New memory that does not continue the top: it becomes the top, rounded to a page by a second brk. */
static void start_new_top(struct heap *heap, uint64_t brk, uint64_t size, uint64_t end, uint64_t old_top,
			  uint64_t old_size)
{
	uint64_t correction = 0, start = brk;
	if (is_contiguous(heap)) {
		if (old_size)
			set_arena_word(heap, M_SYSTEM_MEM, arena_word(heap, M_SYSTEM_MEM) + brk - (old_top + old_size));
		uint64_t misaligned = mem_of(brk) & (MALLOC_ALIGNMENT - 1);
		correction = misaligned ? MALLOC_ALIGNMENT - misaligned : 0;
		start = brk + correction;
		correction += old_size;
		correction += page_ceil(brk + size + correction) - (brk + size + correction);
		end = heap_sbrk(heap, (int64_t)correction);
		if (end == FAILED) {
			correction = 0;
			end = heap_sbrk(heap, 0);
		}
	} else if (end == FAILED) {
		end = heap_sbrk(heap, 0);
	}
	if (end == FAILED)
		return;
	set_arena_word(heap, M_TOP, start);
	set_head(heap, start, (end - start + correction) | PREV_INUSE);
	set_arena_word(heap, M_SYSTEM_MEM, arena_word(heap, M_SYSTEM_MEM) + correction);
	if (old_size)
		fence_old_top(heap, old_top, old_size);
}

static void check_old_top(struct heap *heap, uint64_t top, uint64_t size, uint64_t nb)
{
	bool initial = top == unsorted(heap) && size == 0;
	glibc_assert(heap, initial || (size >= MINSIZE && prev_inuse(heap, top) && page_offset(top + size) == 0),
		     "sysmalloc",
		     "(old_top == initial_top (av) && old_size == 0) || ((unsigned long) (old_size) >= MINSIZE && "
		     "prev_inuse (old_top) && ((unsigned long) old_end & (pagesize - 1)) == 0)");
	glibc_assert(heap, size < nb + MINSIZE, "sysmalloc",
		     "(unsigned long) (old_size) < (unsigned long) (nb + MINSIZE)");
}

/* Asks for more heap; false when the kernel refuses in every way. */
static bool grow_main(struct heap *heap, uint64_t nb)
{
	uint64_t top = arena_word(heap, M_TOP), old_size = chunk_size(heap, top), end = FAILED, brk = FAILED;
	uint64_t size = nb + var(heap, MP_TOP_PAD) + MINSIZE;
	if (is_contiguous(heap))
		size -= old_size;
	size = page_ceil(size);
	if ((int64_t)size > 0) {
		emit(heap->bus, EVENT_LIBC_GROW, event_text("brk"), size,
		     event_text("no free chunk fits and the top is too small"));
		brk = heap_sbrk(heap, (int64_t)size);
	}
	if (brk == FAILED) {
		brk = map_top(heap, nb, old_size, &size);
		end = brk == FAILED ? FAILED : brk + size;
	}
	if (brk == FAILED)
		return false;
	if (var(heap, MP_SBRK_BASE) == 0)
		set_var(heap, MP_SBRK_BASE, brk);
	set_arena_word(heap, M_SYSTEM_MEM, arena_word(heap, M_SYSTEM_MEM) + size);
	if (brk == top + old_size && end == FAILED)
		set_head(heap, top, (size + old_size) | PREV_INUSE);
	else if (is_contiguous(heap) && old_size && brk < top + old_size)
		glibc_printerr(heap, "break adjusted to free malloc space");
	else
		start_new_top(heap, brk, size, end, top, old_size);
	return true;
}

uint64_t glibc_sysmalloc(struct heap *heap, uint64_t nb)
{
	bool mappable = var32(heap, MP_N_MMAPS) < var32(heap, MP_N_MMAPS_MAX), tried = false;
	uint64_t mem = 0;
	if (heap->av == 0 || (nb >= var(heap, MP_MMAP_THRESHOLD) && mappable)) {
		mem = glibc_map_block(heap, nb,
				      heap->av ? "the request reaches the mmap threshold" : "there is no arena");
		tried = true;
	}
	if (mem != 0 || heap->av == 0)
		return mem;
	uint64_t top = arena_word(heap, M_TOP);
	check_old_top(heap, top, chunk_size(heap, top), nb);
	if (is_main_arena(heap))
		(void)grow_main(heap, nb);
	else if (!glibc_grow_arena(heap, nb) && !tried &&
		 (mem = glibc_map_block(heap, nb, "the arena gets no other heap")) != 0)
		return mem;
	uint64_t system_mem = arena_word(heap, M_SYSTEM_MEM);
	if (system_mem > arena_word(heap, M_MAX_SYSTEM_MEM))
		set_arena_word(heap, M_MAX_SYSTEM_MEM, system_mem);
	top = arena_word(heap, M_TOP);
	if (chunk_size(heap, top) >= nb + MINSIZE)
		return glibc_take(heap, top, nb);
	heap->errno_value = HEAP_ENOMEM;
	return 0;
}

bool glibc_systrim(struct heap *heap, uint64_t pad, const char *why)
{
	uint64_t top = arena_word(heap, M_TOP), size = chunk_size(heap, top), area = size - MINSIZE - 1;
	if (area <= pad)
		return false;
	uint64_t extra = page_floor(area - pad);
	if (extra == 0)
		return false;
	uint64_t end = heap_sbrk(heap, 0);
	if (end != top + size)
		return false; /* somebody else moved the break */
	emit(heap->bus, EVENT_LIBC_SHRINK, event_text("brk"), extra, event_text(why));
	(void)heap_sbrk(heap, -(int64_t)extra);
	uint64_t now = heap_sbrk(heap, 0);
	if (now == FAILED || now == end)
		return false;
	set_arena_word(heap, M_SYSTEM_MEM, arena_word(heap, M_SYSTEM_MEM) - (end - now));
	set_head(heap, top, (size - (end - now)) | PREV_INUSE);
	return true;
}
