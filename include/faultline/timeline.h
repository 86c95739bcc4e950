/* The six steps from malloc to a frame, as they happened first in a run: a call of the libc that found no free block,
 * the system call, the VMA that grew, the address that came back, and the first touch of a page in it. An observer:
 * timeline_attach subscribes it; it stops listening when it has seen them all. */
#ifndef FAULTLINE_TIMELINE_H
#define FAULTLINE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/bus.h"
#include "faultline/event.h"

/* X(ID, what) in the order in which they happen. */
#define TIMELINE_LIST(X)                                                                                               \
	X(CALL, "the libc is called")                                                                                  \
	X(SEARCH, "the last place where it looked for a free block")                                                   \
	X(GROW, "no block fits")                                                                                       \
	X(ENTER, "SYSCALL")                                                                                            \
	X(SERVE, "the system call that made the VMA")                                                                  \
	X(AREA, "the VMA")                                                                                             \
	X(ANSWER, "its result")                                                                                        \
	X(LEAVE, "SYSRET")                                                                                             \
	X(RETURN, "the libc returns")                                                                                  \
	X(WALK, "the walk that failed")                                                                                \
	X(EXCEPTION, "#PF")                                                                                            \
	X(FRAME, "the frame that was taken")                                                                           \
	X(ENTRY, "the entry that was written")                                                                         \
	X(FAULT, "the fault is resolved")                                                                              \
	X(RESUME, "IRETQ")

enum timeline_step {
#define X(id, what) TIMELINE_##id,
	TIMELINE_LIST(X)
#undef X
	    TIMELINE_STEPS
};

struct timeline {
	struct bus *bus;
	bool seen[TIMELINE_STEPS];
	struct event step[TIMELINE_STEPS];
	uint32_t pid;                         /* whose timeline it is; 0: not begun */
	unsigned searches;                    /* places where the libc looked */
	bool in_libc;                         /* between call and return */
	bool touched_by_libc;                 /* the fault told is one of the libc's own writes, before it returned */
	struct event pending[TIMELINE_STEPS]; /* of the page fault in progress */
	bool faulting;
};

/* The caller's storage; it and the bus must live until the run has ended. */
void timeline_attach(struct timeline *timeline, struct bus *bus);
void timeline_event(void *timeline, const struct event *event); /* an event_fn */

#endif
