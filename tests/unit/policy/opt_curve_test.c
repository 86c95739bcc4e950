/* The curve of OPT against Mattson's row of pages, shifted page by page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/opt_curve.h"
#include "faultline/rng.h"

enum { REFERENCES = 6000, MOST_PAGES = 300 };

struct string {
	uint32_t pages;
	uint32_t page[REFERENCES], next_use[REFERENCES];
};

/* ---- the model ---- */

struct row {
	uint32_t page[MOST_PAGES], use[MOST_PAGES];
	uint32_t count;
};

/* Places count from 0. */
static uint32_t place_of(const struct row *row, uint32_t page)
{
	uint32_t place = 0;
	while (place < row->count && row->page[place] != page)
		place++;
	return place;
}

static void exchange(uint32_t *a, uint32_t *b)
{
	uint32_t kept = *a;
	*a = *b;
	*b = kept;
}

/* The page comes first; of the one that is carried and the one that it meets, the one of later use is carried on. */
static void row_use(struct row *row, uint32_t page, uint32_t next_use)
{
	const uint32_t gap = place_of(row, page);
	row->count += gap == row->count;
	uint32_t carried = row->page[0], use = row->use[0];
	row->page[0] = page;
	row->use[0] = next_use;
	for (uint32_t i = 1; i < gap; i++) {
		if (row->use[i] > use) {
			exchange(&row->use[i], &use);
			exchange(&row->page[i], &carried);
		}
	}
	if (gap > 0) {
		row->page[gap] = carried;
		row->use[gap] = use;
	}
}

static void model_misses(const struct string *string, uint64_t *misses)
{
	struct row row = {.count = 0};
	for (uint32_t i = 0; i < REFERENCES; i++) {
		const uint32_t place = place_of(&row, string->page[i]);
		for (uint32_t frames = 0; frames <= string->pages; frames++)
			misses[frames] += place == row.count || frames <= place;
		row_use(&row, string->page[i], string->next_use[i]);
	}
}

/* ---- strings ---- */

typedef uint32_t page_fn(struct rng *rng, uint32_t pages, uint32_t i, uint32_t before);

static uint32_t uniform(struct rng *rng, uint32_t pages, uint32_t i, uint32_t before)
{
	(void)i, (void)before;
	return (uint32_t)rng_below(rng, pages);
}

static uint32_t skewed(struct rng *rng, uint32_t pages, uint32_t i, uint32_t before)
{
	(void)i, (void)before;
	return (uint32_t)rng_below(rng, 1 + rng_below(rng, 1 + rng_below(rng, pages)));
}

static uint32_t round_and_round(struct rng *rng, uint32_t pages, uint32_t i, uint32_t before)
{
	(void)rng, (void)before;
	return i % pages;
}

static uint32_t to_and_fro(struct rng *rng, uint32_t pages, uint32_t i, uint32_t before)
{
	(void)rng, (void)before;
	return i / pages % 2 ? i % pages : pages - 1 - i % pages;
}

static uint32_t stretches(struct rng *rng, uint32_t pages, uint32_t i, uint32_t before)
{
	(void)i;
	return rng_below(rng, 12) ? (before + 1) % pages : (uint32_t)rng_below(rng, pages);
}

static uint32_t walk(struct rng *rng, uint32_t pages, uint32_t i, uint32_t before)
{
	(void)i;
	return (before + pages + (uint32_t)rng_below(rng, 9) - 4) % pages;
}

static uint32_t phases(struct rng *rng, uint32_t pages, uint32_t i, uint32_t before)
{
	(void)before;
	return (i / 500 * 37 + (uint32_t)rng_below(rng, 1 + pages / 4)) % pages;
}

static uint32_t scan_beside_hot_pages(struct rng *rng, uint32_t pages, uint32_t i, uint32_t before)
{
	(void)before;
	return i % 2 ? i / 2 % pages : (uint32_t)rng_below(rng, 1 + pages / 16);
}

static void make_string(struct string *string, page_fn *page, uint32_t pages)
{
	struct rng rng = rng_seeded(pages);
	uint32_t later[MOST_PAGES];
	memset(later, 0xff, sizeof(later));
	string->pages = pages;
	for (uint32_t i = 0; i < REFERENCES; i++)
		string->page[i] = page(&rng, pages, i, i ? string->page[i - 1] : 0);
	for (uint32_t i = REFERENCES; i > 0; i--) {
		string->next_use[i - 1] = later[string->page[i - 1]];
		later[string->page[i - 1]] = i - 1;
	}
}

static void the_curve_is_that_of_the_row(void **state)
{
	(void)state;
	static page_fn *const kinds[] = {uniform,   skewed, round_and_round, to_and_fro,
					 stretches, walk,   phases,          scan_beside_hot_pages};
	static const uint32_t sizes[] = {1, 2, 3, 5, 10, 50, MOST_PAGES};
	static struct string string;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]) * 7; i++) {
		uint64_t expected[MOST_PAGES + 1] = {0}, got[MOST_PAGES + 1];
		make_string(&string, kinds[i / 7], sizes[i % 7]);
		struct opt_curve *curve = opt_curve_new(string.pages);
		opt_curve_feed(curve, string.next_use, i);
		opt_curve_feed(curve, string.next_use + i, REFERENCES - i);
		opt_curve_misses(curve, got);
		opt_curve_free(curve);
		model_misses(&string, expected);
		assert_memory_equal(got, expected, (string.pages + 1) * sizeof(*got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_curve_is_that_of_the_row)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
