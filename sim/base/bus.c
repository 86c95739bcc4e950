#include "faultline/bus.h"

#include <string.h>

#include "faultline/status.h"

static const struct event_info infos[] = {
#define X(id, name, layer, fields, sentence) [EVENT_##id] = {#name, LAYER_##layer, fields, sentence},
    EVENT_LIST(X)
#undef X
};

static const char *const layers[] = {
#define X(id, name, text) [LAYER_##id] = #name,
    LAYER_LIST(X)
#undef X
};

const struct event_info *event_info(enum event_kind kind)
{
	BUG_ON(kind >= EVENT_COUNT);
	return &infos[kind];
}

const char *layer_name(enum layer layer)
{
	BUG_ON(layer >= LAYER_COUNT);
	return layers[layer];
}

void bus_init(struct bus *bus)
{
	memset(bus, 0, sizeof(*bus));
}

static void refresh_mask(struct bus *bus)
{
	bus->mask = 0;
	for (unsigned i = 0; i < bus->subscriber_count; i++)
		bus->mask |= bus->subscribers[i].mask;
}

void bus_subscribe(struct bus *bus, uint64_t mask, event_fn *fn, void *self)
{
	BUG_ON(bus->subscriber_count == BUS_SUBSCRIBERS);
	bus->subscribers[bus->subscriber_count++] = (struct bus_subscriber){mask, fn, self};
	refresh_mask(bus);
}

void bus_unsubscribe(struct bus *bus, const void *self)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < bus->subscriber_count; i++) {
		if (bus->subscribers[i].self != self)
			bus->subscribers[kept++] = bus->subscribers[i];
	}
	bus->subscriber_count = kept;
	refresh_mask(bus);
}

void bus_set_mask(struct bus *bus, const void *self, uint64_t mask)
{
	for (unsigned i = 0; i < bus->subscriber_count; i++) {
		if (bus->subscribers[i].self == self)
			bus->subscribers[i].mask = mask;
	}
	refresh_mask(bus);
}

void bus_publish(struct bus *bus, enum event_kind kind, const uint64_t arg[EVENT_ARGS])
{
	struct event event = {
	    .number = bus->number,
	    .cycle = bus->cycle,
	    .pid = bus->pid,
	    .kind = (uint8_t)kind,
	    .ring = bus->ring,
	    .cpu = bus->cpu,
	};
	memcpy(event.arg, arg, sizeof(event.arg));
	for (unsigned i = 0; i < bus->subscriber_count; i++) {
		const struct bus_subscriber *subscriber = &bus->subscribers[i];
		if (subscriber->mask & EVENT_BIT(kind))
			subscriber->fn(subscriber->self, &event);
	}
}
