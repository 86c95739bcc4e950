/* bench [WORD]: all cases, or those whose name contains WORD. */
#include "bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 7 };

struct bench {
	const char *wanted; /* NULL: everything */
	unsigned over_budget;
};

static double now_ns(void)
{
	struct timespec time;
	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double time_batch(bench_fn *fn, void *self, uint64_t count)
{
	double start = now_ns();
	fn(self, count);
	return now_ns() - start;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;
	return (left > right) - (left < right);
}

void bench_measure(struct bench *bench, const char *name, double budget_ns, bench_fn *fn, void *self)
{
	const double batch_ns = 20e6;
	if (bench->wanted && !strstr(name, bench->wanted))
		return;
	uint64_t count = 1000;
	while (time_batch(fn, self, count) < batch_ns)
		count *= 2;
	double runs[RUNS];
	for (int i = 0; i < RUNS; i++)
		runs[i] = time_batch(fn, self, count) / (double)count;
	qsort(runs, RUNS, sizeof(runs[0]), compare);
	double median = runs[RUNS / 2];
	printf("%-44s %9.2f ns  (%.2f .. %.2f)", name, median, runs[0], runs[RUNS - 1]);
	if (budget_ns > 0) {
		bool over = median > budget_ns;
		printf("  budget %.1f%s", budget_ns, over ? "  OVER" : "");
		bench->over_budget += over;
	}
	printf("\n");
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	static void (*const suites[])(struct bench *) = {bench_machine};
	struct bench bench = {.wanted = argc > 1 ? argv[1] : NULL};
	struct timespec resolution;
	(void)clock_getres(CLOCK_MONOTONIC, &resolution);
	printf("median of %d runs (fastest .. slowest), ns per operation; clock resolution %ld ns, batches of 20 ms or "
	       "more\n",
	       RUNS, resolution.tv_nsec);
	for (unsigned i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		suites[i](&bench);
	printf("%u over budget\n", bench.over_budget);
	return 0;
}
