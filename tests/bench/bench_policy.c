/* Replacement policies alone: zipf 0.99 over 2^20 pages, a quarter of them in memory. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "faultline/policy_engine.h"
#include "faultline/references.h"
#include "zipf.h"

enum { PAGES = 1 << 20, FRAMES = PAGES / 4, REFERENCES = 20000000, SLICE = 1000000 };

struct policy_case {
	struct policy_engine *engine;
	const uint32_t *string;
	uint32_t at;
};

/* Goes on where the last round ended: what is measured is a memory that has long been full. */
static void round_policy(void *self, uint64_t count)
{
	struct policy_case *test = self;
	while (count--) {
		policy_engine_feed(test->engine, test->string + test->at, SLICE);
		test->at = (test->at + SLICE) % REFERENCES;
	}
}

/* Nanoseconds a reference that DESIGN.md allows, and the most misses in ten thousand. Not here: what scans all pages at
 * each fault. */
static const struct row {
	const char *name;
	double budget_ns;
	uint64_t most;
} rows[] = {
    {"lru", 16.6, 1491},  {"fifo", 10, 1745}, {"clock", 10, 1445}, {"sieve", 10, 1301}, {"arc", 0, 1356},
    {"s3-fifo", 0, 1318}, {"lirs", 0, 1327},  {"2q", 0, 1406},     {"opt", 0, 822},
};

void bench_policy(struct bench *bench)
{
	uint32_t *string = NULL;
	uint32_t *next_use = NULL;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[64];
		char ratio[64];
		(void)snprintf(name, sizeof(name), "policy: %s, a reference", rows[i].name);
		(void)snprintf(ratio, sizeof(ratio), "policy: %s, misses of 10000", rows[i].name);
		if (!bench_wants(bench, name) && !bench_wants(bench, ratio))
			continue;
		if (!string) {
			string = zipf_string(PAGES, REFERENCES);
			struct references references = {.page = string, .count = REFERENCES, .pages = PAGES};
			next_use = references_next_uses(&references);
		}
		struct policy_engine_config config = {.frames = FRAMES, .pages = PAGES, .next_use = next_use};
		struct policy_engine *engine = policy_engine_new(policy_find(rows[i].name), &config);
		policy_engine_feed(engine, string, REFERENCES);
		bench_fact(bench, ratio, policy_engine_result(engine).misses * 10000 / REFERENCES, rows[i].most,
			   "misses");
		struct policy_case test = {engine, string, 0};
		/* What knows the future knows it of one string only. */
		if (!policy_knows_future(policy_find(rows[i].name)))
			bench_measure_many(bench, name, rows[i].budget_ns, SLICE, round_policy, &test);
		policy_engine_free(engine);
	}
	free(string);
	free(next_use);
}
