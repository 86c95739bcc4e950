/* malloc_trim, mallopt and the tunables. */
#include <string.h>

#include "faultline/syscall.h"
#include "glibc.h"

/* Gives back the whole pages inside a free chunk, behind its list pointers. */
static bool release_inner_pages(struct heap *heap, uint64_t chunk)
{
	uint64_t size = chunk_size(heap, chunk), start = page_ceil(chunk + CHUNK_STRUCT_BYTES);
	if (size <= PAGE_BYTES - 1 + CHUNK_STRUCT_BYTES)
		return false;
	glibc_assert(heap, chunk + size > start, "mtrim", "(char *) p + size > paligned_mem");
	uint64_t bytes = page_floor(chunk + size - start);
	if (bytes == 0)
		return false;
	emit(heap->bus, EVENT_LIBC_SHRINK, event_text("madvise"), bytes, event_text("malloc_trim"));
	(void)glibc_call(heap, SYS_NR_MADVISE, start, bytes, LINUX_MADV_DONTNEED, 0);
	return true;
}

/* mtrim, of the arena at work. */
static bool trim_arena(struct heap *heap, uint64_t pad)
{
	bool released = false;
	glibc_consolidate(heap);
	for (unsigned i = 1; i < NBINS; i++) {
		if (i > 1 && i < glibc_bin_index(PAGE_BYTES))
			continue;
		uint64_t bin = bin_at(heap, i);
		for (uint64_t chunk = bk(heap, bin); chunk != bin; chunk = bk(heap, chunk))
			released |= release_inner_pages(heap, chunk);
	}
	return (is_main_arena(heap) && glibc_systrim(heap, pad, "malloc_trim")) || released;
}

int glibc_trim(struct heap *heap, uint64_t pad)
{
	bool released = false;
	heap->av = heap->data_va;
	do {
		released |= trim_arena(heap, pad);
		heap->av = arena_word(heap, M_NEXT);
	} while (!is_main_arena(heap));
	return released;
}

static bool set_max_fast(struct heap *heap, uint64_t value)
{
	if (value > MAX_FAST_SIZE)
		return false;
	uint64_t size = (value + SIZE_SZ) & ~(uint64_t)(MALLOC_ALIGNMENT - 1);
	set_var(heap, G_MAX_FAST, value < SIZE_SZ ? MINSIZE / 2 : size);
	return true;
}

/* Every explicit setting of a threshold ends the dynamic one. */
static void set_threshold(struct heap *heap, uint64_t offset, uint64_t value)
{
	set_var(heap, offset, value);
	set_var32(heap, MP_NO_DYN_THRESHOLD, 1);
}

static void set_mmap_max(struct heap *heap, int32_t value)
{
	set_var32(heap, MP_N_MMAPS_MAX, value);
	set_var32(heap, MP_NO_DYN_THRESHOLD, 1);
}

/* The numbers of malloc.h. */
enum {
	PARAM_MXFAST = 1,
	PARAM_TRIM_THRESHOLD = -1,
	PARAM_TOP_PAD = -2,
	PARAM_MMAP_THRESHOLD = -3,
	PARAM_MMAP_MAX = -4,
	PARAM_CHECK_ACTION = -5, /* has no effect since 2.26 */
	PARAM_PERTURB = -6,
	PARAM_ARENA_TEST = -7,
	PARAM_ARENA_MAX = -8,
};

int glibc_mallopt(struct heap *heap, int param, int value)
{
	heap->av = heap->data_va;
	glibc_consolidate(heap);
	uint64_t wide = (uint64_t)(int64_t)value;
	switch (param) {
	case PARAM_MXFAST:
		return set_max_fast(heap, wide);
	case PARAM_TRIM_THRESHOLD:
		set_threshold(heap, MP_TRIM_THRESHOLD, wide);
		break;
	case PARAM_TOP_PAD:
		set_threshold(heap, MP_TOP_PAD, wide);
		break;
	case PARAM_MMAP_THRESHOLD:
		set_threshold(heap, MP_MMAP_THRESHOLD, wide);
		break;
	case PARAM_MMAP_MAX:
		set_mmap_max(heap, value);
		break;
	case PARAM_PERTURB:
		set_var32(heap, G_PERTURB, value);
		break;
	case PARAM_ARENA_TEST:
		if (value > 0)
			set_var(heap, MP_ARENA_TEST, wide);
		break;
	case PARAM_ARENA_MAX:
		if (value > 0)
			set_var(heap, MP_ARENA_MAX, wide);
		break;
	case PARAM_CHECK_ACTION:
	default:
		break;
	}
	return 1;
}

static void tune_mxfast(struct heap *heap, uint64_t value)
{
	(void)set_max_fast(heap, value);
}

static void tune_trim_threshold(struct heap *heap, uint64_t value)
{
	set_threshold(heap, MP_TRIM_THRESHOLD, value);
}

static void tune_top_pad(struct heap *heap, uint64_t value)
{
	set_threshold(heap, MP_TOP_PAD, value);
}

static void tune_mmap_threshold(struct heap *heap, uint64_t value)
{
	set_threshold(heap, MP_MMAP_THRESHOLD, value);
}

static void tune_mmap_max(struct heap *heap, uint64_t value)
{
	set_mmap_max(heap, (int32_t)value);
}

static void tune_perturb(struct heap *heap, uint64_t value)
{
	set_var32(heap, G_PERTURB, (int32_t)value);
}

static void tune_arena_max(struct heap *heap, uint64_t value)
{
	set_var(heap, MP_ARENA_MAX, value);
}

static void tune_arena_test(struct heap *heap, uint64_t value)
{
	set_var(heap, MP_ARENA_TEST, value);
}

static void tune_tcache_count(struct heap *heap, uint64_t value)
{
	if (value <= UINT16_MAX)
		set_var(heap, MP_TCACHE_COUNT, value);
}

static void tune_tcache_max(struct heap *heap, uint64_t value)
{
	uint64_t size;
	if (value > 1032 || !request_to_size(value, &size))
		return;
	set_var(heap, MP_TCACHE_MAX_BYTES, value);
	set_var(heap, MP_TCACHE_BINS, tcache_index(size) + 1);
}

static void tune_tcache_unsorted_limit(struct heap *heap, uint64_t value)
{
	set_var(heap, MP_TCACHE_UNSORTED_LIMIT, value);
}

/* glibc.malloc.check works only with libc_malloc_debug.so, which is not loaded. */
static void tune_nothing(struct heap *heap, uint64_t value)
{
	(void)heap;
	(void)value;
}

/* elf/dl-tunables.list: a value out of its range is ignored. Of several the last counts. */
static const struct {
	const char *name;
	uint64_t least, most;
	void (*set)(struct heap *heap, uint64_t value);
} tunables[] = {
    {"mxfast", 0, UINT64_MAX, tune_mxfast},
    {"trim_threshold", 0, UINT64_MAX, tune_trim_threshold},
    {"top_pad", 0, UINT64_MAX, tune_top_pad},
    {"mmap_threshold", 0, UINT64_MAX, tune_mmap_threshold},
    {"mmap_max", 0, INT32_MAX, tune_mmap_max},
    {"perturb", 0, UINT8_MAX, tune_perturb},
    {"arena_max", 1, UINT64_MAX, tune_arena_max},
    {"arena_test", 1, UINT64_MAX, tune_arena_test},
    {"tcache_count", 0, UINT64_MAX, tune_tcache_count},
    {"tcache_max", 0, UINT64_MAX, tune_tcache_max},
    {"tcache_unsorted_limit", 0, UINT64_MAX, tune_tcache_unsorted_limit},
    {"check", 0, 3, tune_nothing},
};

static const unsigned tunable_count = sizeof(tunables) / sizeof(tunables[0]);
_Static_assert(sizeof(tunables) / sizeof(tunables[0]) <= HEAP_MAX_TUNINGS, "each tunable has room for its value");

static void keep_tuning(struct heap *heap, unsigned row, uint64_t value)
{
	unsigned at = 0;
	while (at < heap->tuning_count && heap->tunings[at].row != row)
		at++;
	heap->tunings[at].row = row;
	heap->tunings[at].value = value;
	if (at == heap->tuning_count)
		heap->tuning_count++;
}

bool glibc_tunable(struct heap *heap, const char *name, uint64_t value)
{
	for (unsigned row = 0; row < tunable_count; row++) {
		if (strcmp(tunables[row].name, name) != 0)
			continue;
		if (value >= tunables[row].least && value <= tunables[row].most)
			keep_tuning(heap, row, value);
		return true;
	}
	return false;
}

void glibc_apply_tunables(struct heap *heap)
{
	for (unsigned i = 0; i < heap->tuning_count; i++)
		tunables[heap->tunings[i].row].set(heap, heap->tunings[i].value);
}
