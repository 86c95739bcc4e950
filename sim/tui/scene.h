/* What is to be seen: the moment at which the world stands, and how somebody wants to look at it. Views draw from a
 * const scene and from nothing else, so the same scene is the same screen. */
#ifndef FAULTLINE_TUI_SCENE_H
#define FAULTLINE_TUI_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/translation.h"
#include "faultline/travel.h"
#include "faultline/world.h"

/* X(ID, digit, name, title, text): the panels, by the digit that focuses them. */
#define PANEL_LIST(X)                                                                                                  \
	X(CPU, 0, cpu, "CPU", "registers, the ring, what was pushed on the kernel stack, the error code bit by bit")   \
	X(WALK, 1, walk, "PAGE WALK", "the address split over the entries of the page tables, level by level")         \
	X(SPACE, 2, space, "ADDRESS SPACE", "the VMAs from top to bottom, and how many of their pages have a frame")   \
	X(HEAP, 3, heap, "HEAP", "chunks, bins, and the way of the current malloc through them")                       \
	X(FRAMES, 4, frames, "FRAMES", "physical frames: owner, flags, who maps them; the page cache and swap")        \
	X(TLB, 5, tlb, "TLB", "sets and ways, hits and misses")                                                        \
	X(EVENTS, 6, events, "EVENTS", "what happened, and what will")                                                 \
	X(STATS, 7, stats, "STATS", "counts so far, and their course")                                                 \
	X(SCRIPT, 8, script, "SCRIPT", "the operations of the workload and the small steps of the current one")        \
	X(LAYERS, 9, layers, "LAYERS", "program, C library, kernel, hardware: who executes, and through which door")   \
	X(TIMELINE, -1, timeline, "TIMELINE", "the whole history, one column an event or more")

enum panel {
#define X(id, digit, name, title, text) PANEL_##id,
	PANEL_LIST(X)
#undef X
	    PANEL_COUNT
};

enum { SCENE_TEXT = 512, SCENE_MARKS = 26 };

/* What is selected in a panel: a row, a frame number, a slot ... Each view gives it its meaning. */
struct selection {
	bool active; /* else the panel follows the moment */
	uint64_t at;
};

/* A question about what comes next, and its answers (quiz.h). */
struct quiz;
/* A text over the panels (sheet.h). */
struct sheet;

struct scene {
	const struct travel *travel;
	const struct document *document;
	const struct world *world;

	/* The moment, from scene_refresh. `event` is NULL at position 0, before the machine boots. */
	uint64_t position;
	const struct travel_record *now, *previous;
	const struct event *event;
	bool booted;
	unsigned process;            /* index of the process that is shown */
	const struct process *shown; /* NULL: none has started */
	bool has_address;            /* the address that this moment is about */
	struct vaddr address;
	enum access_kind access;
	unsigned access_bytes;          /* 0: not known */
	bool supervisor;                /* the access comes from ring 0 */
	bool under_way;                 /* the processor walks for it, or has refused it */
	struct translation translation; /* of it, valid when has_address and there is a process */
	uint64_t operation_start;       /* number of the OP_START of the current operation; 0: too long ago, or none */
	char why[SCENE_TEXT];           /* a sentence or two: what this event means */
	char next[SCENE_TEXT];          /* what follows */

	/* How to look. */
	enum panel focus;
	bool zoomed;
	bool pinned;  /* `process` was chosen and does not follow the moment */
	bool decimal; /* how numbers are written that are no addresses */
	struct selection selected[PANEL_COUNT];
	bool playing, running; /* stepping by itself; a journey is under way */
	unsigned speed;        /* events a second when playing */
	const char *breaks;    /* the breakpoints in words, "" without */
	const char *message;   /* of the last command, "" without; stands in the place of the key bar */
	bool message_is_error;
	const char *prompt;          /* a line being typed, NULL: none */
	const struct quiz *quiz;     /* NULL: no question */
	const struct sheet *sheet;   /* NULL: none */
	uint64_t marks[SCENE_MARKS]; /* positions, 0: none */
	unsigned help;               /* page of the list of keys, from 1; 0: it is not shown */
};

/* Looks at the world where it stands now. Call it after every journey. */
void scene_refresh(struct scene *scene);
/* The event is about a process that the world does not have yet: fork fills the tables of the child first. */
bool scene_is_of_nobody(const struct scene *scene);

/* A number that may be read either way: of a frame, of bytes. In hexadecimal it begins with 0x, as it may be typed. */
struct number {
	char text[24];
};
struct number scene_number(const struct scene *scene, uint64_t value);

/* While a question is open, what is still to come is a secret. */
bool scene_has_secret(const struct scene *scene);
/* The last event that may be told. */
uint64_t scene_horizon(const struct scene *scene);
/* What stands for the others. */
#define SCENE_SECRET "? (a question is open)"

#endif
