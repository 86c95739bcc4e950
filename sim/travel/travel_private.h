/* Time travel from the inside. travel.c is the traveller's side and hands orders over; guide.c is the thread of the
 * world and carries them out; checkpoints.c has it leave checkpoints on its way, route.c is a row of them. */
#ifndef FAULTLINE_TRAVEL_PRIVATE_H
#define FAULTLINE_TRAVEL_PRIVATE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>

#include "faultline/bell.h"
#include "faultline/checkpoint.h"
#include "faultline/event_fields.h"
#include "faultline/travel.h"
#include "history.h"

enum { ROUTE_CHECKPOINTS = 128, TRAVEL_RING = 1024 };

/* Checkpoints in the order of their positions. Invariant: neighbours are at least `distance` events apart. */
struct route {
	struct checkpoint *checkpoints[ROUTE_CHECKPOINTS];
	unsigned count;
	uint64_t distance;
};

void route_release(struct route *route);
/* Every second one goes, never the first; from now on they are twice as far apart. */
void route_thin_out(struct route *route);
/* What each checkpoint keeps for itself; and the pages of that which keeps most of them, which is one copy of the
 * world. */
size_t route_own_bytes(const struct route *route);
size_t route_copy_bytes(const struct route *route);
/* Whether the world should be asked for a checkpoint at this position. */
bool route_wants(const struct route *route, uint64_t position);
/* Takes one, the first of a route sharing with `like` (NULL: with none); without memory for it there is none. */
void route_add(struct route *route, const struct world *world, const struct checkpoint *like);
/* The last checkpoint that is not behind the position. */
const struct checkpoint *route_before(const struct route *route, uint64_t position);

enum order_kind {
	ORDER_QUIT,
	ORDER_SEEK,
	ORDER_FORWARD,
	ORDER_BACKWARD,
	ORDER_EXPLORE,
	ORDER_RETURN, /* the world's own: to where the journey has been already, and ends */
};

struct order {
	enum order_kind kind;
	uint64_t position;         /* SEEK and RETURN */
	struct travel_query query; /* FORWARD and BACKWARD */
	enum travel_end end;       /* what to say on arrival */
};

enum stop_kind { STOP_NEVER, STOP_AT, STOP_MATCH };

/* Where the world stops next. */
struct stop {
	enum stop_kind kind;
	uint64_t number;
	bool parks; /* and stays there, frozen; else it is unwound */
	bool scans; /* notes the last match before the number */
	bool tells; /* makes the sentence of each event */
};

/* The last words that a processor has pushed on the way into ring 0. */
struct push {
	uint64_t at;
	unsigned words; /* 0: none since it left ring 3 */
};

enum { TRAVEL_CPUS = UINT8_MAX + 1 };

struct travel {
	const struct document *document;
	struct world *world;
	/* Invariant: beside one copy of the world both keep at most `most_bytes`, the route alone three quarters. */
	struct route route;   /* the first at 0 */
	struct route stretch; /* closer ones, in the stretch of the route through which somebody goes back */
	size_t most_bytes;
	struct history history;
	struct travel_record *records; /* a ring by number */
	struct event_fields fields;

	/* Of the thread of the world, while a journey is under way. */
	struct order order;
	struct stop stop;
	uint64_t origin;                 /* position at the beginning of the journey */
	uint64_t found;                  /* by a scan */
	bool steps_back;                 /* not far: more steps like this may follow */
	struct push pushes[TRAVEL_CPUS]; /* where the world stands; between operations there are none */
	jmp_buf base, leg;

	/* Between journeys of whoever travels. */
	uint64_t position;
	bool complete, lost; /* lost: the world cannot be brought back, nothing more is possible */
	struct error outcome, error;

	/* The hand-over. */
	pthread_t thread;
	bool started;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool ordered, arrived, under_way;
	enum travel_end end;
	struct bell bell; /* rings when a journey has ended */
	atomic_bool interrupt;
	atomic_uint_fast64_t progress;
};

/* The thread of the world; `self` is the travel. */
void *guide_main(void *self);
/* Observers of the world: bus and operation boundary. */
void guide_event(void *self, const struct event *event);
void checkpoints_between(void *self);

/* The last checkpoint that is not behind the position. */
const struct checkpoint *checkpoints_before(const struct travel *travel, uint64_t position);
/* A step back runs from there, and so will the next ones. */
void checkpoints_enter_stretch(struct travel *travel, const struct checkpoint *from);

/* Of the thread of the world: waits for the next order; says that the journey is over. */
void travel_await(struct travel *travel);
void travel_announce(struct travel *travel, enum travel_end end);

#endif
