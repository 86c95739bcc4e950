/* What moves a selection does in every panel what the list of keys says. */
#include "stage.h"

/* Frames stand in rows of sixteen, and a walk has no ten steps. */
static const enum panel lists[] = {PANEL_SPACE, PANEL_HEAP, PANEL_TLB, PANEL_EVENTS, PANEL_SCRIPT};

enum { LISTS = sizeof(lists) / sizeof(*lists), OPERATIONS = 60 };

/* Mappings that do not merge, and blocks. */
static struct stage begin(void)
{
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	(void)fprintf(out, "{\"faultline\": 1, \"name\": \"x\", \"script\": [");
	for (unsigned i = 0; i < OPERATIONS / 2; i++)
		(void)fprintf(out,
			      "%s\n{\"op\": \"mmap\", \"id\": \"m%u\", \"length\": 4096, \"prot\": \"%s\"},"
			      "\n{\"op\": \"malloc\", \"id\": \"p%u\", \"size\": %u}",
			      i ? "," : "", i, i % 2 ? "PROT_READ" : "PROT_READ|PROT_WRITE", i, 100 + i);
	(void)fprintf(out, "]}");
	(void)fclose(out);
	struct stage stage = stage_begin(text, "test.json");
	free(text);
	return stage;
}

static void move_times(struct scene *scene, enum panel panel, enum move move, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		(void)views[panel]->move(scene, move);
}

/* Where that move leads from there. */
static uint64_t after(struct scene *scene, enum panel panel, struct selection from, enum move move, unsigned times)
{
	scene->selected[panel] = from;
	move_times(scene, panel, move, times);
	assert_true(scene->selected[panel].active);
	return scene->selected[panel].at;
}

static void assert_moves(struct scene *scene, enum panel panel)
{
	const struct selection none = {false, 0};
	struct selection first = {true, after(scene, panel, none, MOVE_HOME, 1)};
	struct selection last = {true, after(scene, panel, none, MOVE_END, 1)};
	assert_int_not_equal(first.at, last.at);
	assert_int_equal(after(scene, panel, last, MOVE_HOME, 1), first.at);
	assert_int_equal(after(scene, panel, first, MOVE_END, 1), last.at);
	assert_int_equal(after(scene, panel, first, MOVE_UP, 1), first.at);
	assert_int_equal(after(scene, panel, first, MOVE_PAGE_UP, 1), first.at);
	assert_int_equal(after(scene, panel, last, MOVE_DOWN, 1), last.at);
	assert_int_equal(after(scene, panel, last, MOVE_PAGE_DOWN, 1), last.at);
	assert_int_equal(after(scene, panel, first, MOVE_PAGE_DOWN, 1), after(scene, panel, first, MOVE_DOWN, 10));
	assert_int_equal(after(scene, panel, last, MOVE_PAGE_UP, 1), after(scene, panel, last, MOVE_UP, 10));
	assert_int_equal(after(scene, panel, first, MOVE_DOWN, 1000), last.at);
	struct selection second = {true, after(scene, panel, first, MOVE_DOWN, 1)};
	assert_int_not_equal(second.at, first.at);
	assert_int_equal(after(scene, panel, second, MOVE_UP, 1), first.at);
	scene->selected[panel] = none;
}

static void moves_are_the_same_in_all_lists(void **state)
{
	(void)state;
	struct stage stage = begin();
	unsigned looked = 0;
	while (stage_forward(&stage, EVENT_BIT(EVENT_OP_END))) {
		for (unsigned i = 0; i < LISTS && looked > 10; i++)
			assert_moves(&stage.scene, lists[i]);
		looked++;
	}
	assert_int_equal(looked, OPERATIONS);
	stage_end(&stage);
}

/* Every move is seen: the picture is another one. */
static void a_selection_is_seen_wherever_it_goes(void **state)
{
	(void)state;
	struct stage stage = begin();
	struct scene *scene = &stage.scene;
	for (unsigned i = 0; i < OPERATIONS - 2; i++)
		assert_true(stage_forward(&stage, EVENT_BIT(EVENT_OP_END)));
	for (unsigned i = 0; i < LISTS; i++) {
		unsigned moves = 0;
		move_times(scene, lists[i], MOVE_HOME, 1);
		do {
			struct canvas canvas;
			unsigned selected = 0;
			assert_true(canvas_init(&canvas, 20, 80, GLYPHS_ASCII));
			views[lists[i]]->draw(scene, canvas_area(&canvas));
			for (unsigned row = 0; row < 20; row++)
				selected += canvas.cells[row * canvas.columns].style == STYLE_SELECTED;
			if (selected != 1)
				fail_msg("%s, %u down: %u rows are selected", panel_name(lists[i]), moves, selected);
			canvas_release(&canvas);
			moves++;
		} while (views[lists[i]]->move(scene, MOVE_DOWN));
	}
	stage_end(&stage);
}

/* The first key does not leap to the start of the script. */
static void a_selection_in_the_script_starts_where_the_script_stands(void **state)
{
	(void)state;
	struct stage stage = begin();
	struct scene *scene = &stage.scene;
	for (uint32_t i = 0; i + 1 < OPERATIONS; i++) {
		assert_true(stage_forward(&stage, EVENT_BIT(EVENT_OP_START)));
		assert_int_equal(after(scene, PANEL_SCRIPT, (struct selection){false, 0}, MOVE_DOWN, 1), i + 1);
	}
	stage_end(&stage);
}

/* A grid has rows, a walk has few entries; both have ends. */
static void grids_and_walks_have_their_ends(void **state)
{
	(void)state;
	struct stage stage = begin();
	struct scene *scene = &stage.scene;
	const struct selection none = {false, 0};
	assert_true(stage_forward(&stage, EVENT_BIT(EVENT_WALK)));
	while (scene->translation.walk.count < 4)
		assert_true(stage_forward(&stage, EVENT_BIT(EVENT_WALK)));
	const enum panel panels[] = {PANEL_FRAMES, PANEL_WALK};
	for (unsigned i = 0; i < 2; i++) {
		struct selection first = {true, after(scene, panels[i], none, MOVE_HOME, 1)};
		struct selection last = {true, after(scene, panels[i], none, MOVE_END, 1)};
		assert_int_equal(first.at, 0);
		assert_int_not_equal(last.at, 0);
		assert_int_equal(after(scene, panels[i], last, MOVE_PAGE_DOWN, 1), last.at);
		assert_int_equal(after(scene, panels[i], first, MOVE_PAGE_UP, 1), first.at);
		assert_int_equal(after(scene, panels[i], first, MOVE_PAGE_DOWN, 1000), last.at);
	}
	const struct selection top = {true, 0};
	assert_int_equal(after(scene, PANEL_FRAMES, top, MOVE_PAGE_DOWN, 1),
			 after(scene, PANEL_FRAMES, top, MOVE_DOWN, 10));
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(moves_are_the_same_in_all_lists),
	    cmocka_unit_test(a_selection_is_seen_wherever_it_goes),
	    cmocka_unit_test(grids_and_walks_have_their_ends),
	    cmocka_unit_test(a_selection_in_the_script_starts_where_the_script_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
