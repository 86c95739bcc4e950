/* Blocks that are mappings of their own, and the system calls of the allocator. */
#include "glibc.h"

#include "faultline/syscall.h"

int64_t glibc_call(struct heap *heap, uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	const uint64_t args[6] = {a0, a1, a2, a3, number == SYS_NR_MMAP ? UINT64_MAX : 0, 0};
	int64_t result = user_syscall(heap->user, number, args);
	if (glibc_call_failed(result))
		heap->errno_value = (int)-result;
	return result;
}

/* The highest numbers of mappings and of bytes in them so far are kept, too. */
static void count_mapping(struct heap *heap, uint64_t bytes)
{
	int32_t maps = var32(heap, MP_N_MMAPS) + 1;
	uint64_t sum = var(heap, MP_MMAPPED_MEM) + bytes;
	set_var32(heap, MP_N_MMAPS, maps);
	if (maps > var32(heap, MP_MAX_N_MMAPS))
		set_var32(heap, MP_MAX_N_MMAPS, maps);
	set_var(heap, MP_MMAPPED_MEM, sum);
	if (sum > var(heap, MP_MAX_MMAPPED_MEM))
		set_var(heap, MP_MAX_MMAPPED_MEM, sum);
}

/* sysmalloc_mmap: its chunk has no neighbour, so no prev_size follows it: SIZE_SZ more. */
uint64_t glibc_map_block(struct heap *heap, uint64_t nb, const char *why)
{
	uint64_t size = page_ceil(nb + SIZE_SZ);
	if (size <= nb)
		return 0;
	emit(heap->bus, EVENT_LIBC_GROW, event_text("mmap"), size, event_text(why));
	int64_t at = glibc_call(heap, SYS_NR_MMAP, 0, size, LINUX_PROT_READ | LINUX_PROT_WRITE,
				LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS);
	if (glibc_call_failed(at))
		return 0;
	uint64_t chunk = (uint64_t)at;
	set_prev_size(heap, chunk, 0);
	set_head(heap, chunk, size | IS_MMAPPED);
	count_mapping(heap, size);
	heap->last_usable = size - CHUNK_HDR_SZ;
	return mem_of(chunk);
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
	emit(heap->bus, EVENT_LIBC_SHRINK, event_text("munmap"), bytes, event_text("the block is a mapping"));
	(void)glibc_call(heap, SYS_NR_MUNMAP, block, bytes, 0, 0);
}

uint64_t glibc_mremap_chunk(struct heap *heap, uint64_t chunk, uint64_t nb)
{
	uint64_t bytes, block = mapping_of(heap, chunk, &bytes, "mremap_chunk(): invalid pointer");
	uint64_t offset = chunk - block, wanted = page_ceil(nb + offset + SIZE_SZ);
	if (wanted == bytes)
		return chunk;
	emit(heap->bus, EVENT_LIBC_GROW, event_text("mremap"), wanted, event_text("the block is a mapping"));
	int64_t at = glibc_call(heap, SYS_NR_MREMAP, block, bytes, wanted, LINUX_MREMAP_MAYMOVE);
	if (glibc_call_failed(at))
		return 0;
	chunk = (uint64_t)at + offset;
	set_head(heap, chunk, (wanted - offset) | IS_MMAPPED);
	uint64_t sum = var(heap, MP_MMAPPED_MEM) + wanted - bytes;
	set_var(heap, MP_MMAPPED_MEM, sum);
	if (sum > var(heap, MP_MAX_MMAPPED_MEM))
		set_var(heap, MP_MAX_MMAPPED_MEM, sum);
	return chunk;
}
