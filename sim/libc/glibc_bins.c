/* Doubly linked bins: 1 unsorted, 2 to 63 small (one size each), 64 to 126 large (a range each, sorted by size, with a
 * second list that skips equal sizes). */
#include "glibc.h"

static unsigned large_bin_index(uint64_t size)
{
	static const struct {
		unsigned shift, last, base;
	} ranges[] = {{6, 48, 48}, {9, 20, 91}, {12, 10, 110}, {15, 4, 119}, {18, 2, 124}};
	for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (size >> ranges[i].shift <= ranges[i].last)
			return ranges[i].base + (unsigned)(size >> ranges[i].shift);
	}
	return 126;
}

unsigned glibc_bin_index(uint64_t size)
{
	return is_small(size) ? (unsigned)(size >> 4) : large_bin_index(size);
}

/* The neighbour in the bin takes the place of `chunk` in the list of different sizes, if that held it. */
static void unlink_nextsize(struct heap *heap, uint64_t chunk, uint64_t forward)
{
	uint64_t larger = bk_nextsize(heap, chunk), smaller = fd_nextsize(heap, chunk);
	if (smaller == 0)
		return;
	if (bk_nextsize(heap, smaller) != chunk || fd_nextsize(heap, larger) != chunk)
		glibc_printerr(heap, "corrupted double-linked list (not small)");
	if (fd_nextsize(heap, forward) != 0) {
		set_bk_nextsize(heap, smaller, larger);
		set_fd_nextsize(heap, larger, smaller);
	} else if (smaller == chunk) {
		set_fd_nextsize(heap, forward, forward);
		set_bk_nextsize(heap, forward, forward);
	} else {
		set_fd_nextsize(heap, forward, smaller);
		set_bk_nextsize(heap, forward, larger);
		set_bk_nextsize(heap, smaller, forward);
		set_fd_nextsize(heap, larger, forward);
	}
}

void glibc_unlink(struct heap *heap, uint64_t chunk)
{
	uint64_t size = chunk_size(heap, chunk);
	if (size != prev_size(heap, chunk + size))
		glibc_printerr(heap, "corrupted size vs. prev_size");
	uint64_t forward = fd(heap, chunk), back = bk(heap, chunk);
	if (bk(heap, forward) != chunk || fd(heap, back) != chunk)
		glibc_printerr(heap, "corrupted double-linked list");
	set_bk(heap, forward, back);
	set_fd(heap, back, forward);
	if (!is_small(size))
		unlink_nextsize(heap, chunk, forward);
}

static void link_between(struct heap *heap, uint64_t chunk, uint64_t back, uint64_t forward)
{
	set_bk(heap, chunk, back);
	set_fd(heap, chunk, forward);
	set_bk(heap, forward, chunk);
	set_fd(heap, back, chunk);
}

void glibc_put_unsorted(struct heap *heap, uint64_t chunk, uint64_t size, const char *broken)
{
	uint64_t back = unsorted(heap), forward = fd(heap, back);
	if (broken && bk(heap, forward) != back)
		glibc_printerr(heap, broken);
	link_between(heap, chunk, back, forward);
	if (!is_small(size)) {
		set_fd_nextsize(heap, chunk, 0);
		set_bk_nextsize(heap, chunk, 0);
	}
	emit(heap->bus, EVENT_LIBC_PLACE, chunk, size, event_text("unsorted bin"));
}

static uint64_t checked_back(struct heap *heap, uint64_t forward)
{
	if (fd(heap, bk(heap, forward)) != forward)
		glibc_printerr(heap, "malloc(): largebin double linked list corrupted (bk)");
	return forward;
}

/* Finds the place of a chunk in a large bin that is not empty, largest first. Equal sizes stand behind the first of
 * their size, so that the list of different sizes needs no change. Returns the chunk that will follow. */
static uint64_t place_in_large_bin(struct heap *heap, uint64_t chunk, uint64_t size, uint64_t bin)
{
	uint64_t word = size | PREV_INUSE, first = fd(heap, bin), smallest_word = head(heap, bk(heap, bin));
	glibc_assert(heap, !(smallest_word & NON_MAIN_ARENA), "_int_malloc", "chunk_main_arena (bck->bk)");
	if (word < smallest_word) {
		uint64_t smallest = bk_nextsize(heap, first);
		set_fd_nextsize(heap, chunk, first);
		set_bk_nextsize(heap, chunk, smallest);
		set_fd_nextsize(heap, smallest, chunk);
		set_bk_nextsize(heap, first, chunk);
		return bin;
	}
	uint64_t forward = first, forward_word;
	for (;;) {
		forward_word = head(heap, forward);
		glibc_assert(heap, !(forward_word & NON_MAIN_ARENA), "_int_malloc", "chunk_main_arena (fwd)");
		if (word >= forward_word)
			break;
		forward = fd_nextsize(heap, forward);
	}
	if (word == forward_word)
		return checked_back(heap, fd(heap, forward));
	uint64_t larger = bk_nextsize(heap, forward);
	set_fd_nextsize(heap, chunk, forward);
	set_bk_nextsize(heap, chunk, larger);
	if (fd_nextsize(heap, larger) != forward)
		glibc_printerr(heap, "malloc(): largebin double linked list corrupted (nextsize)");
	set_bk_nextsize(heap, forward, chunk);
	set_fd_nextsize(heap, larger, chunk);
	return checked_back(heap, forward);
}

static void mark_bin(struct heap *heap, unsigned index)
{
	uint64_t offset = M_BINMAP + (index >> 5) * 4u;
	set_arena_word32(heap, offset, arena_word32(heap, offset) | (int32_t)(1u << (index & 31)));
}

void glibc_put_sorted(struct heap *heap, uint64_t chunk, uint64_t size)
{
	unsigned index = glibc_bin_index(size);
	uint64_t bin = bin_at(heap, index), back = bin, forward = fd(heap, bin);
	if (!is_small(size)) {
		if (forward == bin) {
			set_fd_nextsize(heap, chunk, chunk);
			set_bk_nextsize(heap, chunk, chunk);
		} else {
			forward = place_in_large_bin(heap, chunk, size, bin);
			back = bk(heap, forward);
		}
	}
	mark_bin(heap, index);
	/* At the front, whatever the first chunk there says is in front of it. */
	link_between(heap, chunk, back, forward);
	emit(heap->bus, EVENT_LIBC_PLACE, chunk, size, event_text(is_small(size) ? "small bin" : "large bin"));
}
