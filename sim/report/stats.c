#include "faultline/report_stats.h"

#include <inttypes.h>
#include <stdlib.h>

#include "faultline/provenance.h"
#include "faultline/version.h"
#include "processes.h"

/* ---- for programs: one object a scope, one member a statistic ---- */

static void put_setting(void *self, const char *key, const char *value, const char *text)
{
	(void)text;
	report_text(self, key, key, value);
}

static void put_stats(struct report *report, const char *key, const struct stats *stats)
{
	report_begin(report, key, NULL);
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		const struct stat_info *info = stat_info((enum stat)i);
		report_number(report, info->name, info->name, stats->value[i], info->unit);
	}
	report_end(report);
}

static void put_head(struct report *report, const struct world *world, const struct error *result)
{
	const struct document *document = world_document(world);
	struct world_progress progress = world_progress(world);
	report_text(report, "schema", "schema", REPORT_STATS_SCHEMA);
	report_text(report, "version", "version", FAULTLINE_VERSION);
	report_begin(report, "workload", "Workload");
	report_text(report, "name", "name", document->name);
	report_textf(report, "digest", "digest", "%016" PRIx64, document->digest);
	report_text(report, "seeds", "seeds", provenance_seeds(document).text);
	report_end(report);
	report_begin(report, "settings", "Settings");
	document_settings(document, put_setting, report);
	report_end(report);
	report_begin(report, "result", "Result");
	report_number(report, "status", "status", result->status, "");
	report_text(report, "message", "message", result->text);
	report_number(report, "operations", "operations", progress.operations, "operations");
	report_number(report, "expectations", "expectations", progress.expectations, "expectations");
	report_number(report, "expectations_failed", "failed", progress.expectations_failed, "expectations");
	report_end(report);
}

static void put_process(struct report *report, const struct world *world, unsigned index)
{
	struct world_process_state state = world_process_state(world, index);
	const struct process *process = world_process(world, index);
	struct stats stats;
	report_begin(report, NULL, process->name);
	report_text(report, "name", "name", process->name);
	report_number(report, "pid", "pid", process->pid, "");
	report_text(report, "libc", "libc", world_heap(world, index)->ops->name);
	report_text(report, "state", "state", report_state_name(state.state));
	report_text(report, "signal", "signal", process->death.signal ? process->death.signal_name : "");
	report_number(report, "exit_status", "exit status", (uint64_t)(uint32_t)process->death.status, "");
	report_number(report, "operations", "operations", state.operations, "operations");
	world_process_stats(world, index, &stats);
	put_stats(report, "statistics", &stats);
	report_end(report);
}

static void put_scopes(struct report *report, const struct world *world)
{
	struct stats stats;
	world_machine_stats(world, &stats);
	put_stats(report, "machine", &stats);
	report_begin_list(report, "processes", "Processes");
	for (unsigned i = 0; world_process(world, i); i++)
		put_process(report, world, i);
	report_end(report);
	report_begin_list(report, "phases", "Phases");
	for (unsigned i = 0; i < world_phase_count(world); i++) {
		report_begin(report, NULL, world_phase_name(world, i));
		report_text(report, "name", "name", world_phase_name(world, i));
		world_phase_stats(world, i, &stats);
		put_stats(report, "statistics", &stats);
		report_end(report);
	}
	report_end(report);
}

/* ---- for people: one table, one column a scope ---- */

enum { MAX_SCOPES = 12 };

struct scopes {
	struct report_column columns[MAX_SCOPES + 3];
	struct stats *stats; /* one for each scope */
	unsigned count;
};

static struct stats *add_scope(struct scopes *scopes, const char *title)
{
	scopes->columns[1 + scopes->count] = (struct report_column){title, title};
	return &scopes->stats[scopes->count++];
}

/* The machine, the processes and the named phases, as many as a page is wide. */
static void collect(struct scopes *scopes, const struct world *world)
{
	scopes->columns[0] = (struct report_column){"statistic", "statistic"};
	world_machine_stats(world, add_scope(scopes, "machine"));
	for (unsigned i = 0; world_process(world, i) && scopes->count < MAX_SCOPES; i++)
		world_process_stats(world, i, add_scope(scopes, world_process(world, i)->name));
	for (unsigned i = 1; i < world_phase_count(world) && scopes->count < MAX_SCOPES; i++)
		world_phase_stats(world, i, add_scope(scopes, world_phase_name(world, i)));
	scopes->columns[1 + scopes->count] = (struct report_column){"unit", "unit"};
}

static void put_table(struct report *report, const struct world *world)
{
	struct scopes scopes = {.stats = calloc(MAX_SCOPES, sizeof(struct stats))};
	BUG_ON(!scopes.stats);
	collect(&scopes, world);
	report_table_begin(report, "statistics", "Statistics", scopes.columns, scopes.count + 2);
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		report_cell_text(report, stat_info((enum stat)i)->name);
		for (unsigned scope = 0; scope < scopes.count; scope++)
			report_cell_number(report, scopes.stats[scope].value[i]);
		report_cell_text(report, stat_info((enum stat)i)->unit);
	}
	report_table_end(report);
	free(scopes.stats);
}

void report_stats(struct report *report, const struct world *world, const struct error *result)
{
	put_head(report, world, result);
	if (report_is_for_people(report))
		put_table(report, world);
	else
		put_scopes(report, world);
}
