/* Why a value was refused, in words for the reader of a message: what was found, what is allowed, how to mend it. */
#ifndef FAULTLINE_WORKLOAD_WHY_H
#define FAULTLINE_WORKLOAD_WHY_H

#include <stdbool.h>
#include <stddef.h>

struct why {
	char text[512];
};

/* Always false, so that a check can `return why_set(...)`. */
bool why_set(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
void why_add(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A text of the user as messages show it: no control characters, cut to 40 bytes at a character's boundary. */
struct quoted {
	char text[48];
};
struct quoted quoted(const char *text);
struct quoted quoted_length(const char *text, size_t length);

/* Index of the name with the smallest edit distance, the first of equals. count > 0. */
unsigned nearest_name(const char *word, const char *const *names, unsigned count);

#endif
