/* Runs workloads twice, with the MMU's shortcut and without, and compares their whole histories: every event's kind,
 * cycle and place, the statistics of all processes, and the MMU's counters.
 *
 * usage: shortcut FILE...   (.json, .ops, .ops.gz)
 * Prints the files whose histories differ. Last line: N passed, M failed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/document.h"
#include "faultline/machine.h"
#include "faultline/world.h"

struct history {
	uint64_t digest; /* FNV-1a of all events */
	struct stats stats;
	struct mmu_stats mmu;
	enum status status;
};

static void mix(uint64_t *digest, uint64_t value)
{
	*digest = (*digest ^ value) * 0x100000001b3u;
}

static void on_event(void *self, const struct event *event)
{
	struct history *history = self;
	mix(&history->digest, event->number);
	mix(&history->digest, event->cycle);
	mix(&history->digest, (uint64_t)event->kind << 16 | (uint64_t)event->ring << 8 | event->cpu);
	mix(&history->digest, event->pid);
}

static bool replay(const struct document *document, struct history *history, struct error *error)
{
	struct world *world;
	*history = (struct history){.digest = 0xcbf29ce484222325u};
	if (world_new(document, &world, error) != STATUS_OK)
		return false;
	bus_subscribe(world_bus(world), EVENT_MASK_ALL, on_event, history);
	history->status = world_run(world, error);
	world_machine_stats(world, &history->stats);
	history->mmu = *mmu_stats(machine_mmu_const(world_machine(world)));
	world_free(world);
	return true;
}

static const char *difference(const struct history *left, const struct history *right)
{
	if (left->status != right->status)
		return "how they end";
	if (memcmp(&left->stats, &right->stats, sizeof(left->stats)) != 0)
		return "statistics";
	if (memcmp(&left->mmu, &right->mmu, sizeof(left->mmu)) != 0)
		return "the MMU's counters";
	return left->digest != right->digest ? "events" : NULL;
}

static bool agrees(const char *path)
{
	struct document *document;
	struct error error = {.text = ""};
	struct history with, without;
	if (document_load(path, &document, &error) != STATUS_OK) {
		printf("%s\n", error.text);
		return false;
	}
	bool ran = replay(document, &with, &error);
	document->machine.no_prediction = true;
	ran = ran && replay(document, &without, &error);
	document_free(document);
	if (!ran) {
		printf("%s: %s\n", path, error.text);
		return false;
	}
	const char *what = difference(&with, &without);
	if (what)
		printf("%s: with and without the shortcut differ in %s\n", path, what);
	return !what;
}

int main(int argc, char **argv)
{
	unsigned passed = 0;
	for (int i = 1; i < argc; i++)
		passed += agrees(argv[i]);
	unsigned failed = (unsigned)(argc - 1) - passed;
	printf("%u passed, %u failed\n", passed, failed);
	return failed ? 1 : 0;
}
