/* Exercises of the course: its policies by its rules. */
#include "policy_course.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/ostep.h"

enum { MEMORY_TEXT_BYTES = 1024, DEFAULT_FRAMES = 3 };

struct printer {
	struct report *report;
	uint64_t hits, misses;
};

static void print_access(void *self, const struct ostep_access *access)
{
	struct printer *printer = self;
	char memory[MEMORY_TEXT_BYTES] = "";
	size_t used = 0;
	for (uint32_t i = 0; i < access->resident && used < sizeof(memory); i++)
		used += (size_t)snprintf(memory + used, sizeof(memory) - used, "%s%" PRId64, i ? " " : "",
					 access->memory[i]);
	printer->hits = access->hits;
	printer->misses = access->misses;
	report_cell_textf(printer->report, "%" PRId64, access->page);
	report_cell_text(printer->report, access->hit ? "hit" : "miss");
	report_cell_text(printer->report, memory);
	if (access->replaced)
		report_cell_textf(printer->report, "%" PRId64, access->victim);
	else
		report_cell_text(printer->report, "-");
}

static enum status run_policy(struct report *report, const char *name, struct ostep_paging *paging, struct error *error)
{
	static const struct report_column columns[] = {
	    {"page", "page"}, {"what", "what"}, {"memory", "memory"}, {"replaced", "replaced"}};
	struct printer printer = {.report = report};
	struct ostep_listener listener = {.self = &printer, .access = print_access};
	report_begin(report, name, name);
	report_table_begin(report, "accesses", "Accesses", columns, sizeof(columns) / sizeof(columns[0]));
	enum status status = ostep_paging_run(paging, &listener, error);
	report_table_end(report);
	report_number(report, "hits", "hits", printer.hits, "");
	report_number(report, "misses", "misses", printer.misses, "");
	report_textf(report, "hit_rate", "hit rate", "%.2f",
		     100.0 * (double)printer.hits / (double)(printer.hits + printer.misses));
	report_end(report);
	return status;
}

static int64_t *numbers_of(const struct references *references)
{
	int64_t *pages = calloc(references->count + 1, sizeof(*pages)), *page = pages;
	struct references_reader *reader = references_reader_new(references);
	const uint32_t *block;
	size_t count;
	BUG_ON(!pages);
	while ((count = references_next(reader, &block)) > 0) {
		for (size_t i = 0; i < count; i++)
			*page++ = (int64_t)references->number[block[i] & ~REFERENCES_WRITE];
	}
	references_reader_free(reader);
	return pages;
}

/* Those that are wanted, or all. */
static enum status run_policies(const struct policy_request *request, struct ostep_paging *paging,
				struct report *report, struct error *error)
{
	static const char *const all[] = {
#define X(id, name) name,
	    OSTEP_POLICY_LIST(X)
#undef X
	};
	unsigned count = request->policies ? request->policy_count : OSTEP_POLICY_COUNT;
	enum status status = STATUS_OK;
	for (unsigned i = 0; i < count && status == STATUS_OK; i++) {
		const char *name = request->policies ? request->policy[i]->name : all[i];
		if (!ostep_policy_find(name, &paging->policy))
			return error_set(error, STATUS_BAD_INPUT,
					 "--policy %s: the course has fifo, lru, mru, opt, unopt, random and clock",
					 name);
		status = run_policy(report, name, paging, error);
	}
	return status;
}

enum status policy_course_run(struct policy_request *request, uint64_t clock_bits, struct error *error)
{
	enum status status = policy_request_open(request, error);
	if (status != STATUS_OK) {
		policy_request_close(request);
		return status;
	}
	int64_t *pages = numbers_of(&request->references);
	struct ostep_paging paging = {.frames = request->frame_count ? request->frame[0] : DEFAULT_FRAMES,
				      .clock_bits = (int64_t)clock_bits,
				      .seed = request->engine.seed,
				      .pages = pages,
				      .count = (uint32_t)request->references.count};
	struct report *report = report_new(stdout, request->format);
	status = run_policies(request, &paging, report, error);
	report_free(report);
	free(pages);
	policy_request_close(request);
	return status;
}
