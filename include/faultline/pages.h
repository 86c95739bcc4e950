/* What stands behind the pages of an address space, and which pages stand in front of a frame: for whoever looks at a
 * booted kernel. Const views; looking touches and counts nothing. Each takes a budget of steps (entries looked at) and
 * says how far it came, so that a terabyte can be asked about as well as a page. */
#ifndef FAULTLINE_PAGES_H
#define FAULTLINE_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/frame.h"
#include "faultline/process.h"
#include "faultline/pte.h"
#include "faultline/units.h"

struct kernel;

/* X(ID, name, counts in census.resident, text): what the entry of a page says, with the record of its frame. */
#define PAGE_STATE_LIST(X)                                                                                             \
	X(ABSENT, absent, 0, "promised, no frame")                                                                     \
	X(OWN, own, 1, "a frame of its own")                                                                           \
	X(FILE, file, 1, "a page of a file, from the page cache")                                                      \
	X(COW, cow, 1, "shared until written: copy on write")                                                          \
	X(SHARED, shared, 1, "shared memory")                                                                          \
	X(HUGE, huge, 1, "part of a huge page")                                                                        \
	X(HUGETLB, hugetlb, 1, "part of a huge page of MAP_HUGETLB, which is in no count but its own")                 \
	X(ZERO, zero, 0, "the shared zero page")                                                                       \
	X(SWAPPED, swapped, 0, "not present, but the entry says where it went")

enum page_state {
#define X(id, name, resident, text) PAGE_##id,
	PAGE_STATE_LIST(X)
#undef X
	    PAGE_STATE_COUNT
};

const char *page_state_name(enum page_state state);
const char *page_state_text(enum page_state state);

/* Pages of [start, end) by state, lowest first. Invariant: sum(count) == seen <= pages; seen < pages only where the
 * budget ran out. */
struct census {
	uint64_t pages, seen;
	uint64_t count[PAGE_STATE_COUNT];
	uint64_t resident; /* of these: with a frame, counted as memory.rss or memory.hugetlb */
};

/* Of a part of a VMA of the process. *steps is what may be spent, and becomes what is left. A budget that is spent
 * leaves a census of nothing. */
void census_take(const struct process *process, const struct vma *vma, struct vaddr start, struct vaddr end,
		 uint64_t *steps, struct census *out);

/* What the kernel keeps in an entry that is not present, which the processor does not look at. */
struct absent_entry {
	bool swapped; /* the slot of swap where the page went */
	uint64_t slot;
	bool kept; /* PROT_NONE: the frame that is still the page's */
	struct pfn frame;
};
struct absent_entry kernel_absent_entry(const struct kernel *kernel, struct pte entry);

/* ---- the other way round ---- */

/* The frames that were given away or are free together: the allocator's record is that of the first one. False: the
 * frame was never used, or there is no such RAM. */
struct frame_block {
	struct pfn first;
	struct frame record;
};
bool frame_block_of(const struct kernel *kernel, struct pfn frame, struct frame_block *out);

/* An entry that points at a frame: a page of a process (level 1, or 2 of a huge page) or the entry that a page table
 * hangs on. */
struct mapping {
	const struct process *process;
	unsigned index;   /* as in kernel_process */
	struct vaddr va;  /* where what it maps begins */
	unsigned level;   /* of the entry */
	struct paddr at;  /* where the entry lies; 0: a table of the highest level, which CR3 points at */
	struct pte entry; /* as in RAM */
};

/* Entries of processes that point at the frame's block, by process and address. Returns how many were found, of which
 * the first `room` are in out; *complete: there are no others. */
unsigned frame_mappings(const struct kernel *kernel, struct pfn frame, struct mapping *out, unsigned room,
			uint64_t *steps, bool *complete);

/* A file with pages in the page cache, by index. */
struct cached_file {
	const char *path;
	bool shmem; /* shared anonymous memory */
	uint64_t bytes, pages;
	uint64_t areas; /* VMAs that map it */
};
bool kernel_cached_file(const struct kernel *kernel, unsigned index,
			struct cached_file *out); /* false: behind the last */

/* What begins at this address of the kernel's text: "#PF entry", "SYSCALL entry"; "" if nothing does. */
struct kernel_symbol {
	char text[32];
};
struct kernel_symbol kernel_symbol_at(const struct kernel *kernel, struct vaddr va);

#endif
