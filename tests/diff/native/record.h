/* Runs an op list with this computer's own C library and kernel and tells what they did, in the words of the
 * recordings. Linux on x86-64 with glibc 2.36 only. */
#ifndef FAULTLINE_TESTS_NATIVE_RECORD_H
#define FAULTLINE_TESTS_NATIVE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NATIVE_WHY_BYTES = 256 };

/* Processor time after which a recorded list counts as one that never ends: a list may ruin the heap so that malloc
 * goes round a bin for ever. Lists of the fuzzer take milliseconds. */
enum { NATIVE_CPU_SECONDS = 10 };
/* The same for one that waits for a lock. */
enum { NATIVE_SECONDS = 100 };

/* The lines of the recording, without newlines; those of the end begin with #. */
struct recording {
	char **line;
	size_t count, capacity;
	const char *incomparable;   /* why this is no measure for a simulation, NULL: it is one */
	char why[NATIVE_WHY_BYTES]; /* of a failure */
};

void recording_release(struct recording *recording);

/* False with a reason in words when this computer cannot record. */
bool native_supported(char why[NATIVE_WHY_BYTES]);

/* Records the op list in `text`. `views`: what malloc_stats and malloc_info print at the end, too. `child` is the path
 * of the program to record with. False with recording->why when the list has a mistake, or the program died at it. */
bool native_record(const char *child, const char *text, bool views, struct recording *recording);

/* Runs the list once with nobody watching: nanoseconds of the host, 0 when it failed. Lists of one thread. */
uint64_t native_time(const char *child, const char *text);

#endif
