/* The rows at the top: the story is folded and can be unfolded again, fields and titles are whole or not there. */
#include "faultline/rng.h"
#include "keybar.h"
#include "ribbon.h"
#include "stage.h"

enum { LONGEST = 10, MOST = 200, ROW_TEXT = 1024 };

/* ---- folding ---- */

static unsigned fold_letters(const char *letters, unsigned longest, struct fold *folds)
{
	uint32_t keys[MOST];
	unsigned count = (unsigned)strlen(letters);
	for (unsigned i = 0; i < count; i++)
		keys[i] = (uint32_t)letters[i];
	return fold_sequence(keys, count, longest, folds);
}

/* "abcabcd" -> "2abc 1d" */
static void assert_folds(const char *letters, const char *expected)
{
	struct fold folds[MOST];
	char text[ROW_TEXT] = "";
	unsigned count = fold_letters(letters, LONGEST, folds);
	for (unsigned i = 0; i < count; i++) {
		size_t used = strlen(text);
		(void)snprintf(text + used, sizeof(text) - used, "%s%u%.*s", i ? " " : "", folds[i].times,
			       (int)folds[i].length, letters + folds[i].first);
	}
	assert_string_equal(text, expected);
}

static void what_repeats_is_one_fold(void **state)
{
	(void)state;
	assert_folds("", "");
	assert_folds("a", "1a");
	assert_folds("aaaa", "4a");
	assert_folds("abab", "2ab");
	assert_folds("xabcabcabcab", "1x 3abc 1a 1b");
	assert_folds("aabaab", "2aab");
	assert_folds("abcabdabcabd", "2abcabd");
	assert_folds("abcdefghijkabcdefghijk", "1a 1b 1c 1d 1e 1f 1g 1h 1i 1j 1k 1a 1b 1c 1d 1e 1f 1g 1h 1i 1j 1k");
}

static void folds_unfold_to_what_was_folded(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(7);
	for (unsigned round = 0; round < 2000; round++) {
		uint32_t keys[MOST];
		struct fold folds[MOST];
		unsigned length = (unsigned)rng_below(&rng, MOST);
		for (unsigned i = 0; i < length; i++)
			keys[i] = (uint32_t)rng_below(&rng, 3);
		unsigned count = fold_sequence(keys, length, LONGEST, folds);
		unsigned at = 0;
		for (unsigned i = 0; i < count; i++) {
			assert_int_equal(folds[i].first, at);
			for (unsigned j = 0; j < folds[i].length * folds[i].times; j++, at++)
				assert_int_equal(keys[at], keys[folds[i].first + j % folds[i].length]);
		}
		assert_int_equal(at, length);
	}
}

/* ---- a history ---- */

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"processes\": ["
    "{\"name\": \"one-with-a-long-name\", \"libc\": \"glibc\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 400000}, {\"op\": \"read\", \"at\": \"p\", \"length\": 400000},"
    "{\"op\": \"write\", \"at\": {\"addr\": \"0x0\"}},"
    "{\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGSEGV\"}]},"
    "{\"name\": \"two\", \"script\": [{\"op\": \"malloc\", \"id\": \"c\", \"size\": 5000}]}]}";

static struct stage begin(void)
{
	return stage_begin(script, "a-document-with-quite-a-name.json");
}

/* A row of the whole screen, as text. */
static const char *row_of(const struct canvas *canvas, unsigned row, char *out)
{
	for (unsigned column = 0; column < canvas->columns; column++)
		out[column] = (char)canvas_cell(canvas, row, column)->glyph;
	out[canvas->columns] = '\0';
	return out;
}

static struct canvas drawn(const struct scene *scene, unsigned rows, unsigned columns)
{
	struct canvas canvas;
	assert_true(canvas_init(&canvas, rows, columns, GLYPHS_ASCII));
	screen_draw(scene, &canvas);
	return canvas;
}

/* ---- the ribbon ---- */

static void equal_faults_are_one_cell(void **state)
{
	(void)state;
	char text[ROW_TEXT];
	struct stage stage = begin();
	const struct travel_query fault = {.kinds = EVENT_BIT(EVENT_EXCEPTION)};
	(void)travel_seek(stage.travel, travel_known_after(stage.travel, 0, EVENT_BIT(EVENT_LIBC_RETURN)));
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(travel_forward(stage.travel, &fault), TRAVEL_ARRIVED);
	scene_refresh(&stage.scene);
	struct canvas canvas = drawn(&stage.scene, 50, 160);
	/* 400000 bytes behind a header: 98 pages, the first one has its frame since the header was written. */
	if (!strstr(row_of(&canvas, 1, text), "[#PF 40/97]>ring 3-0>PTE written>ring 0-3>TLB miss>TLB fill)>done"))
		fail_msg("the story is: %s", text);
	canvas_release(&canvas);
	stage_end(&stage);
}

static void the_current_stage_is_always_in_the_ribbon(void **state)
{
	(void)state;
	static const unsigned widths[] = {60, 80, 132, 200};
	char text[ROW_TEXT];
	struct stage stage = begin();
	for (uint64_t position = 1; position <= travel_known(stage.travel); position += 3) {
		stage_seek(&stage, position);
		for (unsigned i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
			struct canvas canvas = drawn(&stage.scene, 40, widths[i]);
			(void)row_of(&canvas, 1, text);
			if (!strchr(text, '[') || !strchr(text, ']'))
				fail_msg("event %u: no current stage in: %s", (unsigned)position, text);
			canvas_release(&canvas);
		}
	}
	stage_end(&stage);
}

/* ---- the status row, and titles ---- */

/* Whether all words of `some` stand in `all`, in that order. */
static bool is_part_of(char *some, const char *all)
{
	for (char *word = strtok(some, " "); word; word = strtok(NULL, " ")) {
		all = strstr(all, word);
		if (!all)
			return false;
		all += strlen(word);
	}
	return true;
}

static void a_narrow_status_row_has_fewer_fields_and_each_is_whole(void **state)
{
	(void)state;
	char all[ROW_TEXT];
	char some[ROW_TEXT];
	char words[ROW_TEXT];
	struct stage stage = begin();
	for (uint64_t position = 0; position <= travel_known(stage.travel); position += 7) {
		stage_seek(&stage, position);
		struct canvas wide = drawn(&stage.scene, 24, 119);
		(void)row_of(&wide, 0, all);
		for (unsigned columns = 60; columns < 119; columns += 4) {
			struct canvas canvas = drawn(&stage.scene, 16, columns);
			memcpy(words, row_of(&canvas, 0, some), sizeof(words));
			bool names_the_moment = position == 0 || strstr(some, "[RING") != NULL;
			if (!is_part_of(words, all) || !names_the_moment)
				fail_msg("event %u: '%s' of '%s'", (unsigned)position, some, all);
			canvas_release(&canvas);
		}
		canvas_release(&wide);
	}
	stage_end(&stage);
}

static void titles_are_never_cut(void **state)
{
	(void)state;
	static const unsigned sizes[][2] = {{16, 60}, {24, 80}, {36, 132}, {50, 160}};
	char text[ROW_TEXT];
	struct stage stage = begin();
	for (uint64_t position = 0; position <= travel_known(stage.travel); position += 11) {
		stage_seek(&stage, position);
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			struct canvas canvas = drawn(&stage.scene, sizes[i][0], sizes[i][1]);
			struct layout layout = layout_make(&canvas, false, PANEL_TIMELINE);
			for (unsigned panel = 0; panel < PANEL_COUNT; panel++) {
				const struct area *area = &layout.panels[panel];
				if (area->rows == 0)
					continue;
				(void)row_of(&canvas, area->row, text);
				if (memchr(text + area->column, '~', area->columns))
					fail_msg("event %u, %ux%u: %s", (unsigned)position, sizes[i][1], sizes[i][0],
						 text);
			}
			canvas_release(&canvas);
		}
	}
	stage_end(&stage);
}

/* ---- keys and script ---- */

static void every_key_is_on_a_page_of_the_help(void **state)
{
	(void)state;
	static const unsigned sizes[][2] = {{16, 60}, {24, 80}, {36, 132}, {50, 160}};
	char text[ROW_TEXT];
	for (unsigned size = 0; size < sizeof(sizes) / sizeof(*sizes); size++) {
		struct canvas canvas;
		unsigned seen = 0;
		assert_true(canvas_init(&canvas, sizes[size][0], sizes[size][1], GLYPHS_ASCII));
		for (unsigned page = 1; page <= keyhelp_pages(canvas_area(&canvas)); page++) {
			canvas_clear(&canvas);
			keyhelp_draw(canvas_area(&canvas), page);
			for (unsigned row = 1; row + 1 < canvas.rows; row++) {
				(void)row_of(&canvas, row, text);
				assert_null(strchr(text + 11, '~'));
				seen += text[1] != ' ';
			}
		}
		assert_int_equal(seen, ACTION_COUNT);
		canvas_release(&canvas);
	}
}

static void a_formula_stands_in_the_script_as_it_is_written(void **state)
{
	(void)state;
	static const char looped[] =
	    "{\"faultline\": 1, \"script\": [{\"op\": \"repeat\", \"times\": 3, \"as\": \"i\", \"body\": ["
	    "{\"op\": \"malloc\", \"id\": \"b-{i}\", \"size\": \"{i*16+24}\"}]},"
	    "{\"op\": \"expect\", \"that\": \"faults.minor\", \"at_least\": 1}]}";
	struct stage stage = stage_begin(looped, "test.json");
	assert_true(stage_forward(&stage, EVENT_BIT(EVENT_LIBC_CALL)));
	assert_says(&stage.scene, PANEL_SCRIPT, "malloc id=b-{i} size={i*16+24}");
	assert_says(&stage.scene, PANEL_SCRIPT, "expect faults.minor");
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_repeats_is_one_fold),
	    cmocka_unit_test(folds_unfold_to_what_was_folded),
	    cmocka_unit_test(equal_faults_are_one_cell),
	    cmocka_unit_test(the_current_stage_is_always_in_the_ribbon),
	    cmocka_unit_test(a_narrow_status_row_has_fewer_fields_and_each_is_whole),
	    cmocka_unit_test(titles_are_never_cut),
	    cmocka_unit_test(every_key_is_on_a_page_of_the_help),
	    cmocka_unit_test(a_formula_stands_in_the_script_as_it_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
