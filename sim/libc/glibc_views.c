/* malloc_stats(3) and malloc_info(3): their texts, as glibc prints them, from the heap as it lies there. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "glibc.h"

struct view {
	const struct heap *heap;
	heap_write_fn *write;
	void *self;
};

static void say(const struct view *view, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct view *view, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	view->write(view->self, text, (size_t)length);
}

static uint64_t word(const struct view *view, uint64_t va)
{
	uint64_t value = 0;
	(void)user_peek64(view->heap->user, va, &value);
	return value;
}

static uint64_t global(const struct view *view, uint64_t offset)
{
	return word(view, view->heap->data_va + offset);
}

static uint64_t next_arena(const struct view *view, uint64_t arena)
{
	uint64_t next = word(view, arena + M_NEXT);
	return next == view->heap->data_va ? 0 : next;
}

/* ---- malloc_stats ---- */

void glibc_print_stats(const struct heap *heap, heap_write_fn *write, void *self)
{
	const struct view view = {heap, write, self};
	uint32_t used = (uint32_t)global(&view, MP_MMAPPED_MEM), system = used;
	unsigned number = 0;
	for (uint64_t arena = heap->data_va; arena; arena = next_arena(&view, arena)) {
		struct heap_mallinfo info = {0};
		glibc_add_mallinfo(heap, arena, &info);
		say(&view, "Arena %u:\nsystem bytes     = %10u\nin use bytes     = %10u\n", number++,
		    (uint32_t)info.arena, (uint32_t)info.uordblks);
		system += (uint32_t)info.arena;
		used += (uint32_t)info.uordblks;
	}
	say(&view,
	    "Total (incl. mmap):\nsystem bytes     = %10u\nin use bytes     = %10u\nmax mmap regions = %10u\n"
	    "max mmap bytes   = %10" PRIu64 "\n",
	    system, used, (uint32_t)(global(&view, MP_N_MMAPS_MAX) >> 32), global(&view, MP_MAX_MMAPPED_MEM));
}

/* ---- malloc_info ---- */

/* Chunks of one bin. */
struct sizes {
	uint64_t from, to, total, count;
};

struct sums {
	uint64_t fast_count, fast_bytes, rest_count, rest_bytes, system, max_system, aspace, mprotect;
};

static void print_sizes(const struct view *view, const char *element, const struct sizes *sizes)
{
	if (sizes->count != 0)
		say(view,
		    "  <%s from=\"%" PRIu64 "\" to=\"%" PRIu64 "\" total=\"%" PRIu64 "\" count=\"%" PRIu64 "\"/>\n",
		    element, sizes->from, sizes->to, sizes->total, sizes->count);
}

static struct sizes of_fastbin(const struct view *view, uint64_t arena, unsigned index)
{
	struct sizes sizes = {0};
	uint64_t chunk = word(view, arena + M_FASTBINS + index * 8u);
	if (chunk == 0)
		return sizes;
	sizes.to = word(view, chunk + 8) & ~(uint64_t)SIZE_BITS;
	sizes.from = sizes.to - (MALLOC_ALIGNMENT - 1);
	for (; chunk; chunk = (mem_of(chunk) >> 12) ^ word(view, mem_of(chunk)))
		sizes.count++;
	sizes.total = sizes.count * sizes.to;
	return sizes;
}

/* With the flags of the size, as the original has it. */
static struct sizes of_bin(const struct view *view, uint64_t arena, unsigned index)
{
	struct sizes sizes = {.from = UINT64_MAX};
	uint64_t bin = bin_of(arena, index);
	for (uint64_t chunk = word(view, bin + 16); chunk != bin && chunk; chunk = word(view, chunk + 16)) {
		uint64_t size = word(view, chunk + 8);
		sizes.count++;
		sizes.total += size;
		sizes.from = size < sizes.from ? size : sizes.from;
		sizes.to = size > sizes.to ? size : sizes.to;
	}
	return sizes;
}

static void print_bins(const struct view *view, uint64_t arena, struct sums *sums)
{
	for (unsigned i = 0; i < NFASTBINS; i++) {
		struct sizes sizes = of_fastbin(view, arena, i);
		print_sizes(view, "size", &sizes);
		sums->fast_count += sizes.count;
		sums->fast_bytes += sizes.total;
	}
	for (unsigned i = 2; i < NBINS; i++) {
		struct sizes sizes = of_bin(view, arena, i);
		print_sizes(view, "size", &sizes);
		sums->rest_count += sizes.count;
		sums->rest_bytes += sizes.total;
	}
	struct sizes sizes = of_bin(view, arena, 1);
	print_sizes(view, "unsorted", &sizes);
	sums->rest_count += sizes.count;
	sums->rest_bytes += sizes.total;
}

static void print_lists(const struct view *view, const struct sums *sums)
{
	say(view,
	    "<total type=\"fast\" count=\"%" PRIu64 "\" size=\"%" PRIu64 "\"/>\n"
	    "<total type=\"rest\" count=\"%" PRIu64 "\" size=\"%" PRIu64 "\"/>\n",
	    sums->fast_count, sums->fast_bytes, sums->rest_count, sums->rest_bytes);
}

static void print_space(const struct view *view, const struct sums *sums)
{
	say(view,
	    "<system type=\"current\" size=\"%" PRIu64 "\"/>\n<system type=\"max\" size=\"%" PRIu64 "\"/>\n"
	    "<aspace type=\"total\" size=\"%" PRIu64 "\"/>\n<aspace type=\"mprotect\" size=\"%" PRIu64 "\"/>\n",
	    sums->system, sums->max_system, sums->aspace, sums->mprotect);
}

/* Address space of the arena; the number of its heaps, 0 for the main arena. */
static unsigned measure_heaps(const struct view *view, uint64_t arena, struct sums *sums)
{
	unsigned heaps = 0;
	if (arena == view->heap->data_va) {
		sums->aspace = sums->mprotect = sums->system;
		return 0;
	}
	uint64_t info = word(view, arena + M_TOP) & ~(HEAP_MAX_BYTES - 1);
	for (; info; info = word(view, info + H_PREV), heaps++) {
		sums->aspace += word(view, info + H_SIZE);
		sums->mprotect += word(view, info + H_MPROTECT_SIZE);
	}
	return heaps;
}

static void print_arena(const struct view *view, uint64_t arena, unsigned number, struct sums *all)
{
	/* The rest has the top in it. */
	uint64_t top = word(view, word(view, arena + M_TOP) + 8) & ~(uint64_t)SIZE_BITS;
	struct sums sums = {.rest_count = 1, .rest_bytes = top};
	say(view, "<heap nr=\"%u\">\n<sizes>\n", number);
	print_bins(view, arena, &sums);
	sums.system = word(view, arena + M_SYSTEM_MEM);
	sums.max_system = word(view, arena + M_MAX_SYSTEM_MEM);
	unsigned heaps = measure_heaps(view, arena, &sums);
	say(view, "</sizes>\n");
	print_lists(view, &sums);
	print_space(view, &sums);
	if (heaps > 0)
		say(view, "<aspace type=\"subheaps\" size=\"%u\"/>\n", heaps);
	say(view, "</heap>\n");
	all->fast_count += sums.fast_count;
	all->fast_bytes += sums.fast_bytes;
	all->rest_count += sums.rest_count;
	all->rest_bytes += sums.rest_bytes;
	all->system += sums.system;
	all->max_system += sums.max_system;
	all->aspace += sums.aspace;
	all->mprotect += sums.mprotect;
}

void glibc_print_info(const struct heap *heap, heap_write_fn *write, void *self)
{
	const struct view view = {heap, write, self};
	struct sums all = {0};
	unsigned number = 0;
	say(&view, "<malloc version=\"1\">\n");
	for (uint64_t arena = heap->data_va; arena; arena = next_arena(&view, arena))
		print_arena(&view, arena, number++, &all);
	print_lists(&view, &all);
	say(&view, "<total type=\"mmap\" count=\"%d\" size=\"%" PRIu64 "\"/>\n", (int)(global(&view, MP_N_MMAPS)),
	    global(&view, MP_MMAPPED_MEM));
	print_space(&view, &all);
	say(&view, "</malloc>\n");
}
