/* Each process in numbers, one column a process; and why a killed one was killed. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/heap.h"
#include "faultline/mmu.h"
#include "faultline/phrase.h"
#include "faultline/report_translation.h"
#include "page_private.h"
#include "processes.h"

/* Two processes fit side by side on a screen; more make more tables. */
enum { ACROSS = 2, CELL = 160 };

/* ---- facts ---- */

struct view {
	const struct report_page *page;
	unsigned index;
	const struct process *process;
	const uint64_t *value;
};

typedef void fact_fn(const struct view *view, char out[CELL]);

static void add(char out[CELL], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char out[CELL], const char *format, ...)
{
	size_t used = strlen(out);
	va_list args;
	va_start(args, format);
	(void)vsnprintf(out + used, CELL - used, format, args);
	va_end(args);
}

static void libc_name(const struct view *view, char out[CELL])
{
	add(out, "%s", world_heap(view->page->world, view->index)->ops->name);
}

static void faults(const struct view *view, char out[CELL])
{
	const uint64_t *causes = view->process->stats.causes;
	uint64_t total = 0;
	const char *separator = ": ";
	for (unsigned cause = 0; cause < FAULT_CAUSE_COUNT; cause++)
		total += causes[cause];
	add(out, "%s", phrase_number(total).text);
	for (unsigned cause = 0; cause < FAULT_CAUSE_COUNT; cause++) {
		if (!causes[cause])
			continue;
		add(out, "%s%s %s", separator, phrase_number(causes[cause]).text,
		    fault_cause_name((enum fault_cause)cause));
		separator = ", ";
	}
}

static void syscalls(const struct view *view, char out[CELL])
{
	const char *separator = ": ";
	add(out, "%s", phrase_number(view->value[STAT_SYSCALLS_TOTAL]).text);
	for (unsigned i = 0; i < SYSCALL_COUNT; i++) {
		uint64_t count = view->process->stats.syscalls[i];
		if (!count)
			continue;
		add(out, "%s%s %s", separator, phrase_number(count).text, syscall_info((enum syscall_index)i)->name);
		separator = ", ";
	}
}

static void rings(const struct view *view, char out[CELL])
{
	add(out, "%s changes", phrase_number(view->value[STAT_RINGS_CHANGES]).text);
}

static void accesses(const struct view *view, char out[CELL])
{
	add(out, "%s", phrase_number(view->value[STAT_ACCESSES_TOTAL]).text);
}

static void tlb(const struct view *view, char out[CELL])
{
	uint64_t misses = view->value[STAT_TLB_MISSES];
	uint64_t total = view->value[STAT_ACCESSES_TOTAL];
	add(out, "%.2f %% hits, %s, %s", total ? 100.0 * (double)(total - misses) / (double)total : 0.0,
	    phrase_count(misses, "miss").text, phrase_count(view->value[STAT_TLB_FLUSHES], "flush").text);
}

static void frames(const struct view *view, char out[CELL])
{
	add(out, "%s resident, peak %s, %s of page tables", phrase_number(view->value[STAT_MEMORY_RSS]).text,
	    phrase_number(view->value[STAT_MEMORY_PEAK_RSS]).text, phrase_number(view->value[STAT_MEMORY_TABLES]).text);
}

static void heap(const struct view *view, char out[CELL])
{
	const struct heap_stats *stats = &world_heap(view->page->world, view->index)->stats;
	add(out, "%s, %s live in %s, peak %s", phrase_size(view->value[STAT_HEAP_BYTES]).text,
	    phrase_size(stats->live_bytes).text, phrase_count(stats->live_blocks, "block").text,
	    phrase_size(stats->peak_live_bytes).text);
}

static void calls(const struct view *view, char out[CELL])
{
	add(out, "%s, %s, %s looked at", phrase_count(view->value[STAT_HEAP_MALLOCS], "allocation").text,
	    phrase_count(view->value[STAT_HEAP_FREES], "free").text,
	    phrase_count(view->value[STAT_HEAP_SEARCHED], "chunk").text);
}

static void ending(const struct view *view, char out[CELL])
{
	struct world_process_state state = world_process_state(view->page->world, view->index);
	if (state.state == WORLD_KILLED)
		add(out, "killed by %s", view->process->death.signal_name);
	else
		add(out, "%s", report_state_name(state.state));
	add(out, " after %s", phrase_count(state.operations, "operation").text);
}

static const struct {
	const char *key, *title;
	fact_fn *tell;
} facts[] = {
    {"libc", "libc", libc_name},
    {"faults", "page faults", faults},
    {"syscalls", "system calls", syscalls},
    {"rings", "rings", rings},
    {"accesses", "accesses", accesses},
    {"tlb", "TLB", tlb},
    {"frames", "frames", frames},
    {"heap", "heap", heap},
    {"calls", "malloc", calls},
    {"ending", "ended", ending},
};

static void put_table(struct report *report, const struct report_page *page, unsigned first, unsigned count)
{
	struct report_column columns[ACROSS + 1] = {{"fact", ""}};
	struct stats stats[ACROSS];
	for (unsigned i = 0; i < count; i++) {
		const char *name = world_process(page->world, first + i)->name;
		columns[i + 1] = (struct report_column){name, name};
		world_process_stats(page->world, first + i, &stats[i]);
	}
	report_table_begin(report, "processes", first ? "Processes, continued" : "Processes", columns, count + 1);
	for (unsigned fact = 0; fact < sizeof(facts) / sizeof(facts[0]); fact++) {
		report_cell_text(report, facts[fact].title);
		for (unsigned i = 0; i < count; i++) {
			char cell[CELL] = "";
			struct view view = {page, first + i, world_process(page->world, first + i), stats[i].value};
			facts[fact].tell(&view, cell);
			report_cell_text(report, cell);
		}
	}
	report_table_end(report);
}

void page_processes(struct report *report, const struct report_page *page)
{
	unsigned count = 0;
	while (world_process(page->world, count))
		count++;
	for (unsigned first = 0; first < count; first += ACROSS)
		put_table(report, page, first, count - first < ACROSS ? count - first : ACROSS);
}

/* ---- the whole chain of a death ---- */

static void put_page_fault(struct report *report, const struct translation *at, const struct process_death *death)
{
	report_text(report, "translation", "translation", report_translation_path(at).text);
	report_textf(report, "error_code", "error code", "0x%x: %s: %s", death->error_code,
		     phrase_fault_code(death->error_code).text, phrase_fault_words(death->error_code).text);
	report_text(report, "vma", "VMA", report_translation_area(at).text);
}

static void put_death(struct report *report, const struct report_page *page, unsigned index)
{
	const struct process *process = world_process(page->world, index);
	const struct process_death *death = &process->death;
	struct world_process_state state = world_process_state(page->world, index);
	char title[128];
	(void)snprintf(title, sizeof(title), "Why %s was killed", process->name);
	report_begin(report, "death", title);
	report_textf(report, "operation", "operation", "%s, line %u%s%s", state.op[0] ? state.op : "none", state.line,
		     state.pointer[0] ? ", " : "", state.pointer);
	if (death->vector)
		report_textf(report, "exception", "exception", "%s at address 0x%" PRIx64, vector_name(death->vector),
			     death->va.v);
	if (death->vector == VECTOR_PAGE_FAULT && page->witness->killed[index])
		put_page_fault(report, &page->witness->death[index], death);
	if (process->message[0])
		report_text(report, "message", "it said", process->message);
	report_textf(report, "verdict", "verdict", "%s: %s%s", death->signal_name, death->why,
		     state.killing_expected ? "; the script expects it" : "");
	report_end(report);
}

void page_deaths(struct report *report, const struct report_page *page)
{
	for (unsigned i = 0; world_process(page->world, i); i++) {
		if (world_process(page->world, i)->death.signal)
			put_death(report, page, i);
	}
}
