/* Time travel: what a step costs at 10^3, 10^5 and 10^6 operations and in a world that holds much, forward and back,
 * and what a run that is not drawn does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "faultline/bus.h"
#include "faultline/travel.h"

/* For a world that holds much. */
static const char much[] = "\"machine\": {\"memory\": \"512MiB\"}, \"script\": ["
			   "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"200MiB\"},"
			   "{\"op\": \"write\", \"at\": \"m\", \"length\": \"200MiB\", \"value\": 7},";
enum { MUCH_MIB = 200 };

/* The bound of checkpoints, and what the other worlds hold. */
enum { CHECKPOINT_MIB = 256, COPY_MIB = 100 };

static const struct travel_query any = {.kinds = EVENT_MASK_ALL};

static void need(enum status status, const struct error *error)
{
	if (status == STATUS_OK)
		return;
	(void)fprintf(stderr, "bench: %s\n", error->text);
	exit(4);
}

/* Allocations and touches, so that memory is used and events are of all kinds. */
static struct document *make_document(unsigned operations, bool holds_much)
{
	char text[768];
	struct document *document;
	struct error error;
	int length = snprintf(text, sizeof(text),
			      "{\"faultline\": 1, %s{\"op\": \"repeat\", \"times\": %u, \"as\": \"i\", \"body\": ["
			      "{\"op\": \"malloc\", \"id\": \"b\", \"size\": \"{i%%3000+16}\"},"
			      "{\"op\": \"write\", \"at\": \"b\", \"length\": 16}, {\"op\": \"free\", \"id\": \"b\"},"
			      "{\"op\": \"malloc\", \"id\": \"k-{i}\", \"size\": 40}]}]}",
			      holds_much ? much : "\"script\": [", operations / 4);
	need(document_parse(text, (size_t)length, "bench.json", &document, &error), &error);
	return document;
}

/* At the end there is no step: it goes on in the middle. */
static void round_forward(void *self, uint64_t count)
{
	while (count--) {
		if (travel_position(self) == travel_known(self))
			(void)travel_seek(self, travel_known(self) / 2);
		(void)travel_forward(self, &any);
	}
}

static void round_back(void *self, uint64_t count)
{
	while (count--)
		(void)travel_backward(self, &any);
}

/* Far apart, so that no step profits from the one before. */
static void round_seek(void *self, uint64_t count)
{
	struct travel *travel = self;
	uint64_t last = travel_known(travel);
	while (count--) {
		uint64_t to = (travel_position(travel) * 7 + last / 3) % last;
		(void)travel_seek(travel, to);
	}
}

static void measure(struct bench *bench, const char *size, unsigned operations, bool holds_much)
{
	char name[64];
	struct travel *travel;
	struct error error;
	struct document *document = make_document(operations, holds_much);
	need(travel_new(document, NULL, &travel, &error), &error);
	(void)travel_explore(travel);
	(void)travel_seek(travel, travel_known(travel) / 2);
	(void)snprintf(name, sizeof(name), "one step forward at %s", size);
	bench_measure(bench, name, 0, round_forward, travel);
	(void)travel_seek(travel, travel_known(travel) - 1);
	(void)snprintf(name, sizeof(name), "one step back at %s", size);
	bench_measure(bench, name, 100e6, round_back, travel);
	(void)snprintf(name, sizeof(name), "a jump anywhere in %s", size);
	bench_measure(bench, name, 0, round_seek, travel);
	(void)snprintf(name, sizeof(name), "checkpoints of %s", size);
	bench_fact(bench, name, travel_checkpoint_bytes(travel) >> 20,
		   CHECKPOINT_MIB + COPY_MIB + (holds_much ? MUCH_MIB : 0), "MiB");
	travel_free(travel);
	document_free(document);
}

static void round_explore(void *self, uint64_t count)
{
	while (count--) {
		struct travel *travel;
		struct error error;
		need(travel_new(self, NULL, &travel, &error), &error);
		(void)travel_explore(travel);
		travel_free(travel);
	}
}

void bench_travel(struct bench *bench)
{
	struct document *document = make_document(100000, false);
	struct travel *travel;
	struct error error;
	need(travel_new(document, NULL, &travel, &error), &error);
	(void)travel_explore(travel);
	uint64_t events = travel_known(travel);
	travel_free(travel);
	bench_measure_many(bench, "an event of a run that is not drawn", 0, events, round_explore, document);
	document_free(document);
	measure(bench, "10^3 operations", 1000, false);
	measure(bench, "10^5 operations", 100000, false);
	measure(bench, "10^6 operations", 1000000, false);
	measure(bench, "10^5 operations and 200 MiB", 100000, true);
}
