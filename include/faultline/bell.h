/* A bell that select and poll can hear: a pipe. */
#ifndef FAULTLINE_BELL_H
#define FAULTLINE_BELL_H

#include <stdbool.h>

struct bell {
	int hear, pull; /* descriptors; -1: closed */
};

bool bell_open(struct bell *bell); /* false: errno says why */
void bell_close(struct bell *bell);
void bell_ring(const struct bell *bell); /* also by a signal handler */
/* As often as it was rung. */
void bell_silence(const struct bell *bell);

#endif
