/* Makes a list of operations that differs as small as it goes: delta debugging (Zeller, Hildebrandt: Simplifying and
 * isolating failure-inducing input, 2002) over its lines. */
#ifndef FAULTLINE_TESTS_NATIVE_SHRINK_H
#define FAULTLINE_TESTS_NATIVE_SHRINK_H

#include <stdbool.h>

enum { SHRINK_HOW_BYTES = 1536 };

typedef bool shrink_differs_fn(const char *text, char how[SHRINK_HOW_BYTES]);

/* The caller frees the text; `how` is how it differs. */
char *shrink(const char *text, shrink_differs_fn *differs, char how[SHRINK_HOW_BYTES]);

#endif
