/* A program that embeds libfaultline: it builds a world from a document in memory, listens to its events, runs it and
 * reads its statistics. Built against the installed library; see CMakeLists.txt beside it, or with pkg-config:
 *     cc embed.c $(pkg-config --cflags --libs faultline) -o embed */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/document.h"
#include "faultline/event.h"
#include "faultline/world.h"

static const char workload[] = "{ \"faultline\": 1, \"name\": \"embedded\", \"libc\": \"glibc\", \"script\": ["
			       "{ \"op\": \"mmap\", \"id\": \"m\", \"length\": \"64KiB\" },"
			       "{ \"op\": \"phase\", \"name\": \"touch\" },"
			       "{ \"op\": \"write\", \"at\": \"m\", \"length\": \"64KiB\" },"
			       "{ \"op\": \"write\", \"at\": \"m\", \"length\": \"64KiB\" } ] }";

/* Called for every page fault, when the kernel has resolved it. The arguments are va, cause and kind: EVENT_LIST in
 * faultline/event.h describes them. */
static void print_first_fault(void *self, const struct event *event)
{
	bool *said = self;

	if (!*said)
		printf("the first page fault: %s\n", event_arg_text(event, 1));
	*said = true;
}

static void print_phase(const struct world *world, unsigned phase)
{
	struct stats stats;

	world_phase_stats(world, phase, &stats);
	printf("phase %s: %" PRIu64 " page faults\n", world_phase_name(world, phase), stats.value[STAT_FAULTS_MINOR]);
}

static enum status run(const struct document *document, struct error *error)
{
	struct world *world;
	bool said = false;
	enum status status = world_new(document, &world, error);

	if (status != STATUS_OK)
		return status;
	bus_subscribe(world_bus(world), EVENT_BIT(EVENT_FAULT), print_first_fault, &said);
	status = world_run(world, error);
	for (unsigned phase = 1; phase < world_phase_count(world); phase++)
		print_phase(world, phase);
	world_free(world);
	return status;
}

int main(void)
{
	struct document *document;
	struct error error = {0};
	enum status status = document_parse(workload, strlen(workload), "embedded.json", &document, &error);

	if (status == STATUS_OK) {
		status = run(document, &error);
		document_free(document);
	}
	if (status != STATUS_OK)
		fprintf(stderr, "%s\n", error.text);
	return (int)status;
}
