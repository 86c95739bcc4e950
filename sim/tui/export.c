#include "export.h"

#include <stdlib.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/eventlog.h"
#include "faultline/output.h"
#include "faultline/report.h"
#include "faultline/report_translation.h"

typedef void write_fn(struct console *console, FILE *out);

static void write_screen(struct console *console, FILE *out)
{
	console_draw(console);
	canvas_write(&console->canvas, out, NULL);
}

static void write_registers(struct report *report, const struct travel_registers *registers)
{
	static const char *const names[GPR_COUNT] = {
#define X(id, name) #name,
	    GPR_LIST(X)
#undef X
	};
	report_begin(report, "registers", "Registers");
	for (unsigned i = 0; i < GPR_COUNT; i++)
		report_textf(report, names[i], names[i], "0x%llx", (unsigned long long)registers->gpr[i]);
	report_textf(report, "rip", "rip", "0x%llx", (unsigned long long)registers->rip);
	report_textf(report, "rflags", "rflags", "0x%llx", (unsigned long long)registers->rflags);
	report_textf(report, "cr2", "cr2", "0x%llx", (unsigned long long)registers->cr2);
	report_textf(report, "cr3", "cr3", "0x%llx", (unsigned long long)registers->cr3);
	report_number(report, "ring", "ring", registers->cpl, "");
	report_end(report);
}

static void write_statistics(struct report *report, const struct world *world)
{
	static const char *const names[STAT_COUNT] = {
#define X(id, name, ...) name,
	    STAT_LIST(X)
#undef X
	};
	struct stats stats;
	world_machine_stats(world, &stats);
	report_begin(report, "statistics", "Statistics");
	for (unsigned i = 0; i < STAT_COUNT; i++)
		report_number(report, names[i], names[i], stats.value[i], "");
	report_end(report);
}

static void write_state(struct console *console, FILE *out)
{
	const struct scene *scene = &console->scene;
	struct report *report = report_new(out, REPORT_JSON);
	report_text(report, "workload", "Workload", scene->document->name);
	report_number(report, "event", "Event", scene->position, "");
	if (scene->now) {
		report_text(report, "sentence", "Sentence", scene->now->sentence);
		report_text(report, "why", "Why", scene->why);
		report_number(report, "cycle", "Cycle", scene->event->cycle, "cycles");
		write_registers(report, &scene->now->registers);
	}
	if (scene->booted)
		write_statistics(report, scene->world);
	if (scene->has_address && scene->translation.alive) {
		report_begin(report, "translation", "Translation");
		report_translation(report, &scene->translation);
		report_end(report);
	}
	report_free(report);
}

static enum status write_file(struct console *console, write_fn *write, const char *what, const char *path,
			      struct error *error)
{
	struct output output;
	if (output_open(&output, path, error) != STATUS_OK)
		return error->status;
	write(console, output.file);
	if (output_commit(&output, error) == STATUS_OK)
		console_say(console, "the %s is written to %s", what, path);
	return error->status;
}

/* ---- events: a journey from the start to where the console stands, so it can be interrupted as any other ---- */

struct export
{
	enum { EXPORT_TO_START, EXPORT_WRITES, EXPORT_RETURNS } stage;
	struct output output;
	struct eventlog *log;
	uint64_t last;
	char path[CONSOLE_TEXT];
	struct error error;
};

/* A travel_match_fn: the last one, or one that cannot be written. */
static bool log_event(void *self, const struct world *world, const struct event *event)
{
	const struct export *export = self;
	(void)world;
	eventlog_event(export->log, event);
	return event->number == export->last || ferror(export->output.file);
}

static enum status begin_events(struct console *console, const char *path, struct error *error)
{
	struct export *export = calloc(1, sizeof(*export));
	if (!export)
		return error_set(error, STATUS_HOST, "the host has no memory for an export");
	(void)snprintf(export->path, sizeof(export->path), "%s", path);
	if (output_open(&export->output, export->path, error) != STATUS_OK) {
		free(export);
		return error->status;
	}
	export->log = eventlog_new(export->output.file, console->document);
	export->last = console->scene.position;
	console->exporting = export;
	console->scene.playing = false;
	console_go_to(console, 0);
	return STATUS_OK;
}

static void write_events(struct console *console)
{
	struct export *export = console->exporting;
	export->stage = EXPORT_WRITES;
	travel_start_forward(console->travel,
			     &(struct travel_query){.kinds = EVENT_MASK_ALL, .matches = log_event, .self = export});
	console->scene.running = true;
}

/* Complete or not at all; and back to where it began. */
static void end_events(struct console *console, enum travel_end end)
{
	struct export *export = console->exporting;
	if (end == TRAVEL_ARRIVED || end == TRAVEL_EDGE)
		(void)output_commit(&export->output, &export->error);
	else if (end == TRAVEL_INTERRUPTED)
		(void)error_set(&export->error, STATUS_HOST, "interrupted: %s is not written", export->path);
	else
		export->error = *travel_error(console->travel);
	export->stage = EXPORT_RETURNS;
	if (console->scene.position != export->last && end != TRAVEL_FAILED)
		console_go_to(console, export->last);
	else
		export_arrive(console, end);
}

static void tell_events(struct console *console)
{
	const struct export *export = console->exporting;
	if (export->error.status == STATUS_OK)
		console_say(console, "the events so far are written to %s", export->path);
	else
		console_complain(console, "%s", export->error.text);
}

void export_arrive(struct console *console, enum travel_end end)
{
	const struct export *export = console->exporting;
	if (export->stage == EXPORT_TO_START && end != TRAVEL_FAILED && export->last > 0) {
		write_events(console);
	} else if (export->stage != EXPORT_RETURNS) {
		end_events(console, end);
	} else {
		tell_events(console);
		export_release(console);
	}
}

void export_release(struct console *console)
{
	struct export *export = console->exporting;
	if (!export)
		return;
	output_discard(&export->output);
	eventlog_free(export->log);
	free(export);
	console->exporting = NULL;
}

enum status export_to(struct console *console, const char *what, const char *path, struct error *error)
{
	if (strcmp(what, "screen") == 0)
		return write_file(console, write_screen, what, path, error);
	if (strcmp(what, "state") == 0)
		return write_file(console, write_state, what, path, error);
	if (strcmp(what, "events") == 0)
		return begin_events(console, path, error);
	return error_set(error, STATUS_BAD_INPUT, "\"%s\" cannot be exported; screen, events and state can", what);
}
