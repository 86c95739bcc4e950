/* The views of memory say what the engine says, at every moment, at every size. */
#include "faultline/pages.h"
#include "faultline/phrase.h"
#include "stage.h"

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\", \"paging\": \"%s\"}, \"processes\": ["
    "{\"name\": \"one\", \"libc\": \"glibc\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24}, {\"op\": \"write\", \"at\": \"p\", \"value\": 7},"
    "{\"op\": \"calloc\", \"id\": \"q\", \"count\": 1, \"size\": 300000}, {\"op\": \"read\", \"at\": \"q\"},"
    "{\"op\": \"yield\"}, {\"op\": \"free\", \"id\": \"p\"}, {\"op\": \"write\", \"at\": {\"addr\": \"0x0\"}},"
    "{\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGSEGV\"}]},"
    "{\"name\": \"two\", \"libc\": \"best-fit\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"c\", \"size\": 5000}, {\"op\": \"write\", \"at\": \"c\", \"length\": 5000}]}]}";

static const enum panel mine[] = {PANEL_CPU, PANEL_WALK, PANEL_SPACE, PANEL_FRAMES, PANEL_TLB};

enum { MINE = sizeof(mine) / sizeof(*mine) };

static struct stage begin(const char *paging)
{
	char text[sizeof(script) + 16];
	(void)snprintf(text, sizeof(text), script, paging);
	return stage_begin(text, "test.json");
}

/* As the screen does it: in the boxes of the layout of that size, or one of them alone. */
static void draw_boxes(const struct scene *scene, struct canvas *canvas, bool zoomed, enum panel focus)
{
	struct layout layout = layout_make(canvas, zoomed, focus);
	for (unsigned i = 0; i < MINE; i++) {
		struct area area = layout.panels[mine[i]];
		if (area.rows == 0)
			continue;
		views[mine[i]]->draw(scene, area_box(area, STYLE_BORDER, STYLE_TITLE, ""));
		if (canvas->refused)
			fail_msg("event %u, %s at %ux%u: %u refused", (unsigned)scene->position, panel_name(mine[i]),
				 canvas->columns, canvas->rows, canvas->refused);
	}
}

static void draw_as(const struct scene *scene)
{
	static const unsigned sizes[][2] = {{60, 16}, {80, 24}, {100, 30}, {132, 36}, {160, 50}};
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct canvas canvas;
		assert_true(canvas_init(&canvas, sizes[i][1], sizes[i][0], GLYPHS_ASCII));
		draw_boxes(scene, &canvas, false, PANEL_TIMELINE);
		for (unsigned view = 0; view < MINE; view++)
			draw_boxes(scene, &canvas, true, mine[view]);
		canvas_release(&canvas);
	}
}

static void draw_all(const struct scene *scene)
{
	struct scene decimal = *scene;
	decimal.decimal = true;
	draw_as(scene);
	draw_as(&decimal);
}

static void nothing_is_cut_at_any_event_in_any_paging_mode(void **state)
{
	(void)state;
	static const char *const modes[] = {"32-bit", "pae", "4-level", "5-level"};
	for (unsigned i = 0; i < 4; i++) {
		struct stage stage = begin(modes[i]);
		draw_all(&stage.scene);
		while (stage_forward(&stage, EVENT_MASK_ALL))
			draw_all(&stage.scene);
		assert_true(stage.scene.position > 300);
		stage_end(&stage);
	}
}

static void assert_census(const struct process *process)
{
	uint64_t resident = 0, zero = 0, huge = 0, hugetlb = 0;
	const struct vma *vma = process->mm ? process_vma_after(process, vaddr(0)) : NULL;
	for (; vma; vma = vma->next) {
		struct census census;
		uint64_t steps = UINT64_MAX;
		census_take(process, vma, vma->start, vma->end, &steps, &census);
		assert_int_equal(census.seen, census.pages);
		resident += census.resident;
		zero += census.count[PAGE_ZERO];
		huge += census.count[PAGE_HUGE];
		hugetlb += census.count[PAGE_HUGETLB];
	}
	assert_int_equal(resident, process_resident_pages(process) + process_hugetlb_pages(process));
	assert_int_equal(hugetlb, process_hugetlb_pages(process));
	assert_int_equal(zero, process_zero_pages(process));
	assert_int_equal(huge, process_huge_pages(process));
}

static void the_census_of_the_vmas_is_what_the_kernel_counts(void **state)
{
	(void)state;
	struct stage stage = begin("4-level");
	unsigned looked = 0;
	while (stage_forward(&stage, EVENT_BIT(EVENT_FAULT) | EVENT_BIT(EVENT_OP_END))) {
		assert_census(stage.scene.shown);
		looked++;
	}
	assert_true(looked > 10);
	stage_end(&stage);
}

/* Huge pages mapped as a whole, the huge zero page, and after fork one that a process has split and another not. */
static void huge_pages_are_drawn_and_counted(void **state)
{
	(void)state;
	struct stage stage = stage_begin(
	    "{\"faultline\": 1, \"name\": \"x\", \"machine\": {\"memory\": \"32MiB\"}, "
	    "\"kernel\": {\"thp\": \"always\"}, \"script\": ["
	    "{\"op\": \"mmap\", \"id\": \"a\", \"at\": \"0x10000000\", \"length\": \"4MiB\", "
	    "\"flags\": \"MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED\"}, "
	    "{\"op\": \"write\", \"at\": \"a\", \"value\": 1}, {\"op\": \"read\", \"at\": {\"block\": \"a\", "
	    "\"offset\": 2097152}}, {\"op\": \"fork\", \"body\": [{\"op\": \"write\", \"at\": \"a\", \"value\": 2}]}, "
	    "{\"op\": \"wait\"}, {\"op\": \"mprotect\", \"at\": \"a\", \"length\": \"4KiB\", \"prot\": "
	    "\"PROT_READ\"}]}",
	    "test.json");
	unsigned most = 0;
	while (stage_forward(&stage, EVENT_BIT(EVENT_FAULT) | EVENT_BIT(EVENT_OP_END) | EVENT_BIT(EVENT_PTE_SET))) {
		const struct kernel *kernel = world_kernel(stage.scene.world);
		draw_all(&stage.scene);
		for (uint64_t frame = 1; frame_peek(kernel_frames(kernel), pfn(frame)); frame++) {
			const struct frame *record = frame_peek(kernel_frames(kernel), pfn(frame));
			struct mapping list[600];
			uint64_t steps = 10000000;
			bool complete;
			if (record->use != FRAME_ANON || record->order != 9 || !record->block_start)
				continue;
			unsigned found = frame_mappings(kernel, pfn(frame), list, 600, &steps, &complete);
			assert_true(complete);
			most = found > most ? found : most;
		}
	}
	assert_census(stage.scene.shown);
	/* One entry of the parent's, 511 of the child's: it has copied the first page. */
	assert_int_equal(most, 513);
	stage_end(&stage);
}

/* Pages of MAP_HUGETLB of both sizes, one shared with a child. */
static void pages_of_hugetlb_are_drawn_and_counted(void **state)
{
	(void)state;
	struct stage stage = stage_begin(
	    "{\"faultline\": 1, \"name\": \"x\", \"machine\": {\"memory\": \"2GiB\"}, "
	    "\"kernel\": {\"hugepages\": 2, \"hugepages_1g\": 1}, \"script\": ["
	    "{\"op\": \"mmap\", \"id\": \"g\", \"at\": \"0x40000000\", \"length\": \"1GiB\", "
	    "\"flags\": \"MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED|MAP_HUGETLB|MAP_HUGE_1GB\"}, "
	    "{\"op\": \"mmap\", \"id\": \"s\", \"at\": \"0x10000000\", \"length\": \"4MiB\", "
	    "\"flags\": \"MAP_SHARED|MAP_ANONYMOUS|MAP_FIXED|MAP_HUGETLB\"}, "
	    "{\"op\": \"write\", \"at\": \"s\", \"value\": 1}, "
	    "{\"op\": \"fork\", \"body\": [{\"op\": \"write\", \"at\": \"s+2097152\", \"value\": 2}]}, "
	    "{\"op\": \"wait\"}, {\"op\": \"read\", \"at\": \"s+2097152\"}, "
	    "{\"op\": \"write\", \"at\": \"g+4096\", \"value\": 1}, {\"op\": \"read\", \"at\": \"g+4096\"}]}",
	    "test.json");
	unsigned two_levels = 0;
	while (stage_forward(&stage, EVENT_BIT(EVENT_FAULT) | EVENT_BIT(EVENT_OP_END))) {
		const struct walk *walk = &stage.scene.translation.walk;
		draw_all(&stage.scene);
		assert_census(stage.scene.shown);
		two_levels += walk->outcome == WALK_MAPPED && walk->size == PAGE_SIZE_1G && walk->count == 2;
	}
	assert_true(two_levels > 0);
	assert_int_equal(process_hugetlb_pages(stage.scene.shown), 262144 + 1024);
	stage_end(&stage);
}

static void as_many_mappings_are_found_as_the_frame_counts(void **state)
{
	(void)state;
	struct stage stage = begin("4-level");
	unsigned anon = 0, cached = 0;
	assert_int_equal(travel_seek(stage.travel, 300), TRAVEL_ARRIVED);
	scene_refresh(&stage.scene);
	const struct kernel *kernel = world_kernel(stage.scene.world);
	for (uint64_t frame = 1; frame_peek(kernel_frames(kernel), pfn(frame)); frame++) {
		const struct frame *record = frame_peek(kernel_frames(kernel), pfn(frame));
		struct mapping list[8];
		uint64_t steps = 1000000;
		bool complete;
		if (!record->block_start || record->use == FRAME_FREE || record->use == FRAME_TABLE ||
		    record->use == FRAME_KERNEL)
			continue;
		unsigned found = frame_mappings(kernel, pfn(frame), list, 8, &steps, &complete);
		assert_true(complete);
		assert_int_equal(found, record->mappings);
		anon += record->use == FRAME_ANON;
		cached += record->use == FRAME_IMAGE && record->mappings > 0;
	}
	assert_true(anon > 0 && cached > 0);
	stage_end(&stage);
}

static void the_walk_ends_in_the_error_code_that_the_processor_pushed(void **state)
{
	(void)state;
	struct stage stage = begin("4-level");
	unsigned faults = 0;
	while (stage_forward(&stage, EVENT_BIT(EVENT_EXCEPTION))) {
		char text[160];
		const struct event *event = stage.scene.event;
		if (strcmp(event_arg_text(event, 0), "#PF") != 0)
			continue;
		(void)snprintf(text, sizeof(text), "#PF err %x %s", (unsigned)event->arg[1],
			       phrase_fault_code((uint32_t)event->arg[1]).text);
		assert_says(&stage.scene, PANEL_WALK, text);
		faults++;
		/* And in ring 0 the pushed word says the same. */
		(void)snprintf(text, sizeof(text), "err %x = %s", (unsigned)event->arg[1],
			       phrase_fault_code((uint32_t)event->arg[1]).text);
		assert_true(stage_forward(&stage, EVENT_BIT(EVENT_PUSH)));
		assert_says(&stage.scene, PANEL_CPU, text);
	}
	assert_true(faults > 3);
	stage_end(&stage);
}

static void enter_goes_from_an_entry_to_its_frame_and_to_the_page_again(void **state)
{
	(void)state;
	struct stage stage = begin("4-level");
	while (stage_forward(&stage, EVENT_BIT(EVENT_FAULT)) && stage.scene.translation.frame.use != FRAME_ANON)
		;
	struct scene *scene = &stage.scene;
	uint64_t page = page_floor(scene->address.v);
	scene->focus = PANEL_WALK;
	assert_true(view_walk.choose(scene));
	assert_int_equal(scene->focus, PANEL_FRAMES);
	assert_int_equal(scene->selected[PANEL_FRAMES].at, scene->translation.pa.v >> PAGE_SHIFT);
	assert_true(view_frames.choose(scene));
	assert_int_equal(scene->focus, PANEL_SPACE);
	assert_int_equal(scene->selected[PANEL_SPACE].at, page);
	stage_end(&stage);
}

static const char narrow[] = "{\"faultline\": 1, \"machine\": {\"memory\": \"4MiB\"}, \"kernel\": {\"swap\": \"4MiB\", "
			     "\"replacement\": \"%s\"}, \"processes\": [{\"name\": \"one\", \"script\": ["
			     "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"5MiB\"},"
			     "{\"op\": \"write\", \"at\": \"m\", \"length\": \"5MiB\"}]}]}";

static void under_pressure_the_frames_view_says_what_the_kernel_counts(void **state)
{
	(void)state;
	static const char *const policies[] = {"clock", "linux", "arc", "lru", "random", "clock-pro"};
	for (unsigned i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		char text[sizeof(narrow) + 16];
		(void)snprintf(text, sizeof(text), narrow, policies[i]);
		struct stage stage = stage_begin(text, "test.json");
		uint64_t most = 0;
		while (stage_forward(&stage, EVENT_BIT(EVENT_EVICT) | EVENT_BIT(EVENT_SWAP_OUT))) {
			const struct kernel *kernel = world_kernel(stage.scene.world);
			struct swap_use swap = kernel_swap_use(kernel);
			struct watermarks marks = kernel_watermarks(kernel);
			most = swap.used > most ? swap.used : most;
			(void)snprintf(text, sizeof(text), "swap %u/%u slots", (unsigned)swap.used,
				       (unsigned)swap.total);
			assert_says(&stage.scene, PANEL_FRAMES, text);
			(void)snprintf(text, sizeof(text), "free %u  min %u low %u high %u",
				       (unsigned)frame_pool_free(kernel_frames(kernel)), (unsigned)marks.min,
				       (unsigned)marks.low, (unsigned)marks.high);
			assert_says(&stage.scene, PANEL_FRAMES, text);
			(void)snprintf(text, sizeof(text), "replacement: %s", policies[i]);
			assert_says(&stage.scene, PANEL_FRAMES, text);
			if (stage.scene.position % 97 == 0)
				draw_all(&stage.scene);
		}
		assert_true(most > 10);
		stage_end(&stage);
	}
}

static void what_an_exception_pushed_is_found_however_long_ago_that_was(void **state)
{
	(void)state;
	char text[sizeof(narrow) + 16];
	(void)snprintf(text, sizeof(text), narrow, "clock");
	struct stage stage = stage_begin(text, "test.json");
	uint64_t pushed = 0;
	uint64_t furthest = 0;
	while (stage_forward(&stage, EVENT_MASK_ALL)) {
		const struct event *event = stage.scene.event;
		if (event->kind == EVENT_PUSH)
			pushed = event->number;
		if (event->kind == EVENT_RING && event->ring == 3)
			pushed = 0;
		if (event->ring != 0 || event->number % 5)
			continue;
		char *drawn = stage_view(&stage.scene, PANEL_CPU, 20, 60);
		if ((strstr(drawn, "pushed:") != NULL) != (pushed != 0))
			fail_msg("event %u, pushed at %u:\n%s", (unsigned)event->number, (unsigned)pushed, drawn);
		free(drawn);
		if (pushed && event->number - pushed > furthest)
			furthest = event->number - pushed;
	}
	assert_true(furthest > TRAVEL_PAST);
	stage_end(&stage);
}

static void the_selection_goes_through_all_entries_of_the_tlbs(void **state)
{
	(void)state;
	struct stage stage = begin("4-level");
	for (unsigned position = 100; position < 400; position += 50) {
		stage_seek(&stage, position);
		struct scene *scene = &stage.scene;
		const struct mmu *mmu = machine_mmu_const(world_machine(scene->world));
		scene->selected[PANEL_TLB].active = false;
		for (unsigned i = 0; i < mmu_tlb_count(mmu); i++) {
			for (unsigned slot = 0; slot < tlb_slots(mmu_tlb(mmu, i)); slot++) {
				struct tlb_entry entry;
				char text[64];
				if (!tlb_slot(mmu_tlb(mmu, i), slot, &entry))
					continue;
				assert_true(view_tlb.move(scene, MOVE_DOWN));
				(void)snprintf(text, sizeof(text), "%llx -> %llx", (unsigned long long)entry.page.v,
					       (unsigned long long)entry.frame.v << PAGE_SHIFT);
				assert_says(scene, PANEL_TLB, text);
				draw_all(scene);
			}
		}
		assert_false(view_tlb.move(scene, MOVE_DOWN));
	}
	stage_end(&stage);
}

static void without_pressure_there_is_no_word_of_it(void **state)
{
	(void)state;
	struct stage stage = begin("4-level");
	assert_true(stage_forward(&stage, EVENT_BIT(EVENT_FAULT)));
	char *text = stage_view(&stage.scene, PANEL_FRAMES, 40, 120);
	assert_null(strstr(text, "replacement"));
	assert_null(strstr(text, "swap"));
	free(text);
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_cut_at_any_event_in_any_paging_mode),
	    cmocka_unit_test(the_census_of_the_vmas_is_what_the_kernel_counts),
	    cmocka_unit_test(huge_pages_are_drawn_and_counted),
	    cmocka_unit_test(pages_of_hugetlb_are_drawn_and_counted),
	    cmocka_unit_test(as_many_mappings_are_found_as_the_frame_counts),
	    cmocka_unit_test(the_walk_ends_in_the_error_code_that_the_processor_pushed),
	    cmocka_unit_test(under_pressure_the_frames_view_says_what_the_kernel_counts),
	    cmocka_unit_test(what_an_exception_pushed_is_found_however_long_ago_that_was),
	    cmocka_unit_test(the_selection_goes_through_all_entries_of_the_tlbs),
	    cmocka_unit_test(without_pressure_there_is_no_word_of_it),
	    cmocka_unit_test(enter_goes_from_an_entry_to_its_frame_and_to_the_page_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
