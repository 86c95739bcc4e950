#include "resident.h"

#include <unistd.h>

#include "pagemap.h"

struct walk {
	int pagemap;
	enum resident_way ways;
	uint64_t at, end;
};

static bool scan(struct walk *walk, struct page_run *runs, unsigned *count)
{
	return (walk->ways & RESIDENT_BY_SCAN) &&
	       pagemap_scan(walk->pagemap, PAGEMAP_KEPT, &walk->at, walk->end, runs, count);
}

/* proc_pid_pagemap(5) */
static bool read_entries(struct walk *walk, struct page_run *runs, unsigned *count)
{
	static const uint64_t kept = UINT64_C(3) << 62; /* present, swapped */
	uint64_t entries[PAGEMAP_RUNS];
	uint64_t pages = (walk->end - walk->at) / PAGEMAP_PAGE_BYTES;
	size_t bytes = (pages < PAGEMAP_RUNS ? pages : PAGEMAP_RUNS) * sizeof(*entries);
	off_t offset = (off_t)(walk->at / PAGEMAP_PAGE_BYTES * sizeof(*entries));
	if (!(walk->ways & RESIDENT_BY_ENTRIES) || pread(walk->pagemap, entries, bytes, offset) != (ssize_t)bytes)
		return false;
	*count = 0;
	for (size_t i = 0; i < bytes / sizeof(*entries); i++, walk->at += PAGEMAP_PAGE_BYTES) {
		if (entries[i] & kept)
			runs[(*count)++] = (struct page_run){walk->at, walk->at + PAGEMAP_PAGE_BYTES};
	}
	return true;
}

static unsigned next_runs(struct walk *walk, struct page_run *runs)
{
	unsigned count;
	if (scan(walk, runs, &count) || read_entries(walk, runs, &count))
		return count;
	runs[0] = (struct page_run){walk->at, walk->end};
	walk->at = walk->end;
	return 1;
}

bool resident_visit(const void *base, size_t pages, enum resident_way ways, page_fn *visit, void *self)
{
	struct page_run runs[PAGEMAP_RUNS];
	const uint64_t start = (uintptr_t)base;
	struct walk walk = {pagemap_open(), ways, start, start + (uint64_t)pages * PAGEMAP_PAGE_BYTES};
	bool goes_on = true;
	while (goes_on && walk.at < walk.end) {
		unsigned count = next_runs(&walk, runs);
		for (unsigned i = 0; i < count && goes_on; i++)
			goes_on = page_run_visit(&runs[i], start, visit, self);
	}
	if (walk.pagemap >= 0)
		(void)close(walk.pagemap);
	return goes_on;
}
