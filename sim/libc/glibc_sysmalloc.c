/* Memory from and to the kernel: the heap by brk, large blocks by mmap, and mmap when brk fails. */
#include "glibc.h"

#include "faultline/syscall.h"

#define FAILED UINT64_MAX

static int64_t call(struct heap *heap, uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	const uint64_t args[6] = {a0, a1, a2, a3, number == SYS_NR_MMAP ? UINT64_MAX : 0, 0};
	int64_t result = user_syscall(heap->user, number, args);
	if (result < 0 && result >= -4095)
		heap->errno_value = (int)-result;
	return result;
}

static bool succeeded(int64_t result)
{
	return result >= 0 || result < -4095;
}

static uint64_t map_pages(struct heap *heap, uint64_t bytes)
{
	emit(heap->bus, EVENT_LIBC_GROW, event_text("mmap"), bytes);
	int64_t at = call(heap, SYS_NR_MMAP, 0, bytes, LINUX_PROT_READ | LINUX_PROT_WRITE,
			  LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS);
	return succeeded(at) ? (uint64_t)at : FAILED;
}

/* sysmalloc_mmap: a mapping for one block. Its chunk has no neighbour, so no prev_size follows it: SIZE_SZ more. */
static uint64_t map_block(struct heap *heap, uint64_t nb)
{
	uint64_t size = page_ceil(nb + SIZE_SZ);
	if (size <= nb)
		return 0;
	uint64_t chunk = map_pages(heap, size);
	if (chunk == FAILED)
		return 0;
	set_prev_size(heap, chunk, 0);
	set_head(heap, chunk, size | IS_MMAPPED);
	set_var32(heap, MP_N_MMAPS, var32(heap, MP_N_MMAPS) + 1);
	set_var(heap, MP_MMAPPED_MEM, var(heap, MP_MMAPPED_MEM) + size);
	heap->last_usable = size - CHUNK_HDR_SZ;
	return mem_of(chunk);
}

/* sysmalloc_mmap_fallback: brk has failed. The mapping cannot join the old top, so it is made large, and from now on
 * the heap is not contiguous. 2.36 passes the least size and the unit of rounding in each other's place: it rounds to
 * whole MiB, and makes sure of a page only. */
static uint64_t map_top(struct heap *heap, uint64_t nb, uint64_t old_size, uint64_t *size)
{
	bool contiguous = !(var32(heap, M_NONCONTIGUOUS) & 2);
	if (contiguous)
		*size = align_up(*size + old_size, MMAP_AS_MORECORE_BYTES);
	if (*size < PAGE_BYTES)
		*size = PAGE_BYTES;
	if (*size <= nb)
		return FAILED;
	uint64_t at = map_pages(heap, *size);
	if (at != FAILED)
		set_var32(heap, M_NONCONTIGUOUS, var32(heap, M_NONCONTIGUOUS) | 2);
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
	if (!(var32(heap, M_NONCONTIGUOUS) & 2)) {
		if (old_size)
			set_var(heap, M_SYSTEM_MEM, var(heap, M_SYSTEM_MEM) + brk - (old_top + old_size));
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
	set_var(heap, M_TOP, start);
	set_head(heap, start, (end - start + correction) | PREV_INUSE);
	set_var(heap, M_SYSTEM_MEM, var(heap, M_SYSTEM_MEM) + correction);
	if (old_size)
		fence_old_top(heap, old_top, old_size);
}

/* The condition as __malloc_assert prints it. */
#define OLD_TOP_ASSERTION                                                                                              \
	"Fatal glibc error: malloc assertion failure in sysmalloc: (old_top == initial_top (av) && old_size == 0) || " \
	"((unsigned long) (old_size) >= MINSIZE && prev_inuse (old_top) && ((unsigned long) old_end & (pagesize - "    \
	"1)) "                                                                                                         \
	"== 0)"

static void check_old_top(struct heap *heap, uint64_t top, uint64_t size)
{
	bool initial = top == unsorted(heap) && size == 0;
	if (!initial && (size < MINSIZE || !prev_inuse(heap, top) || page_offset(top + size) != 0))
		glibc_printerr(heap, OLD_TOP_ASSERTION);
}

/* Asks for more heap; false when the kernel refuses in every way. */
static bool grow_heap(struct heap *heap, uint64_t nb)
{
	uint64_t top = var(heap, M_TOP), old_size = chunk_size(heap, top), end = FAILED, brk = FAILED;
	check_old_top(heap, top, old_size);
	uint64_t size = nb + var(heap, MP_TOP_PAD) + MINSIZE;
	if (!(var32(heap, M_NONCONTIGUOUS) & 2))
		size -= old_size;
	size = page_ceil(size);
	if ((int64_t)size > 0) {
		emit(heap->bus, EVENT_LIBC_GROW, event_text("brk"), size);
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
	set_var(heap, M_SYSTEM_MEM, var(heap, M_SYSTEM_MEM) + size);
	if (brk == top + old_size && end == FAILED)
		set_head(heap, top, (size + old_size) | PREV_INUSE);
	else if (!(var32(heap, M_NONCONTIGUOUS) & 2) && old_size && brk < top + old_size)
		glibc_printerr(heap, "break adjusted to free malloc space");
	else
		start_new_top(heap, brk, size, end, top, old_size);
	return true;
}

uint64_t glibc_sysmalloc(struct heap *heap, uint64_t nb)
{
	if (nb >= var(heap, MP_MMAP_THRESHOLD) && var32(heap, MP_N_MMAPS) < var32(heap, MP_N_MMAPS_MAX)) {
		uint64_t mem = map_block(heap, nb);
		if (mem)
			return mem;
	}
	(void)grow_heap(heap, nb);
	uint64_t system_mem = var(heap, M_SYSTEM_MEM);
	if (system_mem > var(heap, M_MAX_SYSTEM_MEM))
		set_var(heap, M_MAX_SYSTEM_MEM, system_mem);
	uint64_t top = var(heap, M_TOP);
	if (chunk_size(heap, top) >= nb + MINSIZE)
		return glibc_take(heap, top, nb);
	heap->errno_value = HEAP_ENOMEM;
	return 0;
}

bool glibc_systrim(struct heap *heap, uint64_t pad)
{
	uint64_t top = var(heap, M_TOP), size = chunk_size(heap, top), area = size - MINSIZE - 1;
	if (area <= pad)
		return false;
	uint64_t extra = page_floor(area - pad);
	if (extra == 0)
		return false;
	uint64_t end = heap_sbrk(heap, 0);
	if (end != top + size)
		return false; /* somebody else moved the break */
	emit(heap->bus, EVENT_LIBC_SHRINK, event_text("brk"), extra);
	(void)heap_sbrk(heap, -(int64_t)extra);
	uint64_t now = heap_sbrk(heap, 0);
	if (now == FAILED || now == end)
		return false;
	set_var(heap, M_SYSTEM_MEM, var(heap, M_SYSTEM_MEM) - (end - now));
	set_head(heap, top, (size - (end - now)) | PREV_INUSE);
	return true;
}

/* The whole mapping behind a chunk: a memalign'd one does not begin with its chunk. */
static uint64_t mapping_of(struct heap *heap, uint64_t chunk, uint64_t *bytes, const char *broken)
{
	uint64_t before = prev_size(heap, chunk), block = chunk - before;
	*bytes = before + chunk_size(heap, chunk);
	uint64_t offset = page_offset(mem_of(chunk));
	if (page_offset(block | *bytes) != 0 || (offset & (offset - 1)) != 0)
		glibc_printerr(heap, broken);
	return block;
}

void glibc_munmap_chunk(struct heap *heap, uint64_t chunk)
{
	uint64_t bytes, block = mapping_of(heap, chunk, &bytes, "munmap_chunk(): invalid pointer");
	set_var32(heap, MP_N_MMAPS, var32(heap, MP_N_MMAPS) - 1);
	set_var(heap, MP_MMAPPED_MEM, var(heap, MP_MMAPPED_MEM) - bytes);
	emit(heap->bus, EVENT_LIBC_SHRINK, event_text("munmap"), bytes);
	(void)call(heap, SYS_NR_MUNMAP, block, bytes, 0, 0);
}

uint64_t glibc_mremap_chunk(struct heap *heap, uint64_t chunk, uint64_t nb)
{
	uint64_t bytes, block = mapping_of(heap, chunk, &bytes, "mremap_chunk(): invalid pointer");
	uint64_t offset = chunk - block, wanted = page_ceil(nb + offset + SIZE_SZ);
	if (wanted == bytes)
		return chunk;
	emit(heap->bus, EVENT_LIBC_GROW, event_text("mremap"), wanted);
	int64_t at = call(heap, SYS_NR_MREMAP, block, bytes, wanted, LINUX_MREMAP_MAYMOVE);
	if (!succeeded(at))
		return 0;
	chunk = (uint64_t)at + offset;
	set_head(heap, chunk, (wanted - offset) | IS_MMAPPED);
	set_var(heap, MP_MMAPPED_MEM, var(heap, MP_MMAPPED_MEM) + wanted - bytes);
	return chunk;
}
