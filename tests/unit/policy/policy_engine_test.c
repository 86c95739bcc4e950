/* Facts about policies, as books state them, and each against a slow model that is right at a glance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/policy_engine.h"
#include "faultline/rng.h"

enum { LONGEST = 4000, PAGES = 64 };

struct string {
	uint32_t page[LONGEST];
	uint32_t next[LONGEST];
	uint32_t count;
};

static void look_ahead(struct string *string)
{
	uint32_t last[PAGES];
	memset(last, 0xff, sizeof(last));
	for (uint32_t i = string->count; i > 0; i--) {
		string->next[i - 1] = last[string->page[i - 1]];
		last[string->page[i - 1]] = i - 1;
	}
}

static struct string *string_of(const char *digits)
{
	struct string *string = calloc(1, sizeof(*string));
	for (; *digits; digits++) {
		if (*digits != ' ')
			string->page[string->count++] = (uint32_t)(*digits - '0');
	}
	look_ahead(string);
	return string;
}

/* Loops, hot pages and noise, so that policies have something to tell apart. */
static struct string *random_string(uint64_t seed)
{
	struct string *string = calloc(1, sizeof(*string));
	struct rng rng = rng_seeded(seed);
	uint32_t pages = 4 + (uint32_t)rng_below(&rng, PAGES - 4);
	while (string->count < LONGEST) {
		uint64_t kind = rng_below(&rng, 3);
		uint64_t start = rng_below(&rng, pages);
		for (unsigned i = 0; i < 20 && string->count < LONGEST; i++) {
			uint64_t page = kind == 0 ? start + i : rng_below(&rng, kind == 1 ? pages : pages / 4 + 1);
			string->page[string->count++] = (uint32_t)(page % pages);
		}
	}
	look_ahead(string);
	return string;
}

static struct policy_engine *engine_of(const char *name, uint32_t frames, const struct string *string)
{
	struct policy_engine_config config = {.frames = frames, .pages = PAGES, .seed = 1, .next_use = string->next};
	assert_non_null(policy_find(name));
	return policy_engine_new(policy_find(name), &config);
}

static uint64_t misses_in(const char *name, uint32_t frames, const struct string *string)
{
	struct policy_engine *engine = engine_of(name, frames, string);
	policy_engine_feed(engine, string->page, string->count);
	assert_null(policy_check(policy_engine_policy(engine)));
	struct policy_engine_result result = policy_engine_result(engine);
	assert_int_equal(result.references, string->count);
	policy_engine_free(engine);
	return result.misses;
}

static uint64_t misses_of(const char *name, uint32_t frames, const char *digits)
{
	struct string *string = string_of(digits);
	uint64_t misses = misses_in(name, frames, string);
	free(string);
	return misses;
}

/* ---- what books say ---- */

static const char belady[] = "1 2 3 4 1 2 5 1 2 3 4 5";
static const char silberschatz[] = "7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1";

static void fifo_shows_beladys_anomaly(void **state)
{
	(void)state;
	assert_int_equal(misses_of("fifo", 3, belady), 9);
	assert_int_equal(misses_of("fifo", 4, belady), 10);
}

static void lru_does_not(void **state)
{
	(void)state;
	assert_int_equal(misses_of("lru", 3, belady), 10);
	assert_int_equal(misses_of("lru", 4, belady), 8);
	assert_int_equal(misses_of("opt", 3, belady), 7);
	assert_int_equal(misses_of("opt", 4, belady), 6);
}

/* Silberschatz, Galvin, Gagne, Operating System Concepts, 10.4: 15, 12 and 9 faults with three frames. */
static void the_published_counts_of_a_known_string(void **state)
{
	(void)state;
	assert_int_equal(misses_of("fifo", 3, silberschatz), 15);
	assert_int_equal(misses_of("lru", 3, silberschatz), 12);
	assert_int_equal(misses_of("opt", 3, silberschatz), 9);
}

static void mru_is_right_for_a_loop_that_does_not_fit(void **state)
{
	(void)state;
	const char loop[] = "0 1 2 3 4 0 1 2 3 4 0 1 2 3 4 0 1 2 3 4";
	assert_int_equal(misses_of("lru", 4, loop), 20);
	assert_int_equal(misses_of("fifo", 4, loop), 20);
	assert_int_equal(misses_of("mru", 4, loop), misses_of("opt", 4, loop));
}

static void no_policy_misses_less_than_opt_or_more_than_the_string_is_long(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct string *string = random_string(seed);
		for (uint32_t frames = 1; frames <= 40; frames += 3) {
			uint64_t best = misses_in("opt", frames, string);
			for (unsigned i = 0; policy_registry[i]; i++) {
				uint64_t misses = misses_in(policy_registry[i]->name, frames, string);
				if (misses < best || misses > string->count)
					fail_msg("%s with %u frames: %llu misses, opt has %llu",
						 policy_registry[i]->name, frames, (unsigned long long)misses,
						 (unsigned long long)best);
			}
		}
		free(string);
	}
}

/* With more frames a stack algorithm holds a superset at every moment: Mattson et al. */
static void lru_and_opt_of_a_larger_memory_hold_at_least_the_same_pages(void **state)
{
	(void)state;
	static const char *const names[] = {"lru", "opt"};
	struct string *string = random_string(9);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (uint32_t frames = 1; frames < 30; frames++) {
			struct policy_engine *small = engine_of(names[i], frames, string);
			struct policy_engine *large = engine_of(names[i], frames + 1, string);
			for (uint32_t at = 0; at < string->count; at++) {
				bool missed = !policy_engine_has(large, string->page[at]);
				assert_false(missed && policy_engine_has(small, string->page[at]));
				policy_engine_feed(small, &string->page[at], 1);
				policy_engine_feed(large, &string->page[at], 1);
			}
			policy_engine_free(small);
			policy_engine_free(large);
		}
	}
	free(string);
}

/* Each page is used twice in a row, so every A bit is set when it is looked at. */
static void second_chance_is_fifo_when_every_page_is_referenced(void **state)
{
	(void)state;
	struct string *once = random_string(4);
	struct string *string = calloc(1, sizeof(*string));
	for (uint32_t i = 0; i < LONGEST; i++)
		string->page[string->count++] = once->page[i] % PAGES;
	look_ahead(string);
	for (uint32_t frames = 1; frames < 20; frames++) {
		struct policy_engine *second = engine_of("second-chance", frames, string);
		struct policy_engine *fifo = engine_of("fifo", frames, string);
		for (uint32_t i = 0; i < string->count; i++) {
			/* Touch all that is resident: in both the same pages. */
			for (uint32_t page = 0; page < PAGES; page++) {
				assert_int_equal(policy_engine_has(second, page), policy_engine_has(fifo, page));
				if (policy_engine_has(second, page)) {
					policy_engine_feed(second, &page, 1);
					policy_engine_feed(fifo, &page, 1);
				}
			}
			policy_engine_feed(second, &string->page[i], 1);
			policy_engine_feed(fifo, &string->page[i], 1);
			i += 7;
		}
		policy_engine_free(second);
		policy_engine_free(fifo);
	}
	free(once);
	free(string);
}

static void blocks_of_any_length_give_the_same_counts(void **state)
{
	(void)state;
	struct string *string = random_string(12);
	for (unsigned i = 0; policy_registry[i]; i++) {
		struct policy_engine *engine = engine_of(policy_registry[i]->name, 10, string);
		for (uint32_t at = 0; at < string->count;) {
			uint32_t length = at % 97 + 1;
			length = length > string->count - at ? string->count - at : length;
			policy_engine_feed(engine, string->page + at, length);
			at += length;
		}
		assert_int_equal(policy_engine_result(engine).misses, misses_in(policy_registry[i]->name, 10, string));
		policy_engine_free(engine);
	}
	free(string);
}

/* ---- slow models: a row of pages with what the policy needs to know of each ---- */

struct slow_page {
	uint32_t page;
	uint64_t came, used, uses, next;
	bool bit;
};

struct slow {
	struct slow_page row[PAGES];
	uint32_t count;
	uint64_t time;
};

/* The place of the victim in the row. */
typedef uint32_t slow_choice(struct slow *slow);

#define SLOW_LEAST(name, field)                                                                                        \
	static uint32_t name(struct slow *slow)                                                                        \
	{                                                                                                              \
		uint32_t best = 0;                                                                                     \
		for (uint32_t i = 1; i < slow->count; i++) {                                                           \
			if (slow->row[i].field < slow->row[best].field)                                                \
				best = i;                                                                              \
		}                                                                                                      \
		return best;                                                                                           \
	}

SLOW_LEAST(slow_fifo, came)
SLOW_LEAST(slow_lru, used)
SLOW_LEAST(slow_unopt, next)

static uint32_t slow_mru(struct slow *slow)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < slow->count; i++)
		best = slow->row[i].used > slow->row[best].used ? i : best;
	return best;
}

static uint32_t slow_opt(struct slow *slow)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < slow->count; i++)
		best = slow->row[i].next > slow->row[best].next ? i : best;
	return best;
}

static uint32_t slow_lfu(struct slow *slow)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < slow->count; i++) {
		const struct slow_page *here = &slow->row[i];
		const struct slow_page *there = &slow->row[best];
		if (here->uses < there->uses || (here->uses == there->uses && here->used < there->used))
			best = i;
	}
	return best;
}

/* The oldest by arrival; with its bit set it arrives anew. */
static uint32_t slow_second_chance(struct slow *slow)
{
	for (;;) {
		uint32_t oldest = slow_fifo(slow);
		if (!slow->row[oldest].bit)
			return oldest;
		slow->row[oldest].bit = false;
		slow->row[oldest].came = ++slow->time;
	}
}

static uint64_t slow_misses(slow_choice *choose, bool first_counts, uint32_t frames, const struct string *string)
{
	struct slow slow = {0};
	uint64_t misses = 0;
	for (uint32_t i = 0; i < string->count; i++) {
		uint32_t at = 0;
		while (at < slow.count && slow.row[at].page != string->page[i])
			at++;
		bool hit = at < slow.count;
		if (!hit) {
			misses++;
			if (slow.count == frames)
				at = choose(&slow);
			else
				at = slow.count++;
			slow.row[at] = (struct slow_page){.page = string->page[i], .came = ++slow.time};
		}
		slow.row[at].bit = hit || first_counts;
		slow.row[at].used = ++slow.time;
		slow.row[at].uses++;
		slow.row[at].next = string->next[i];
	}
	return misses;
}

static void policies_agree_with_slow_models(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		slow_choice *choose;
		bool first_counts;
	} models[] = {
	    {"fifo", slow_fifo, true}, {"lru", slow_lru, true},
	    {"mru", slow_mru, true},   {"unopt", slow_unopt, true},
	    {"opt", slow_opt, true},   {"second-chance", slow_second_chance, true},
	    {"lfu", slow_lfu, true},   {"clock", slow_second_chance, false},
	};
	for (uint64_t seed = 20; seed < 26; seed++) {
		struct string *string = random_string(seed);
		for (unsigned i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
			for (uint32_t frames = 1; frames < 40; frames += 2) {
				uint64_t expected = slow_misses(models[i].choose, models[i].first_counts, frames,
								string);
				if (misses_in(models[i].name, frames, string) != expected)
					fail_msg("%s differs from its model with %u frames, seed %llu", models[i].name,
						 frames, (unsigned long long)seed);
			}
		}
		free(string);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fifo_shows_beladys_anomaly),
	    cmocka_unit_test(lru_does_not),
	    cmocka_unit_test(the_published_counts_of_a_known_string),
	    cmocka_unit_test(mru_is_right_for_a_loop_that_does_not_fit),
	    cmocka_unit_test(no_policy_misses_less_than_opt_or_more_than_the_string_is_long),
	    cmocka_unit_test(lru_and_opt_of_a_larger_memory_hold_at_least_the_same_pages),
	    cmocka_unit_test(second_chance_is_fifo_when_every_page_is_referenced),
	    cmocka_unit_test(blocks_of_any_length_give_the_same_counts),
	    cmocka_unit_test(policies_agree_with_slow_models),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
