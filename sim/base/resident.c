#include "resident.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { RUNS = 512 };

/* Pages of the host, by address. */
struct run {
	uint64_t start, end;
};

struct walk {
	int pagemap;
	enum resident_way ways;
	uint64_t at, end;
};

/* ---- PAGEMAP_SCAN: linux/fs.h, which is older on many systems than their kernel ---- */

struct scan_region {
	uint64_t start, end, categories;
};

struct scan {
	uint64_t size, flags, start, end, walk_end;
	uint64_t vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_REQUEST _IOWR('f', 16, struct scan)
enum { SCAN_PRESENT = 1 << 3, SCAN_SWAPPED = 1 << 4 };

/* The next runs; false: the host does not answer. */
static bool scan(struct walk *walk, struct run *runs, unsigned *count)
{
	struct scan_region regions[RUNS];
	struct scan scan = {
	    .size = sizeof(scan),
	    .start = walk->at,
	    .end = walk->end,
	    .vec = (uintptr_t)regions,
	    .vec_len = RUNS,
	    .category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
	    .return_mask = SCAN_PRESENT | SCAN_SWAPPED,
	};
	int found = walk->ways & RESIDENT_BY_SCAN ? ioctl(walk->pagemap, SCAN_REQUEST, &scan) : -1;
	if (found < 0 || scan.walk_end <= walk->at)
		return false;
	for (int i = 0; i < found; i++)
		runs[i] = (struct run){regions[i].start, regions[i].end};
	*count = (unsigned)found;
	walk->at = scan.walk_end;
	return true;
}

/* ---- an entry for each page: proc_pid_pagemap(5) ---- */

static bool read_entries(struct walk *walk, struct run *runs, unsigned *count)
{
	static const uint64_t kept = UINT64_C(3) << 62; /* present, swapped */
	uint64_t entries[RUNS];
	uint64_t pages = (walk->end - walk->at) / RESIDENT_PAGE_BYTES;
	size_t bytes = (pages < RUNS ? pages : RUNS) * sizeof(*entries);
	off_t offset = (off_t)(walk->at / RESIDENT_PAGE_BYTES * sizeof(*entries));
	if (!(walk->ways & RESIDENT_BY_ENTRIES) || pread(walk->pagemap, entries, bytes, offset) != (ssize_t)bytes)
		return false;
	*count = 0;
	for (size_t i = 0; i < bytes / sizeof(*entries); i++, walk->at += RESIDENT_PAGE_BYTES) {
		if (entries[i] & kept)
			runs[(*count)++] = (struct run){walk->at, walk->at + RESIDENT_PAGE_BYTES};
	}
	return true;
}

/* ---- the walk ---- */

static unsigned next_runs(struct walk *walk, struct run *runs)
{
	unsigned count;
	if (sysconf(_SC_PAGESIZE) == RESIDENT_PAGE_BYTES &&
	    (scan(walk, runs, &count) || read_entries(walk, runs, &count)))
		return count;
	runs[0] = (struct run){walk->at, walk->end};
	walk->at = walk->end;
	return 1;
}

static bool visit_run(const struct run *run, uint64_t base, resident_fn *visit, void *self)
{
	for (uint64_t at = run->start; at < run->end; at += RESIDENT_PAGE_BYTES) {
		if (!visit(self, (size_t)((at - base) / RESIDENT_PAGE_BYTES)))
			return false;
	}
	return true;
}

bool resident_visit(const void *base, size_t pages, enum resident_way ways, resident_fn *visit, void *self)
{
	struct run runs[RUNS];
	const uint64_t start = (uintptr_t)base;
	struct walk walk = {open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), ways, start,
			    start + (uint64_t)pages * RESIDENT_PAGE_BYTES};
	bool goes_on = true;
	while (goes_on && walk.at < walk.end) {
		unsigned count = next_runs(&walk, runs);
		for (unsigned i = 0; i < count && goes_on; i++)
			goes_on = visit_run(&runs[i], start, visit, self);
	}
	if (walk.pagemap >= 0)
		(void)close(walk.pagemap);
	return goes_on;
}
