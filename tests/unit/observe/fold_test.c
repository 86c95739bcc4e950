/* Folding: short, and nothing lost. */
#include "fold.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "faultline/rng.h"

enum { LONGEST = 8, ROOM = 4096 };

struct told {
	struct fold_item items[ROOM];
	unsigned count;
};

static void tell(void *self, const struct fold_item *item)
{
	struct told *told = self;
	assert_true(told->count < ROOM);
	told->items[told->count++] = *item;
}

static unsigned key_rank(uint8_t kind)
{
	return kind;
}

static uint64_t key_value(const struct event *event)
{
	return event->arg[0];
}

static const struct fold_ops ops = {key_rank, key_value};

/* Folds a text, one item a letter; a letter's place in the alphabet is its kind, capitals have a high rank. */
static void fold_text(const char *text, struct told *told)
{
	*told = (struct told){.count = 0};
	struct fold *fold = fold_new(LONGEST, &ops, tell, told);
	for (uint64_t i = 0; text[i]; i++) {
		struct fold_item item = {.shape = (unsigned char)text[i],
					 .rank = text[i] < 'a' ? 2 : 1,
					 .event = {.number = i + 1, .kind = (uint8_t)text[i], .arg = {i}}};
		fold_add(fold, &item);
	}
	fold_finish(fold);
	fold_free(fold);
}

/* The letters told, a run as its number of items. */
static const char *shown(const char *text)
{
	static struct told told;
	static char out[ROOM];
	size_t used = 0;
	fold_text(text, &told);
	for (unsigned i = 0; i < told.count; i++) {
		if (told.items[i].is_run)
			used += (size_t)snprintf(out + used, sizeof(out) - used, "(%u)",
						 (unsigned)told.items[i].run.items);
		else
			out[used++] = (char)told.items[i].shape;
	}
	out[used] = '\0';
	return out;
}

static void the_first_two_rounds_are_told_and_the_others_counted(void **state)
{
	(void)state;
	assert_string_equal(shown("aaaaaaaaaa"), "aa(8)");
	assert_string_equal(shown("xabababababy"), "xabab(6)y");
	assert_string_equal(shown("abcdabcdabcdabcd"), "abcdabcd(8)");
}

static void what_does_not_repeat_is_told_as_it_is(void **state)
{
	(void)state;
	assert_string_equal(shown("abcdefgh"), "abcdefgh");
	assert_string_equal(shown("aabbccdd"), "aabbccdd");
	assert_string_equal(shown(""), "");
}

static void a_few_items_are_not_worth_folding(void **state)
{
	(void)state;
	assert_string_equal(shown("aaaaa"), "aaaaa");
	assert_string_equal(shown("ababab"), "ababab");
	assert_string_equal(shown("aaaaaa"), "aa(4)");
}

static void an_unfinished_round_is_told(void **state)
{
	(void)state;
	assert_string_equal(shown("abcabcabcabcab"), "abcabc(6)ab");
	assert_string_equal(shown("abcabcabcabcax"), "abcabc(6)ax");
}

static void a_cycle_begins_at_its_highest_rank(void **state)
{
	(void)state;
	/* Without ranks the cycle would be found one letter earlier, as "b A", because an odd b comes first. */
	assert_string_equal(shown("bAbAbAbAbAb"), "bAbAb(6)");
}

static void a_cycle_longer_than_allowed_is_told(void **state)
{
	(void)state;
	const char *text = "abcdefghiabcdefghiabcdefghi";
	assert_string_equal(shown(text), text);
}

static void runs_know_what_they_are_about(void **state)
{
	(void)state;
	static struct told told;
	fold_text("babababababa", &told);
	const struct fold_run *run = &told.items[told.count - 1].run;
	assert_true(told.items[told.count - 1].is_run);
	assert_int_equal(run->key, 'a'); /* the most telling */
	assert_int_equal(run->keys, 4);
	assert_int_equal(run->key_low, 5);
	assert_int_equal(run->key_high, 11);
	assert_int_equal(run->first, 5);
	assert_int_equal(run->last, 12);
}

/* On any stream: as many items come out as went in, in order and without a gap. */
static void nothing_is_lost_or_told_twice(void **state)
{
	(void)state;
	static struct told told;
	struct rng rng = rng_seeded(42);
	for (unsigned round = 0; round < 2000; round++) {
		char text[200];
		unsigned length = (unsigned)rng_below(&rng, sizeof(text));
		unsigned letters = 1 + (unsigned)rng_below(&rng, 4);
		for (unsigned i = 0; i < length; i++) {
			bool repeat = i >= 6 && rng_below(&rng, 10) != 0;
			text[i] = repeat ? text[i - 1 - round % 6] : (char)("Aabc"[rng_below(&rng, letters)]);
		}
		text[length] = '\0';
		fold_text(text, &told);
		uint64_t next = 1;
		for (unsigned i = 0; i < told.count; i++) {
			const struct fold_item *item = &told.items[i];
			assert_int_equal(item->is_run ? item->run.first : item->event.number, next);
			next += item->is_run ? item->run.items : 1;
		}
		assert_int_equal(next, length + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_two_rounds_are_told_and_the_others_counted),
	    cmocka_unit_test(what_does_not_repeat_is_told_as_it_is),
	    cmocka_unit_test(a_few_items_are_not_worth_folding),
	    cmocka_unit_test(an_unfinished_round_is_told),
	    cmocka_unit_test(a_cycle_begins_at_its_highest_rank),
	    cmocka_unit_test(a_cycle_longer_than_allowed_is_told),
	    cmocka_unit_test(runs_know_what_they_are_about),
	    cmocka_unit_test(nothing_is_lost_or_told_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
