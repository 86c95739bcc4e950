/* Time travel: a world whose history can be walked in both directions. A position is an event number; the world stands
 * frozen in the middle of whatever published that event. Going back means returning to a checkpoint and running forward
 * again, so what is found there is the state itself (DESIGN.md, "Time travel by determinism").
 *
 * The world runs on a thread of its own, and only while a journey is under way: between journeys everything can be
 * looked at, during one only the functions that say so may be called. */
#ifndef FAULTLINE_TRAVEL_H
#define FAULTLINE_TRAVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline/document.h"
#include "faultline/event.h"
#include "faultline/status.h"
#include "faultline/world.h"

struct travel;
struct event_fields;

struct travel_limits {
	size_t checkpoint_bytes;    /* most for checkpoints, beside one copy of what the world holds; 0: 256 MiB */
	uint64_t checkpoint_events; /* first distance between two; doubles as they are thinned out; 0: 4096 */
};

/* The document must outlive it. Stands at position 0, before the machine boots. */
enum status travel_new(const struct document *document, const struct travel_limits *limits, struct travel **out,
		       struct error *error);
void travel_free(struct travel *travel); /* NULL is allowed; not during a journey */

/* ---- journeys ---- */

enum travel_end {
	TRAVEL_ARRIVED,     /* where it was to go, or at the event that was looked for */
	TRAVEL_EDGE,        /* at the start or at the last event: there is nothing more that way */
	TRAVEL_INTERRUPTED, /* on the way forward: stands where it was interrupted; else: where it began */
	TRAVEL_FAILED,      /* the host: travel_error says why */
};

/* An event to look for: one of the kinds for which `matches` is true. It is called with the world frozen at the event,
 * on the thread of the world. NULL: any. A search may go through the events in pieces, the later ones first; before
 * each piece `begin`, if it is not NULL, is called with the world as it stands there. */
typedef bool travel_match_fn(void *self, const struct world *world, const struct event *event);
typedef void travel_begin_fn(void *self, const struct world *world);
struct travel_query {
	uint64_t kinds; /* EVENT_BIT(...) */
	travel_match_fn *matches;
	travel_begin_fn *begin;
	void *self;
};

/* Each begins a journey and returns at once; one at a time. Positions behind the last event stand for it. */
void travel_start_seek(struct travel *travel, uint64_t position);
void travel_start_forward(struct travel *travel, const struct travel_query *query);
void travel_start_backward(struct travel *travel, const struct travel_query *query);
/* To the end and back to where it stands: afterwards the length of the history is known. */
void travel_start_explore(struct travel *travel);

/* At any time: becomes readable when a journey ends; and asks it to end soon. The latter may be called by a signal
 * handler. */
int travel_descriptor(const struct travel *travel);
void travel_interrupt(struct travel *travel);
/* At any time: the number of the event that the world last published, and the furthest one known. */
uint64_t travel_progress(const struct travel *travel);
bool travel_under_way(const struct travel *travel);
bool travel_has_arrived(struct travel *travel); /* travel_finish would not wait */
/* Waits for the end of the journey and takes note of it: call it once for each. */
enum travel_end travel_finish(struct travel *travel);

/* Start and finish in one. */
enum travel_end travel_seek(struct travel *travel, uint64_t position);
enum travel_end travel_forward(struct travel *travel, const struct travel_query *query);
enum travel_end travel_backward(struct travel *travel, const struct travel_query *query);
enum travel_end travel_explore(struct travel *travel);

/* ---- looking, between journeys ---- */

const struct world *travel_world(const struct travel *travel);
uint64_t travel_position(const struct travel *travel);
/* The furthest event that has ever happened; whether the history ends with it. */
uint64_t travel_known(const struct travel *travel);
bool travel_complete(const struct travel *travel);
/* How the run ended, once it has been complete. */
const struct error *travel_outcome(const struct travel *travel);
const struct error *travel_error(const struct travel *travel);

/* An event near the position, with its sentence and the registers behind it. The text arguments of events in the future
 * are not to be used: they belong to a world that has gone back. */
struct travel_record {
	struct event event;
	struct travel_registers {
		uint64_t gpr[GPR_COUNT];
		uint64_t rip, rflags, cr0, cr2, cr3, cr4;
		uint16_t cs, ss;
		uint8_t cpl;
	} registers;
	/* What the processor of the event has pushed since it last left ring 3, however long ago: so many words from
	 * this address on. 0: nothing. */
	uint64_t pushed_at;
	unsigned pushed_words;
	char sentence[224];
};
/* So many are always there, if they exist, and never more: what is shown does not depend on the way to a position. */
enum { TRAVEL_PAST = 64, TRAVEL_FUTURE = 64 };
/* NULL: it is further away than TRAVEL_PAST or TRAVEL_FUTURE, or does not exist. */
const struct travel_record *travel_record(const struct travel *travel, uint64_t number);

/* The fields of events, for story_fill. */
const struct event_fields *travel_fields(const struct travel *travel);

/* The nearest known event of these kinds behind or before a position, 0 if there is none. */
uint64_t travel_known_after(const struct travel *travel, uint64_t position, uint64_t kinds);
uint64_t travel_known_before(const struct travel *travel, uint64_t position, uint64_t kinds);
/* Of the known events with a number in (from, to]: the bits of their kinds, and how many are of these kinds. */
uint64_t travel_known_kinds(const struct travel *travel, uint64_t from, uint64_t to);
uint64_t travel_known_count(const struct travel *travel, uint64_t from, uint64_t to, uint64_t kinds);
/* enum event_kind of a known event; EVENT_COUNT when it is not known. */
unsigned travel_kind(const struct travel *travel, uint64_t number);
/* The ring of a known event; 0 when it is not known. */
unsigned travel_ring(const struct travel *travel, uint64_t number);

/* Those that are as far apart as the history asks for; and the bytes of all, with the closer ones that steps back left.
 */
unsigned travel_checkpoints(const struct travel *travel);
size_t travel_checkpoint_bytes(const struct travel *travel);

#endif
