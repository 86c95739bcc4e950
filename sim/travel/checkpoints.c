/* Which checkpoints are taken and kept. */
#include "travel_private.h"

/* How many parts a stretch of the route has for who steps back through it, none of fewer events than PART. */
enum { STRETCH_PARTS = 32, PART = 64 };

const struct checkpoint *checkpoints_before(const struct travel *travel, uint64_t position)
{
	const struct checkpoint *far = route_before(&travel->route, position);
	if (travel->stretch.count == 0)
		return far;
	const struct checkpoint *near = route_before(&travel->stretch, position);
	bool serves = checkpoint_position(near) <= position && checkpoint_position(near) > checkpoint_position(far);
	return serves ? near : far;
}

void checkpoints_enter_stretch(struct travel *travel, const struct checkpoint *from)
{
	struct route *stretch = &travel->stretch;
	uint64_t distance = travel->route.distance / STRETCH_PARTS;
	if (from != route_before(&travel->route, checkpoint_position(from)))
		return; /* one of the stretch */
	if (stretch->count > 0 && checkpoint_position(stretch->checkpoints[0]) == checkpoint_position(from))
		return;
	route_release(stretch);
	stretch->distance = distance > PART ? distance : PART;
}

/* Removing checkpoints frees what they do not share, so one copy of the world does not count. */
static bool keep_more_than(const struct travel *travel, size_t bytes)
{
	return travel_checkpoint_bytes(travel) > route_copy_bytes(&travel->route) + bytes;
}

static void extend_route(struct travel *travel)
{
	route_add(&travel->route, travel->world, NULL);
	while (keep_more_than(travel, travel->most_bytes / 4 * 3) && travel->route.count > 1) {
		if (travel->stretch.count > 0)
			route_release(&travel->stretch);
		else
			route_thin_out(&travel->route);
	}
}

static void extend_stretch(struct travel *travel, uint64_t position)
{
	struct route *stretch = &travel->stretch;
	route_add(stretch, travel->world, route_before(&travel->route, position));
	while (keep_more_than(travel, travel->most_bytes) && stretch->count > 1)
		route_thin_out(stretch);
	if (keep_more_than(travel, travel->most_bytes)) {
		route_release(stretch);
		travel->steps_back = false; /* there is no room for even one */
	}
}

void checkpoints_between(void *self)
{
	struct travel *travel = self;
	uint64_t position = world_bus_const(travel->world)->number;
	if (route_wants(&travel->route, position))
		extend_route(travel);
	if (travel->steps_back && route_wants(&travel->stretch, position))
		extend_stretch(travel, position);
}
