/* faultline freelist: free lists by the rules of the course. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "faultline/ostep.h"
#include "faultline/report.h"
#include "format.h"

enum {
	OPTION_COMPAT,
	OPTION_FIT,
	OPTION_ORDER,
	OPTION_COALESCE,
	OPTION_OPS,
	OPTION_BYTES,
	OPTION_BASE,
	OPTION_HEADER,
	OPTION_ALIGN,
	OPTION_SEED,
	OPTION_COUNT,
	OPTION_RANGE,
	OPTION_PERCENT,
	OPTION_STATS,
};

enum { LIST_TEXT_BYTES = 4096, OPERATIONS_MOST = 100000, NUMBER_MOST = 1000000000 };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct option options[] = {
    {"--fit", OPTION_WITH_VALUE, "FIT", "best, worst or first. Default: best.", OPTION_FIT},
    {"--order", OPTION_WITH_VALUE, "ORDER",
     "Where a freed block goes in the list: addrsort, sizesort+, sizesort-, insert-front or insert-back. Default: "
     "addrsort.",
     OPTION_ORDER},
    {"--coalesce", OPTION_FLAG, NULL, "Neighbours in the list that touch become one.", OPTION_COALESCE},
    {"--ops", OPTION_WITH_VALUE, "LIST",
     "The operations: +10 allocates 10 bytes, -0 frees the first allocation, as in +10,+5,-0. Without it, random ones.",
     OPTION_OPS},
    {"--bytes", OPTION_WITH_VALUE, "N", "Size of the heap. Default: 100.", OPTION_BYTES},
    {"--base", OPTION_WITH_VALUE, "N", "Its first address. Default: 1000.", OPTION_BASE},
    {"--header", OPTION_WITH_VALUE, "N", "Bytes of each block's header. Default: 0.", OPTION_HEADER},
    {"--align", OPTION_WITH_VALUE, "N", "Sizes are rounded up to a multiple. Default: they are not.", OPTION_ALIGN},
    {"--seed", OPTION_WITH_VALUE, "N", "Of the random operations. Default: 0.", OPTION_SEED},
    {"--count", OPTION_WITH_VALUE, "N", "How many of them. Default: 10.", OPTION_COUNT},
    {"--range", OPTION_WITH_VALUE, "N", "Their sizes are 1 to N bytes. Default: 10.", OPTION_RANGE},
    {"--percent", OPTION_WITH_VALUE, "N", "How many of 100 allocate. Default: 50.", OPTION_PERCENT},
    {"--compat", OPTION_WITH_VALUE, "ostep", "Whose rules; these are the only ones.", OPTION_COMPAT},
    {"--stats", OPTION_WITH_VALUE, "FORMAT", "Print as text, json, csv or markdown.", OPTION_STATS},
    {0}};

struct wish {
	struct ostep_freelist rules;
	struct ostep_request *requests;
	enum report_format format;
};

/* ---- printing ---- */

static void print_list(struct report *report, const struct ostep_heap_step *step)
{
	char text[LIST_TEXT_BYTES] = "";
	size_t used = 0;
	for (uint32_t i = 0; i < step->list_count && used < sizeof(text) - 1; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%" PRId64 "+%" PRId64, i ? " " : "",
					 step->list[i].address, step->list[i].bytes);
	report_cell_text(report, used < sizeof(text) ? text : "(longer than this table)");
}

static void print_step(void *self, const struct ostep_heap_step *step)
{
	struct report *report = self;
	report_cell_textf(report, step->alloc ? "alloc %" PRId64 : "free %" PRId64,
			  step->alloc ? step->bytes : step->id);
	if (step->alloc) {
		report_cell_textf(report, "%" PRId64, step->id);
		report_cell_textf(report, "%" PRId64, step->printed);
		report_cell_number(report, step->searched);
	} else {
		report_cell_none(report);
		report_cell_textf(report, "%s", step->skipped ? "skipped" : step->returned == 0 ? "0" : "-1");
		report_cell_none(report);
	}
	if (step->skipped)
		report_cell_none(report);
	else
		print_list(report, step);
}

static void ignore(void *self, const struct ostep_heap_step *step)
{
	(void)self;
	(void)step;
}

/* What cannot be done to its end is not begun. */
static enum status print(const struct wish *wish, struct error *error)
{
	static const struct report_column columns[] = {{"operation", "operation"},
						       {"number", "number"},
						       {"result", "result"},
						       {"searched", "searched"},
						       {"free", "free list: address+bytes"}};
	if (ostep_freelist_run(&wish->rules, NULL, ignore, error) != STATUS_OK)
		return error->status;
	struct report *report = report_new(stdout, wish->format);
	report_table_begin(report, "operations", "Operations", columns, COUNT_OF(columns));
	enum status status = ostep_freelist_run(&wish->rules, report, print_step, error);
	report_table_end(report);
	report_free(report);
	return status;
}

/* ---- the request ---- */

static enum status bad_operation(const char *word, struct error *error)
{
	return error_set(error, STATUS_BAD_INPUT,
			 "--ops: \"%.*s\" is no operation; write +BYTES or -NUMBER, with commas between, as in +10,-0",
			 (int)strcspn(word, ","), word);
}

/* "+10,-0" */
static enum status read_operations(struct wish *wish, const char *list, struct error *error)
{
	free(wish->requests);
	wish->requests = calloc(strlen(list) + 1, sizeof(*wish->requests));
	BUG_ON(!wish->requests);
	wish->rules.count = 0;
	for (const char *at = list; *at;) {
		char *end;
		if ((*at != '+' && *at != '-') || at[1] < '0' || at[1] > '9')
			return bad_operation(at, error);
		long long number = strtoll(at + 1, &end, 10);
		if ((*end != ',' && *end != '\0') || number > NUMBER_MOST)
			return bad_operation(at, error);
		wish->requests[wish->rules.count++] = (struct ostep_request){*at == '+', number};
		at = *end == ',' ? end + 1 : end;
	}
	wish->rules.requests = wish->requests;
	return wish->rules.count ? STATUS_OK : bad_operation(list, error);
}

static enum status read_number(const char *option, const char *text, int64_t least, int64_t most, int64_t *out,
			       struct error *error)
{
	char *end;
	long long number = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || number < least || number > most)
		return error_set(error, STATUS_BAD_INPUT, "%s %s: write a number from %" PRId64 " to %" PRId64, option,
				 text, least, most);
	*out = number;
	return STATUS_OK;
}

static void to_capitals(char *out, size_t room, const char *text)
{
	(void)snprintf(out, room, "%s", text);
	for (; *out; out++) {
		if (*out >= 'a' && *out <= 'z')
			*out = (char)(*out - 'a' + 'A');
	}
}

static enum status read_word(struct wish *wish, const struct option_given *given, struct error *error)
{
	char word[32];
	to_capitals(word, sizeof(word), given->value);
	if (given->id == OPTION_FIT && !ostep_fit_find(word, &wish->rules.fit))
		return error_set(error, STATUS_BAD_INPUT, "--fit %s: there are best, worst and first", given->value);
	if (given->id == OPTION_ORDER && !ostep_order_find(word, &wish->rules.order))
		return error_set(error, STATUS_BAD_INPUT,
				 "--order %s: there are addrsort, sizesort+, sizesort-, insert-front and insert-back",
				 given->value);
	if (given->id == OPTION_COMPAT && strcmp(given->value, "ostep") != 0)
		return error_set(error, STATUS_BAD_INPUT, "--compat %s: there is only ostep", given->value);
	return STATUS_OK;
}

static enum status take_number(struct wish *wish, const struct option_given *given, struct error *error)
{
	struct ostep_freelist *rules = &wish->rules;
	int64_t number = 0;
	static const struct {
		int id;
		const char *name;
		int64_t least, most;
	} rows[] = {{OPTION_BYTES, "--bytes", 1, NUMBER_MOST}, {OPTION_BASE, "--base", 0, NUMBER_MOST},
		    {OPTION_HEADER, "--header", 0, 4096},      {OPTION_ALIGN, "--align", 1, 4096},
		    {OPTION_SEED, "--seed", 0, INT64_MAX},     {OPTION_COUNT, "--count", 1, OPERATIONS_MOST},
		    {OPTION_RANGE, "--range", 1, NUMBER_MOST}, {OPTION_PERCENT, "--percent", 1, 100}};
	int64_t *const where[] = {&rules->bytes, &rules->base, &rules->header_bytes, &rules->align,
				  &number,       &number,      &rules->range,        &rules->percent_alloc};
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].id == (int)given->id &&
		    read_number(rows[i].name, given->value, rows[i].least, rows[i].most, where[i], error) != STATUS_OK)
			return error->status;
	}
	if (given->id == OPTION_SEED)
		rules->seed = (uint64_t)number;
	if (given->id == OPTION_COUNT && !wish->requests)
		rules->count = (uint32_t)number;
	return STATUS_OK;
}

static enum status take_option(struct wish *wish, const struct option_given *given, struct error *error)
{
	switch (given->id) {
	case OPTION_FIT:
	case OPTION_ORDER:
	case OPTION_COMPAT:
		return read_word(wish, given, error);
	case OPTION_COALESCE:
		wish->rules.coalesce = true;
		return STATUS_OK;
	case OPTION_OPS:
		return read_operations(wish, given->value, error);
	case OPTION_STATS:
		return take_format("--stats", given->value, &wish->format, error);
	default:
		return take_number(wish, given, error);
	}
}

static enum status run(const struct command *command, const struct command_line *line)
{
	struct wish wish = {
	    .rules = {.bytes = 100, .base = 1000, .align = -1, .count = 10, .range = 10, .percent_alloc = 50}};
	struct error error = {0};
	enum status status = STATUS_OK;
	(void)command;
	if (line->operand_count > 0)
		status = error_set(&error, STATUS_BAD_INPUT, "freelist takes no file; the operations are --ops");
	for (unsigned i = 0; i < line->given_count && status == STATUS_OK; i++)
		status = take_option(&wish, &line->given[i], &error);
	if (status == STATUS_OK)
		status = print(&wish, &error);
	free(wish.requests);
	return status == STATUS_OK ? status : complain(&error);
}

const struct command command_freelist = {
    .name = "freelist",
    .operands = "",
    .summary = "allocation from a free list, as a course's exercises have it",
    .text =
	"Allocates and frees blocks of a small heap by the rules of the simulator malloc.py of \"Operating Systems: "
	"Three "
	"Easy Pieces\", and prints the free list after each operation. The same seed gives the same exercise. How real "
	"allocators do it is seen with run and heap: --set libc=best-fit.",
    .options = options,
    .run = run,
};
