/* Records the reference string of a run: which page each access went to. An observer. */
#ifndef FAULTLINE_RECORDER_H
#define FAULTLINE_RECORDER_H

#include <stdbool.h>

#include "faultline/references.h"
#include "faultline/world.h"

/* What counts as the page.
 * RECORDER_MEMORY: what lies in a frame, as replacement policies know it: processes that share a page refer to the same
 * one. Frames that nobody replaces (the zero page, tables, the kernel) are left out.
 * RECORDER_ADDRESSES: the process and its virtual page, as TLBs know it; kernel addresses are left out. */
enum recorder_pages { RECORDER_MEMORY, RECORDER_ADDRESSES };

struct recorder {
	struct world *world;
	struct references *references;
	enum recorder_pages pages;
	bool overflown; /* there were more references than a string can have */
};

/* Before world_run. The caller's storage; both must live until the run has ended. */
void recorder_attach(struct recorder *recorder, struct world *world, struct references *references,
		     enum recorder_pages pages);

#endif
