/* Why things happen: one row for every event, system call, cause of a fault and function of the C library, and one for
 * each case in which that would not be true. Texts are templates with the fields of the event (event.h): the point
 * first, in a line of the smallest screen. */
#ifndef FAULTLINE_TUI_REASON_H
#define FAULTLINE_TUI_REASON_H

#include "faultline/event.h"
#include "faultline/libc_text.h"
#include "faultline/process.h"
#include "faultline/syscall.h"
#include "reason_cases.h"
#include "scene.h"

/* The longest that a reason with usual values is. */
enum { REASON_COLUMNS = 75 };

struct event_reason {
	const char *stage; /* a word or two for the story ribbon; "": it is none; "*": the event itself has the word */
	const char *step;  /* as a thing to come; without fields of type text, which the future does not have; "*" */
	const char *why;   /* "": that depends on which system call, fault or function it is */
};

const struct event_reason *reason_of_kind(enum event_kind kind);
const char *reason_of_syscall(enum syscall_index index);
const char *reason_of_fault(enum fault_cause cause);
const char *reason_of_call(enum libc_function function);
const char *reason_of_return(enum libc_function function);
const char *reason_of_case(enum reason_case which);

struct reason {
	char text[160];
};

/* The one for the event of the scene, which has happened. Without a world or a history, what holds whatever they are.
 */
struct reason reason_of(const struct scene *scene);

#endif
