/* Compares with what the simulators of "Operating Systems: Three Easy Pieces" printed: every access of page replacement
 * with its victim, the row of pages and the random numbers taken; every operation of a free list with the list
 * afterwards.
 *
 * usage: ostep_vectors FILE.json...
 * A file holds {"cases": [...]}; a case with "addresses" is about paging, one with "ops" about a free list. Of a case
 * that differs the first difference is shown. Last line: N passed, M failed. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "faultline/ostep.h"

struct comparison {
	const char *file;
	const char *id;
	const cJSON *next;      /* of the recorded steps */
	const cJSON *next_draw; /* of the recorded random numbers; NULL: none is left */
	uint64_t hits, misses;
	unsigned number;
	bool differs;
};

static void differ(struct comparison *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void differ(struct comparison *c, const char *format, ...)
{
	va_list list;
	if (c->differs)
		return;
	c->differs = true;
	printf("%s: %s: step %u: ", c->file, c->id, c->number);
	va_start(list, format);
	(void)vprintf(format, list);
	va_end(list);
	printf("\n");
}

static int64_t number(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : 0;
}

static const char *text(const cJSON *object, const char *key)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
	return value ? value : "";
}

static bool is_true(const cJSON *object, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static void expect_number(struct comparison *c, const cJSON *object, const char *key, int64_t actual)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	if (cJSON_IsNumber(item) && (int64_t)item->valuedouble != actual)
		differ(c, "%s: expected %.0f, actual %" PRId64, key, item->valuedouble, actual);
}

/* The next recorded step; NULL, and a difference, when there is none. */
static const cJSON *take_step(struct comparison *c)
{
	const cJSON *step = c->next;
	c->number++;
	if (!step)
		differ(c, "the recording ends here");
	else
		c->next = step->next;
	return step;
}

/* ---- paging ---- */

static void compare_memory(struct comparison *c, const cJSON *expected, const struct ostep_access *access)
{
	const cJSON *page;
	uint32_t i = 0;
	cJSON_ArrayForEach(page, expected)
	{
		if (i >= access->resident || access->memory[i] != (int64_t)page->valuedouble) {
			differ(c, "place %u of memory: expected page %.0f", i, page->valuedouble);
			return;
		}
		i++;
	}
	if (i != access->resident)
		differ(c, "memory: expected %u pages, actual %u", i, access->resident);
}

static void compare_access(void *self, const struct ostep_access *access)
{
	struct comparison *c = self;
	const cJSON *step = take_step(c);
	c->hits = access->hits;
	c->misses = access->misses;
	if (!step)
		return;
	const cJSON *victim = cJSON_GetObjectItemCaseSensitive(step, "victim");
	expect_number(c, step, "addr", access->page);
	if (is_true(step, "hit") != access->hit)
		differ(c, "page %" PRId64 ": a %s was not expected", access->page, access->hit ? "hit" : "miss");
	if (cJSON_IsNumber(victim) != access->replaced)
		differ(c, "page %" PRId64 ": %s", access->page,
		       access->replaced ? "replaced another" : "replaced none");
	if (access->replaced)
		expect_number(c, step, "victim", access->victim);
	compare_memory(c, cJSON_GetObjectItemCaseSensitive(step, "memory"), access);
}

static void compare_draw(void *self, double value)
{
	struct comparison *c = self;
	if (!c->next_draw) {
		differ(c, "drew %.17g, where no random number was taken", value);
		return;
	}
	double expected = c->next_draw->valuedouble;
	if (expected < value || expected > value)
		differ(c, "random number: expected %.17g, actual %.17g", expected, value);
	c->next_draw = c->next_draw->next;
}

static int64_t *read_pages(const cJSON *addresses, uint32_t count)
{
	int64_t *pages = calloc((size_t)count + 1, sizeof(*pages));
	const cJSON *page;
	uint32_t i = 0;
	BUG_ON(!pages);
	cJSON_ArrayForEach(page, addresses) pages[i++] = (int64_t)page->valuedouble;
	return pages;
}

/* Pages come from the seed where they did in the recording. */
static void read_paging(const cJSON *test, struct ostep_paging *paging, int64_t *pages)
{
	const cJSON *generated = cJSON_GetObjectItemCaseSensitive(test, "generated");
	*paging = (struct ostep_paging){
	    .frames = (uint32_t)number(test, "cachesize"),
	    .clock_bits = number(test, "clockbits"),
	    .seed = (uint64_t)llabs(number(test, "seed")),
	    .pages = pages,
	    .count = (uint32_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(test, "addresses"))};
	if (!cJSON_IsObject(generated))
		return;
	paging->pages = NULL;
	paging->count = (uint32_t)number(generated, "numaddrs");
	paging->page_bound = (uint32_t)number(generated, "maxpage");
}

static void compare_totals(struct comparison *c, const cJSON *test)
{
	char rate[32];
	double all = (double)(c->hits + c->misses);
	expect_number(c, test, "hits", (int64_t)c->hits);
	expect_number(c, test, "misses", (int64_t)c->misses);
	(void)snprintf(rate, sizeof(rate), "%.2f", 100.0 * (double)c->hits / all);
	if (strcmp(rate, text(test, "hitrate")) != 0)
		differ(c, "hit rate: expected %s, actual %s", text(test, "hitrate"), rate);
	if (c->next_draw)
		differ(c, "fewer random numbers were taken than recorded");
}

static bool compare_paging(struct comparison *c, const cJSON *test)
{
	const cJSON *addresses = cJSON_GetObjectItemCaseSensitive(test, "addresses");
	const cJSON *draws = cJSON_GetObjectItemCaseSensitive(test, "draws");
	struct ostep_listener listener = {.self = c, .access = compare_access};
	struct ostep_paging paging;
	struct error error = {0};
	int64_t *pages = read_pages(addresses, (uint32_t)cJSON_GetArraySize(addresses));
	read_paging(test, &paging, pages);
	c->next = cJSON_GetObjectItemCaseSensitive(test, "per_access");
	c->next = c->next ? c->next->child : NULL;
	if (draws) {
		c->next_draw = draws->child;
		listener.draw = compare_draw;
	}
	if (!ostep_policy_find(text(test, "policy"), &paging.policy))
		differ(c, "there is no policy \"%s\"", text(test, "policy"));
	else if (ostep_paging_run(&paging, &listener, &error) != STATUS_OK)
		differ(c, "%s", error.text);
	else
		compare_totals(c, test);
	free(pages);
	return !c->differs && !c->next;
}

/* ---- free lists ---- */

static void compare_list(struct comparison *c, const cJSON *expected, const struct ostep_heap_step *step)
{
	const cJSON *block;
	uint32_t i = 0;
	cJSON_ArrayForEach(block, expected)
	{
		int64_t address = (int64_t)cJSON_GetNumberValue(cJSON_GetArrayItem(block, 0));
		int64_t bytes = (int64_t)cJSON_GetNumberValue(cJSON_GetArrayItem(block, 1));
		if (i >= step->list_count || step->list[i].address != address || step->list[i].bytes != bytes) {
			differ(c, "free block %u: expected %" PRId64 " bytes at %" PRId64, i, bytes, address);
			return;
		}
		i++;
	}
	if (i != step->list_count)
		differ(c, "free list: expected %u blocks, actual %u", i, step->list_count);
}

static void compare_step(void *self, const struct ostep_heap_step *step)
{
	struct comparison *c = self;
	const cJSON *expected = take_step(c);
	if (!expected)
		return;
	if (step->alloc != (strcmp(text(expected, "op"), "alloc") == 0))
		differ(c, "expected %s", text(expected, "op"));
	expect_number(c, expected, "id", step->id);
	if (step->skipped != is_true(expected, "skipped"))
		differ(c, "free of %" PRId64 ": %s", step->id, step->skipped ? "skipped" : "not skipped");
	if (step->skipped)
		return;
	expect_number(c, expected, "returned", step->returned);
	if (step->alloc) {
		expect_number(c, expected, "size", step->bytes);
		expect_number(c, expected, "printed", step->printed);
		expect_number(c, expected, "searched", step->searched);
	}
	compare_list(c, cJSON_GetObjectItemCaseSensitive(expected, "list"), step);
}

/* "+10,-0,..." */
static struct ostep_request *read_requests(const char *list, uint32_t *count)
{
	struct ostep_request *requests = calloc(strlen(list) + 1, sizeof(*requests));
	BUG_ON(!requests);
	*count = 0;
	while (*list) {
		char *end;
		requests[*count].alloc = *list == '+';
		requests[(*count)++].number = strtoll(list + 1, &end, 10);
		list = *end == ',' ? end + 1 : end + strlen(end);
	}
	return requests;
}

static bool read_freelist(const cJSON *options, struct ostep_freelist *out)
{
	*out = (struct ostep_freelist){.coalesce = is_true(options, "coalesce"),
				       .bytes = number(options, "size"),
				       .base = number(options, "base"),
				       .header_bytes = number(options, "header"),
				       .align = number(options, "align"),
				       .seed = (uint64_t)llabs(number(options, "seed")),
				       .count = (uint32_t)number(options, "numops"),
				       .range = number(options, "range"),
				       .percent_alloc = number(options, "percent_alloc")};
	return ostep_fit_find(text(options, "policy"), &out->fit) &&
	       ostep_order_find(text(options, "order"), &out->order);
}

static bool compare_freelist(struct comparison *c, const cJSON *test)
{
	const cJSON *options = cJSON_GetObjectItemCaseSensitive(test, "options");
	struct ostep_freelist freelist;
	struct ostep_request *requests = NULL;
	struct error error = {0};
	c->next = cJSON_GetObjectItemCaseSensitive(test, "ops")->child;
	if (!read_freelist(options, &freelist))
		differ(c, "no such policy or order");
	if (text(options, "oplist")[0])
		freelist.requests = requests = read_requests(text(options, "oplist"), &freelist.count);
	if (!c->differs && ostep_freelist_run(&freelist, c, compare_step, &error) != STATUS_OK)
		differ(c, "%s", error.text);
	free(requests);
	return !c->differs && !c->next;
}

/* ---- files ---- */

static bool compare_case(const char *file, const cJSON *test)
{
	struct comparison c = {.file = file, .id = text(test, "id")};
	bool same;
	if (cJSON_GetObjectItemCaseSensitive(test, "addresses"))
		same = compare_paging(&c, test);
	else if (cJSON_GetObjectItemCaseSensitive(test, "ops"))
		same = compare_freelist(&c, test);
	else
		same = false;
	if (!same && !c.differs)
		differ(&c, "%s", c.next ? "the recording goes on" : "neither \"addresses\" nor \"ops\": what is this?");
	return same;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *content = NULL;
	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0) {
		long length = ftell(file);
		rewind(file);
		content = length < 0 ? NULL : calloc((size_t)length + 1, 1);
		if (content && fread(content, 1, (size_t)length, file) != (size_t)length) {
			free(content);
			content = NULL;
		}
	}
	(void)fclose(file);
	return content;
}

static void compare_file(const char *path, unsigned *passed, unsigned *failed)
{
	char *content = read_file(path);
	cJSON *document = content ? cJSON_Parse(content) : NULL;
	const cJSON *cases = cJSON_GetObjectItemCaseSensitive(document, "cases");
	const cJSON *test;
	if (!cJSON_IsArray(cases)) {
		printf("%s: %s\n", path, content ? "no JSON object with \"cases\"" : "cannot be read");
		++*failed;
	}
	cJSON_ArrayForEach(test, cases)++ *(compare_case(path, test) ? passed : failed);
	cJSON_Delete(document);
	free(content);
}

int main(int argc, char **argv)
{
	unsigned passed = 0;
	unsigned failed = 0;
	for (int i = 1; i < argc; i++)
		compare_file(argv[i], &passed, &failed);
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 && passed > 0 ? 0 : 1;
}
