/* The invariant checker: numbers that cannot lie. It looks at a world and touches nothing.
 *
 *	identities   what is counted twice agrees: accesses and TLB hits, faults by cause, system calls and ring changes
 *	             against their events, cycles by layer, frames, processes against the whole. Cheap; every run ends
 *with it structures   what the kernel and the libc hold agrees: frames and their mappings, page tables and VMAs, heaps,
 *	             frames by events, and every TLB entry with the tables that it was filled from: a translation that
 *	             allows what the tables no longer do is stale
 *
 * The structures of a large world take long to walk: after the first operations they are checked again when so much has
 * happened that the check costs no more than the run. Every run ends with a whole check. */
#ifndef FAULTLINE_CHECK_H
#define FAULTLINE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/status.h"
#include "faultline/world.h"

/* X(ID, name, text) */
#define CHECK_MODE_LIST(X)                                                                                             \
	X(IDENTITIES, identities, "identities at the end")                                                             \
	X(SAMPLED, sampled, "after every operation, in large worlds less often")                                       \
	X(FULL, full,                                                                                                  \
	  "everything after every operation, and the kernel's side at every return to ring 3, however long it takes")

enum check_mode {
#define X(id, name, text) CHECK_##id,
	CHECK_MODE_LIST(X)
#undef X
	    CHECK_MODE_COUNT
};

enum check_verdict { CHECK_UNFINISHED, CHECK_HOLDS, CHECK_BROKEN };

struct check {
	const struct world *world;
	enum check_mode mode;
	struct stats at_start; /* of the machine when the first process began to run */
	bool started;
	enum check_verdict verdict;
	unsigned entries;                    /* to ring 0 that have not returned */
	struct error broken;                 /* found within the operation that runs; status OK: nothing */
	uint64_t frames;                     /* in use, by the events so far */
	uint64_t operations;                 /* checked */
	uint64_t whole;                      /* checks of the structures */
	uint64_t next_event;                 /* check the structures again at this event number */
	bool spoilt[DOCUMENT_MAX_PROCESSES]; /* heaps that the program itself has overwritten */
};

/* The caller's storage; it must live until the world is freed. Before world_run. */
void check_attach(struct check *check, struct world *world, enum check_mode mode);
/* Checks everything once more; false with the broken invariant in words. After world_run; a world that never booted has
 * nothing to check. */
bool check_finish(struct check *check, struct error *why);

/* The parts, for tests and for programs that embed the library. */
bool check_identities(const struct check *check, struct error *why);
bool check_tlbs(const struct world *world, uint64_t *visited, struct error *why);
bool check_heaps(struct check *check, uint64_t *visited, struct error *why);

#endif
