/* The event bus: the core tells, it does not know who listens. An event that nobody wants costs a count and a test. */
#ifndef FAULTLINE_BUS_H
#define FAULTLINE_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/event.h"

#define EVENT_BIT(kind) ((uint64_t)1 << (kind))
#define EVENT_MASK_ALL (~(uint64_t)0)

/* Must not change the world: observers look, never touch. */
typedef void event_fn(void *self, const struct event *event);

enum { BUS_SUBSCRIBERS = 8 };

struct bus_subscriber {
	uint64_t mask;
	event_fn *fn;
	void *self;
};

/* Invariant: the sum of count[] equals number. */
struct bus {
	/* Where and when the world is; every event is stamped with it. The machine moves cycle and ring, the kernel
	 * pid. */
	uint64_t cycle;
	uint32_t pid;
	uint8_t ring;
	uint8_t cpu;

	uint64_t mask;   /* union of the subscribers' masks */
	uint64_t number; /* events so far, wanted or not */
	uint64_t count[EVENT_COUNT];
	unsigned subscriber_count;
	struct bus_subscriber subscribers[BUS_SUBSCRIBERS];
};

void bus_init(struct bus *bus);
/* Called in the order of subscription. */
void bus_subscribe(struct bus *bus, uint64_t mask, event_fn *fn, void *self);
void bus_unsubscribe(struct bus *bus, const void *self);
/* Changes what a subscriber wants; allowed inside an event_fn, where bus_unsubscribe is not. */
void bus_set_mask(struct bus *bus, const void *self, uint64_t mask);
void bus_publish(struct bus *bus, enum event_kind kind, const uint64_t arg[EVENT_ARGS]);

/* For arguments that are costly to compute. */
static inline bool bus_wants(const struct bus *bus, enum event_kind kind)
{
	return (bus->mask & EVENT_BIT(kind)) != 0;
}

/* emit(on, EVENT_X, arg...): counts the event and publishes it if somebody wants it. */
#define emit(on, kind, ...)                                                                                            \
	do {                                                                                                           \
		struct bus *emit_bus = (on);                                                                           \
		emit_bus->number++;                                                                                    \
		emit_bus->count[kind]++;                                                                               \
		if (bus_wants(emit_bus, (kind)))                                                                       \
			bus_publish(emit_bus, (kind), (const uint64_t[EVENT_ARGS]){__VA_ARGS__});                      \
	} while (0)

#endif
