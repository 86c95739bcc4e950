#include "test_document.h"

#include "faultline/world.h"

struct outcome {
	struct document *document;
	struct world *world;
	enum status status;
	struct error error;
	struct stats stats; /* of the machine */
};

static bool check_kernel(void *self, struct error *why)
{
	struct world *world = self;
	const char *broken = NULL;
	if (!mmu_check(machine_mmu_const(world_machine(world)), &broken)) {
		error_set(why, STATUS_MACHINE_STOPPED, "%s", broken);
		return false;
	}
	return kernel_check(world_kernel(world), why);
}

static struct outcome run_document(struct document *document)
{
	struct outcome out = {.document = document};
	if (world_new(document, &out.world, &out.error) != STATUS_OK)
		fail_msg("%s", out.error.text);
	world_set_check(out.world, check_kernel, out.world);
	out.status = world_run(out.world, &out.error);
	world_machine_stats(out.world, &out.stats);
	return out;
}

static struct outcome run(const char *ops)
{
	return run_document(parse_script(ops));
}

static void release(struct outcome *out)
{
	world_free(out->world);
	document_free(out->document);
}

static void assert_holds(const char *ops)
{
	struct outcome out = run(ops);
	if (out.status != STATUS_OK)
		fail_msg("%s", out.error.text);
	release(&out);
}

static void assert_fails(const char *ops, enum status status, const char *message)
{
	struct outcome out = run(ops);
	assert_int_equal(out.status, status);
	assert_mentions(out.error, message);
	release(&out);
}

#define MAP "{\"op\": \"mmap\", \"id\": \"m\", \"length\": 40960},"
#define WRITE_ALL "{\"op\": \"write\", \"at\": \"m\", \"length\": 40960}"
#define EXPECT(that, value) "{\"op\": \"expect\", \"that\": \"" that "\", \"equals\": " value "}"

static void each_page_faults_once(void **state)
{
	(void)state;
	/* A fault pushes its frame, so only accesses without faults are counted to the last one. */
	assert_holds(MAP EXPECT("op.faults.minor", "0") "," WRITE_ALL "," EXPECT(
	    "op.faults.minor", "10") ","
				     "{\"op\": \"read\", \"at\": \"m\", \"length\": 40960}," EXPECT(
					 "op.faults.minor", "0") "," EXPECT("op.accesses.read",
									    "5120") "," EXPECT("faults.minor", "10"));
}

static void strides_touch_words_and_pages(void **state)
{
	(void)state;
	assert_holds(MAP WRITE_ALL ", {\"op\": \"read\", \"at\": \"m\", \"length\": 4096, \"stride\": 1024}," EXPECT(
	    "op.accesses.read", "4") ", {\"op\": \"write\", \"at\": \"m+4095\", \"length\": 4098, \"stride\": "
				     "\"page\"}," EXPECT("op.accesses.write", "3"));
}

static void content_is_stored_and_seen(void **state)
{
	(void)state;
	assert_holds(
	    MAP "{\"op\": \"write\", \"at\": \"m+4090\", \"length\": 12, \"value\": \"0x1122334455667788\"}," EXPECT(
		"content(m+4090)", "\"0x1122334455667788\"") "," EXPECT("content(m+4096)", "\"0x556677881122\""));
}

static void queries_look_at_pages(void **state)
{
	(void)state;
	assert_holds(MAP EXPECT("mapped(m)", "false") "," EXPECT(
	    "frame(m)",
	    "\"none\"") ", {\"op\": \"write\", \"at\": \"m\"}," EXPECT("mapped(m)",
								       "true") ", {\"op\": \"expect\", \"that\": "
									       "\"frame(m)\", \"at_least\": "
									       "1}," EXPECT("mapped(m+8192)", "false"));
}

static void system_calls_return_minus_one_and_errno(void **state)
{
	(void)state;
	assert_holds("{\"op\": \"munmap\", \"at\": \"0x1\", \"length\": 4096}," EXPECT("result", "-1") "," EXPECT(
	    "errno",
	    "\"EINVAL\"") ", {\"op\": \"getpid\"}," EXPECT("errno",
							   "\"none\"") "," EXPECT("op.syscalls.getpid",
										  "1") "," EXPECT("op.rings.syscall",
												  "1"));
}

static void a_failed_expectation_is_told_with_both_values(void **state)
{
	(void)state;
	assert_fails("{\"op\": \"getpid\"}," EXPECT("op.syscalls.total", "2") ", {\"op\": \"getpid\"}",
		     STATUS_EXPECT_FAILED, "/script/1: expected op.syscalls.total equals 2, it is 1");
}

static void an_expected_signal_is_a_good_end(void **state)
{
	(void)state;
	assert_holds("{\"op\": \"write\", \"at\": \"0x0\"}," EXPECT("signal", "\"SIGSEGV\"") "," EXPECT(
	    "faults.segv", "1") ", {\"op\": \"getpid\"}");
}

static void a_signal_that_nobody_expects_fails_the_run(void **state)
{
	(void)state;
	assert_fails("{\"op\": \"write\", \"at\": \"0x0\"}, {\"op\": \"getpid\"}," EXPECT("signal", "\"SIGSEGV\""),
		     STATUS_EXPECT_FAILED, "/script/0: process app was killed by SIGSEGV");
}

static void a_signal_in_a_loop_is_expected_behind_it(void **state)
{
	(void)state;
	assert_holds(MAP "{\"op\": \"repeat\", \"times\": 20, \"as\": \"i\", \"body\": [{\"op\": \"write\", \"at\": "
			 "\"m+{i*4096}\"}, {\"op\": \"getpid\"}]}," EXPECT("signal", "\"SIGSEGV\"") "," EXPECT(
			     "syscalls.getpid", "10"));
}

static void processes_take_turns_at_yield_and_survive_each_other(void **state)
{
	(void)state;
	struct outcome out = run_document(parse(
	    "{\"faultline\": 1, \"processes\": [{\"name\": \"a\", \"script\": [" MAP
	    "{\"op\": \"write\", \"at\": \"m\", \"value\": 1}, {\"op\": \"yield\"}, {\"op\": \"getpid\"}," EXPECT(
		"content(m)",
		"1") "," EXPECT("result",
				"1") "]}, {\"name\": \"b\", \"script\": [" MAP
				     "{\"op\": \"write\", \"at\": \"m\", \"value\": 2}," EXPECT(
					 "content(m)",
					 "2") ", {\"op\": \"write\", \"at\": \"0x0\"}," EXPECT("signal",
											       "\"SIGSEGV\"") "]}]}"));
	if (out.status != STATUS_OK)
		fail_msg("%s", out.error.text);
	assert_int_equal(world_process_state(out.world, 0).state, WORLD_FINISHED);
	assert_int_equal(world_process_state(out.world, 1).state, WORLD_KILLED);
	assert_string_equal(world_process_state(out.world, 1).pointer, "/processes/1/script/3");
	release(&out);
}

static void processes_add_up_to_the_machine(void **state)
{
	(void)state;
	struct outcome out = run_document(
	    parse("{\"faultline\": 1, \"processes\": [{\"name\": \"a\", \"script\": [" MAP
		  "{\"op\": \"write\", \"at\": \"m\", \"length\": 40960}, {\"op\": \"yield\"}, {\"op\": \"getpid\"}]},"
		  "{\"name\": \"b\", \"script\": [" MAP "{\"op\": \"read\", \"at\": \"m\", \"length\": 40960}]}]}"));
	static const enum stat sums[] = {STAT_FAULTS_MINOR,  STAT_SYSCALLS_TOTAL, STAT_ACCESSES_WRITE,
					 STAT_ACCESSES_READ, STAT_TLB_MISSES,     STAT_MEMORY_RSS};
	for (unsigned i = 0; i < sizeof(sums) / sizeof(*sums); i++) {
		struct stats a;
		struct stats b;
		world_process_stats(out.world, 0, &a);
		world_process_stats(out.world, 1, &b);
		/* Boot belongs to nobody. */
		assert_true(a.value[sums[i]] + b.value[sums[i]] <= out.stats.value[sums[i]]);
		if (sums[i] == STAT_FAULTS_MINOR || sums[i] == STAT_SYSCALLS_TOTAL)
			assert_int_equal(a.value[sums[i]] + b.value[sums[i]], out.stats.value[sums[i]]);
	}
	assert_int_equal(out.stats.value[STAT_CYCLES], out.stats.value[STAT_CYCLES_APP] +
							   out.stats.value[STAT_CYCLES_LIBC] +
							   out.stats.value[STAT_CYCLES_KERNEL]);
	release(&out);
}

static void walks_are_part_of_the_layer_that_caused_them(void **state)
{
	(void)state;
	struct outcome out = run(MAP
				 "{\"op\": \"write\", \"at\": \"m\", \"length\": 40960}, {\"op\": \"malloc\", \"id\": "
				 "\"p\", \"size\": 100}, {\"op\": \"free\", \"id\": \"p\"}");
	const uint64_t *value = out.stats.value;
	uint64_t app = value[STAT_CYCLES_WALK] - value[STAT_CYCLES_WALK_LIBC] - value[STAT_CYCLES_WALK_KERNEL];
	assert_true(app > 0 && app < value[STAT_CYCLES_APP]);
	assert_true(value[STAT_CYCLES_WALK_LIBC] > 0 && value[STAT_CYCLES_WALK_LIBC] < value[STAT_CYCLES_LIBC]);
	assert_true(value[STAT_CYCLES_WALK_KERNEL] > 0 && value[STAT_CYCLES_WALK_KERNEL] < value[STAT_CYCLES_KERNEL]);
	release(&out);
}

static void phases_keep_their_own_statistics(void **state)
{
	(void)state;
	struct outcome out = run(MAP "{\"op\": \"phase\", \"name\": \"first\"}, {\"op\": \"write\", \"at\": \"m\"},"
				     "{\"op\": \"phase\", \"name\": \"second\"}, {\"op\": \"write\", \"at\": "
				     "\"m+4096\", \"length\": 8192}," EXPECT("phase.faults.minor", "2"));
	struct stats first;
	assert_int_equal(out.status, STATUS_OK);
	assert_int_equal(world_phase_count(out.world), 3);
	assert_string_equal(world_phase_name(out.world, 1), "first");
	world_phase_stats(out.world, 1, &first);
	assert_int_equal(first.value[STAT_FAULTS_MINOR], 1);
	release(&out);
}

static void calls_use_the_stack(void **state)
{
	(void)state;
	assert_holds("{\"op\": \"call\", \"frame\": 100}, {\"op\": \"call\", \"frame\": 16}, {\"op\": \"return\"},"
		     "{\"op\": \"return\"}");
	assert_fails("{\"op\": \"return\"}", STATUS_BAD_INPUT, "return without a call");
}

static void a_name_without_a_value_is_a_mistake_of_the_script(void **state)
{
	(void)state;
	assert_fails(
	    "{\"op\": \"repeat\", \"times\": 1, \"as\": \"i\", \"body\": [{\"op\": \"mmap\", \"id\": \"m-{i}\", "
	    "\"length\": 1}, {\"op\": \"read\", \"at\": \"m-{i+1}\"}]}",
	    STATUS_BAD_INPUT, "/script/0/body/1");
}

static void an_exit_ends_the_script(void **state)
{
	(void)state;
	struct outcome out = run("{\"op\": \"exit\", \"status\": 3}, {\"op\": \"getpid\"}");
	assert_int_equal(out.status, STATUS_OK);
	assert_int_equal(world_process_state(out.world, 0).state, WORLD_EXITED);
	assert_int_equal(world_process(out.world, 0)->death.status, 3);
	release(&out);
}

static void patterns_count_their_accesses(void **state)
{
	(void)state;
	assert_holds(MAP WRITE_ALL ", {\"op\": \"access\", \"at\": \"m\", \"length\": 40960, \"count\": 1000, "
				   "\"pattern\": \"zipf\", \"write_ratio\": 1}," EXPECT(
				       "op.accesses.write", "1000") "," EXPECT("op.accesses.read", "0"));
}

static void impossible_memory_is_refused(void **state)
{
	(void)state;
	struct error error;
	struct world *world = NULL;
	struct document *document = parse_script("");
	assert_int_equal(document_set(document, "machine.memory=1000", &error), STATUS_OK);
	assert_int_equal(world_new(document, &world, &error), STATUS_BAD_INPUT);
	assert_mentions(error, "multiples of 4KiB");
	document_free(document);
}

static void two_worlds_run_alike_side_by_side(void **state)
{
	(void)state;
	const char *ops = MAP "{\"op\": \"access\", \"at\": \"m\", \"length\": 40960, \"pattern\": \"uniform\"}";
	struct outcome a = run(ops);
	struct outcome b = run(ops);
	assert_int_equal(world_bus(a.world)->number, world_bus(b.world)->number);
	assert_int_equal(world_bus(a.world)->cycle, world_bus(b.world)->cycle);
	assert_memory_equal(&a.stats, &b.stats, sizeof(a.stats));
	release(&a);
	release(&b);
}

/* ---- round robin ---- */

static struct outcome run_with(const char *text, const char *setting)
{
	struct document *document = NULL;
	struct error error;
	if (document_parse(text, strlen(text), "test.json", &document, &error) != STATUS_OK ||
	    document_set(document, setting, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	return run_document(document);
}

#define WORKER(name)                                                                                                   \
	"{\"name\": \"" name "\", \"script\": ["                                                                       \
	"{\"op\": \"open\", \"id\": \"f\", \"path\": \"/" name "\"},"                                                  \
	"{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"4MiB\", \"fd\": \"f\", \"prot\": \"PROT_READ\"},"             \
	"{\"op\": \"madvise\", \"at\": \"m\", \"length\": \"4MiB\", \"advice\": \"MADV_RANDOM\"},"                     \
	"{\"op\": \"mmap\", \"id\": \"own\", \"length\": \"64KiB\"},"                                                  \
	"{\"op\": \"repeat\", \"times\": 10, \"as\": \"i\", \"body\": ["                                               \
	"{\"op\": \"access\", \"at\": \"own\", \"length\": \"64KiB\", \"count\": 20000, \"write_ratio\": 0.5},"        \
	"{\"op\": \"access\", \"at\": \"m\", \"length\": \"4MiB\", \"pattern\": \"uniform\", \"count\": 3, "           \
	"\"seed\": \"{i+1}\"}]}]}"
#define WORKERS                                                                                                        \
	"{\"faultline\": 1, \"files\": [{\"name\": \"/a\", \"size\": \"4MiB\"}, {\"name\": \"/b\", \"size\": "         \
	"\"4MiB\"}], "                                                                                                 \
	"\"processes\": [" WORKER("a") ", " WORKER("b") "]}"

static void with_a_quantum_one_computes_while_the_other_sleeps(void **state)
{
	(void)state;
	struct outcome alone = run_with(WORKERS, "kernel.quantum=0"), both = run_with(WORKERS, "kernel.quantum=100000");
	assert_int_equal(alone.status, STATUS_OK);
	assert_int_equal(both.status, STATUS_OK);
	/* The same work, in less time, with less idling. */
	assert_int_equal(alone.stats.value[STAT_FAULTS_MINOR], both.stats.value[STAT_FAULTS_MINOR]);
	assert_int_equal(alone.stats.value[STAT_FAULTS_MAJOR], both.stats.value[STAT_FAULTS_MAJOR]);
	assert_true(both.stats.value[STAT_CYCLES] < alone.stats.value[STAT_CYCLES]);
	assert_true(both.stats.value[STAT_CYCLES_WAIT] < alone.stats.value[STAT_CYCLES_WAIT]);
	assert_true(both.stats.value[STAT_CPU_UTILISATION] > alone.stats.value[STAT_CPU_UTILISATION]);
	assert_int_equal(alone.stats.value[STAT_CYCLES_ASLEEP], 0);
	assert_true(both.stats.value[STAT_CYCLES_ASLEEP] > 0);
	assert_int_equal(alone.stats.value[STAT_PROCESSES_SWITCHES], 2);
	release(&alone);
	release(&both);
}

/* A slice ends at the quantum, also in the middle of an operation; what the operation does stays the same. */
static void a_quantum_cuts_long_operations(void **state)
{
	(void)state;
	static const char text[] =
	    "{\"faultline\": 1, \"processes\": ["
	    "{\"name\": \"a\", \"script\": [{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"4MiB\"},"
	    "{\"op\": \"write\", \"at\": \"m\", \"offset\": 3, \"length\": 4000000, \"value\": \"0x0102030405060708\"},"
	    "{\"op\": \"expect\", \"that\": \"op.faults.minor\", \"equals\": 977},"
	    "{\"op\": \"expect\", \"that\": \"content(m+3999995)\", \"equals\": \"0x0102030405060708\"},"
	    "{\"op\": \"read\", \"at\": \"m\", \"length\": \"4MiB\", \"stride\": \"page\"}]},"
	    "{\"name\": \"b\", \"script\": [{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"4MiB\"},"
	    "{\"op\": \"write\", \"at\": \"m\", \"length\": \"4MiB\", \"stride\": 2048},"
	    "{\"op\": \"expect\", \"that\": \"op.accesses.write\", \"at_least\": 2048}]}]}";
	struct outcome whole = run_with(text, "kernel.quantum=0"), cut = run_with(text, "kernel.quantum=50000");
	if (cut.status != STATUS_OK)
		fail_msg("%s", cut.error.text);
	assert_int_equal(whole.stats.value[STAT_FAULTS_MINOR], cut.stats.value[STAT_FAULTS_MINOR]);
	assert_true(cut.stats.value[STAT_PROCESSES_SWITCHES] > 20);
	release(&whole);
	release(&cut);
}

static void whoever_waits_for_a_child_lets_the_cpu_idle(void **state)
{
	(void)state;
	struct outcome out = run_with(
	    "{\"faultline\": 1, \"files\": [{\"name\": \"/a\", \"size\": \"4MiB\"}], \"script\": ["
	    "{\"op\": \"open\", \"id\": \"f\", \"path\": \"/a\"},"
	    "{\"op\": \"malloc\", \"id\": \"m\", \"size\": 4096},"
	    "{\"op\": \"fork\", \"body\": [{\"op\": \"repeat\", \"times\": 50, \"as\": \"i\", \"body\": ["
	    "{\"op\": \"pread\", \"fd\": \"f\", \"at\": \"m\", \"length\": 8, \"file_offset\": \"{i * 81920}\"}]}]},"
	    "{\"op\": \"wait\"}, {\"op\": \"expect\", \"that\": \"result\", \"equals\": 2},"
	    "{\"op\": \"wait\"}, {\"op\": \"expect\", \"that\": \"errno\", \"equals\": \"ECHILD\"}]}",
	    "kernel.quantum=100000");
	if (out.status != STATUS_OK)
		fail_msg("%s", out.error.text);
	assert_int_equal(out.stats.value[STAT_SYSCALLS_WAIT], 3); /* it asks again only when somebody has ended */
	assert_true(out.stats.value[STAT_CPU_UTILISATION] < 20);
	release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_page_faults_once),
	    cmocka_unit_test(strides_touch_words_and_pages),
	    cmocka_unit_test(content_is_stored_and_seen),
	    cmocka_unit_test(queries_look_at_pages),
	    cmocka_unit_test(system_calls_return_minus_one_and_errno),
	    cmocka_unit_test(a_failed_expectation_is_told_with_both_values),
	    cmocka_unit_test(an_expected_signal_is_a_good_end),
	    cmocka_unit_test(a_signal_that_nobody_expects_fails_the_run),
	    cmocka_unit_test(a_signal_in_a_loop_is_expected_behind_it),
	    cmocka_unit_test(processes_take_turns_at_yield_and_survive_each_other),
	    cmocka_unit_test(processes_add_up_to_the_machine),
	    cmocka_unit_test(walks_are_part_of_the_layer_that_caused_them),
	    cmocka_unit_test(phases_keep_their_own_statistics),
	    cmocka_unit_test(calls_use_the_stack),
	    cmocka_unit_test(a_name_without_a_value_is_a_mistake_of_the_script),
	    cmocka_unit_test(an_exit_ends_the_script),
	    cmocka_unit_test(patterns_count_their_accesses),
	    cmocka_unit_test(impossible_memory_is_refused),
	    cmocka_unit_test(two_worlds_run_alike_side_by_side),
	    cmocka_unit_test(with_a_quantum_one_computes_while_the_other_sleeps),
	    cmocka_unit_test(a_quantum_cuts_long_operations),
	    cmocka_unit_test(whoever_waits_for_a_child_lets_the_cpu_idle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
