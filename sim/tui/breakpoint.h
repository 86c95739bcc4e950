/* Breakpoints on events, in both directions:
 *
 *	KIND [WORD] [if FIELD OP VALUE [and ...]]   an event of EVENT_LIST: "fault if kind = major", "syscall brk",
 *	                                            "signal", "tlb_miss if va >= 0x7ff000000000"
 *	WORD alone after `if`                       one of the event's texts: "fault if major"
 *	oom                                         memory runs out, or a process is killed for it
 *	#PF, #GP ...                                that exception
 *	ring N          control comes to ring N
 *	line N          the operation of line N of the script begins
 *	event N         the event with that number
 *	page ADDRESS    an event that names an address in that page
 *	frame N         an event that names that frame
 *	chunk ADDRESS   the C library does something to that chunk or block
 *	pte ADDRESS BIT a bit of the page-table entry for the address changes, in a process: P W U A D G NX */
#ifndef FAULTLINE_TUI_BREAKPOINT_H
#define FAULTLINE_TUI_BREAKPOINT_H

#include "faultline/event_fields.h"
#include "faultline/status.h"
#include "faultline/travel.h"

/* Entries of the first so many processes are watched. */
enum { BREAKPOINT_TEXT = 120, BREAKPOINT_CONDITIONS = 4, BREAKPOINTS = 16, BREAKPOINT_PROCESSES = 64 };

enum breakpoint_what { BREAK_EVENT, BREAK_NUMBER, BREAK_PAGE, BREAK_FRAME, BREAK_CHUNK, BREAK_PTE };

enum comparison { COMPARE_EQUAL, COMPARE_UNEQUAL, COMPARE_LESS, COMPARE_AT_MOST, COMPARE_GREATER, COMPARE_AT_LEAST };

struct condition {
	unsigned field; /* index in event.arg; EVENT_ARGS: any text field */
	enum comparison comparison;
	bool is_text;
	uint64_t number;
	char text[40];
};

struct breakpoint {
	char text[BREAKPOINT_TEXT]; /* as written */
	enum breakpoint_what what;
	uint64_t kinds;
	uint64_t value; /* number, page, frame, chunk or address */
	unsigned bit;   /* of BREAK_PTE */
	struct condition conditions[BREAKPOINT_CONDITIONS];
	unsigned condition_count;
	/* BREAK_PTE: what the bit was, by index of the process, to see it change. */
	uint64_t last_bits;
};

struct document;

struct breakpoints {
	struct event_fields fields;
	const struct document *document; /* whose lines there are; NULL: any may be */
	struct breakpoint list[BREAKPOINTS];
	unsigned count;
	char all[BREAKPOINTS * 16]; /* in words, for the status line */
};

void breakpoints_init(struct breakpoints *breakpoints, const struct document *document);
/* BAD_INPUT: error says what is allowed. */
enum status breakpoints_add(struct breakpoints *breakpoints, const char *spec, struct error *error);
/* By number from 1; false: there is none of that number. */
bool breakpoints_remove(struct breakpoints *breakpoints, unsigned number);
void breakpoints_clear(struct breakpoints *breakpoints);

/* breakpoint_read.c: BAD_INPUT as above; *out is one of BREAK_EVENT without conditions before. */
enum status breakpoint_read(const struct breakpoints *breakpoints, const char *spec, struct breakpoint *out,
			    struct error *error);

/* What to look for when the world runs: nothing at all without breakpoints. */
struct travel_query breakpoints_query(struct breakpoints *breakpoints);

#endif
