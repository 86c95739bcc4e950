/* Reference strings: text, packed, and what is wrong with either. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/references.h"
#include "faultline/rng.h"

enum { REFERENCES = 150000 };

/* More than two blocks: steps, which pack well as differences, and pages at random, which do not. */
static struct references some_string(void)
{
	struct references references;
	struct rng rng = rng_seeded(1);
	references_init(&references);
	for (uint64_t i = 0; i < REFERENCES; i++) {
		uint64_t page = i < REFERENCES / 2 ? 1000 + i / 3 : rng_below(&rng, 5000) << 30;
		references_add(&references, page, rng_below(&rng, 4) == 0);
	}
	return references;
}

static char *packed(const struct references *references, size_t *length)
{
	char *content;
	struct error error = {0};
	FILE *file = open_memstream(&content, length);
	assert_int_equal(references_write_packed(references, file, &error), STATUS_OK);
	assert_int_equal(fclose(file), 0);
	assert_true(references_is_packed(content, *length));
	return content;
}

static void assert_same(const struct references *a, const struct references *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->pages, b->pages);
	assert_memory_equal(a->page, b->page, a->count * sizeof(*a->page));
	assert_memory_equal(a->number, b->number, a->pages * sizeof(*a->number));
}

static void what_is_packed_comes_back(void **state)
{
	(void)state;
	struct error error = {0};
	struct references references = some_string(), back, empty;
	size_t length;
	char *content = packed(&references, &length);
	references_init(&back);
	assert_int_equal(references_read_packed(&back, content, length, "x", &error), STATUS_OK);
	assert_same(&references, &back);
	assert_true(length < references.count * 4);
	free(content);
	references_release(&back);
	references_release(&references);

	references_init(&empty);
	content = packed(&empty, &length);
	assert_int_equal(references_read_packed(&empty, content, length, "x", &error), STATUS_OK);
	assert_int_equal(empty.count, 0);
	free(content);
	references_release(&empty);
}

/* Behind references that are there already, pages keep the numbers that they have. */
static void a_packed_string_goes_on_where_another_ended(void **state)
{
	(void)state;
	struct error error = {0};
	struct references references, both;
	size_t length;
	references_init(&references);
	assert_int_equal(references_read_text(&references, "7 8w 7", 6, "x", &error), STATUS_OK);
	char *content = packed(&references, &length);
	references_init(&both);
	assert_int_equal(references_read_text(&both, "9 8", 3, "x", &error), STATUS_OK);
	assert_int_equal(references_read_packed(&both, content, length, "x", &error), STATUS_OK);
	static const uint32_t want[] = {0, 1, 2, 1 | REFERENCES_WRITE, 2};
	assert_int_equal(both.count, 5);
	assert_memory_equal(both.page, want, sizeof(want));
	free(content);
	references_release(&both);
	references_release(&references);
}

static void a_string_that_ends_early_is_refused(void **state)
{
	(void)state;
	struct references references = some_string();
	size_t length;
	char *content = packed(&references, &length);
	for (size_t cut = sizeof("FLTREFS1") - 1; cut < length; cut += 1 + length / 300) {
		struct error error = {0};
		struct references back;
		references_init(&back);
		assert_int_equal(references_read_packed(&back, content, cut, "cut", &error), STATUS_BAD_INPUT);
		assert_non_null(strstr(error.text, "cut: the packed reference string"));
		references_release(&back);
	}
	free(content);
	references_release(&references);
}

/* Whatever is changed: refused, or other references, but nothing breaks. */
static void damage_does_no_harm(void **state)
{
	(void)state;
	struct references references = some_string();
	struct rng rng = rng_seeded(2);
	unsigned refused = 0;
	size_t length;
	char *content = packed(&references, &length);
	for (unsigned i = 0; i < 300; i++) {
		struct error error = {0};
		struct references back;
		size_t at = 8 + rng_below(&rng, i % 2 ? length - 8 : 28);
		char before = content[at];
		content[at] = (char)rng_below(&rng, 256);
		references_init(&back);
		refused += references_read_packed(&back, content, length, "x", &error) != STATUS_OK;
		for (uint64_t j = 0; j < back.count; j++)
			assert_true((back.page[j] & ~REFERENCES_WRITE) < back.pages);
		references_release(&back);
		content[at] = before;
	}
	assert_true(refused > 100);
	free(content);
	references_release(&references);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_packed_comes_back),
	    cmocka_unit_test(a_packed_string_goes_on_where_another_ended),
	    cmocka_unit_test(a_string_that_ends_early_is_refused),
	    cmocka_unit_test(damage_does_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
