/* One moment of a run: the world goes up to an event, and somebody looks. `explain` and `proc` are built on it. */
#ifndef FAULTLINE_APP_MOMENT_H
#define FAULTLINE_APP_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/status.h"
#include "faultline/world.h"

#define MOMENT_END UINT64_MAX

struct moment {
	struct world *world;
	uint64_t at;  /* the number of the event, or MOMENT_END */
	uint32_t pid; /* 0: the one that the event belongs to, else process 1 */
	/* Called once, with the index of the process. */
	void (*look)(void *self, unsigned process);
	void *self;

	bool taken;
	char what[256];     /* what happens there; "" at the end */
	struct error error; /* why nobody could look */
};

/* A number from 1 up for --at or --pid, by the option's name. */
enum status moment_number(const char *option, const char *text, uint64_t *out, struct error *error);
/* A whole number as C writes it. */
bool moment_read(const char *text, uint64_t *out);

enum status moment_run(struct moment *moment, struct error *error);

#endif
