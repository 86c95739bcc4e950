/* The operation vfork: what a child that borrows its parent's memory does to it, and who runs when. */
#include "test_document.h"

#include "faultline/heap.h"
#include "faultline/world.h"

static bool check_kernel(void *self, struct error *why)
{
	return kernel_check(world_kernel(self), why);
}

struct trial {
	struct document *document;
	struct world *world;
	enum status status;
	struct error error;
};

static struct trial begin(const char *ops, const char *setting)
{
	struct trial trial = {.document = parse_script(ops)};
	if (setting && document_set(trial.document, setting, &trial.error) != STATUS_OK)
		fail_msg("%s", trial.error.text);
	if (world_new(trial.document, &trial.world, &trial.error) != STATUS_OK)
		fail_msg("%s", trial.error.text);
	world_set_check(trial.world, check_kernel, trial.world);
	return trial;
}

static struct trial run(const char *ops, const char *setting)
{
	struct trial trial = begin(ops, setting);
	trial.status = world_run(trial.world, &trial.error);
	return trial;
}

static void release(struct trial *trial)
{
	world_free(trial->world);
	document_free(trial->document);
}

/* In turn, in time slices so short that every operation ends one, and on several CPUs. */
static void assert_holds_however_turns_are_taken(const char *ops)
{
	static const char *const settings[] = {NULL, "kernel.quantum=1", "kernel.quantum=20000", "machine.cpus=4"};
	for (unsigned i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		struct trial trial = run(ops, settings[i]);
		if (trial.status != STATUS_OK)
			fail_msg("%s: %s", settings[i] ? settings[i] : "in turn", trial.error.text);
		release(&trial);
	}
}

static void assert_fails(const char *ops, const char *message)
{
	struct trial trial = run(ops, NULL);
	assert_int_equal(trial.status, STATUS_BAD_INPUT);
	assert_mentions(trial.error, message);
	release(&trial);
}

static void variables_and_blocks_are_the_parents_until_exec(void **state)
{
	(void)state;
	assert_holds_however_turns_are_taken(
	    "{\"op\": \"malloc\", \"id\": \"a\", \"size\": 100}, {\"op\": \"write\", \"at\": \"a\", \"value\": 1},"
	    "{\"op\": \"vfork\", \"body\": [{\"op\": \"expect\", \"that\": \"result\", \"equals\": 0},"
	    "  {\"op\": \"write\", \"at\": \"a\", \"value\": 2}, {\"op\": \"malloc\", \"id\": \"b\", \"size\": 50},"
	    "  {\"op\": \"write\", \"at\": \"b\", \"value\": 3}, {\"op\": \"yield\"},"
	    "  {\"op\": \"exec\", \"program\": \"other\"}, {\"op\": \"malloc\", \"id\": \"a\", \"size\": 60},"
	    "  {\"op\": \"write\", \"at\": \"a\", \"value\": 4},"
	    "  {\"op\": \"expect\", \"that\": \"heap.mallocs\", \"equals\": 1}]},"
	    "{\"op\": \"expect\", \"that\": \"result\", \"equals\": 2},"
	    "{\"op\": \"expect\", \"that\": \"content(a)\", \"equals\": 2},"
	    "{\"op\": \"expect\", \"that\": \"content(b)\", \"equals\": 3},"
	    "{\"op\": \"free\", \"id\": \"a\"}, {\"op\": \"free\", \"id\": \"b\"},"
	    "{\"op\": \"expect\", \"that\": \"heap.live_blocks\", \"equals\": 0}, {\"op\": \"wait\"},"
	    "{\"op\": \"expect\", \"that\": \"result\", \"equals\": 2}");
}

static void the_parent_goes_on_when_the_child_is_killed(void **state)
{
	(void)state;
	assert_holds_however_turns_are_taken(
	    "{\"op\": \"vfork\", \"body\": [{\"op\": \"read\", \"at\": \"0x10\"},"
	    "  {\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGSEGV\"}]},"
	    "{\"op\": \"expect\", \"that\": \"result\", \"equals\": 2},"
	    "{\"op\": \"malloc\", \"id\": \"a\", \"size\": 100}, {\"op\": \"free\", \"id\": \"a\"}");
}

static void a_child_makes_children_in_its_turn(void **state)
{
	(void)state;
	assert_holds_however_turns_are_taken(
	    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"8KiB\"}, {\"op\": \"write\", \"at\": \"m\", \"value\": "
	    "1},"
	    "{\"op\": \"repeat\", \"times\": 3, \"as\": \"i\", \"body\": [{\"op\": \"vfork\", \"body\": ["
	    "  {\"op\": \"vfork\", \"body\": [{\"op\": \"write\", \"at\": \"m\", \"value\": \"{10 + i}\"},"
	    "    {\"op\": \"fork\", \"body\": [{\"op\": \"write\", \"at\": \"m\", \"value\": 99}]}]},"
	    "  {\"op\": \"expect\", \"that\": \"content(m)\", \"equals\": \"{10 + i}\"}]},"
	    "{\"op\": \"expect\", \"that\": \"op.faults.minor\", \"equals\": 0},"
	    "{\"op\": \"expect\", \"that\": \"content(m)\", \"equals\": \"{10 + i}\"}]}");
}

static void memory_that_two_have_is_counted_once(void **state)
{
	(void)state;
	assert_holds_however_turns_are_taken(
	    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"1MiB\"},"
	    "{\"op\": \"write\", \"at\": \"m\", \"length\": \"1MiB\", \"stride\": \"page\"},"
	    "{\"op\": \"vfork\", \"body\": ["
	    "  {\"op\": \"expect\", \"that\": \"memory.rss\", \"at_least\": 256},"
	    "  {\"op\": \"expect\", \"that\": \"machine.memory.rss\", \"at_most\": 300}]}");
}

static void ignore_block(void *self, const struct heap_block *block)
{
	(void)self, (void)block;
}

static void walk_the_parents_heap(void *self, const struct event *event)
{
	const struct world *world = self;
	const struct heap *heap = world_heap(world, 0);
	const char *why = "";
	if (world_bus_const(world)->count[EVENT_VFORK] > 0 && !heap->ops->walk(heap, ignore_block, NULL, &why))
		fail_msg("at %s: %s", event_info(event->kind)->name, why);
}

static void the_parents_heap_can_be_looked_at_while_its_child_leaves(void **state)
{
	(void)state;
	static const char *const leavings[] = {"{\"op\": \"exec\", \"program\": \"other\"}",
					       "{\"op\": \"exit\", \"status\": 1}"};
	for (unsigned i = 0; i < 2; i++) {
		char ops[512];
		(void)snprintf(ops, sizeof(ops),
			       "{\"op\": \"malloc\", \"id\": \"a\", \"size\": 100}, {\"op\": \"vfork\", \"body\": ["
			       "{\"op\": \"malloc\", \"id\": \"b\", \"size\": 5000}, %s]}",
			       leavings[i]);
		struct trial trial = begin(ops, NULL);
		struct bus *bus = world_bus(trial.world);
		bus_subscribe(bus,
			      EVENT_BIT(EVENT_VFORK_DONE) | EVENT_BIT(EVENT_PROCESS_EXIT) | EVENT_BIT(EVENT_VMA_ADD),
			      walk_the_parents_heap, trial.world);
		assert_int_equal(world_run(trial.world, &trial.error), STATUS_OK);
		assert_int_equal(bus->count[EVENT_VFORK_DONE], 1);
		release(&trial);
	}
}

static void what_is_not_modelled_is_refused(void **state)
{
	(void)state;
	assert_fails("{\"op\": \"pthread_create\", \"child\": 1}, {\"op\": \"vfork\", \"body\": []}",
		     "vfork: the process has had threads");
	/* mov eax, 58; syscall; ret */
	assert_fails("{\"op\": \"code\", \"bytes\": \"b8 3a000000 0f05 c3\"}", "use the operation of that name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(variables_and_blocks_are_the_parents_until_exec),
	    cmocka_unit_test(the_parent_goes_on_when_the_child_is_killed),
	    cmocka_unit_test(a_child_makes_children_in_its_turn),
	    cmocka_unit_test(memory_that_two_have_is_counted_once),
	    cmocka_unit_test(the_parents_heap_can_be_looked_at_while_its_child_leaves),
	    cmocka_unit_test(what_is_not_modelled_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
