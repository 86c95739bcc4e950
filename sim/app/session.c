#include "session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faultline/phrase.h"
#include "faultline/report_page.h"
#include "faultline/report_stats.h"
#include "format.h"

/* The host's clock: for --timing, on standard error, and for nothing else. */
static uint64_t now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- opening ---- */

static enum status open_outputs(struct session *session, struct error *error)
{
	const struct session_request *request = session->request;
	enum status status = STATUS_OK;
	if (request->out)
		status = output_open(&session->out, request->out, error);
	if (status == STATUS_OK && request->events)
		status = output_open(&session->events_out, request->events, error);
	if (status == STATUS_OK && request->perfetto)
		status = output_open(&session->perfetto_out, request->perfetto, error);
	if (status == STATUS_OK && request->series)
		status = output_open(&session->series_out, request->series, error);
	return status;
}

static enum status load(struct session *session, struct error *error)
{
	const struct session_request *request = session->request;
	uint64_t start = now_ns();
	enum status status = document_load(request->workload, &session->document, error);
	for (unsigned i = 0; i < request->setting_count && status == STATUS_OK; i++)
		status = document_set(session->document, request->settings[i], error);
	if (status == STATUS_OK)
		status = world_new(session->document, &session->world, error);
	session->load_ns = now_ns() - start;
	return status;
}

static void show_progress(void *self, const struct world_operation *operation)
{
	const struct session *session = self;
	uint64_t operations = world_progress(session->world).operations;
	(void)operation;
	if (operations % 100000 == 0)
		(void)fprintf(stderr, "\r%s ", phrase_count(operations, "operation").text);
}

static void attach(struct session *session)
{
	const struct session_request *request = session->request;
	struct bus *bus = world_bus(session->world);
	check_attach(&session->check, session->world, request->check_mode);
	witness_attach(&session->witness, session->world);
	if (request->page)
		timeline_attach(&session->timeline, bus);
	if (request->story) {
		session->story = story_new(session->out.file, request->story_mode, wants_colour(session->out.file));
		bus_subscribe(bus, EVENT_MASK_ALL, story_event, session->story);
	}
	if (request->events) {
		session->eventlog = eventlog_new(session->events_out.file, session->document);
		bus_subscribe(bus, EVENT_MASK_ALL, eventlog_event, session->eventlog);
	}
	if (request->perfetto) {
		session->perfetto = perfetto_new(session->perfetto_out.file, session->world);
		bus_subscribe(bus, perfetto_mask(), perfetto_event, session->perfetto);
	}
	if (request->series) {
		session->series_csv = (struct series_csv){session->series_out.file, session->world};
		series_csv_head(&session->series_csv);
		session->series = series_new(session->world, request->every, series_csv_row, &session->series_csv);
		bus_subscribe(bus, series_mask(session->series), series_event, session->series);
	}
	if (request->progress && isatty(STDERR_FILENO))
		world_set_operation_hook(session->world, show_progress, session);
}

enum status session_open(struct session *session, const struct session_request *request, struct error *error)
{
	*session = (struct session){.request = request};
	enum status status = open_outputs(session, error);
	if (status == STATUS_OK)
		status = load(session, error);
	if (status == STATUS_OK)
		attach(session);
	return status;
}

/* ---- running ---- */

static void finish_observers(struct session *session)
{
	story_free(session->story);
	eventlog_free(session->eventlog);
	perfetto_free(session->perfetto);
	series_free(session->series);
	session->story = NULL;
	session->eventlog = NULL;
	session->perfetto = NULL;
	session->series = NULL;
}

enum status session_run(struct session *session, struct error *error)
{
	struct error broken = {0};
	uint64_t start = now_ns();
	enum status status = world_run(session->world, error);
	session->replay_ns = now_ns() - start;
	finish_observers(session);
	if (session->request->progress && isatty(STDERR_FILENO))
		(void)fputs("\r\033[K", stderr);
	if (session->request->timing)
		(void)fprintf(stderr, "timing: load %" PRIu64 " ns, replay %" PRIu64 " ns\n", session->load_ns,
			      session->replay_ns);
	/* A run that was broken off in the middle of an operation may well be out of balance. */
	bool whole = status == STATUS_OK || status == STATUS_EXPECT_FAILED;
	if (whole && !check_finish(&session->check, &broken)) {
		*error = broken;
		status = broken.status;
	}
	return status;
}

/* ---- reporting ---- */

static void write_report(struct session *session, const struct error *result)
{
	const struct session_request *request = session->request;
	struct report *report = report_new(session->out.file, request->statistics ? request->format : REPORT_TEXT);
	report_set_colour(report, wants_colour(session->out.file));
	if (request->statistics) {
		report_stats(report, session->world, result);
	} else {
		const struct report_page page = {session->world, result, &session->timeline, &session->witness,
						 &session->check};
		report_page(report, &page);
	}
	report_free(report);
}

enum status session_report(struct session *session, const struct error *result, struct error *error)
{
	const struct session_request *request = session->request;
	bool booted = world_kernel(session->world) != NULL;
	if (request->story && request->page)
		(void)fputc('\n', session->out.file);
	if (booted && (request->page || request->statistics))
		write_report(session, result);
	struct output *outputs[] = {&session->events_out, &session->perfetto_out, &session->series_out, &session->out};
	for (unsigned i = 0; i < sizeof(outputs) / sizeof(*outputs); i++) {
		if (output_commit(outputs[i], error) != STATUS_OK)
			return error->status;
	}
	return STATUS_OK;
}

void session_close(struct session *session)
{
	finish_observers(session);
	output_discard(&session->out);
	output_discard(&session->events_out);
	output_discard(&session->perfetto_out);
	output_discard(&session->series_out);
	world_free(session->world);
	document_free(session->document);
	*session = (struct session){0};
}
