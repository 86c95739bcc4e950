/* What the recorder and the program that it records share: one mapping of a memfd, the operations in it and the
 * results. The recorded program may not call malloc for its own purposes, so everything it needs lies here. */
#ifndef FAULTLINE_TESTS_NATIVE_SHARED_H
#define FAULTLINE_TESTS_NATIVE_SHARED_H

#include <malloc.h>
#include <stdint.h>

enum { NATIVE_FD = 3, NATIVE_MAX_THREADS = 64 };

struct native_op {
	char letter;
	uint32_t thread;
	uint32_t line; /* in the list */
	uint64_t arg[4];
};

struct native_result {
	uint64_t value;
	uint64_t usable;
	uint64_t faults;
	int error_number;
	uint32_t has_usable;
};

/* Behind it: operations, results, pointers by ID. Offsets are from the start of the mapping. */
struct native_shared {
	uint64_t bytes;
	uint32_t op_count, id_count;
	uint64_t ops, results, pointers;
	uint64_t timed; /* nobody watches: only the time of the whole is wanted */

	/* Written by the recorded program. */
	uint64_t break_start, ceiling;
	volatile uint32_t current; /* operation in progress; op_count behind the last, UINT32_MAX before the first */
	struct mallinfo2 mallinfo;
	uint64_t break_end;
	uint64_t nanoseconds;
};

static inline struct native_op *native_ops(struct native_shared *shared)
{
	return (struct native_op *)((char *)shared + shared->ops);
}

static inline struct native_result *native_results(struct native_shared *shared)
{
	return (struct native_result *)((char *)shared + shared->results);
}

static inline void **native_pointers(struct native_shared *shared)
{
	return (void **)((char *)shared + shared->pointers);
}

#endif
