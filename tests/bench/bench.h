/* Benchmarks: what one operation costs on the host. A suite measures its cases one after the other; the program prints
 * a table with the budget beside each. */
#ifndef FAULTLINE_BENCH_H
#define FAULTLINE_BENCH_H

#include <stdbool.h>
#include <stdint.h>

struct bench;

/* Performs `count` operations. */
typedef void bench_fn(void *self, uint64_t count);

/* Calls fn in growing batches until one takes 20 ms, then measures several of that size and prints the median in
 * nanoseconds per operation. budget_ns 0: none. */
void bench_measure(struct bench *bench, const char *name, double budget_ns, bench_fn *fn, void *self);
/* The same where each of the `count` rounds of fn is so many operations. */
void bench_measure_many(struct bench *bench, const char *name, double budget_ns, uint64_t operations, bench_fn *fn,
			void *self);
/* A number that was found otherwise, and what it must not exceed. */
void bench_fact(struct bench *bench, const char *name, uint64_t value, uint64_t most, const char *unit);

/* Whether a case of this name is asked for: for who has much to prepare. */
bool bench_wants(const struct bench *bench, const char *name);

/* The suites. */
void bench_machine(struct bench *bench);
void bench_kernel(struct bench *bench);
void bench_libc(struct bench *bench);
void bench_workload(struct bench *bench);
void bench_pressure(struct bench *bench);
void bench_policy(struct bench *bench);
void bench_curve(struct bench *bench);
void bench_travel(struct bench *bench);

#endif
