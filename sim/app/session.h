/* The composition root: a document with its settings, a world, the observers that were asked for, a run, and the
 * outputs. `run` and `explain` are built on it. */
#ifndef FAULTLINE_APP_SESSION_H
#define FAULTLINE_APP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/check.h"
#include "faultline/document.h"
#include "faultline/eventlog.h"
#include "faultline/output.h"
#include "faultline/perfetto.h"
#include "faultline/report.h"
#include "faultline/series.h"
#include "faultline/status.h"
#include "faultline/story.h"
#include "faultline/timeline.h"
#include "faultline/witness.h"
#include "faultline/world.h"

/* What was asked for. Paths are NULL for outputs that were not; "-" is standard output. */
struct session_request {
	const char *workload;
	const char **settings; /* KEY=VALUE, applied in this order */
	unsigned setting_count;
	const char *out; /* NULL: nothing is reported */
	bool page;       /* the page for people */
	bool statistics; /* instead of it */
	enum report_format format;
	bool story;
	enum story_mode story_mode;
	enum check_mode check_mode;
	const char *events, *perfetto, *series;
	struct series_every every; /* of the series */
	bool timing, progress;
};

struct session {
	const struct session_request *request;
	struct document *document;
	struct world *world;
	struct output out, events_out, perfetto_out, series_out;
	struct story *story;
	struct eventlog *eventlog;
	struct perfetto *perfetto;
	struct series *series;
	struct series_csv series_csv;
	struct timeline timeline;
	struct witness witness;
	struct check check;
	uint64_t load_ns, replay_ns;
};

/* Opens the outputs, reads the workload, applies the settings and attaches the observers; nothing runs yet. Call
 * session_close in any case. */
enum status session_open(struct session *session, const struct session_request *request, struct error *error);

/* Runs the world and checks its invariants. What went wrong in the simulation is in *error and no reason not to report.
 */
enum status session_run(struct session *session, struct error *error);

/* Writes the report and gives the files their names. `result` is what session_run left. HOST when something could not
 * be written. */
enum status session_report(struct session *session, const struct error *result, struct error *error);

void session_close(struct session *session);

#endif
