/* The trace: a document that the Perfetto UI can open, with slices that nest and end. */
#include "faultline/perfetto.h"

#include <cjson/cJSON.h>

#include "small_world.h"

enum { TRACKS = 64 };

static const char two[] = "{'faultline': 1, 'name': 'two', 'processes': ["
			  "{'name': 'a', 'script': [{'op': 'malloc', 'id': 'p', 'size': '64KiB'},"
			  "{'op': 'write', 'at': 'p', 'length': '64KiB'}, {'op': 'yield'}, {'op': 'read', 'at': '0x0'},"
			  "{'op': 'expect', 'that': 'signal', 'equals': 'SIGSEGV'}]},"
			  "{'name': 'b', 'script': [{'op': 'getpid'}, {'op': 'yield'}, {'op': 'getpid'}]}]}";

struct trace {
	struct small_world small;
	cJSON *document;
	const cJSON *events;
};

static void trace_run(struct trace *trace, const char *document)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	trace->small = small_world_of(document);
	struct perfetto *perfetto = perfetto_new(out, trace->small.world);
	bus_subscribe(world_bus(trace->small.world), perfetto_mask(), perfetto_event, perfetto);
	small_world_run(&trace->small);
	perfetto_free(perfetto);
	(void)fclose(out);
	trace->document = cJSON_Parse(text);
	assert_non_null(trace->document);
	trace->events = cJSON_GetObjectItemCaseSensitive(trace->document, "traceEvents");
	assert_true(cJSON_IsArray(trace->events));
	free(text);
}

static void trace_free(struct trace *trace)
{
	cJSON_Delete(trace->document);
	small_world_free(&trace->small);
}

static const char *text_of(const cJSON *event, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(event, key);
	return cJSON_IsString(item) ? item->valuestring : "";
}

static double number_of(const cJSON *event, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(event, key);
	assert_true(cJSON_IsNumber(item));
	return item->valuedouble;
}

static bool is_phase(const cJSON *event, const char *phase)
{
	return strcmp(text_of(event, "ph"), phase) == 0;
}

static void slices_nest_and_end_on_every_track(void **state)
{
	(void)state;
	struct trace trace;
	unsigned open[TRACKS] = {0};
	const cJSON *event;
	trace_run(&trace, two);
	cJSON_ArrayForEach(event, trace.events)
	{
		unsigned track = (unsigned)number_of(event, "tid");
		assert_true(track < TRACKS);
		open[track] += is_phase(event, "B");
		if (is_phase(event, "E"))
			assert_true(open[track]-- > 0);
	}
	for (unsigned i = 0; i < TRACKS; i++)
		assert_int_equal(open[i], 0);
	trace_free(&trace);
}

static void time_runs_forward(void **state)
{
	(void)state;
	struct trace trace;
	double last = 0;
	const cJSON *event;
	trace_run(&trace, two);
	cJSON_ArrayForEach(event, trace.events)
	{
		if (is_phase(event, "M"))
			continue;
		double end = number_of(event, "ts") + (is_phase(event, "X") ? number_of(event, "dur") : 0);
		assert_true(end >= last);
		last = end;
	}
	/* One nanosecond is a cycle. */
	assert_true(last * 1000 <= (double)world_bus_const(trace.small.world)->cycle + 0.5);
	trace_free(&trace);
}

static void every_process_has_a_track_for_each_layer(void **state)
{
	(void)state;
	struct trace trace;
	unsigned processes = 0, layers = 0;
	const cJSON *event;
	trace_run(&trace, two);
	cJSON_ArrayForEach(event, trace.events)
	{
		processes += strcmp(text_of(event, "name"), "process_name") == 0;
		layers += strcmp(text_of(event, "name"), "thread_name") == 0;
	}
	assert_int_equal(processes, 3); /* the machine and two */
	assert_int_equal(layers, 3 * LAYER_COUNT);
	trace_free(&trace);
}

static unsigned count_of(const struct trace *trace, const char *phase, const char *name)
{
	unsigned count = 0;
	const cJSON *event;
	cJSON_ArrayForEach(event, trace->events)
	{
		count += is_phase(event, phase) && strcmp(text_of(event, "name"), name) == 0;
	}
	return count;
}

static void operations_calls_faults_and_rings_are_slices(void **state)
{
	(void)state;
	struct trace trace;
	struct stats stats;
	trace_run(&trace, two);
	world_machine_stats(trace.small.world, &stats);
	assert_int_equal(count_of(&trace, "B", "malloc"), 2); /* the operation and the call */
	assert_int_equal(count_of(&trace, "B", "getpid"), 4); /* the operations and the system calls */
	assert_int_equal(count_of(&trace, "B", "#PF"), stats.value[STAT_FAULTS_MINOR] + stats.value[STAT_FAULTS_SEGV]);
	assert_int_equal(count_of(&trace, "B", "ring 0 by SYSCALL"), stats.value[STAT_SYSCALLS_TOTAL]);
	assert_int_equal(count_of(&trace, "X", "walk"), world_bus_const(trace.small.world)->count[EVENT_WALK]);
	trace_free(&trace);
}

static void resident_memory_is_counted_up_and_down(void **state)
{
	(void)state;
	struct trace trace;
	double peak = 0, last = -1;
	struct stats stats;
	const cJSON *event;
	trace_run(&trace, two);
	cJSON_ArrayForEach(event, trace.events)
	{
		if (!is_phase(event, "C") || number_of(event, "pid") != 1 ||
		    strcmp(text_of(event, "name"), "resident memory") != 0)
			continue;
		last = number_of(cJSON_GetObjectItemCaseSensitive(event, "args"), "KiB");
		peak = last > peak ? last : peak;
	}
	world_process_stats(trace.small.world, 0, &stats);
	assert_int_equal(peak, 4 * stats.value[STAT_MEMORY_PEAK_RSS]);
	assert_int_equal(last, 0);
	trace_free(&trace);
}

/* Of a storm in a small memory the trace tells every page that goes and comes, and ends its counters where the run
 * ends. */
static void perfetto_follows_pages_into_swap_and_back(void **state)
{
	static const char storm[] = "{'faultline': 1, 'name': 'storm', 'machine': {'memory': '8MiB'},"
				    "'kernel': {'swap': '32MiB'}, 'script': ["
				    "{'op': 'mmap', 'id': 'm', 'length': '12MiB'},"
				    "{'op': 'write', 'at': 'm', 'length': '12MiB'},"
				    "{'op': 'read', 'at': 'm', 'length': '12MiB'}]}";
	struct trace trace;
	struct stats stats;
	double swapped = 0, major = 0;
	uint64_t out = 0;
	const cJSON *event;
	(void)state;
	trace_run(&trace, storm);
	cJSON_ArrayForEach(event, trace.events)
	{
		const cJSON *args = cJSON_GetObjectItemCaseSensitive(event, "args");
		out += strcmp(text_of(event, "name"), "swap_out") == 0;
		if (strcmp(text_of(event, "name"), "swap in use") == 0)
			swapped = number_of(args, "KiB");
		if (strcmp(text_of(event, "name"), "major faults") == 0)
			major = number_of(args, "faults");
	}
	world_machine_stats(trace.small.world, &stats);
	assert_true(out > 0);
	assert_int_equal(out, stats.value[STAT_SWAP_OUT]);
	assert_int_equal((uint64_t)swapped, stats.value[STAT_SWAP_USED] * 4);
	assert_int_equal((uint64_t)major, stats.value[STAT_FAULTS_MAJOR]);
	trace_free(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(perfetto_follows_pages_into_swap_and_back),
	    cmocka_unit_test(slices_nest_and_end_on_every_track),
	    cmocka_unit_test(time_runs_forward),
	    cmocka_unit_test(every_process_has_a_track_for_each_layer),
	    cmocka_unit_test(operations_calls_faults_and_rings_are_slices),
	    cmocka_unit_test(resident_memory_is_counted_up_and_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
