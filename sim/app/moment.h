/* One moment of a run: the world goes up to an event, and somebody looks. `explain`, `proc` and `heap` are built on it.
 */
#ifndef FAULTLINE_APP_MOMENT_H
#define FAULTLINE_APP_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/status.h"
#include "faultline/world.h"
#include "options.h"
#include "session.h"

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

/* The options that say which moment of which run; those of a command begin at MOMENT_OPTION_COUNT. */
enum { MOMENT_OPTION_AT, MOMENT_OPTION_PID, MOMENT_OPTION_SET, MOMENT_OPTION_COUNT };

#define MOMENT_OPTIONS                                                                                                 \
	{"--at", OPTION_WITH_VALUE, "EVENT",                                                                           \
	 "The number of the event, as --story and --events write it. Default: the end.", MOMENT_OPTION_AT},            \
	    {"--pid", OPTION_WITH_VALUE, "N",                                                                          \
	     "The process. Default: the one that the event belongs to, else process 1.", MOMENT_OPTION_PID},           \
	{                                                                                                              \
		"--set", OPTION_WITH_VALUE, "KEY=VALUE",                                                               \
		    "Override a setting of the workload. May be given more than once.", MOMENT_OPTION_SET              \
	}

/* Takes one of them; others are left alone. The request has room for one more setting. */
enum status moment_option(struct moment *moment, struct session_request *request, const struct option_given *given,
			  struct error *error);
/* A whole number as C writes it. */
bool moment_read(const char *text, uint64_t *out);

enum status moment_run(struct moment *moment, struct error *error);

#endif
