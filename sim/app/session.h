/* The composition root: a document with its settings, a world, the observers that were asked for, a run, and the
 * reports. `run` and `explain` are built on it. */
#ifndef FAULTLINE_APP_SESSION_H
#define FAULTLINE_APP_SESSION_H

#include <stdbool.h>

#include "faultline/document.h"
#include "faultline/status.h"
#include "faultline/world.h"

struct session {
	struct document *document;
	struct world *world;
};

/* Reads the workload and applies the settings in their order; nothing runs yet. On failure nothing is left to close. */
enum status session_open(struct session *session, const char *workload, const char *const *settings,
			 unsigned setting_count, struct error *error);
void session_close(struct session *session);

#endif
