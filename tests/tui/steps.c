/* There and back: every event of every workload is drawn once on the way forward and once on the way back, and both
 * screens must be the same, cell by cell.
 *
 * usage: tui_steps [--most N] FILE...    at most N events of each, spread evenly; 0: all
 * Prints "N passed, M failed". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/bus.h"
#include "screen.h"

enum { SIZES = 3 };

static const unsigned sizes[SIZES][2] = {{24, 80}, {36, 132}, {50, 160}};

struct trip {
	struct document *document;
	struct travel *travel;
	struct scene scene;
	struct canvas canvas[SIZES];
	unsigned refused; /* addresses that did not fit */
};

static uint64_t hash_of(const struct canvas *canvas)
{
	uint64_t hash = 14695981039346656037u;
	for (size_t i = 0; i < (size_t)canvas->rows * canvas->columns; i++) {
		hash = (hash ^ canvas->cells[i].glyph) * 1099511628211u;
		hash = (hash ^ canvas->cells[i].style) * 1099511628211u;
	}
	return hash;
}

static uint64_t screen_hash(struct trip *trip)
{
	uint64_t hash = 0;
	scene_refresh(&trip->scene);
	for (unsigned i = 0; i < SIZES; i++) {
		screen_draw(&trip->scene, &trip->canvas[i]);
		trip->refused += trip->canvas[i].refused;
		hash = hash * 31 + hash_of(&trip->canvas[i]);
	}
	return hash;
}

static bool begin(struct trip *trip, const char *path)
{
	struct error error;
	/* Close checkpoints make the way back short; what is found there does not depend on them. */
	const struct travel_limits limits = {.checkpoint_events = 64};
	*trip = (struct trip){0};
	if (document_load(path, &trip->document, &error) != STATUS_OK ||
	    travel_new(trip->document, &limits, &trip->travel, &error) != STATUS_OK) {
		printf("%s: %s\n", path, error.text);
		return false;
	}
	trip->scene = (struct scene){
	    .travel = trip->travel, .document = trip->document, .focus = PANEL_TIMELINE, .breaks = "", .message = ""};
	for (unsigned i = 0; i < SIZES; i++) {
		if (!canvas_init(&trip->canvas[i], sizes[i][0], sizes[i][1], GLYPHS_UTF8))
			abort();
	}
	return true;
}

static void end(struct trip *trip)
{
	for (unsigned i = 0; i < SIZES; i++)
		canvas_release(&trip->canvas[i]);
	travel_free(trip->travel);
	document_free(trip->document);
}

/* The way back; the first event at which the screen differs, 0: none. */
static uint64_t compare_back(struct trip *trip, const uint64_t *seen, uint64_t stops, uint64_t stride)
{
	const struct travel_query any = {.kinds = EVENT_MASK_ALL};
	for (uint64_t i = stops; i-- > 0;) {
		uint64_t position = i * stride;
		if (stride == 1)
			(void)travel_backward(trip->travel, &any);
		else
			(void)travel_seek(trip->travel, position);
		if (travel_position(trip->travel) != position || screen_hash(trip) != seen[i])
			return position ? position : UINT64_MAX;
	}
	return 0;
}

static bool walk(const char *path, uint64_t most)
{
	struct trip trip;
	if (!begin(&trip, path))
		return false;
	(void)travel_explore(trip.travel);
	uint64_t last = travel_known(trip.travel);
	uint64_t stride = most && last > most ? last / most : 1;
	uint64_t stops = last / stride + 1;
	uint64_t *seen = calloc(stops, sizeof(*seen));
	if (!seen)
		abort();
	for (uint64_t i = 0; i < stops; i++) {
		(void)travel_seek(trip.travel, i * stride);
		seen[i] = screen_hash(&trip);
	}
	/* From the end, so that the last stop, too, is reached from behind. */
	(void)travel_seek(trip.travel, UINT64_MAX / 2);
	if ((stops - 1) * stride == last)
		(void)travel_seek(trip.travel, last - 1), (void)travel_seek(trip.travel, last);
	uint64_t differs = 0;
	if (screen_hash(&trip) != seen[stops - 1] && (stops - 1) * stride == last)
		differs = last;
	if (!differs)
		differs = compare_back(&trip, seen, stops - ((stops - 1) * stride == last), stride);
	if (differs)
		printf("%s: the screen of event %" PRIu64 " is another one on the way back\n", path, differs);
	if (trip.refused)
		printf("%s: %u addresses did not fit\n", path, trip.refused);
	free(seen);
	bool good = !differs && !trip.refused;
	end(&trip);
	return good;
}

int main(int argc, char **argv)
{
	uint64_t most = 0;
	unsigned passed = 0;
	unsigned failed = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--most") == 0 && i + 1 < argc) {
			most = strtoull(argv[++i], NULL, 10);
			continue;
		}
		if (walk(argv[i], most))
			passed++;
		else
			failed++;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed ? 1 : 0;
}
