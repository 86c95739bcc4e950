/* Random op lists: the regimes of the recordings, mixtures of them, and threads. The same seed makes the same list. */
#ifndef FAULTLINE_TESTS_NATIVE_GENERATE_H
#define FAULTLINE_TESTS_NATIVE_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

/* The text is the caller's to free. */
char *generate_list(uint64_t seed, bool threads);

#endif
