#include "travel_private.h"

void route_release(struct route *route)
{
	for (unsigned i = 0; i < route->count; i++)
		checkpoint_free(route->checkpoints[i]);
	route->count = 0;
	route->bytes = 0;
}

bool route_wants(const struct route *route, uint64_t position)
{
	return route->count == 0 ||
	       position >= checkpoint_position(route->checkpoints[route->count - 1]) + route->distance;
}

static size_t bytes_of(const struct route *route)
{
	size_t bytes = 0;
	for (unsigned i = 0; i < route->count; i++)
		bytes += checkpoint_share_bytes(route->checkpoints[i]);
	return bytes;
}

/* Every second one goes, never the first; from now on they are twice as far apart. */
static void thin_out(struct route *route)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < route->count; i++) {
		if (i % 2 == 0)
			route->checkpoints[kept++] = route->checkpoints[i];
		else
			checkpoint_free(route->checkpoints[i]);
	}
	route->count = kept;
	route->distance *= 2;
}

void route_add(struct route *route, const struct world *world, const struct checkpoint *like)
{
	const struct checkpoint *previous = route->count ? route->checkpoints[route->count - 1] : like;
	struct checkpoint *checkpoint = checkpoint_take(world, previous);
	if (!checkpoint)
		return;
	route->checkpoints[route->count++] = checkpoint;
	route->bytes = bytes_of(route);
	while (route->count == ROUTE_CHECKPOINTS || (route->bytes > route->most_bytes && route->count > 2)) {
		thin_out(route);
		route->bytes = bytes_of(route);
	}
}

const struct checkpoint *route_before(const struct route *route, uint64_t position)
{
	unsigned low = 0;
	unsigned high = route->count;
	while (high - low > 1) {
		unsigned middle = (low + high) / 2;
		if (checkpoint_position(route->checkpoints[middle]) <= position)
			low = middle;
		else
			high = middle;
	}
	return route->checkpoints[low];
}
