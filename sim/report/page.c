#include "faultline/report_page.h"

#include <inttypes.h>
#include <string.h>

#include "faultline/phrase.h"
#include "faultline/profile.h"
#include "faultline/provenance.h"
#include "faultline/version.h"
#include "page_private.h"
#include "processes.h"

enum { BAR_COLUMNS = 30 };

static const char *overcommit_name(enum overcommit overcommit)
{
	static const char *const names[] = {
#define X(id, name, text) [OVERCOMMIT_##id] = #name,
	    OVERCOMMIT_LIST(X)
#undef X
	};
	return names[overcommit];
}

static void put_head(struct report *report, const struct world *world)
{
	const struct document *document = world_document(world);
	report_begin(report, "workload", document->name);
	if (document->description[0])
		report_text(report, "description", NULL, document->description);
	const struct document_machine *machine = &document->machine;
	char cpus[160] = "";
	if (machine->cpus > 1)
		(void)snprintf(cpus, sizeof(cpus), ", %s", phrase_count(machine->cpus, "CPU").text);
	report_textf(report, "machine", "machine", "%s%s, %s paging, %s of RAM", machine->profile->name, cpus,
		     paging_mode_info(machine->paging)->name, phrase_size(machine->memory_bytes).text);
	report_textf(report, "kernel", "kernel", "overcommit %s", overcommit_name(document->kernel.overcommit));
	report_end(report);
}

/* ---- where the time went ---- */

static void bar(char out[BAR_COLUMNS + 1], uint64_t part, uint64_t whole)
{
	size_t length = whole ? (size_t)((double)part / (double)whole * BAR_COLUMNS + 0.5) : 0;
	memset(out, '#', length);
	out[length] = '\0';
}

static void put_time_row(struct report *report, const char *name, uint64_t part, uint64_t whole)
{
	char text[BAR_COLUMNS + 1];
	bar(text, part, whole);
	report_cell_text(report, name);
	report_cell_textf(report, "%5.1f %%", whole ? 100.0 * (double)part / (double)whole : 0.0);
	report_cell_textf(report, "%13s", phrase_number(part).text);
	report_cell_text(report, text);
}

static void put_time(struct report *report, const struct world *world)
{
	static const struct report_column columns[] = {{"layer", ""}, {"share", ""}, {"cycles", ""}, {"bar", ""}};
	struct stats stats;
	char title[160];
	world_machine_stats(world, &stats);
	uint64_t whole = stats.value[STAT_CYCLES];
	(void)snprintf(title, sizeof(title), "Where the time went: %s", phrase_count(whole, "cycle").text);
	report_table_begin(report, "time", title, columns, 4);
	put_time_row(report, "program", stats.value[STAT_CYCLES_APP], whole);
	put_time_row(report, "libc", stats.value[STAT_CYCLES_LIBC], whole);
	put_time_row(report, "kernel", stats.value[STAT_CYCLES_KERNEL], whole);
	put_time_row(report, "of all: TLB misses", stats.value[STAT_CYCLES_WALK], whole);
	report_table_end(report);
}

/* ---- what was expected, and what belongs to which run ---- */

static void put_failures(struct report *report, const struct witness *witness)
{
	for (unsigned i = 0; i < witness->failure_count; i++)
		report_textf(report, "failure", NULL, "FAILED %s: %s", witness->failures[i].place,
			     witness->failures[i].text);
}

static bool any_unexpected_death(const struct world *world)
{
	for (unsigned i = 0; world_process(world, i); i++) {
		struct world_process_state state = world_process_state(world, i);
		if (state.state == WORLD_KILLED && !state.killing_expected)
			return true;
	}
	return false;
}

static void put_expectations(struct report *report, const struct world *world)
{
	struct world_progress progress = world_progress(world);
	if (progress.expectations_failed)
		report_textf(report, "expectations", "expectations", "%s failed%s, %s checked",
			     phrase_number(progress.expectations_failed).text,
			     any_unexpected_death(world) ? " (a death that none expects is one)" : "",
			     phrase_number(progress.expectations).text);
	else if (progress.expectations)
		report_textf(report, "expectations", "expectations", "%s%s", phrase_number(progress.expectations).text,
			     progress.expectations == 1 ? ", which holds" : ", all of which hold");
}

static void put_checker(struct report *report, const struct check *check)
{
	if (check->verdict == CHECK_UNFINISHED)
		report_text(report, "checker", "checker", "did not come to its end, as the run did not");
	else if (check->verdict == CHECK_BROKEN)
		report_text(report, "checker", "checker", "BROKEN, see below");
	else if (check->mode == CHECK_IDENTITIES)
		report_text(report, "checker", "checker", "the counters agree with each other and with the events");
	else
		report_textf(report, "checker", "checker", "no broken invariant; everything was checked %s",
			     phrase_count(check->whole, "time").text);
}

static void put_provenance(struct report *report, const struct document *document)
{
	report_textf(report, "provenance", "provenance", "faultline %s, digest %016" PRIx64 ", seeds %s",
		     FAULTLINE_VERSION, document->digest, provenance_seeds(document).text);
}

static void put_result(struct report *report, const struct report_page *page)
{
	report_begin(report, "result", "Result");
	report_text(report, "operations", "operations", phrase_number(world_progress(page->world).operations).text);
	put_expectations(report, page->world);
	put_failures(report, page->witness);
	put_checker(report, page->check);
	/* A failed expectation has been told, with its place. */
	if (page->result->status != STATUS_OK && page->witness->failure_count == 0)
		report_text(report, "error", "ended by", page->result->text);
	put_provenance(report, world_document(page->world));
	report_end(report);
}

void report_page(struct report *report, const struct report_page *page)
{
	put_head(report, page->world);
	page_timeline(report, page->timeline);
	page_processes(report, page);
	page_deaths(report, page);
	put_time(report, page->world);
	put_result(report, page);
}
