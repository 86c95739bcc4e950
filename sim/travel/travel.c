#include "faultline/travel.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/bus.h"
#include "travel_private.h"

static const size_t default_bytes = (size_t)256 << 20;
enum { DEFAULT_EVENTS = 4096 };

/* ---- birth and end ---- */

/* Signals that somebody sends are for the thread that travels; those of a crash stay with whoever crashes. */
static int make_thread(struct travel *travel)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
	sigset_t none;
	sigset_t before;
	(void)sigfillset(&none);
	for (unsigned i = 0; i < sizeof(own) / sizeof(*own); i++)
		(void)sigdelset(&none, own[i]);
	(void)pthread_sigmask(SIG_SETMASK, &none, &before);
	int refused = pthread_create(&travel->thread, NULL, guide_main, travel);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return refused;
}

static enum status start(struct travel *travel, struct error *error)
{
	enum status status = world_new(travel->document, &travel->world, error);
	if (status != STATUS_OK)
		return status;
	bus_subscribe(world_bus(travel->world), EVENT_MASK_ALL, guide_event, travel);
	world_set_between_hook(travel->world, checkpoints_between, travel);
	route_add(&travel->route, travel->world, NULL);
	event_fields_parse(&travel->fields);
	travel->records = calloc(TRAVEL_RING, sizeof(*travel->records));
	if (travel->route.count == 0 || !travel->records)
		return error_set(error, STATUS_HOST, "the host has no memory for a history");
	if (!bell_open(&travel->bell))
		return error_set(error, STATUS_HOST, "no pipe: %s", strerror(errno));
	(void)pthread_mutex_init(&travel->mutex, NULL);
	(void)pthread_cond_init(&travel->changed, NULL);
	int refused = make_thread(travel);
	if (refused)
		return error_set(error, STATUS_HOST, "no thread for the world: %s", strerror(refused));
	travel->started = true;
	return STATUS_OK;
}

enum status travel_new(const struct document *document, const struct travel_limits *limits, struct travel **out,
		       struct error *error)
{
	*out = NULL;
	*error = (struct error){0};
	struct travel *travel = calloc(1, sizeof(*travel));
	if (!travel)
		return error_set(error, STATUS_HOST, "the host has no memory for a history");
	travel->document = document;
	travel->bell = (struct bell){-1, -1};
	travel->most_bytes = limits && limits->checkpoint_bytes ? limits->checkpoint_bytes : default_bytes;
	travel->route.distance = limits && limits->checkpoint_events ? limits->checkpoint_events : DEFAULT_EVENTS;
	if (start(travel, error) == STATUS_OK)
		*out = travel;
	else
		travel_free(travel);
	return error->status;
}

static void give_order(struct travel *travel, const struct order *order)
{
	(void)pthread_mutex_lock(&travel->mutex);
	BUG_ON(travel->under_way);
	travel->order = *order;
	travel->origin = travel->position;
	travel->ordered = travel->under_way = true;
	atomic_store(&travel->interrupt, false);
	(void)pthread_cond_broadcast(&travel->changed);
	(void)pthread_mutex_unlock(&travel->mutex);
}

void travel_free(struct travel *travel)
{
	if (!travel)
		return;
	if (travel->started) {
		give_order(travel, &(struct order){.kind = ORDER_QUIT});
		(void)pthread_join(travel->thread, NULL);
		(void)pthread_cond_destroy(&travel->changed);
		(void)pthread_mutex_destroy(&travel->mutex);
	}
	bell_close(&travel->bell);
	route_release(&travel->stretch);
	route_release(&travel->route);
	history_release(&travel->history);
	free(travel->records);
	world_free(travel->world);
	free(travel);
}

/* ---- the hand-over, on the thread of the world ---- */

void travel_await(struct travel *travel)
{
	(void)pthread_mutex_lock(&travel->mutex);
	while (!travel->ordered)
		(void)pthread_cond_wait(&travel->changed, &travel->mutex);
	travel->ordered = false;
	(void)pthread_mutex_unlock(&travel->mutex);
}

void travel_announce(struct travel *travel, enum travel_end end)
{
	(void)pthread_mutex_lock(&travel->mutex);
	travel->end = end;
	travel->arrived = true;
	bell_ring(&travel->bell);
	(void)pthread_cond_broadcast(&travel->changed);
	(void)pthread_mutex_unlock(&travel->mutex);
}

/* ---- journeys ---- */

void travel_start_seek(struct travel *travel, uint64_t position)
{
	give_order(travel, &(struct order){.kind = ORDER_SEEK, .position = position, .end = TRAVEL_ARRIVED});
}

void travel_start_forward(struct travel *travel, const struct travel_query *query)
{
	give_order(travel, &(struct order){.kind = ORDER_FORWARD, .query = *query, .end = TRAVEL_ARRIVED});
}

void travel_start_backward(struct travel *travel, const struct travel_query *query)
{
	give_order(travel, &(struct order){.kind = ORDER_BACKWARD, .query = *query, .end = TRAVEL_ARRIVED});
}

void travel_start_explore(struct travel *travel)
{
	give_order(travel, &(struct order){.kind = ORDER_EXPLORE, .end = TRAVEL_ARRIVED});
}

int travel_descriptor(const struct travel *travel)
{
	return travel->bell.hear;
}

void travel_interrupt(struct travel *travel)
{
	atomic_store(&travel->interrupt, true);
}

uint64_t travel_progress(const struct travel *travel)
{
	return atomic_load_explicit(&travel->progress, memory_order_relaxed);
}

bool travel_under_way(const struct travel *travel)
{
	return travel->under_way;
}

bool travel_has_arrived(struct travel *travel)
{
	(void)pthread_mutex_lock(&travel->mutex);
	bool arrived = travel->arrived;
	(void)pthread_mutex_unlock(&travel->mutex);
	return arrived;
}

enum travel_end travel_finish(struct travel *travel)
{
	(void)pthread_mutex_lock(&travel->mutex);
	BUG_ON(!travel->under_way);
	while (!travel->arrived)
		(void)pthread_cond_wait(&travel->changed, &travel->mutex);
	travel->arrived = travel->under_way = false;
	bell_silence(&travel->bell);
	enum travel_end end = travel->end;
	(void)pthread_mutex_unlock(&travel->mutex);
	return end;
}

enum travel_end travel_seek(struct travel *travel, uint64_t position)
{
	travel_start_seek(travel, position);
	return travel_finish(travel);
}

enum travel_end travel_forward(struct travel *travel, const struct travel_query *query)
{
	travel_start_forward(travel, query);
	return travel_finish(travel);
}

enum travel_end travel_backward(struct travel *travel, const struct travel_query *query)
{
	travel_start_backward(travel, query);
	return travel_finish(travel);
}

enum travel_end travel_explore(struct travel *travel)
{
	travel_start_explore(travel);
	return travel_finish(travel);
}

/* ---- looking ---- */

const struct world *travel_world(const struct travel *travel)
{
	return travel->world;
}

uint64_t travel_position(const struct travel *travel)
{
	return travel->position;
}

uint64_t travel_known(const struct travel *travel)
{
	return travel->history.count;
}

bool travel_complete(const struct travel *travel)
{
	return travel->complete;
}

const struct error *travel_outcome(const struct travel *travel)
{
	return &travel->outcome;
}

const struct error *travel_error(const struct travel *travel)
{
	return &travel->error;
}

const struct travel_record *travel_record(const struct travel *travel, uint64_t number)
{
	const struct travel_record *record = &travel->records[number % TRAVEL_RING];
	bool near = number > travel->position ? number - travel->position <= TRAVEL_FUTURE
					      : travel->position - number < TRAVEL_PAST;
	return near && number > 0 && record->event.number == number && record->sentence[0] ? record : NULL;
}

const struct event_fields *travel_fields(const struct travel *travel)
{
	return &travel->fields;
}

uint64_t travel_known_after(const struct travel *travel, uint64_t position, uint64_t kinds)
{
	return history_first(&travel->history, position + 1, travel->history.count, kinds);
}

uint64_t travel_known_before(const struct travel *travel, uint64_t position, uint64_t kinds)
{
	return position <= 1 ? 0 : history_last(&travel->history, 1, position - 1, kinds);
}

uint64_t travel_known_kinds(const struct travel *travel, uint64_t from, uint64_t to)
{
	return history_mask(&travel->history, from + 1, to);
}

uint64_t travel_known_count(const struct travel *travel, uint64_t from, uint64_t to, uint64_t kinds)
{
	return history_count(&travel->history, from + 1, to, kinds);
}

unsigned travel_kind(const struct travel *travel, uint64_t number)
{
	return history_kind(&travel->history, number);
}

unsigned travel_ring(const struct travel *travel, uint64_t number)
{
	return history_ring(&travel->history, number);
}

unsigned travel_checkpoints(const struct travel *travel)
{
	return travel->route.count;
}

size_t travel_checkpoint_bytes(const struct travel *travel)
{
	return checkpoint_page_bytes_of_all(travel->world) + route_own_bytes(&travel->route) +
	       route_own_bytes(&travel->stretch);
}
