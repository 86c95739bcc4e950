/* bench [WORD]: all cases, or those whose name contains WORD.
 *
 * Budgets are meant for a host that is otherwise idle. The last column says how busy this one was: the same work
 * counted in additions that wait for each other, one clock cycle each, timed beside every run. */
#include "bench.h"

#include <inttypes.h>
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

/* The host's clock cycle as this process gets to see it. */
static double time_addition(void)
{
	const uint64_t count = 1000000;
	uint64_t sum = 0;
	double start = now_ns();
	for (uint64_t i = 0; i < count; i++) {
		sum++;
		__asm__ volatile("" : "+r"(sum)); /* the compiler cannot know the sum, so it adds one by one */
	}
	return (now_ns() - start) / (double)count;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;
	return (left > right) - (left < right);
}

static double median(double *values)
{
	qsort(values, RUNS, sizeof(values[0]), compare);
	return values[RUNS / 2];
}

bool bench_wants(const struct bench *bench, const char *name)
{
	return !bench->wanted || strstr(name, bench->wanted);
}

void bench_measure_many(struct bench *bench, const char *name, double budget_ns, uint64_t operations, bench_fn *fn,
			void *self)
{
	const double batch_ns = 20e6;
	if (!bench_wants(bench, name))
		return;
	uint64_t count = operations > 1 ? 1 : 16;
	while (time_batch(fn, self, count) < batch_ns)
		count *= 2;
	double runs[RUNS], additions[RUNS];
	for (int i = 0; i < RUNS; i++) {
		double addition = time_addition();
		runs[i] = time_batch(fn, self, count) / ((double)count * (double)operations);
		additions[i] = runs[i] * 2 / (addition + time_addition());
	}
	double ns = median(runs);
	printf("%-52s %10.2f ns  (%.2f .. %.2f)  %.0f cycles  %.3g M/s", name, ns, runs[0], runs[RUNS - 1],
	       median(additions), 1e3 / ns);
	if (budget_ns > 0) {
		bool over = ns > budget_ns;
		printf("  budget %.1f%s", budget_ns, over ? "  OVER" : "");
		bench->over_budget += over;
	}
	printf("\n");
	(void)fflush(stdout);
}

void bench_measure(struct bench *bench, const char *name, double budget_ns, bench_fn *fn, void *self)
{
	bench_measure_many(bench, name, budget_ns, 1, fn, self);
}

void bench_fact(struct bench *bench, const char *name, uint64_t value, uint64_t most, const char *unit)
{
	if (!bench_wants(bench, name))
		return;
	bool over = value > most;
	printf("%-52s %10" PRIu64 " %s  at most %" PRIu64 "%s\n", name, value, unit, most, over ? "  OVER" : "");
	bench->over_budget += over;
}

int main(int argc, char **argv)
{
	static void (*const suites[])(struct bench *) = {bench_machine,  bench_kernel, bench_libc,  bench_workload,
							 bench_pressure, bench_policy, bench_curve, bench_travel};
	struct bench bench = {.wanted = argc > 1 ? argv[1] : NULL};
	struct timespec resolution;
	(void)clock_getres(CLOCK_MONOTONIC, &resolution);
	printf("median of %d runs (fastest .. slowest), ns and host cycles per operation, million operations a second; "
	       "clock resolution %ld ns, batches of 20 ms or more\n",
	       RUNS, resolution.tv_nsec);
	for (unsigned i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		suites[i](&bench);
	printf("%u over budget\n", bench.over_budget);
	return 0;
}
