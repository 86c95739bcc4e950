/* The time series: a sample where one is due, and never one that disagrees with the run. */
#include "faultline/series.h"

#include "small_world.h"

static const char touches[] = "{'op': 'malloc', 'id': 'p', 'size': '64KiB'},"
			      "{'op': 'write', 'at': 'p', 'length': '64KiB'}, {'op': 'free', 'id': 'p'},"
			      "{'op': 'getpid'}, {'op': 'getpid'}";

enum { ROWS = 256, COLUMNS = 48, CELL = 40 };

struct table {
	unsigned rows, columns; /* without the head */
	char cell[ROWS][COLUMNS][CELL];
};

static void read_table(struct table *table, char *text)
{
	unsigned row = 0;
	for (char *line = text, *end; (end = strstr(line, "\r\n")); line = end + 2) {
		*end = '\0';
		unsigned column = 0;
		for (char *cell = line; cell && column < COLUMNS; column++) {
			char *comma = strchr(cell, ',');
			(void)snprintf(table->cell[row][column], CELL, "%.*s",
				       (int)(comma ? (size_t)(comma - cell) : strlen(cell)), cell);
			cell = comma ? comma + 1 : NULL;
		}
		assert_true(row == 0 || column == table->columns);
		table->columns = column;
		row++;
	}
	table->rows = row - 1;
}

static uint64_t cell(const struct table *table, unsigned row, const char *name)
{
	for (unsigned column = 0; column < table->columns; column++) {
		if (strcmp(table->cell[0][column], name) == 0)
			return strtoull(table->cell[row + 1][column], NULL, 10);
	}
	fail_msg("no column %s", name);
	return 0;
}

static struct small_world run_series(const char *document, const char *every, struct table *table)
{
	char *text = NULL;
	size_t length = 0;
	struct series_every interval;
	struct error error;
	FILE *out = open_memstream(&text, &length);
	struct small_world small = small_world_of(document);
	assert_int_equal(series_every_parse(every, &interval, &error), STATUS_OK);
	struct series_csv csv = {out, small.world};
	series_csv_head(&csv);
	struct series *series = series_new(small.world, interval, series_csv_row, &csv);
	bus_subscribe(world_bus(small.world), series_mask(series), series_event, series);
	small_world_run(&small);
	series_free(series);
	(void)fclose(out);
	read_table(table, text);
	free(text);
	return small;
}

static struct small_world run_script(const char *script, const char *every, struct table *table)
{
	char text[4096];
	(void)snprintf(text, sizeof(text), "{'faultline': 1, 'name': 'small', 'script': [%s]}", script);
	return run_series(text, every, table);
}

static void series_samples_after_every_so_many_operations(void **state)
{
	struct table table;
	struct small_world small = run_script(touches, "2ops", &table);
	(void)state;
	assert_int_equal(cell(&table, 0, "operations"), 0);
	assert_int_equal(cell(&table, 1, "operations"), 2);
	assert_int_equal(cell(&table, 2, "operations"), 4);
	assert_int_equal(cell(&table, 3, "operations"), 5);
	assert_int_equal(table.rows, 4);
	small_world_free(&small);
}

static void series_ends_with_what_the_run_ended_with(void **state)
{
	static const char *const intervals[] = {"1ops", "3ops", "100ops", "7events", "1Kcycles"};
	(void)state;
	for (unsigned i = 0; i < sizeof(intervals) / sizeof(*intervals); i++) {
		struct table table;
		struct stats stats;
		struct small_world small = run_script(touches, intervals[i], &table);
		world_machine_stats(small.world, &stats);
#define X(id) assert_int_equal(cell(&table, table.rows - 1, stat_info(STAT_##id)->name), stats.value[STAT_##id]);
		SERIES_STAT_LIST(X)
#undef X
		assert_int_equal(cell(&table, table.rows - 1, "events"), stats.value[STAT_EVENTS]);
		assert_int_equal(cell(&table, table.rows - 1, "cycles"), stats.value[STAT_CYCLES]);
		small_world_free(&small);
	}
}

static void series_never_misses_an_interval(void **state)
{
	struct table table;
	struct small_world small = run_script(touches, "10events", &table);
	(void)state;
	assert_true(table.rows > 10);
	for (unsigned row = 1; row + 1 < table.rows; row++) {
		assert_int_equal(cell(&table, row, "events") % 10, 0);
		assert_true(row == 1 || cell(&table, row, "events") == cell(&table, row - 1, "events") + 10);
	}
	small_world_free(&small);
}

static void series_of_several_processes_adds_up(void **state)
{
	static const char two[] = "{'faultline': 1, 'name': 'two', 'processes': ["
				  "{'name': 'a', 'script': [{'op': 'malloc', 'id': 'p', 'size': '64KiB'},"
				  "{'op': 'write', 'at': 'p', 'length': '64KiB'}, {'op': 'yield'}, {'op': 'getpid'}]},"
				  "{'name': 'b', 'script': [{'op': 'malloc', 'id': 'p', 'size': '8KiB'}]}]}";
	struct table table;
	struct small_world small = run_series(two, "1ops", &table);
	(void)state;
	uint64_t whole = cell(&table, table.rows - 3, "memory.rss");
	assert_int_equal(cell(&table, table.rows - 3, "pid"), 0);
	assert_int_equal(whole,
			 cell(&table, table.rows - 2, "memory.rss") + cell(&table, table.rows - 1, "memory.rss"));
	small_world_free(&small);
}

static void series_sees_holes_between_live_blocks(void **state)
{
	static const char holes[] =
	    "{'op': 'malloc', 'id': 'a', 'size': 40000}, {'op': 'malloc', 'id': 'b', 'size': 40000},"
	    "{'op': 'malloc', 'id': 'c', 'size': 40000}, {'op': 'free', 'id': 'b'}";
	struct table table;
	struct small_world small = run_script(holes, "1ops", &table);
	(void)state;
	unsigned last = table.rows - 1;
	assert_int_equal(cell(&table, 1, "heap.fragmentation"), 0);
	assert_int_equal(cell(&table, last, "heap.free_bytes") - cell(&table, last - 1, "heap.free_bytes"), 40016);
	assert_true(cell(&table, last, "heap.fragmentation") > 0);
	small_world_free(&small);
}

/* 64 MiB are 32 huge pages; what runs in so small a world spoils but the first. */
static void series_finds_untouched_memory_unfragmented(void **state)
{
	struct table table;
	struct small_world small = run_script(touches, "1ops", &table);
	(void)state;
	for (unsigned row = 0; row < table.rows; row++) {
		uint64_t free_frames = cell(&table, row, "frames.free");
		uint64_t unusable = free_frames - 31 * 512;
		assert_int_equal(cell(&table, row, "frames.fragmentation"), unusable * 1000 / free_frames);
	}
	small_world_free(&small);
}

static void intervals_want_a_number_and_a_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t count;
		enum series_unit unit;
	} good[] = {{"1ops", 1, SERIES_OPERATIONS},
		    {"12operations", 12, SERIES_OPERATIONS},
		    {"5Kevents", 5000, SERIES_EVENTS},
		    {"2Mcycles", 2000000, SERIES_CYCLES}};
	static const char *const bad[] = {"",
					  "5",
					  "ops",
					  "0ops",
					  "-1ops",
					  "5 ops",
					  "5seconds",
					  "5Tops",
					  " 5ops",
					  "99999999999999999999Gops",
					  "18446744073Gops"};
	struct series_every every;
	struct error error;
	(void)state;
	for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(series_every_parse(good[i].text, &every, &error), STATUS_OK);
		assert_int_equal(every.count, good[i].count);
		assert_int_equal(every.unit, good[i].unit);
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(series_every_parse(bad[i], &every, &error), STATUS_BAD_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(series_samples_after_every_so_many_operations),
	    cmocka_unit_test(series_ends_with_what_the_run_ended_with),
	    cmocka_unit_test(series_never_misses_an_interval),
	    cmocka_unit_test(series_of_several_processes_adds_up),
	    cmocka_unit_test(series_sees_holes_between_live_blocks),
	    cmocka_unit_test(series_finds_untouched_memory_unfragmented),
	    cmocka_unit_test(intervals_want_a_number_and_a_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
