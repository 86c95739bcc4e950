/* A world to travel in, and a number that says where it stands. */
#ifndef FAULTLINE_TEST_TRIP_H
#define FAULTLINE_TEST_TRIP_H

#include "faultline/bus.h"
#include "faultline/travel.h"
#include "test_document.h"

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"processes\": ["
    "{\"name\": \"one\", \"libc\": \"glibc\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24}, {\"op\": \"write\", \"at\": \"p\", \"value\": 7},"
    "{\"op\": \"repeat\", \"times\": 40, \"as\": \"i\", \"body\": ["
    "{\"op\": \"malloc\", \"id\": \"b-{i}\", \"size\": \"{i*100+8}\"}, {\"op\": \"write\", \"at\": \"b-{i}\", "
    "\"length\": 8}, {\"op\": \"yield\"}]},"
    "{\"op\": \"free\", \"id\": \"p\"}, {\"op\": \"write\", \"at\": {\"addr\": \"0x0\"}},"
    "{\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGSEGV\"}]},"
    "{\"name\": \"two\", \"libc\": \"best-fit\", \"script\": ["
    "{\"op\": \"repeat\", \"times\": 30, \"as\": \"i\", \"body\": ["
    "{\"op\": \"malloc\", \"id\": \"c-{i}\", \"size\": 5000}, {\"op\": \"write\", \"at\": \"c-{i}\", \"length\": "
    "5000}, {\"op\": \"yield\"}]}]}]}";

struct trip {
	struct document *document;
	struct travel *travel;
};

static inline struct trip begin_script(const char *text, uint64_t checkpoint_events, size_t checkpoint_bytes)
{
	struct trip trip = {.document = parse(text)};
	struct error error;
	const struct travel_limits limits = {checkpoint_bytes, checkpoint_events};
	if (travel_new(trip.document, &limits, &trip.travel, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	return trip;
}

static inline struct trip begin(uint64_t checkpoint_events, size_t checkpoint_bytes)
{
	return begin_script(script, checkpoint_events, checkpoint_bytes);
}

static inline void end(struct trip *trip)
{
	travel_free(trip->travel);
	document_free(trip->document);
}

/* FNV-1a over everything that shows where the world stands. */
static inline uint64_t mix(uint64_t hash, const void *bytes, size_t count)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < count; i++)
		hash = (hash ^ at[i]) * 1099511628211u;
	return hash;
}

static inline uint64_t fingerprint(const struct travel *travel)
{
	const struct world *world = travel_world(travel);
	uint64_t hash = 14695981039346656037u;
	const struct bus *bus = world_bus_const(world);
	hash = mix(hash, &bus->number, sizeof(bus->number));
	hash = mix(hash, &bus->cycle, sizeof(bus->cycle));
	hash = mix(hash, bus->count, sizeof(bus->count));
	if (travel_position(travel) == 0 || !world_kernel(world))
		return hash;
	const struct machine *machine = world_machine(world);
	const struct cpu *cpu = machine_cpu_const(machine);
	hash = mix(hash, cpu->gpr, sizeof(cpu->gpr));
	hash = mix(hash, &cpu->rip, sizeof(cpu->rip));
	for (uint64_t frame = 1; frame < 16 * MIB / PAGE_BYTES; frame++) {
		uint64_t bytes[PAGE_BYTES / 8];
		const struct paddr at = {frame * PAGE_BYTES};
		if (!physmem_has_content(machine_memory_const(machine), (struct pfn){frame}))
			continue;
		physmem_read(machine_memory_const(machine), at, bytes, sizeof(bytes));
		hash = mix(hash, bytes, sizeof(bytes));
	}
	struct stats stats;
	world_machine_stats(world, &stats);
	hash = mix(hash, &stats, sizeof(stats));
	const struct travel_record *record = travel_record(travel, travel_position(travel));
	assert_non_null(record);
	return mix(hash, record->sentence, strlen(record->sentence));
}

static const struct travel_query any = {.kinds = EVENT_MASK_ALL};

#endif
