#include "travel_private.h"

void route_release(struct route *route)
{
	for (unsigned i = 0; i < route->count; i++)
		checkpoint_free(route->checkpoints[i]);
	route->count = 0;
}

/* Less than a millisecond's work. */
enum { FEW_PAGES = 4096 };

/* To take a checkpoint, and to go back to it, means to look at each page, which takes about as long as an event does.
 * Where there are many pages the events in between should take as long as that. */
static uint64_t distance_behind(const struct route *route, const struct checkpoint *checkpoint)
{
	uint64_t pages = checkpoint_page_bytes(checkpoint) / PAGE_BYTES;
	return pages > FEW_PAGES && pages > route->distance ? pages : route->distance;
}

bool route_wants(const struct route *route, uint64_t position)
{
	if (route->count == 0)
		return true;
	const struct checkpoint *last = route->checkpoints[route->count - 1];
	return position >= checkpoint_position(last) + distance_behind(route, last);
}

size_t route_own_bytes(const struct route *route)
{
	size_t bytes = 0;
	for (unsigned i = 0; i < route->count; i++)
		bytes += checkpoint_own_bytes(route->checkpoints[i]);
	return bytes;
}

size_t route_copy_bytes(const struct route *route)
{
	size_t most = 0;
	for (unsigned i = 0; i < route->count; i++) {
		size_t bytes = checkpoint_page_bytes(route->checkpoints[i]);
		most = bytes > most ? bytes : most;
	}
	return most;
}

void route_thin_out(struct route *route)
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
	if (route->count == ROUTE_CHECKPOINTS)
		route_thin_out(route);
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
