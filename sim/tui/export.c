#include "export.h"

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

/* The whole history up to here, made again by a world of its own: the journey's observers are not disturbed. */
struct log {
	struct eventlog *log;
	uint64_t last;
};

static void log_event(void *self, const struct event *event)
{
	struct log *log = self;
	if (event->number <= log->last)
		eventlog_event(log->log, event);
}

static bool goes_on(void *self, struct error *why)
{
	const struct log *log = self;
	(void)why;
	return log->last > 0;
}

static void write_events(struct console *console, FILE *out)
{
	struct world *world;
	struct error error;
	struct log log = {.last = console->scene.position};
	if (world_new(console->document, &world, &error) != STATUS_OK)
		return;
	log.log = eventlog_new(out, console->document);
	bus_subscribe(world_bus(world), EVENT_MASK_ALL, log_event, &log);
	world_set_check(world, goes_on, &log);
	if (log.log)
		(void)world_run(world, &error);
	eventlog_free(log.log);
	world_free(world);
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

enum status export_to(struct console *console, const char *what, const char *path, struct error *error)
{
	static const struct {
		const char *what;
		write_fn *write;
	} rows[] = {{"screen", write_screen}, {"events", write_events}, {"state", write_state}};
	struct output output;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(rows[i].what, what) != 0)
			continue;
		if (output_open(&output, path, error) != STATUS_OK)
			return error->status;
		rows[i].write(console, output.file);
		return output_commit(&output, error);
	}
	return error_set(error, STATUS_BAD_INPUT, "\"%s\" cannot be exported; screen, events and state can", what);
}
