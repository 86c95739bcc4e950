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

/* Of the pages a few are used often and most of them seldom. */
static struct references skewed_string(void)
{
	struct references references;
	struct rng rng = rng_seeded(3);
	references_init(&references);
	for (uint64_t i = 0; i < REFERENCES; i++) {
		uint64_t most = UINT64_C(1) << rng_below(&rng, 21);
		references_add(&references, rng_below(&rng, most), i % 50 == 0);
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

/* Ends the string. */
static void assert_comes_back(struct references references, size_t most_bytes)
{
	struct error error = {0};
	struct references back;
	size_t length;
	char *content = packed(&references, &length);
	assert_in_range(length, 1, most_bytes);
	references_init(&back);
	assert_int_equal(references_read_packed(&back, content, length, "x", &error), STATUS_OK);
	assert_same(&references, &back);
	/* Pages are found, those that came packed and new ones. */
	for (uint32_t page = 0; page < references.pages; page++)
		assert_int_equal(references_page(&back, references.number[page]), page);
	assert_int_equal(references_page(&back, UINT64_MAX), references.pages);
	assert_int_equal(back.number[references.pages], UINT64_MAX);
	free(content);
	references_release(&back);
	references_release(&references);
}

static void what_is_packed_comes_back(void **state)
{
	(void)state;
	struct references empty;
	references_init(&empty);
	assert_comes_back(empty, 28);
	assert_comes_back(some_string(), REFERENCES * 5 / 4);
	assert_comes_back(skewed_string(), REFERENCES * 2);
}

/* The greatest page, and pages that come in another order than that of their numbers. */
static void any_pages_may_come_in_any_order(void **state)
{
	(void)state;
	struct references references;
	references_init(&references);
	for (uint32_t i = 0; i < 3000; i++)
		(void)references_page(&references, i);
	for (uint32_t i = 0; i < 4000; i++) {
		uint32_t page = i * 1999 % 3000;
		*references_room(&references, 1) = i % 2 ? page | REFERENCES_WRITE : page;
		references.count++;
	}
	assert_comes_back(references, 20000);
}

static void another_version_is_told_from_damage(void **state)
{
	(void)state;
	struct error error = {0};
	struct references references;
	references_init(&references);
	assert_true(references_is_packed("FLTREFS1", 8));
	assert_int_equal(references_read_packed(&references, "FLTREFS1", 8, "old", &error), STATUS_BAD_INPUT);
	assert_non_null(strstr(error.text, "old: this packed reference string is of another version"));
	references_release(&references);
}

/* ---- a packed file ---- */

static enum status read_as_file(struct references *references, const char *content, size_t length, struct error *error)
{
	char path[] = "references_test.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *file = fdopen(fd, "wb");
	assert_int_equal(fwrite(content, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
	references_init(references);
	enum status status = references_read_file(references, path, error);
	assert_int_equal(remove(path), 0);
	return status;
}

/* Read block by block, one is the other. */
static void assert_reads_as(const struct references *references, const struct references *expected)
{
	struct references_reader *reader = references_reader_new(references);
	const uint32_t *block;
	uint64_t done = 0;
	for (size_t count; (count = references_next(reader, &block)) > 0; done += count) {
		assert_true(done + count <= expected->count);
		assert_memory_equal(block, expected->page + done, count * sizeof(*block));
	}
	assert_int_equal(done, expected->count);
	assert_int_equal(references_next(reader, &block), 0);
	references_reader_free(reader);
}

static void assert_same_next_uses(const struct references *a, const struct references *b)
{
	uint32_t *next_a = references_next_uses(a), *next_b = references_next_uses(b);
	assert_memory_equal(next_a, next_b, a->count * sizeof(*next_a));
	free(next_a);
	free(next_b);
}

static void a_packed_file_stays_packed(void **state)
{
	(void)state;
	struct error error = {0};
	struct references references = skewed_string(), kept;
	size_t length, again_length;
	char *content = packed(&references, &length);
	assert_int_equal(read_as_file(&kept, content, length, &error), STATUS_OK);
	assert_non_null(kept.packed);
	assert_int_equal(kept.count, references.count);
	assert_int_equal(kept.pages, references.pages);
	assert_memory_equal(kept.number, references.number, references.pages * sizeof(*kept.number));
	assert_reads_as(&references, &references);
	assert_reads_as(&kept, &references);
	assert_reads_as(&kept, &references);
	assert_same_next_uses(&kept, &references);
	char *again = packed(&kept, &again_length);
	assert_int_equal(again_length, length);
	assert_memory_equal(again, content, length);
	free(again);
	free(content);
	references_release(&kept);
	references_release(&references);
}

static void a_damaged_file_is_refused_before_it_is_read(void **state)
{
	(void)state;
	struct error error = {0};
	struct references references = skewed_string(), kept;
	size_t length;
	char *content = packed(&references, &length);
	assert_int_equal(read_as_file(&kept, content, length - 1, &error), STATUS_BAD_INPUT);
	assert_null(kept.packed);
	references_release(&kept);
	memset(content + length / 2, 0, 100);
	assert_int_equal(read_as_file(&kept, content, length, &error), STATUS_BAD_INPUT);
	assert_null(kept.packed);
	references_release(&kept);
	free(content);
	references_release(&references);
}

/* Blocks without new pages, too, have a frame for their numbers. */
static void a_flipped_bit_is_refused_or_of_no_consequence(void **state)
{
	(void)state;
	struct references references = skewed_string();
	size_t length;
	char *content = packed(&references, &length);
	for (size_t at = sizeof("FLTREFS2") - 1; at < length; at += 1 + length / 700) {
		struct error error = {0};
		struct references back;
		references_init(&back);
		content[at] ^= 4;
		if (references_read_packed(&back, content, length, "bent", &error) == STATUS_OK) {
			assert_int_equal(back.count, references.count);
			assert_memory_equal(back.page, references.page, back.count * sizeof(*back.page));
		}
		content[at] ^= 4;
		references_release(&back);
	}
	free(content);
	references_release(&references);
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
	struct references references = skewed_string();
	size_t length;
	char *content = packed(&references, &length);
	for (size_t cut = sizeof("FLTREFS2") - 1; cut < length; cut += 1 + length / 300) {
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
static void damage_does_no_harm_to(struct references references)
{
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

static void damage_does_no_harm(void **state)
{
	(void)state;
	damage_does_no_harm_to(some_string());
	damage_does_no_harm_to(skewed_string());
}

/* ---- a text ---- */

static enum status read_text(const char *text, struct references *references, struct error *error)
{
	*error = (struct error){0};
	references_init(references);
	return references_read_text(references, text, strlen(text), "t", error);
}

/* One line must not fill the host's memory, and no address lies behind the last one. */
static void what_a_trace_cannot_mean_is_refused_with_its_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *error;
	} rows[] = {
	    {"1\n L 1000,9999999999999\n", "t:2: an access of more than 1073741824 bytes"},
	    {" S 0,1073741825", "t:1: an access of more than 1073741824 bytes; allowed are 1 to 1073741824"},
	    {"1\n2\n M ffffffffffffffff,2", "t:3: an access beyond the last address, ffffffffffffffff"},
	    {"I  ffffffffffffff00,257", "t:1: an access beyond the last address"},
	    {" L 1000,0", "t:1: \"L\" is no reference"},
	    {"18446744073709551616", "t:1: \"18446744073709551616\" is no reference"},
	    {"0x10000000000000000", "t:1: \"0x10000000000000000\" is no reference"},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct references references;
		struct error error;
		assert_int_equal(read_text(rows[i].text, &references, &error), STATUS_BAD_INPUT);
		assert_ptr_equal(strstr(error.text, rows[i].error), error.text);
		references_release(&references);
	}
}

static void the_greatest_numbers_are_numbers(void **state)
{
	(void)state;
	static const uint64_t last = UINT64_MAX >> REFERENCES_PAGE_SHIFT;
	struct references references;
	struct error error;
	assert_int_equal(read_text("0xffffffffffffffff 18446744073709551615w\n S fffffffffffff000,4096\n"
				   " L 0,1073741824\n",
				   &references, &error),
			 STATUS_OK);
	assert_int_equal(references.count, 3 + (1 << 18));
	assert_int_equal(references.number[0], last);
	assert_int_equal(references.number[1], UINT64_MAX);
	assert_int_equal(references.page[2], 0 | REFERENCES_WRITE);
	references_release(&references);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_packed_comes_back),
	    cmocka_unit_test(any_pages_may_come_in_any_order),
	    cmocka_unit_test(another_version_is_told_from_damage),
	    cmocka_unit_test(a_packed_file_stays_packed),
	    cmocka_unit_test(a_damaged_file_is_refused_before_it_is_read),
	    cmocka_unit_test(a_flipped_bit_is_refused_or_of_no_consequence),
	    cmocka_unit_test(a_packed_string_goes_on_where_another_ended),
	    cmocka_unit_test(a_string_that_ends_early_is_refused),
	    cmocka_unit_test(damage_does_no_harm),
	    cmocka_unit_test(what_a_trace_cannot_mean_is_refused_with_its_line),
	    cmocka_unit_test(the_greatest_numbers_are_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
