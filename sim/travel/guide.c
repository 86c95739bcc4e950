/* The thread of the world. A journey is made of legs: each returns to a checkpoint and runs to a stop. The world of the
 * last leg stays frozen inside the event at which it stopped, so the next order is taken there: an order that goes on
 * forward simply returns from the event, any other one leaves the whole run by longjmp and begins a new leg at the
 * base. Nothing in the simulation holds a resource of the host across an event. */
#include <string.h>

#include "faultline/story.h"
#include "travel_private.h"

/* How far the world runs ahead, so that a few steps do not need it again. */
enum { AHEAD_EVENTS = 4 * TRAVEL_FUTURE };

/* ---- noting what happens ---- */

static struct travel_record *slot(struct travel *travel, uint64_t number)
{
	return &travel->records[number % TRAVEL_RING];
}

static void tell(const struct travel *travel, struct travel_record *record)
{
	if (record->sentence[0] == '\0')
		story_sentence_by(&travel->fields, &record->event, record->sentence, sizeof(record->sentence));
}

static struct travel_registers registers_now(const struct travel *travel)
{
	const struct cpu *cpu = machine_cpu_const(world_machine(travel->world));
	struct travel_registers out = {
	    .rip = cpu->rip,
	    .rflags = cpu->rflags,
	    .cr0 = cpu->cr0,
	    .cr2 = cpu->cr2,
	    .cr3 = cpu->cr3,
	    .cr4 = cpu->cr4,
	    .cs = cpu->cs,
	    .ss = cpu->ss,
	    .cpl = cpu->cpl,
	};
	memcpy(out.gpr, cpu->gpr, sizeof(out.gpr));
	return out;
}

/* What is on record must not be overwritten on the way to a goal far behind it: the ring is short. */
static bool is_worth_a_record(const struct travel *travel, uint64_t number)
{
	const struct stop *stop = &travel->stop;
	if (stop->kind == STOP_AT)
		return !stop->scans && number + TRAVEL_RING / 2 > stop->number;
	return stop->kind == STOP_MATCH;
}

static void record_event(struct travel *travel, const struct event *event)
{
	struct travel_record *record = slot(travel, event->number);
	if (record->event.number != event->number) {
		record->event = *event;
		record->registers = registers_now(travel);
		record->pushed_at = travel->pushes[event->cpu].at;
		record->pushed_words = travel->pushes[event->cpu].words;
		record->sentence[0] = '\0';
	}
	if (travel->stop.tells)
		tell(travel, record);
}

static void note_push(struct travel *travel, const struct event *event)
{
	if (event->kind == EVENT_PUSH)
		travel->pushes[event->cpu] = (struct push){event->arg[0], (unsigned)event->arg[1]};
	else if (event->kind == EVENT_RING && event->ring == 3)
		travel->pushes[event->cpu] = (struct push){0, 0};
}

static void note(struct travel *travel, const struct event *event)
{
	atomic_store_explicit(&travel->progress, event->number, memory_order_relaxed);
	if (event->number == travel->history.count + 1 && !history_add(&travel->history, event->kind, event->ring)) {
		(void)error_set(&travel->error, STATUS_HOST, "the host has no memory to remember the history");
		travel->lost = true;
	}
	note_push(travel, event);
	if (is_worth_a_record(travel, event->number))
		record_event(travel, event);
}

static bool matches(const struct travel *travel, const struct event *event)
{
	const struct travel_query *query = &travel->order.query;
	return (query->kinds & EVENT_BIT(event->kind)) &&
	       (!query->matches || query->matches(query->self, travel->world, event));
}

static bool is_known_to_end(const struct travel *travel, uint64_t number)
{
	return travel->complete && number >= travel->history.count;
}

/* Whether enough of what follows is on record. */
static bool sees_ahead(struct travel *travel, uint64_t number)
{
	for (uint64_t next = number + 1; next <= number + TRAVEL_FUTURE && !is_known_to_end(travel, next - 1); next++) {
		const struct travel_record *record = slot(travel, next);
		if (record->event.number != next || record->sentence[0] == '\0')
			return false;
	}
	return true;
}

/* ---- freezing ---- */

static void stand(struct travel *travel, uint64_t position, enum travel_end end)
{
	uint64_t first = position > TRAVEL_PAST ? position - TRAVEL_PAST + 1 : 1;
	for (uint64_t number = first; number <= position; number++) {
		if (slot(travel, number)->event.number == number)
			tell(travel, slot(travel, number));
	}
	travel->position = position;
	atomic_store_explicit(&travel->progress, position, memory_order_relaxed);
	travel_announce(travel, end);
}

static void order_return(struct travel *travel, uint64_t position, enum travel_end end)
{
	travel->order = (struct order){.kind = ORDER_RETURN, .position = position, .end = end};
}

static void begin_search(const struct travel *travel)
{
	const struct travel_query *query = &travel->order.query;
	if (query->begin && (travel->stop.kind == STOP_MATCH || travel->stop.scans))
		query->begin(query->self, travel->world);
}

/* Whether the order is carried out by letting the frozen world go on; sets the stop. */
static bool goes_on(struct travel *travel)
{
	const struct order *order = &travel->order;
	travel->steps_back = false;
	if (order->kind == ORDER_FORWARD) {
		travel->stop = (struct stop){.kind = STOP_MATCH, .parks = true};
		begin_search(travel);
		return true;
	}
	if (order->kind != ORDER_SEEK || order->position <= travel->position || !sees_ahead(travel, order->position) ||
	    checkpoint_position(checkpoints_before(travel, order->position)) > travel->position)
		return false;
	travel->stop = (struct stop){.kind = STOP_AT, .number = order->position, .parks = true};
	return true;
}

/* In an event: the world is frozen until an order lets it go on. */
static void park(struct travel *travel, uint64_t number, enum travel_end end)
{
	if (!sees_ahead(travel, number)) {
		order_return(travel, number, end);
		_longjmp(travel->base, 1);
	}
	stand(travel, number, end);
	travel_await(travel);
	if (!goes_on(travel))
		_longjmp(travel->base, 1);
}

/* ---- the observers ---- */

/* What is on its way back, or nearly there, is not interrupted. */
static bool is_interrupted(struct travel *travel, uint64_t number)
{
	const struct order *order = &travel->order;
	if (!atomic_load_explicit(&travel->interrupt, memory_order_relaxed))
		return false;
	switch (order->kind) {
	case ORDER_SEEK:
		return number > travel->origin && number < order->position;
	case ORDER_FORWARD:
		return number > travel->origin;
	case ORDER_BACKWARD:
	case ORDER_EXPLORE:
		return true;
	case ORDER_QUIT:
	case ORDER_RETURN:
	default:
		return false;
	}
}

/* The journey ends here when it went forward, else where it began. */
static void break_off(struct travel *travel, uint64_t number)
{
	bool forward = travel->order.kind == ORDER_SEEK || travel->order.kind == ORDER_FORWARD;
	order_return(travel, forward ? number : travel->origin, TRAVEL_INTERRUPTED);
	_longjmp(travel->base, 1);
}

static bool stops_at(const struct travel *travel, const struct event *event)
{
	switch (travel->stop.kind) {
	case STOP_AT:
		return event->number == travel->stop.number;
	case STOP_MATCH:
		return matches(travel, event);
	case STOP_NEVER:
	default:
		return false;
	}
}

void guide_event(void *self, const struct event *event)
{
	struct travel *travel = self;
	note(travel, event);
	if (travel->lost)
		_longjmp(travel->leg, 1);
	if (is_interrupted(travel, event->number))
		break_off(travel, event->number);
	if (travel->stop.scans && event->number < travel->stop.number && matches(travel, event))
		travel->found = event->number;
	if (!stops_at(travel, event))
		return;
	if (!travel->stop.parks)
		_longjmp(travel->leg, 1);
	park(travel, event->number, travel->order.end);
}

/* ---- legs ---- */

static bool restore(struct travel *travel, const struct checkpoint *from)
{
	if (checkpoint_restore(from, travel->world, &travel->error) != STATUS_OK)
		travel->lost = true;
	memset(travel->pushes, 0, sizeof(travel->pushes));
	return !travel->lost;
}

/* From the checkpoint to the stop; a stop that parks does not come back from here. False: the history ended first. */
static bool run_leg(struct travel *travel, const struct checkpoint *from, struct stop stop)
{
	struct error outcome;
	travel->stop = stop;
	if (travel->steps_back)
		checkpoints_enter_stretch(travel, from);
	if (!restore(travel, from))
		return true;
	begin_search(travel);
	if (_setjmp(travel->leg) != 0)
		return true;
	(void)world_resume(travel->world, &outcome);
	travel->outcome = outcome;
	travel->complete = true;
	return false;
}

/* So far before the goal that the past is on record. */
static const struct checkpoint *start_for(const struct travel *travel, uint64_t goal)
{
	return checkpoints_before(travel, goal > TRAVEL_PAST ? goal - TRAVEL_PAST : 0);
}

/* What follows the goal is looked at first, because there the world goes back. */
static void look_ahead(struct travel *travel, uint64_t goal)
{
	if (sees_ahead(travel, goal))
		return;
	const struct stop stop = {.kind = STOP_AT, .number = goal + AHEAD_EVENTS, .tells = true};
	(void)run_leg(travel, start_for(travel, goal), stop);
}

static bool is_behind_the_end(const struct travel *travel, uint64_t position)
{
	return travel->complete && position > travel->history.count;
}

/* To the position of the order, a SEEK or a RETURN. Comes back only when the traveller stands at the base: at position
 * 0, or lost. */
static void go(struct travel *travel)
{
	uint64_t goal = travel->order.position;
	travel->steps_back = goal < travel->origin && travel->origin - goal <= travel->route.distance;
	for (;;) {
		look_ahead(travel, goal);
		if (travel->lost || goal == 0)
			break;
		if (!is_behind_the_end(travel, goal))
			(void)run_leg(travel, start_for(travel, goal),
				      (struct stop){STOP_AT, goal, true, false, false});
		/* There is no such event, or it went on from there, to the end of the history. */
		goal = travel->history.count;
		order_return(travel, goal, TRAVEL_EDGE);
	}
	if (!travel->lost)
		(void)restore(travel, travel->route.checkpoints[0]);
	stand(travel, 0, travel->lost ? TRAVEL_FAILED : travel->order.end);
}

static void go_to(struct travel *travel, uint64_t position, enum travel_end end)
{
	order_return(travel, position, end);
	go(travel);
}

/* The last match before the origin, searched from checkpoint to checkpoint; 0: none. */
static uint64_t search_back(struct travel *travel)
{
	uint64_t limit = travel->origin;
	travel->found = 0;
	while (limit > 1 && travel->found == 0 && !travel->lost) {
		const struct checkpoint *from = checkpoints_before(travel, limit - 2);
		uint64_t first = checkpoint_position(from) + 1;
		if (history_may_have(&travel->history, first, limit - 1, travel->order.query.kinds))
			(void)run_leg(travel, from, (struct stop){.kind = STOP_AT, .number = limit, .scans = true});
		limit = first;
	}
	return travel->found;
}

/* Without a condition the history itself knows, where it is short enough to know every event. */
static uint64_t find_back(struct travel *travel)
{
	uint64_t last = travel->origin > 0 ? travel->origin - 1 : 0;
	if (travel->order.query.matches || (last > 0 && history_kind(&travel->history, last) == EVENT_COUNT))
		return search_back(travel);
	return history_last(&travel->history, 1, last, travel->order.query.kinds);
}

static void go_back(struct travel *travel)
{
	uint64_t goal = find_back(travel);
	go_to(travel, goal, goal > 0 ? TRAVEL_ARRIVED : TRAVEL_EDGE);
}

static void explore(struct travel *travel)
{
	const struct checkpoint *from = route_before(&travel->route, travel->history.count);
	(void)run_leg(travel, from, (struct stop){.kind = STOP_NEVER});
	go_to(travel, travel->origin, TRAVEL_ARRIVED);
}

/* Forward from position 0, where no world is frozen. */
static void set_out(struct travel *travel)
{
	(void)run_leg(travel, travel->route.checkpoints[0], (struct stop){.kind = STOP_MATCH, .parks = true});
	go_to(travel, travel->history.count, TRAVEL_EDGE);
}

static void carry_out(struct travel *travel)
{
	travel->steps_back = false;
	switch (travel->order.kind) {
	case ORDER_SEEK:
	case ORDER_RETURN:
		go(travel);
		break;
	case ORDER_FORWARD:
		set_out(travel);
		break;
	case ORDER_BACKWARD:
		go_back(travel);
		break;
	case ORDER_EXPLORE:
		explore(travel);
		break;
	case ORDER_QUIT:
	default:
		break;
	}
}

void *guide_main(void *self)
{
	struct travel *travel = self;
	/* An order that a frozen world cannot carry out arrives here by longjmp. */
	if (_setjmp(travel->base) == 0)
		travel_await(travel);
	while (travel->order.kind != ORDER_QUIT) {
		if (travel->lost)
			stand(travel, 0, TRAVEL_FAILED);
		else
			carry_out(travel);
		travel_await(travel);
	}
	return NULL;
}
