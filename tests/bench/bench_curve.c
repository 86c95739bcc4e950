/* Curves from one pass, and the string in few bytes: zipf 0.99 over 2^20 pages, 4 million references. */
#include <stdlib.h>

#include "bench.h"
#include "faultline/lru_curve.h"
#include "faultline/opt_curve.h"
#include "faultline/policy_engine.h"
#include "faultline/references.h"
#include "faultline/sampled_curve.h"
#include "zipf.h"

enum { PAGES = 1 << 20, REFERENCES = 4000000, SIZES = 30 };

struct curve_case {
	uint32_t *random;
	struct references string;
	uint32_t *next_use;
	char *packed;
	size_t packed_bytes;
};

static void round_lru(void *self, uint64_t count)
{
	const struct curve_case *test = self;
	while (count--) {
		struct lru_curve *curve = lru_curve_new(PAGES);
		lru_curve_feed(curve, test->string.page, REFERENCES);
		lru_curve_free(curve);
	}
}

static void round_opt(void *self, uint64_t count)
{
	const struct curve_case *test = self;
	while (count--) {
		struct opt_curve *curve = opt_curve_new(PAGES);
		opt_curve_feed(curve, test->next_use, REFERENCES);
		opt_curve_free(curve);
	}
}

static void round_sampled(void *self, uint64_t count)
{
	const struct curve_case *test = self;
	while (count--) {
		struct sampled_curve *curve = sampled_curve_new(PAGES, 0.01, 1);
		sampled_curve_feed(curve, test->string.page, REFERENCES);
		sampled_curve_free(curve);
	}
}

/* What one pass saves: the same sizes one by one. */
static void round_thirty_sizes(void *self, uint64_t count)
{
	const struct curve_case *test = self;
	while (count--) {
		for (uint32_t i = 1; i <= SIZES; i++) {
			struct policy_engine_config config = {.frames = PAGES / SIZES * i, .pages = PAGES};
			struct policy_engine *engine = policy_engine_new(policy_find("lru"), &config);
			policy_engine_feed(engine, test->string.page, REFERENCES);
			policy_engine_free(engine);
		}
	}
}

static void round_unpack(void *self, uint64_t count)
{
	const struct curve_case *test = self;
	while (count--) {
		struct references back;
		struct error error;
		references_init(&back);
		if (references_read_packed(&back, test->packed, test->packed_bytes, "bench", &error) != STATUS_OK)
			exit(4);
		references_release(&back);
	}
}

static void pack(struct curve_case *test)
{
	struct error error;
	FILE *file = open_memstream(&test->packed, &test->packed_bytes);
	if (!file || references_write_packed(&test->string, file, &error) != STATUS_OK || fclose(file) != 0)
		exit(4);
}

static void prepare(struct curve_case *test)
{
	test->random = zipf_string(PAGES, REFERENCES);
	references_init(&test->string);
	for (uint32_t i = 0; i < REFERENCES; i++)
		references_add(&test->string, test->random[i], false);
	test->next_use = references_next_uses(&test->string);
	pack(test);
}

/* Nanoseconds a reference that DESIGN.md allows. */
static const struct row {
	const char *name;
	double budget_ns;
	bench_fn *fn;
} rows[] = {
    {"curve: lru for all sizes, a reference", 100, round_lru},
    {"curve: opt for all sizes, a reference", 333, round_opt},
    {"curve: lru of 1 % of the pages, a reference", 10, round_sampled},
    {"curve: lru, thirty sizes one by one, a reference", 0, round_thirty_sizes},
    {"curve: packed string, a reference", 10, round_unpack},
};

static const char packed_name[] = "curve: packed string, bytes of a thousand references";

void bench_curve(struct bench *bench)
{
	struct curve_case test = {0};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!bench_wants(bench, rows[i].name))
			continue;
		if (!test.random)
			prepare(&test);
		bench_measure_many(bench, rows[i].name, rows[i].budget_ns, REFERENCES, rows[i].fn, &test);
	}
	if (bench_wants(bench, packed_name) && test.random)
		bench_fact(bench, packed_name, test.packed_bytes * 1000 / REFERENCES, 2000, "bytes");
	free(test.packed);
	free(test.next_use);
	free(test.random);
	references_release(&test.string);
}
