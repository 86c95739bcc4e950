/* Snapshots of translations, the timeline of the first page, and what a witness keeps. */
#include "faultline/translation.h"

#include "faultline/machine.h"
#include "faultline/timeline.h"
#include "faultline/witness.h"
#include "small_world.h"

static const char script[] =
    "{'op': 'malloc', 'id': 'p', 'size': '64KiB'}, {'op': 'write', 'at': 'p', 'length': '8KiB'}";

static struct vaddr heap_of(const struct small_world *small)
{
	return process_segment(world_process(small->world, 0), SEGMENT_HEAP);
}

static void a_mapped_page_shows_entries_tlb_vma_and_frame(void **state)
{
	(void)state;
	struct small_world small = small_world_new(script);
	struct translation at;
	small_world_run(&small);
	translation_take(&at, small.world, 0, vaddr_add(heap_of(&small), 0x1008));
	assert_true(at.alive && at.canonical && at.has_frame && at.vma.exists);
	assert_int_equal(at.walk.outcome, WALK_MAPPED);
	assert_int_equal(at.walk.count, 4);
	assert_int_equal(at.walk.step[0].level, 4);
	assert_int_equal(at.walk.step[0].pa.v & ~(uint64_t)0xfff, at.cr3 & ~(uint64_t)0xfff);
	assert_int_equal(at.pa.v & 0xfff, 8);
	assert_int_equal(at.frame.use, FRAME_ANON);
	assert_string_equal(at.vma.name, "[heap]");
	assert_true(at.tlb_count >= 1);
	assert_int_equal(at.tlb[0].entry.frame.v, paddr_to_pfn(at.pa).v);
	assert_true(at.access[ACCESS_READ].allowed && at.access[ACCESS_WRITE].allowed);
	assert_false(at.access[ACCESS_FETCH].allowed);
	assert_int_equal(at.access[ACCESS_FETCH].error_code, FAULT_PRESENT | FAULT_USER | FAULT_FETCH);
	small_world_free(&small);
}

static void a_promised_page_would_be_given_on_access(void **state)
{
	(void)state;
	struct small_world small = small_world_new(script);
	struct translation at;
	small_world_run(&small);
	translation_take(&at, small.world, 0, vaddr_add(heap_of(&small), 0x8000));
	assert_int_equal(at.walk.outcome, WALK_NOT_PRESENT);
	assert_true(at.vma.exists);
	assert_int_equal(at.access[ACCESS_WRITE].error_code, FAULT_USER | FAULT_WRITE);
	assert_non_null(strstr(translation_verdict(&at, ACCESS_WRITE), "gives a zeroed frame"));
	assert_non_null(strstr(translation_verdict(&at, ACCESS_READ), "maps the zero page"));
	assert_non_null(strstr(translation_verdict(&at, ACCESS_FETCH), "SEGV_ACCERR"));
	small_world_free(&small);
}

static void a_hole_names_its_neighbours(void **state)
{
	(void)state;
	struct small_world small = small_world_new(script);
	struct translation at;
	small_world_run(&small);
	translation_take(&at, small.world, 0, vaddr(0x1000));
	assert_false(at.vma.exists || at.below.exists);
	assert_string_equal(at.above.name, "text");
	assert_non_null(strstr(translation_verdict(&at, ACCESS_READ), "SEGV_MAPERR"));
	translation_take(&at, small.world, 0, vaddr(0xffff800000000000));
	assert_string_equal(at.below.name, "[stack]");
	assert_false(at.above.exists);
	translation_take(&at, small.world, 0, vaddr(0x7fffff900000));
	assert_non_null(strstr(translation_verdict(&at, ACCESS_WRITE), "the stack begins above"));
	/* Further down than RLIMIT_STACK allows. */
	translation_take(&at, small.world, 0, vaddr(0x7fffff700000));
	assert_non_null(strstr(translation_verdict(&at, ACCESS_WRITE), "SEGV_MAPERR"));
	small_world_free(&small);
}

static void kernel_memory_is_mapped_and_denied(void **state)
{
	(void)state;
	struct small_world small = small_world_new(script);
	struct translation at;
	small_world_run(&small);
	translation_take(&at, small.world, 0, process_segment(world_process(small.world, 0), SEGMENT_KERNEL));
	assert_int_equal(at.walk.outcome, WALK_MAPPED);
	assert_int_equal(at.walk.size, PAGE_SIZE_2M);
	assert_int_equal(at.access[ACCESS_READ].error_code, FAULT_PRESENT | FAULT_USER);
	small_world_free(&small);
}

static void an_address_that_is_not_canonical_has_no_walk(void **state)
{
	(void)state;
	struct small_world small = small_world_new(script);
	struct translation at;
	small_world_run(&small);
	translation_take(&at, small.world, 0, vaddr(0x0000800000000000));
	assert_false(at.canonical);
	assert_int_equal(at.walk.count, 0);
	assert_int_equal(at.access[ACCESS_READ].vector, VECTOR_PROTECTION);
	small_world_free(&small);
}

static void what_a_translation_predicts_happens(void **state)
{
	(void)state;
	static const struct {
		const char *access;
		enum access_kind kind;
	} cases[] = {{"read", ACCESS_READ}, {"write", ACCESS_WRITE}, {"execute", ACCESS_FETCH}};
	static const struct {
		const char *segment;
		int64_t offset;
	} places[] = {{"text", 0},
		      {"rodata", 0},
		      {"data", 0},
		      {"bss", 0},
		      {"heap", 0},
		      {"libc", 0},
		      {"kernel", 0},
		      {"stack", -(int64_t)(140 * KIB)},
		      {"stack", -(int64_t)(9 * MIB)}};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned j = 0; j < sizeof(places) / sizeof(places[0]); j++) {
			char text[256];
			struct error error;
			struct translation before;
			(void)snprintf(text, sizeof(text),
				       "{'op': 'sbrk', 'increment': 4096}, {'op': '%s', 'at': {'segment': '%s', "
				       "'offset': %lld}}",
				       cases[i].access, places[j].segment, (long long)places[j].offset);
			struct small_world probe = small_world_new("{'op': 'sbrk', 'increment': 4096}");
			small_world_run(&probe);
			const struct process *process = world_process(probe.world, 0);
			struct vaddr va = vaddr(0);
			for (unsigned segment = 0; segment < SEGMENT_COUNT; segment++) {
				if (strcmp(segment_name((enum segment)segment), places[j].segment) == 0)
					va = vaddr_add(process_segment(process, (enum segment)segment),
						       (uint64_t)places[j].offset);
			}
			translation_take(&before, probe.world, 0, va);
			bool dies = strstr(translation_verdict(&before, cases[i].kind), "SIGSEGV") != NULL;
			struct small_world small = small_world_new(text);
			(void)world_run(small.world, &error);
			const struct process_death *death = &world_process(small.world, 0)->death;
			assert_int_equal(death->signal != 0, dies);
			uint32_t expected = before.access[cases[i].kind].error_code;
			/* The first fetch from a page that is not there is served like a read, the second is refused.
			 */
			if (cases[i].kind == ACCESS_FETCH &&
			    before.access[ACCESS_FETCH].verdict != FAULT_CAUSE_SEGV_MAPERR)
				expected |= FAULT_PRESENT;
			if (dies)
				assert_int_equal(death->error_code, expected);
			small_world_free(&small);
			small_world_free(&probe);
		}
	}
	(void)state;
}

/* ---- the timeline ---- */

static struct timeline timeline_of(const char *text, uint64_t *mask)
{
	static struct timeline timeline;
	struct small_world small = small_world_new(text);
	timeline_attach(&timeline, world_bus(small.world));
	small_world_run(&small);
	*mask = world_bus_const(small.world)->mask;
	small_world_free(&small);
	return timeline;
}

static void the_first_page_goes_through_all_steps_in_order(void **state)
{
	(void)state;
	uint64_t mask;
	struct timeline timeline = timeline_of(script, &mask);
	for (unsigned step = 0; step < TIMELINE_STEPS; step++)
		assert_true(timeline.seen[step]);
	for (unsigned step = 1; step < TIMELINE_STEPS; step++)
		assert_true(timeline.step[step].number > timeline.step[step - 1].number);
	assert_false(timeline.touched_by_libc);
	assert_int_equal(timeline.step[TIMELINE_CALL].arg[1], 65536);
	assert_int_equal(timeline.searches, 4); /* unsorted, large and larger bins, top */
	/* It has seen enough, and stops listening; the world itself goes on to. */
	assert_int_equal(mask, EVENT_BIT(EVENT_RING) | EVENT_BIT(EVENT_CPU));
}

static void without_a_touch_of_the_program_the_libcs_own_is_told(void **state)
{
	(void)state;
	uint64_t mask;
	struct timeline timeline = timeline_of("{'op': 'malloc', 'id': 'p', 'size': 40}", &mask);
	assert_true(timeline.seen[TIMELINE_RESUME] && timeline.touched_by_libc);
	assert_true(timeline.step[TIMELINE_RESUME].number < timeline.step[TIMELINE_RETURN].number);
}

static void a_direct_mmap_has_no_libc_in_its_timeline(void **state)
{
	(void)state;
	uint64_t mask;
	struct timeline timeline = timeline_of(
	    "{'op': 'mmap', 'id': 'm', 'length': '1MiB'}, {'op': 'write', 'at': 'm'}", &mask);
	assert_false(timeline.seen[TIMELINE_CALL] || timeline.seen[TIMELINE_RETURN]);
	assert_true(timeline.seen[TIMELINE_AREA] && timeline.seen[TIMELINE_RESUME]);
	assert_string_equal(event_arg_text(&timeline.step[TIMELINE_SERVE], 0), "mmap");
}

static void without_promises_there_is_no_timeline(void **state)
{
	(void)state;
	uint64_t mask;
	struct timeline timeline = timeline_of("{'op': 'getpid'}", &mask);
	assert_false(timeline.seen[TIMELINE_AREA]);
}

/* ---- the witness ---- */

static void a_witness_keeps_the_translation_of_the_deadly_access(void **state)
{
	(void)state;
	static struct witness witness;
	struct error error;
	struct small_world small = small_world_new("{'op': 'read', 'at': {'segment': 'rodata'}}, "
						   "{'op': 'write', 'at': {'segment': 'rodata'}}");
	witness_attach(&witness, small.world);
	assert_int_equal(world_run(small.world, &error), STATUS_EXPECT_FAILED);
	assert_true(witness.killed[0]);
	assert_true(witness.death[0].alive);
	assert_int_equal(witness.death[0].walk.outcome, WALK_MAPPED);
	assert_string_equal(witness.death[0].vma.name, "rodata");
	assert_int_equal(witness.death[0].access[ACCESS_WRITE].error_code,
			 world_process(small.world, 0)->death.error_code);
	small_world_free(&small);
}

static void a_witness_keeps_the_first_failed_expectations(void **state)
{
	(void)state;
	static struct witness witness;
	struct error error;
	struct small_world small = small_world_new("{'op': 'repeat', 'times': 20, 'body': [{'op': 'getpid'},"
						   "{'op': 'expect', 'that': 'syscalls.getpid', 'equals': 3}]}");
	witness_attach(&witness, small.world);
	assert_int_equal(world_run(small.world, &error), STATUS_EXPECT_FAILED);
	assert_int_equal(witness.failure_count, WITNESS_FAILURES);
	assert_string_equal(witness.failures[0].text, "expected syscalls.getpid equals 3, it is 1");
	assert_non_null(strstr(witness.failures[0].place, "/script/0/body/1"));
	assert_string_equal(witness.failures[2].text, "expected syscalls.getpid equals 3, it is 4");
	small_world_free(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_mapped_page_shows_entries_tlb_vma_and_frame),
	    cmocka_unit_test(a_promised_page_would_be_given_on_access),
	    cmocka_unit_test(a_hole_names_its_neighbours),
	    cmocka_unit_test(kernel_memory_is_mapped_and_denied),
	    cmocka_unit_test(an_address_that_is_not_canonical_has_no_walk),
	    cmocka_unit_test(what_a_translation_predicts_happens),
	    cmocka_unit_test(the_first_page_goes_through_all_steps_in_order),
	    cmocka_unit_test(without_a_touch_of_the_program_the_libcs_own_is_told),
	    cmocka_unit_test(a_direct_mmap_has_no_libc_in_its_timeline),
	    cmocka_unit_test(without_promises_there_is_no_timeline),
	    cmocka_unit_test(a_witness_keeps_the_translation_of_the_deadly_access),
	    cmocka_unit_test(a_witness_keeps_the_first_failed_expectations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
