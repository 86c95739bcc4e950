/* The checker finds what is planted, and nothing where nothing is. */
#include "faultline/check.h"

#include "faultline/machine.h"
#include "small_world.h"

static const char script[] =
    "{'op': 'malloc', 'id': 'p', 'size': '64KiB'}, {'op': 'write', 'at': 'p', 'length': '64KiB'},"
    "{'op': 'malloc', 'id': 'q', 'size': 40}";

struct checked {
	struct small_world small;
	struct check check;
};

static void checked_run(struct checked *checked, const char *text, enum check_mode mode)
{
	checked->small = small_world_new(text);
	check_attach(&checked->check, checked->small.world, mode);
	small_world_run(&checked->small);
}

static void assert_holds(struct checked *checked)
{
	struct error why = {0};
	if (!check_finish(&checked->check, &why))
		fail_msg("%s", why.text);
}

static void assert_broken(struct checked *checked, const char *expected)
{
	struct error why = {0};
	assert_false(check_finish(&checked->check, &why));
	if (!strstr(why.text, expected))
		fail_msg("expected \"%s\" in \"%s\"", expected, why.text);
	assert_int_equal(why.status, STATUS_MACHINE_STOPPED);
}

/* RAM, to plant things in behind everybody's back. */
static struct physmem *ram(const struct checked *checked)
{
	return machine_memory((struct machine *)(uintptr_t)world_machine(checked->small.world));
}

/* Where the level-1 entry of the first heap page lies. */
static struct paddr heap_entry(const struct checked *checked)
{
	const struct process *process = world_process(checked->small.world, 0);
	struct paging paging = mmu_paging(machine_mmu_const(world_machine(checked->small.world)));
	struct walk walk;
	paging.root = process_page_table(process);
	walk_peek(ram(checked), &paging, process_segment(process, SEGMENT_HEAP), &walk);
	assert_int_equal(walk.outcome, WALK_MAPPED);
	return walk.step[walk.count - 1].pa;
}

static void a_sound_world_passes_in_every_mode(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < CHECK_MODE_COUNT; mode++) {
		struct checked checked;
		checked_run(&checked, script, (enum check_mode)mode);
		assert_holds(&checked);
		assert_int_equal(checked.check.verdict, CHECK_HOLDS);
		assert_int_equal(checked.check.operations, mode == CHECK_IDENTITIES ? 0 : 3);
		small_world_free(&checked.small);
	}
}

static void looking_changes_nothing(void **state)
{
	(void)state;
	struct checked checked;
	struct stats before, after;
	struct error why = {0};
	uint64_t visited = 0;
	checked_run(&checked, script, CHECK_FULL);
	world_machine_stats(checked.small.world, &before);
	uint64_t entry = physmem_load64(ram(&checked), heap_entry(&checked));
	assert_holds(&checked);
	assert_true(check_tlbs(checked.small.world, &visited, &why));
	assert_true(visited > 0);
	world_machine_stats(checked.small.world, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(physmem_load64(ram(&checked), heap_entry(&checked)), entry);
	small_world_free(&checked.small);
}

static void plant_in_entry(uint64_t cleared, uint64_t set, const char *expected)
{
	struct checked checked;
	struct error why = {0};
	uint64_t visited = 0;
	checked_run(&checked, script, CHECK_SAMPLED);
	struct paddr at = heap_entry(&checked);
	uint64_t entry = physmem_load64(ram(&checked), at);
	physmem_store64(ram(&checked), at, (entry & ~cleared) | set);
	assert_false(check_tlbs(checked.small.world, &visited, &why));
	if (!strstr(why.text, expected))
		fail_msg("expected \"%s\" in \"%s\"", expected, why.text);
	physmem_store64(ram(&checked), at, entry);
	assert_true(check_tlbs(checked.small.world, &visited, &why));
	small_world_free(&checked.small);
}

static void a_translation_that_outlives_its_entry_is_stale(void **state)
{
	(void)state;
	plant_in_entry(PTE_PRESENT, 0, "the tables map nothing there");
	plant_in_entry(PTE_WRITABLE, 0, "the tables do not allow writing");
	plant_in_entry(PTE_USER, 0, "the tables do not allow ring 3");
	plant_in_entry(PTE_DIRTY, 0, "the D bit in the tables is clear");
	plant_in_entry((uint64_t)0xff << 12, (uint64_t)0x77 << 12, "the tables name another frame");
}

/* Makes the first heap page's entry wrong when the kernel lets go of the processor, and right again when it takes it.
 */
struct saboteur {
	struct checked checked;
	struct paddr entry;
	unsigned done;
};

static void sabotage(void *self, const struct event *event)
{
	struct saboteur *saboteur = self;
	bool leaving = event->arg[1] == 3;
	if (world_progress(saboteur->checked.small.world).operations != 1 || saboteur->done == 2)
		return;
	if (saboteur->done == (leaving ? 0 : 1)) {
		saboteur->entry = leaving ? heap_entry(&saboteur->checked) : saboteur->entry;
		uint64_t entry = physmem_load64(ram(&saboteur->checked), saboteur->entry);
		physmem_store64(ram(&saboteur->checked), saboteur->entry, entry ^ PTE_USER);
		saboteur->done++;
	}
}

static enum status run_sabotaged(enum check_mode mode, struct error *why)
{
	struct saboteur saboteur = {.checked = {.small = small_world_new(script)}};
	bus_subscribe(world_bus(saboteur.checked.small.world), EVENT_BIT(EVENT_RING), sabotage, &saboteur);
	check_attach(&saboteur.checked.check, saboteur.checked.small.world, mode);
	enum status status = world_run(saboteur.checked.small.world, why);
	assert_int_equal(saboteur.done, 2);
	small_world_free(&saboteur.checked.small);
	return status;
}

static void what_is_wrong_only_within_an_operation_is_seen_by_a_full_check(void **state)
{
	(void)state;
	struct error why = {0};
	assert_int_equal(run_sabotaged(CHECK_SAMPLED, &why), STATUS_OK);
	assert_int_equal(run_sabotaged(CHECK_FULL, &why), STATUS_MACHINE_STOPPED);
	if (!strstr(why.text, "ring 3"))
		fail_msg("%s", why.text);
}

static void a_translation_that_allows_less_is_not_stale(void **state)
{
	(void)state;
	struct checked checked;
	struct error why = {0};
	uint64_t visited = 0;
	checked_run(&checked, script, CHECK_SAMPLED);
	struct paddr at = heap_entry(&checked);
	physmem_store64(ram(&checked), at, physmem_load64(ram(&checked), at) & ~PTE_NO_EXECUTE);
	assert_true(check_tlbs(checked.small.world, &visited, &why));
	small_world_free(&checked.small);
}

static void a_page_that_the_kernel_does_not_count_is_found(void **state)
{
	(void)state;
	struct checked checked;
	checked_run(&checked, script, CHECK_SAMPLED);
	physmem_store64(ram(&checked), heap_entry(&checked), 0);
	assert_broken(&checked, "");
	assert_int_equal(checked.check.verdict, CHECK_BROKEN);
	small_world_free(&checked.small);
}

static void a_lost_event_is_found(void **state)
{
	static const struct {
		enum event_kind kind;
		const char *expected;
	} cases[] = {
	    {EVENT_RING, "ring changes are RING events"},        {EVENT_FAULT, "faults resolved are FAULT events"},
	    {EVENT_SYSCALL, "system calls are SYSCALL events"},  {EVENT_WALK, "walks are WALK events"},
	    {EVENT_TLB_MISS, "TLB misses are TLB_MISS events"},  {EVENT_SWITCH, "context switches are SWITCH events"},
	    {EVENT_NOTE, "events are the sum over their kinds"},
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct checked checked;
		checked_run(&checked, script, CHECK_IDENTITIES);
		world_bus(checked.small.world)->count[cases[i].kind]--;
		assert_broken(&checked, cases[i].kind == EVENT_RING ? "" : cases[i].expected);
		small_world_free(&checked.small);
	}
}

static void frames_are_counted_by_their_events(void **state)
{
	(void)state;
	struct checked checked;
	checked_run(&checked, script, CHECK_SAMPLED);
	checked.check.frames++;
	assert_broken(&checked, "frames: ");
	small_world_free(&checked.small);
}

static void time_that_no_process_spent_is_found(void **state)
{
	(void)state;
	struct checked checked;
	checked_run(&checked, script, CHECK_IDENTITIES);
	checked.check.at_start.value[STAT_ACCESSES_READ]++;
	assert_broken(&checked, "accesses.read of the processes");
	small_world_free(&checked.small);
}

/* The size field of the first chunk, in RAM. */
static void spoil_heap(const struct checked *checked)
{
	struct pte entry = {physmem_load64(ram(checked), heap_entry(checked))};
	physmem_store64(ram(checked), paddr_add(pfn_to_paddr(pfn(pte_frame(entry))), 8), 0x123457);
}

static void a_broken_heap_is_found(void **state)
{
	(void)state;
	struct checked checked;
	checked_run(&checked, script, CHECK_SAMPLED);
	spoil_heap(&checked);
	assert_broken(&checked, "the heap of process ");
	small_world_free(&checked.small);
}

static void a_heap_that_the_program_overwrites_is_its_own_fault(void **state)
{
	(void)state;
	struct checked checked;
	checked_run(&checked,
		    "{'op': 'malloc', 'id': 'p', 'size': 24}, {'op': 'malloc', 'id': 'q', 'size': 24},"
		    "{'op': 'write', 'at': 'p', 'length': 32, 'value': '0x4141414141414141'}",
		    CHECK_SAMPLED);
	assert_holds(&checked);
	assert_true(checked.check.spoilt[0]);
	small_world_free(&checked.small);
}

static void a_killed_process_leaves_nothing_behind(void **state)
{
	(void)state;
	struct checked checked;
	checked.small = small_world_of(
	    "{'faultline': 1, 'name': 'two', 'processes': ["
	    "{'name': 'a', 'script': [{'op': 'malloc', 'id': 'p', 'size': '1MiB'},"
	    "{'op': 'write', 'at': 'p', 'length': '1MiB'}, {'op': 'read', 'at': '0x0'},"
	    "{'op': 'expect', 'that': 'signal', 'equals': 'SIGSEGV'}]},"
	    "{'name': 'b', 'script': [{'op': 'malloc', 'id': 'p', 'size': 100}, {'op': 'free', 'id': 'p'}]}]}");
	check_attach(&checked.check, checked.small.world, CHECK_FULL);
	small_world_run(&checked.small);
	assert_holds(&checked);
	small_world_free(&checked.small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sound_world_passes_in_every_mode),
	    cmocka_unit_test(looking_changes_nothing),
	    cmocka_unit_test(a_translation_that_outlives_its_entry_is_stale),
	    cmocka_unit_test(what_is_wrong_only_within_an_operation_is_seen_by_a_full_check),
	    cmocka_unit_test(a_translation_that_allows_less_is_not_stale),
	    cmocka_unit_test(a_page_that_the_kernel_does_not_count_is_found),
	    cmocka_unit_test(a_lost_event_is_found),
	    cmocka_unit_test(frames_are_counted_by_their_events),
	    cmocka_unit_test(time_that_no_process_spent_is_found),
	    cmocka_unit_test(a_broken_heap_is_found),
	    cmocka_unit_test(a_heap_that_the_program_overwrites_is_its_own_fault),
	    cmocka_unit_test(a_killed_process_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
