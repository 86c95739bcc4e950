#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "faultline/arena.h"
#include "faultline/arena_image.h"
#include "faultline/bus.h"
#include "faultline/rng.h"
#include "faultline/status.h"
#include "faultline/units.h"
#include "resident.h"

static void arena_memory_is_zero_and_aligned(void **state)
{
	(void)state;
	struct arena *arena = arena_new(MIB);
	for (size_t align = 1; align <= 4096; align *= 2) {
		uint8_t *block = arena_alloc(arena, 100, align);
		assert_int_equal((uintptr_t)block % align, 0);
		for (unsigned i = 0; i < 100; i++)
			assert_int_equal(block[i], 0);
		memset(block, 0xff, 100);
	}
	assert_true(arena_used(arena) > 1300);
	arena_free(arena);
}

static bool mark_page(void *self, size_t page)
{
	bool *seen = self;
	for (size_t later = page; later < 3000; later++)
		assert_false(seen[later]);
	seen[page] = true;
	return true;
}

static bool stop_at_100(void *self, size_t page)
{
	*(size_t *)self = page;
	return page < 100;
}

/* Many short runs and one long one; nothing behind the end of what is asked for. */
static void a_host_tells_which_pages_it_keeps(void **state)
{
	(void)state;
	struct arena *arena = arena_new(64 * MIB);
	uint8_t *block = arena_alloc(arena, 3000 * RESIDENT_PAGE_BYTES, RESIDENT_PAGE_BYTES);
	static const enum resident_way ways[] = {RESIDENT_BY_SCAN, RESIDENT_BY_ENTRIES, RESIDENT_ANY_WAY};
	for (size_t page = 0; page < 3000; page += page < 2000 ? 3 : 1)
		block[page * RESIDENT_PAGE_BYTES + page] = 1;
	for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		bool seen[3000] = {false};
		size_t last = 0;
		assert_true(resident_visit(block, 2500, ways[i], mark_page, seen));
		for (size_t page = 0; page < 3000; page++) {
			if (page < 2500 && block[page * RESIDENT_PAGE_BYTES + page])
				assert_true(seen[page]);
			if (page >= 2500)
				assert_false(seen[page]);
		}
		assert_false(resident_visit(block, 3000, ways[i], stop_at_100, &last));
		assert_in_range(last, 100, 102);
	}
	arena_free(arena);
}

static bool count_page(void *self, size_t page)
{
	(void)page;
	++*(unsigned *)self;
	return true;
}

/* All ways are right where the host answers nothing, so here it must. */
static void a_host_passes_over_what_was_never_touched(void **state)
{
	(void)state;
	struct arena *arena = arena_new(64 * MIB);
	uint8_t *block = arena_alloc(arena, (size_t)4000 * RESIDENT_PAGE_BYTES, RESIDENT_PAGE_BYTES);
	unsigned visits = 0;
	if (sysconf(_SC_PAGESIZE) != RESIDENT_PAGE_BYTES || access("/proc/self/pagemap", R_OK) != 0)
		skip();
	block[3000 * RESIDENT_PAGE_BYTES] = 1;
	assert_true(resident_visit(block, 4000, RESIDENT_BY_ENTRIES, count_page, &visits));
	assert_int_equal(visits, 1);
	arena_free(arena);
}

enum { ALBUM_PAGES = 300, ALBUM_IMAGES = 8, PAGE_WORDS = 4096 / 8 };

/* One word of a page stands for it. */
static uint64_t *word_of(uint8_t *block, size_t page)
{
	return (uint64_t *)(void *)(block + page * RESIDENT_PAGE_BYTES) + page % PAGE_WORDS;
}

/* Writes, images and ways back in any order, against copies of all words. */
static void images_bring_back_what_an_arena_held(void **state)
{
	(void)state;
	struct arena *arena = arena_new(64 * MIB);
	struct arena_album *album = arena_album_new(arena);
	uint8_t *block = arena_alloc(arena, (size_t)ALBUM_PAGES * RESIDENT_PAGE_BYTES, RESIDENT_PAGE_BYTES);
	struct arena_image *images[ALBUM_IMAGES] = {NULL};
	uint64_t held[ALBUM_IMAGES][ALBUM_PAGES], now[ALBUM_PAGES] = {0};
	struct rng rng = rng_seeded(11);
	for (unsigned step = 0; step < 4000; step++) {
		unsigned image = (unsigned)rng_below(&rng, ALBUM_IMAGES), what = (unsigned)rng_below(&rng, 10);
		size_t page = (size_t)rng_below(&rng, ALBUM_PAGES);
		if (what == 0) {
			arena_image_free(images[image]);
			images[image] = arena_image_take(album, images[(image + ALBUM_IMAGES - 1) % ALBUM_IMAGES]);
			assert_non_null(images[image]);
			memcpy(held[image], now, sizeof(now));
		} else if (what == 1 && images[image]) {
			arena_image_restore(images[image]);
			memcpy(now, held[image], sizeof(now));
			for (size_t i = 0; i < ALBUM_PAGES; i++)
				assert_true(*word_of(block, i) == now[i]);
		} else {
			now[page] = rng_below(&rng, 3); /* often what it was, and often nothing */
			*word_of(block, page) = now[page];
		}
	}
	for (unsigned i = 0; i < ALBUM_IMAGES; i++)
		arena_image_free(images[i]);
	assert_int_equal(arena_album_page_bytes(album), 0);
	arena_album_free(album);
	arena_free(arena);
}

static void a_page_that_images_share_counts_once(void **state)
{
	(void)state;
	struct arena *arena = arena_new(MIB);
	struct arena_album *album = arena_album_new(arena);
	uint8_t *block = arena_alloc(arena, (size_t)100 * RESIDENT_PAGE_BYTES, RESIDENT_PAGE_BYTES);
	memset(block, 1, (size_t)100 * RESIDENT_PAGE_BYTES);
	struct arena_image *first = arena_image_take(album, NULL);
	size_t one = arena_album_page_bytes(album);
	assert_int_equal(one, arena_image_page_bytes(first));
	assert_true(one > (size_t)100 * RESIDENT_PAGE_BYTES);
	block[0] = 2;
	struct arena_image *second = arena_image_take(album, first);
	assert_int_equal(arena_image_page_bytes(second), one);
	assert_in_range(arena_album_page_bytes(album), one + RESIDENT_PAGE_BYTES, one + 3 * RESIDENT_PAGE_BYTES);
	arena_image_free(first);
	assert_int_equal(arena_album_page_bytes(album), one);
	arena_image_free(second);
	assert_int_equal(arena_album_page_bytes(album), 0);
	arena_album_free(album);
	arena_free(arena);
}

static void pool_recycles_objects_as_zeroed_memory(void **state)
{
	(void)state;
	struct arena *arena = arena_new(MIB);
	struct pool pool;
	pool_init(&pool, arena, 24);
	void *first = pool_take(&pool);
	memset(first, 0xff, 24);
	pool_put(&pool, first);
	size_t used = arena_used(arena);
	uint8_t *second = pool_take(&pool);
	assert_ptr_equal(first, second);
	assert_int_equal(arena_used(arena), used);
	for (unsigned i = 0; i < 24; i++)
		assert_int_equal(second[i], 0);
	assert_int_equal(pool.live, 1);
	arena_free(arena);
}

static void rng_matches_the_published_sequence(void **state)
{
	(void)state;
	/* The first outputs of SplitMix64 for seed 1234567, as published with its reference implementation. */
	static const uint64_t expected[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u};
	struct rng rng = rng_seeded(1234567);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rng_next(&rng), expected[i]);
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(rng_below(&rng, 7) < 7);
		double unit = rng_unit(&rng);
		assert_true(unit >= 0.0 && unit < 1.0);
	}
}

struct heard {
	unsigned count;
	struct event last;
};

static void listen(void *self, const struct event *event)
{
	struct heard *heard = self;
	heard->count++;
	heard->last = *event;
}

static void bus_delivers_only_what_the_mask_asks_for_and_counts_all(void **state)
{
	(void)state;
	struct bus bus;
	struct heard breaks = {0}, all = {0};
	bus_init(&bus);
	emit(&bus, EVENT_BREAK, 1, 2);
	bus_subscribe(&bus, EVENT_BIT(EVENT_BREAK), listen, &breaks);
	bus_subscribe(&bus, EVENT_MASK_ALL, listen, &all);
	bus.cycle = 77;
	bus.pid = 3;
	bus.ring = 0;
	emit(&bus, EVENT_BREAK, 0x1000, 0x2000);
	emit(&bus, EVENT_NOTE, event_text("hello"));
	assert_int_equal(breaks.count, 1);
	assert_int_equal(breaks.last.number, 2);
	assert_int_equal(breaks.last.cycle, 77);
	assert_int_equal(breaks.last.pid, 3);
	assert_int_equal(breaks.last.arg[1], 0x2000);
	assert_int_equal(all.count, 2);
	assert_string_equal(event_arg_text(&all.last, 0), "hello");
	assert_int_equal(bus.number, 3);
	assert_int_equal(bus.count[EVENT_BREAK], 2);
	bus_unsubscribe(&bus, &all);
	emit(&bus, EVENT_NOTE, event_text("unheard"));
	assert_int_equal(all.count, 2);
	assert_int_equal(bus.mask, EVENT_BIT(EVENT_BREAK));
}

static void every_event_sentence_names_only_its_own_fields(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < EVENT_COUNT; kind++) {
		const struct event_info *info = event_info((enum event_kind)kind);
		for (const char *at = strchr(info->sentence, '{'); at; at = strchr(at + 1, '{')) {
			char field[40] = "";
			size_t length = strcspn(at + 1, "}");
			assert_true(length < sizeof(field) - 2);
			memcpy(field, at + 1, length);
			field[length] = ':';
			if (!strstr(info->fields, field))
				fail_msg("%s: {%.*s} is no field", info->name, (int)length, field);
		}
	}
}

static void error_keeps_status_and_cuts_long_text(void **state)
{
	(void)state;
	struct error error;
	char longer[2 * ERROR_TEXT_BYTES];
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(error_set(&error, STATUS_HOST, "%s", longer), STATUS_HOST);
	assert_int_equal(error.status, STATUS_HOST);
	assert_int_equal(strlen(error.text), ERROR_TEXT_BYTES - 1);
}

static void units_round_and_convert(void **state)
{
	(void)state;
	assert_int_equal(page_ceil(1), 4096);
	assert_int_equal(page_ceil(4096), 4096);
	assert_int_equal(page_floor(8191), 4096);
	assert_int_equal(page_ceil(UINT64_MAX), 0);
	assert_int_equal(align_up(5, 8), 8);
	assert_int_equal(align_down(15, 8), 8);
	assert_true(is_power_of_two(64));
	assert_false(is_power_of_two(0));
	assert_false(is_power_of_two(96));
	assert_int_equal(vaddr_to_vpn(vaddr(0x5555)).v, 5);
	assert_int_equal(vpn_to_vaddr(vpn(5)).v, 0x5000);
	assert_int_equal(pfn_to_paddr(paddr_to_pfn(paddr(0x7fff))).v, 0x7000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arena_memory_is_zero_and_aligned),
	    cmocka_unit_test(a_host_tells_which_pages_it_keeps),
	    cmocka_unit_test(a_host_passes_over_what_was_never_touched),
	    cmocka_unit_test(images_bring_back_what_an_arena_held),
	    cmocka_unit_test(a_page_that_images_share_counts_once),
	    cmocka_unit_test(pool_recycles_objects_as_zeroed_memory),
	    cmocka_unit_test(rng_matches_the_published_sequence),
	    cmocka_unit_test(bus_delivers_only_what_the_mask_asks_for_and_counts_all),
	    cmocka_unit_test(every_event_sentence_names_only_its_own_fields),
	    cmocka_unit_test(error_keeps_status_and_cuts_long_text),
	    cmocka_unit_test(units_round_and_convert),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
