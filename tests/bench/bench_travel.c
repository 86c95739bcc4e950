/* Time travel: what a step costs at 10^3, 10^5 and 10^6 operations, forward and back, and what a run that is not drawn
 * does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "faultline/bus.h"
#include "faultline/travel.h"

static const struct travel_query any = {.kinds = EVENT_MASK_ALL};

static void need(enum status status, const struct error *error)
{
	if (status == STATUS_OK)
		return;
	(void)fprintf(stderr, "bench: %s\n", error->text);
	exit(4);
}

/* Allocations and touches, so that memory is used and events are of all kinds. */
static struct document *make_document(unsigned operations)
{
	char text[512];
	struct document *document;
	struct error error;
	int length = snprintf(
	    text, sizeof(text),
	    "{\"faultline\": 1, \"script\": [{\"op\": \"repeat\", \"times\": %u, \"as\": \"i\", \"body\": ["
	    "{\"op\": \"malloc\", \"id\": \"b\", \"size\": \"{i%%3000+16}\"},"
	    "{\"op\": \"write\", \"at\": \"b\", \"length\": 16}, {\"op\": \"free\", \"id\": \"b\"},"
	    "{\"op\": \"malloc\", \"id\": \"k-{i}\", \"size\": 40}]}]}",
	    operations / 4);
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

static void measure(struct bench *bench, const char *size, unsigned operations)
{
	char name[64];
	struct travel *travel;
	struct error error;
	struct document *document = make_document(operations);
	need(travel_new(document, NULL, &travel, &error), &error);
	(void)travel_explore(travel);
	(void)travel_seek(travel, travel_known(travel) / 2);
	(void)snprintf(name, sizeof(name), "one step forward at %s operations", size);
	bench_measure(bench, name, 0, round_forward, travel);
	(void)travel_seek(travel, travel_known(travel) - 1);
	(void)snprintf(name, sizeof(name), "one step back at %s operations", size);
	bench_measure(bench, name, 100e6, round_back, travel);
	(void)snprintf(name, sizeof(name), "a jump anywhere in %s operations", size);
	bench_measure(bench, name, 0, round_seek, travel);
	(void)snprintf(name, sizeof(name), "checkpoints of %s operations", size);
	bench_fact(bench, name, travel_checkpoint_bytes(travel) >> 20, 256, "MiB");
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
	struct document *document = make_document(100000);
	struct travel *travel;
	struct error error;
	need(travel_new(document, NULL, &travel, &error), &error);
	(void)travel_explore(travel);
	uint64_t events = travel_known(travel);
	travel_free(travel);
	bench_measure_many(bench, "an event of a run that is not drawn", 0, events, round_explore, document);
	document_free(document);
	measure(bench, "10^3", 1000);
	measure(bench, "10^5", 100000);
	measure(bench, "10^6", 1000000);
}
